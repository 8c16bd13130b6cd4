#!/usr/bin/env python3
"""Writes the files of this folder: datasets made by megatron-core 0.16.1's own IndexedDatasetBuilder, one for each type of token, and what is in them.

    make_testdata.py      needs megatron-core and torch; writes beside itself
"""

import json
import pathlib
import random

import numpy
import torch
from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

HERE = pathlib.Path(__file__).parent
TYPES = {"uint8": 2**8, "int8": 2**7, "int16": 2**15, "uint16": 2**16, "int32": 2**31, "int64": 2**32}


def main():
    draw = random.Random(3)
    expected = {}
    for name, end in TYPES.items():
        # A document is a list of sequences.
        documents = [[[draw.randrange(end) for _ in range(draw.choice([0, 1, 3, 12]))] for _ in range(draw.choice([1, 1, 2, 3]))] for _ in range(12)]
        builder = IndexedDatasetBuilder(str(HERE / f"{name}.bin"), dtype=getattr(numpy, name))
        for document in documents:
            for sequence in document:
                builder.add_item(torch.tensor(sequence, dtype=torch.int64))
            builder.end_document()
        builder.finalize(str(HERE / f"{name}.idx"))
        expected[name] = [sum(document, []) for document in documents]
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
