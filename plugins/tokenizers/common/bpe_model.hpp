#pragma once

// A byte-level BPE tokenizer as data: what the trainer gives, tokenizer.json holds, and the encoder is made from.

#include <cstdint>
#include <string>
#include <vector>

namespace flowrun::bpe {

// The special tokens of every tokenizer trained here: their place is their id, so that CLM and MLM share tokens.
inline constexpr const char* kEndOfText = "<|endoftext|>";
inline constexpr const char* kPad = "<|pad|>";
inline constexpr const char* kMask = "<|mask|>";

/// States that the tokens `left` and `right`, where they are neighbours, become `result`.
struct BpeMerge {
  std::uint32_t left;
  std::uint32_t right;
  std::uint32_t result;
  bool operator==(const BpeMerge&) const = default;
};

/// Names a token that stands for no text. It is never found in text: a document that spells "<|endoftext|>" is encoded as its letters.
struct SpecialToken {
  std::uint32_t id;
  std::string content;
  bool operator==(const SpecialToken&) const = default;
};

/// Holds vocabulary and merges. Whoever makes one sees to it that each of the 256 bytes is a token, that every id in `merges` is in
/// range, that `tokens[result] == tokens[left] + tokens[right]`, and that no pair stands twice.
struct BpeModel {
  std::vector<std::string> tokens;     ///< by id, the bytes that each decodes to
  std::vector<BpeMerge> merges;        ///< by rank: the earlier goes first
  std::vector<SpecialToken> specials;  ///< ascending ids
  bool operator==(const BpeModel&) const = default;
};

}  // namespace flowrun::bpe
