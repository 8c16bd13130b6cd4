#!/usr/bin/env python3
"""Writes tokenizers.jsonl of wordpiece_trainer and unigram_trainer: the tokenizer.json that Hugging Face tokenizers 0.23.3 saves after training.

A line has the documents ("corpus": the paragraphs of bpe_trainer/testdata/corpus.txt, "texts": the first 24 of common/pipeline/testdata/texts.json, or a list), the
parameters of our plugin, the file, and the ids that the library gives for some texts with it. The file is there as JSON, and where it is short as text too.

The library numbers pieces with a prefix in an order that changes from run to run. So they are special tokens here, which fixes their numbers, or all
stand in one word. Every training is done eight times, and what does not come out the same each time is an error of this script.

    pip install tokenizers==0.23.3 && ./make_tokenizers.py
"""

import json
import pathlib
import tempfile

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
CORPUS = (HERE / "../../../bpe_trainer/testdata/corpus.txt").read_bytes().decode().split("\n\n")  # with its line ends
TEXTS = json.loads((HERE / "../../pipeline/testdata/texts.json").read_text(encoding="utf-8"))["texts"][:24]
SAMPLES = ["", " ", "We are accounted poor citizens, the patricians good.", "Élan vital: naïve CAFÉ", "東京 x\x01y\x0bz", "  two  spaces ", "\u00a0no\u00a0break\u00a0 "]
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OURS = ["<|endoftext|>", "<|pad|>", "<|mask|>", "<unk>"]


def documents_of(name):
    return CORPUS if name == "corpus" else TEXTS if name == "texts" else name


def saved(tokenizer):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(folder + "/tokenizer.json")
        return pathlib.Path(folder, "tokenizer.json").read_text(encoding="utf-8")


def bert_parts(parameters):
    normalizer = normalizers.BertNormalizer(
        clean_text=parameters.get("clean_text", True), handle_chinese_chars=parameters.get("handle_chinese_chars", True),
        strip_accents=parameters.get("strip_accents"), lowercase=parameters.get("lowercase", True),
    )
    return normalizer, pre_tokenizers.BertPreTokenizer()


def train_word_piece(documents, parameters):
    specials = parameters.get("special_tokens", BERT)
    prefix = parameters.get("continuing_subword_prefix", "##")
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = bert_parts(parameters)
    tokenizer.decoder = decoders.WordPiece(prefix=prefix)
    trainer = trainers.WordPieceTrainer(
        vocab_size=parameters["vocab_size"], min_frequency=parameters.get("min_frequency", 2), limit_alphabet=parameters.get("limit_alphabet", 1000),
        special_tokens=specials, continuing_subword_prefix=prefix, show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    if "[CLS]" in specials and "[SEP]" in specials:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
            special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
        )
    return tokenizer


def train_unigram(documents, parameters):
    tokenizer = Tokenizer(models.Unigram())
    if parameters.get("normalization") != "identity":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=parameters["vocab_size"], shrinking_factor=parameters.get("shrinking_factor", 0.75), max_piece_length=parameters.get("max_piece_length", 16),
        n_sub_iterations=parameters.get("n_sub_iterations", 2), special_tokens=parameters.get("special_tokens", OURS), unk_token=parameters.get("unk_token", "<unk>"),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def continuing_pieces(documents, parameters, prefix="##"):
    """Every character behind another in a word."""
    normalizer, pre_tokenizer = bert_parts(parameters)
    words = [word for text in documents for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))]
    return [prefix + c for c in sorted({c for word in words for c in word[1:]})]


def word_piece_cases():
    uncased = {"vocab_size": 500}
    yield "corpus", uncased | {"special_tokens": BERT + continuing_pieces(CORPUS, uncased)}
    cased = {"vocab_size": 300, "lowercase": False, "min_frequency": 3, "continuing_subword_prefix": "@@"}
    yield CORPUS[:20], cased | {"special_tokens": ["[UNK]"] + continuing_pieces(CORPUS[:20], cased, "@@")}
    accents = {"vocab_size": 420, "lowercase": False, "strip_accents": True, "handle_chinese_chars": False, "clean_text": False, "min_frequency": 0}
    yield "texts", accents | {"special_tokens": BERT + continuing_pieces(TEXTS, accents)}
    kept = {"vocab_size": 420, "strip_accents": False}
    yield "texts", kept | {"special_tokens": BERT + continuing_pieces(TEXTS, kept)}
    yield ["Abracadabra abracadabra", " ABRACADABRA\u00e9 "], {"vocab_size": 30}


def unigram_cases():
    yield "corpus", {"vocab_size": 600}
    yield "corpus", {"vocab_size": 300, "special_tokens": ["<pad>", "</s>", "<unk>"], "max_piece_length": 5, "n_sub_iterations": 3, "shrinking_factor": 0.5}
    yield "corpus", {"vocab_size": 500, "normalization": "identity"}


def case(train, documents, parameters, repeats):
    tokenizers_ = [train(documents_of(documents), parameters) for _ in range(repeats)]
    texts = {saved(tokenizer) for tokenizer in tokenizers_}
    print(parameters["vocab_size"], len(texts), "different files")
    text = saved(tokenizers_[0])
    line = {"documents": documents, "parameters": parameters, "tokenizer": json.loads(text)}
    if len(text) < 10000:
        line["text"] = text
    return texts, line | {"ids": [[sample, tokenizers_[0].encode(sample).ids] for sample in SAMPLES]}


def write(path, cases):
    with open(HERE / path, "w", encoding="utf-8") as file:
        for line in cases:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    assert tokenizers.__version__ == "0.23.3"
    lines = []
    for documents, parameters in word_piece_cases():
        texts, line = case(train_word_piece, documents, parameters, 8)
        assert len(texts) == 1, parameters
        lines.append(line)
    write("../../../wordpiece_trainer/testdata/tokenizers.jsonl", lines)
    write("../../../unigram_trainer/testdata/tokenizers.jsonl", [case(train_unigram, documents, parameters, 8)[1] for documents, parameters in unigram_cases()])


if __name__ == "__main__":
    main()
