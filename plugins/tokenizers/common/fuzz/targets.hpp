#pragma once

// What must hold of the tokenizers for any bytes, one function for each reader and for the encoder. libFuzzer runs them with inputs of its own making
// (libfuzzer_entry.cpp, `make fuzz`), corpus_test.cpp with those of corpus/, in every build.
//
// A flowrun::Error is an answer and never leaves them. They throw std::logic_error where a property does not hold, which a fuzzer reports as a crash.

#include <string_view>

namespace flowrun::tokenizers {

/// Reads the bytes as a tokenizer.json. What loads must encode and decode texts, with offsets that lie in the text.
void fuzz_tokenizer_file(std::string_view bytes);

/// Encodes text with one of the golden tokenizers: the first byte picks it, the second the options, the rest is the text. What documents are encoded with
/// must agree with the whole pipeline, BPE by search with BPE by heap; byte-level tokenizers must give the text back. Bytes that are no UTF-8 are encoded
/// too, for no more than that nothing breaks.
void fuzz_encode(std::string_view bytes);

/// Reads the bytes as a tiktoken rank file. What loads must encode any bytes to ids that spell them, as TiktokenModel and, where it can, as bpe::Bpe.
void fuzz_tiktoken_ranks(std::string_view bytes);

/// Reads the bytes as a sentencepiece model. What loads must give a Unigram whose tokens cover the text, and a normalizer that can be used.
void fuzz_sentencepiece_model(std::string_view bytes);

/// Compiles the bytes up to a zero byte as a pattern and runs it over the rest. Matches must be in order and in the text, and the same whether the engine
/// remembers from the start or when needed. The published patterns must cut that text as their scanners do.
void fuzz_pattern(std::string_view bytes);

}  // namespace flowrun::tokenizers
