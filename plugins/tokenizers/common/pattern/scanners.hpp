#pragma once

// Hand-written scanners for the patterns by which published byte-level BPE tokenizers cut text into pre-tokens: one table look-up a byte for
// ASCII, a decoder and one more look-up for the rest, no regular expression. Each is checked against its pattern run by pattern.hpp.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flowrun::tokenizers {

/// Returns where the pre-token that begins at `begin` (below `text.size()`) ends; the next one begins there.
///
/// Every byte belongs to exactly one pre-token, and none is empty: each of these patterns has an alternative for a letter, a number, white space and
/// any other character, so it matches at every character, and each alternative takes one at least. A byte that is not part of valid UTF-8
/// counts as one character that is none of the first three. Time is linear in the text over all its pre-tokens; any thread.
using Scanner = std::size_t (*)(std::string_view text, std::size_t begin) noexcept;

/// The most pre-tokens that a BatchScanner finds at once.
inline constexpr std::size_t kPretokensAtOnce = 128;

/// Does the same for up to kPretokensAtOnce pre-tokens: fills `ends` with where each ends and returns their number, at least one. Where there is ASCII, 64 bytes at a time.
using BatchScanner = std::size_t (*)(std::string_view text, std::size_t begin, std::size_t* ends) noexcept;

/// The BatchScanner of any Scanner: one pre-token after another.
template <Scanner kScanner>
std::size_t scan_one_by_one(std::string_view text, std::size_t begin, std::size_t* ends) noexcept {
  std::size_t count = 0;
  while (count < kPretokensAtOnce && begin < text.size()) ends[count++] = begin = kScanner(text, begin);
  return count;
}

/// States whose reading of a pattern is meant: to Oniguruma `\p{N}{1,3}+` is a run of numbers of any length, to tiktoken one to three of them.
enum class Dialect : std::uint8_t {
  kOniguruma,  ///< tokenizer.json
  kTiktoken,   ///< the fancy-regex crate
};

/// Returns the scanner of `pattern`, or null if there is none. The pattern must be spelled as in tiktoken's and the published tokenizer.json files of
/// GPT-2, cl100k_base, o200k_base, Llama 3 and Qwen2.
Scanner find_scanner(std::string_view pattern, Dialect dialect = Dialect::kOniguruma) noexcept;

/// Returns the scanner of many pre-tokens at once, where find_scanner returns one.
BatchScanner find_batch_scanner(std::string_view pattern, Dialect dialect = Dialect::kOniguruma) noexcept;

}  // namespace flowrun::tokenizers
