"""A tokenizer like that of Llama 2, trained here: sentencepiece's model, and the tokenizer.json that transformers makes of such a model."""

import io

import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers

VOCAB_SIZE = 32000
METASPACE = "\u2581"


def sentencepiece_model(texts, vocab_size=VOCAB_SIZE):
    """Trains as Meta trained Llama 2's: digits one by one, no normalization, bytes for characters that are no tokens."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for text in texts for line in text.split("\n")), model_writer=model, model_type="bpe", vocab_size=vocab_size, byte_fallback=True, split_digits=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, max_sentence_length=100_000, num_threads=1, minloglevel=2,
    )
    return model.getvalue()


def tokenizer_of(model):
    """Of each token all pairs that it can be cut into are merges, of better parts first; better tokens have smaller ids."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocab = {processor.id_to_piece(i): i for i in range(processor.get_piece_size())}
    tokens = [token for token, i in vocab.items() if not (processor.is_byte(i) or processor.is_control(i) or processor.is_unknown(i))]

    def pairs(token):
        cuts = ((token[:i], token[i:]) for i in range(1, len(token)))
        return sorted((pair for pair in cuts if pair[0] in vocab and pair[1] in vocab), key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))

    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[pair for token in tokens for pair in pairs(token)], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(METASPACE), normalizers.Replace(" ", METASPACE)])
    tokenizer.decoder = decoders.Sequence([decoders.Replace(METASPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def write_llama(folder, texts):
    """Makes `folder` with tokenizer.model and tokenizer.json, trained on `texts`, and returns it."""
    folder.mkdir()
    model = sentencepiece_model(texts)
    (folder / "tokenizer.model").write_bytes(model)
    tokenizer_of(model).save(str(folder / "tokenizer.json"))
    return folder
