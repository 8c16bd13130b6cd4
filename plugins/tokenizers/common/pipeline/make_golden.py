#!/usr/bin/env python3
"""Writes testdata/: tokenizers of many kinds (tokenizer.json, trained here on the text below) and what Hugging Face tokenizers gives for texts of many
scripts. golden_test.cpp compares ids, tokens, offsets and decoded text.

The files in the repository were made with tokenizers 0.23.3. The training text is made up here; the texts to encode are a list below and random characters
from a fixed seed.

    make_golden.py TESTDATA
"""

import json
import pathlib
import random
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

WORDS = """the of and to in is that it was for on are as with his they be at one have this from or had by hot but some what there we can out other were all
your when up use word how said an each she which do their time if will way about many then them would write like so these her long make thing see him two has look
more day could go come did my sound no most number who over know water than call first people may down side been now find any new work part take get place made live
Straße naïve café résumé über Ärger mañana Œuvre 東京 京都 日本語 中文 漢字 カタカナ ひらがな Привет мир как дела γειά σου κόσμε שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดี ชาวโลก 안녕하세요 세계
def return import class self 0 1 2 3 42 1999 3.14 1,000 -7 +5 x=1; a[i] {} () <tag> don't I'm we've they'll it's can't O'Neill e-mail http://a.example/b?c=d#e""".split()

TEXTS = [
    "", " ", "  ", "a", "Hello, world!", "Hello world, how's it going? I'm fine; they'll've gone.", "  leading and trailing  ", "tabs\tand\nnew\r\nlines\n\n\nend\n",
    "don't DON'T Don't 'S 's 'ſ 're 'RE", "numbers 1 12 123 1234 12345 3.14159 1,000,000 ½ Ⅷ ٣ २", "naïve café Straße ŒUVRE ǅ ǆ ﬁ ﬃ Å Å é é ẛ̣ ①②③ ｆｕｌｌ",
    "東京は日本の首都です。中文字符，漢字！カタカナーひらがな ｶﾀｶﾅ", "안녕하세요 세계 각", "Привет, мир! Ё ё й й", "γειά σου Κόσμε ΣΊΣΥΦΟΣ ς", "שלום עולם שָׁלוֹם", "مرحبا بالعالم ـ لا",
    "नमस्ते दुनिया क्षि", "สวัสดีชาวโลก น้ำ", "emoji 😀 👩‍👩‍👧‍👦 🇩🇪🇫🇷 ✊🏽 ❤️ ☃", "a\u0000b\u0001c\u007fd\u0085e\u00a0f\u200bg\u200dh\u2028i\u2029j\ufeffk\ufffdl\U0010ffff", "combining: ḁ̈̃ x̀́ ̀ alone",
    "<s> and </s> and [CLS] [SEP] [MASK] <|endoftext|> <|im_start|>user", "x[MASK]y  [MASK]  z a[mask]b wordADDEDword ADDED  ADDED. added", "\u2581meta\u2581space \u2581 ", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" * 8,
    "aaaaaaaaaabbbbbbbbbb" * 20, "https://example.org/a/b?c=1&d=2#frag  user@example.com", "def f(x):\n    return x ** 2  # comment\n\n\tif (a && b) { c->d(); }", "ΑΒΓ İstanbul ıi Iİ", "0x1F 0b1010 1e-9 v2.0.1-rc+3",
    "“curly” ‘quotes’ — dashes – … • § ¶ © ® ™ € £ ¥ ₿ ± × ÷ ≤ ≥ ∞ ∑ √", "   \u3000ideographic\u3000space\u2003em\u1680ogham",
]


def random_texts(count):
    generator = random.Random(20261124)
    pools = [range(0x20, 0x7F), range(0x00, 0x180), range(0x300, 0x370), range(0x370, 0x600), range(0x900, 0xE80), range(0x1E00, 0x2100), range(0x2000, 0x2070), range(0x3040, 0x30FF),
             range(0x4E00, 0x4F00), range(0xAC00, 0xAD00), range(0xF900, 0xFB00), range(0xFE00, 0x10000), range(0x1F300, 0x1F650), [0x20, 0x20, 0x0A, 0x27, 0x73, 0x74]]
    texts = []
    for _ in range(count):
        pool = generator.choice(pools)
        mixed = generator.random() < 0.5
        characters = []
        for _ in range(generator.randrange(1, 40)):
            c = generator.choice(generator.choice(pools) if mixed else pool)
            if not 0xD800 <= c < 0xE000:
                characters.append(chr(c))
        texts.append("".join(characters))
    for _ in range(count):
        texts.append(" ".join(generator.choice(WORDS) + generator.choice(["", "", ",", ".", "!", "'s", "\n"]) for _ in range(generator.randrange(1, 20))))
    return texts


def corpus():
    generator = random.Random(7)
    return [" ".join(generator.choice(WORDS) for _ in range(30)) for _ in range(400)]


def trained(tokenizer, trainer):
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def byte_level_bpe(vocab_size=420, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return trained(tokenizer, trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"], show_progress=False))


def llama3_like():
    tokenizer = byte_level_bpe(ignore_merges=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CL100K), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|> $B:1", special_tokens=[("<|endoftext|>", 0)])])
    return tokenizer


def qwen_like():
    tokenizer = byte_level_bpe()
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(["<|im_start|>"])
    return tokenizer


def roberta_like():
    tokenizer = byte_level_bpe()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True), "<s>", "</s>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), trim_offsets=True, add_prefix_space=True)
    return tokenizer


def llama2_like():
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    tokenizer = trained(tokenizer, trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>", "<s>", "</s>"] + bytes_, show_progress=False))
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


def clip_like():
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return trained(tokenizer, trainers.BpeTrainer(vocab_size=700, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"], show_progress=False))


def bert_like(lowercase, vocab_size=400):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer = trained(tokenizer, trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def t5_like():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer = trained(tokenizer, trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=["<pad>", "</s>", "<unk>"], show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def word_level(pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return trained(tokenizer, trainers.WordLevelTrainer(vocab_size=200, special_tokens=["[UNK]"], show_progress=False))


def characters(normalizer, pre_tokenizer=None):
    """Every character a token, known or not: so offsets show where each came from."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, " ": 2}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.Split(Regex(r"(?m:.)|\n"), "isolated")
    return tokenizer


def added():
    tokenizer = bert_like(True)
    tokenizer.add_tokens([AddedToken("ADDED", single_word=True), AddedToken("zz", normalized=False), AddedToken("Straße", normalized=True), AddedToken("e-mail", rstrip=True, normalized=False)])
    tokenizer.add_special_tokens([AddedToken("<|im_start|>", rstrip=True), AddedToken("<s>", lstrip=True, rstrip=True), AddedToken("[MASK]", lstrip=True)])
    return tokenizer


def limited():
    tokenizer = bert_like(False)
    tokenizer.enable_truncation(12, direction="left")
    tokenizer.enable_padding(length=16, pad_id=0, pad_token="[PAD]", pad_type_id=1, direction="left", pad_to_multiple_of=5)
    return tokenizer


def all_tokenizers():
    yield "gpt2", byte_level_bpe()
    yield "llama3", llama3_like()
    yield "qwen2", qwen_like()
    yield "roberta", roberta_like()
    yield "llama2", llama2_like()
    yield "clip", clip_like()
    yield "bert_uncased", bert_like(True)
    yield "bert_cased", bert_like(False)
    yield "t5", t5_like()
    yield "added", added()
    yield "limited", limited()
    yield "whitespace", word_level(pre_tokenizers.Whitespace())
    yield "whitespace_split", word_level(pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=True)]))
    yield "digits", word_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Punctuation("contiguous")]))
    yield "punctuation_merged", word_level(pre_tokenizers.Sequence([pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.CharDelimiterSplit(" ")]))
    yield "scripts", word_level(pre_tokenizers.UnicodeScripts(), normalizers.Strip())
    yield "fixed", word_level(pre_tokenizers.FixedLength(3))
    yield "metaspace_first", word_level(pre_tokenizers.Metaspace(prepend_scheme="first"))
    for name, normalizer in {"nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD(), "lowercase": normalizers.Lowercase(), "nmt": normalizers.Nmt(),
                             "strip_accents": normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), "bert": normalizers.BertNormalizer(), "strip": normalizers.Strip(), "byte_level": normalizers.ByteLevel(),
                             "replace": normalizers.Sequence([normalizers.Replace("a", "XYZ"), normalizers.Replace(Regex(r"\d+"), ""), normalizers.Replace(Regex(r"[aeiou]$"), "\u2581")]), "prepend": normalizers.Prepend("\u2581\u2581")}.items():
        yield "characters_" + name, characters(normalizer)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    texts = TEXTS + random_texts(20)
    (folder / "texts.json").write_text(json.dumps({"tokenizers": tokenizers.__version__, "texts": texts}, ensure_ascii=True, indent=0), encoding="utf-8")
    files, answers = {}, {}
    for name, tokenizer in all_tokenizers():
        files[name] = json.loads(tokenizer.to_str())
        answers[name] = []
        for text in texts:
            encoding = tokenizer.encode(text)
            flat = [n for pair in encoding.offsets for n in pair]
            answers[name].append([encoding.ids, flat, tokenizer.decode(encoding.ids, skip_special_tokens=False)])
    (folder / "tokenizers.json").write_text(json.dumps(files, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    with open(folder / "answers.jsonl", "w", encoding="utf-8") as out:
        for name, list_ in answers.items():
            out.write(json.dumps([name, list_], ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
