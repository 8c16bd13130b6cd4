"""One engine of tokenizer_speed.py in a process of its own; speaks as `flowrun_bpe_tool speed` does (see plugins/tokenizers/common/encoder_speed.hpp).

    speed_worker.py ENGINE FOLDER SLICES THREADS      FOLDER: tokenizer.json of one vocabulary with ranks.tiktoken and pattern.txt, or tokenizer.model
"""

import base64
import contextlib
import io
import json
import os
import pathlib
import shutil
import sys
import time

import numpy as np


def read_ranks(folder):
    lines = (line.split() for line in open(folder / "ranks.tiktoken", "rb"))
    return {base64.b64decode(token): int(rank) for token, rank in lines}


# Each returns a function from a list of texts to their ids. With one thread it is the faster of what an engine offers, documents or batches.
def open_tokenizers(folder, threads):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True  # text is data
    return lambda texts: [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def open_tiktoken(folder, threads):
    import tiktoken

    encoding = tiktoken.Encoding(folder.name, pat_str=(folder / "pattern.txt").read_text(), mergeable_ranks=read_ranks(folder), special_tokens={})
    if threads == 1:
        return lambda texts: [encoding.encode_ordinary(text) for text in texts]
    return lambda texts: encoding.encode_ordinary_batch(texts, num_threads=threads)


def open_quicktok(folder, threads):
    import quicktok

    if folder.name == "cl100k":
        encoding = quicktok.get_encoding("cl100k_base")
    else:
        with contextlib.redirect_stdout(io.StringIO()):
            quicktok.import_tokenizer(str(folder / "tokenizer.json"), folder.name, str(folder))
        encoding = quicktok.get_encoding(folder.name, str(folder))
    return lambda texts: encoding.encode_batch(texts, threads)


def open_gigatoken(folder, threads):
    import gigatoken

    if (model := folder / "tokenizer.model").exists():
        tokenizer = gigatoken.Tokenizer.from_sentencepiece(model)
    else:
        tokenizer = gigatoken.Tokenizer.from_tiktoken(folder / "ranks.tiktoken", pretokenizer="gpt4")
    if threads == 1:
        return lambda texts: [tokenizer.encode(text) for text in texts]
    return lambda texts: tokenizer.encode_batch(texts, parallel=True)


def open_sentencepiece(folder, threads):
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    return lambda texts: processor.encode(texts, num_threads=threads)


def open_fastokens(folder, threads):
    from fastokens._native import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    if threads == 1:
        return lambda texts: [tokenizer.encode(text) for text in texts]
    return tokenizer.encode_batch


def open_wordchipper(folder, threads):
    if folder.name != "cl100k":
        raise NotImplementedError("its Python package loads the published vocabularies alone")
    cache = folder / "wordchipper/openai/cl100k_base"  # it would download the file: give it this one
    cache.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "ranks.tiktoken", cache / "cl100k_base.tiktoken")
    os.environ["WORDCHIPPER_CACHE_DIR"] = str(folder / "wordchipper")
    import wordchipper

    tokenizer = wordchipper.Tokenizer.from_pretrained("cl100k_base")
    if threads == 1:
        return lambda texts: [tokenizer.encode(text) for text in texts]
    return tokenizer.encode_batch


OPENERS = {"tokenizers": open_tokenizers, "tiktoken": open_tiktoken, "quicktok-v1": open_quicktok, "gigatoken": open_gigatoken, "fastokens": open_fastokens, "wordchipper": open_wordchipper, "sentencepiece": open_sentencepiece}


def arrays(result):
    """Ids by document, whatever form an engine gives them."""
    if isinstance(result, tuple):  # quicktok's batch: all ids, then where each document's end
        ids, ends = (np.asarray(part) for part in result)
        return np.split(ids.astype(np.uint32), ends[1:-1] if len(ends) and ends[0] == 0 else ends[:-1])
    return [np.asarray(document.ids if hasattr(type(document), "ids") else document, dtype=np.uint32) for document in result]


def main():
    engine, folder, slices_path, threads = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    slices = [json.loads(line) for line in open(slices_path, encoding="utf-8")]
    encode = OPENERS[engine](folder, threads)
    for line in sys.stdin:
        number, *path = line.split(maxsplit=1)
        texts = slices[int(number)]
        start, cpu_start = time.perf_counter(), time.process_time()
        result = encode(texts)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        ids = arrays(result)
        if path:
            np.concatenate([np.array([len(document) for document in ids], dtype=np.uint32), *ids]).tofile(path[0].strip())
        print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "bytes": sum(len(text.encode()) for text in texts), "tokens": sum(map(len, ids))}), flush=True)


if __name__ == "__main__":
    main()
