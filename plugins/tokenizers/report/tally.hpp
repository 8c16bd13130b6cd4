#pragma once

// The counts that a report is made of: whole numbers, whose sums depend neither on the order of documents nor on batches.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measured_tokenizer.hpp"

namespace flowrun::tokenizers {

/// Counts documents and what they hold. A word is a run of characters that are no white space (Unicode's White_Space).
struct TextCounts {
  std::uint64_t documents = 0, bytes = 0, characters = 0, words = 0;

  TextCounts& operator+=(const TextCounts& other);
  bool operator==(const TextCounts&) const = default;
};

/// Counts what one tokenizer makes of them.
struct TokenCounts {
  std::uint64_t tokens = 0;
  std::uint64_t continued_words = 0;     ///< words that two tokens or more have a part of
  std::uint64_t single_byte = 0;         ///< tokens that stand for one byte
  std::uint64_t partial_characters = 0;  ///< tokens that begin or end inside a character
  std::uint64_t unknown = 0;             ///< unknown tokens
  /// How many documents have so many tokens. Grows at most with the square root of the text: n different lengths need n * n / 2 tokens.
  std::map<std::uint64_t, std::uint64_t> documents_by_tokens;

  TokenCounts& operator+=(const TokenCounts& other);
  bool operator==(const TokenCounts&) const = default;
};

/// The words of a document, in both units that tokens' ranges have.
struct DocumentWords {
  std::vector<Range> bytes, characters;
  std::uint64_t character_count = 0;

  /// Takes a document's words in place of another's. Text must be below 4 GiB.
  void read(std::string_view text);
};

/// Returns how many of `words` two or more of `tokens` have a part of; both in one unit, words ascending, tokens in any order. `pieces` is working memory.
std::uint64_t count_continued_words(std::span<const Range> words, std::span<const Range> tokens, std::vector<std::uint8_t>& pieces);

/// Counts one tokenizer's tokens. Memory: 8 bytes an id, and a TokenCounts a domain.
class TokenizerTally {
 public:
  /// `vocabulary` must outlive this.
  explicit TokenizerTally(const VocabularyTexts& vocabulary) : vocabulary_(&vocabulary), counts_(vocabulary.tokens.size()) {}

  void add(const std::string& domain, const DocumentWords& words, const MeasuredTokens& tokens);

  const VocabularyTexts& vocabulary() const noexcept { return *vocabulary_; }
  const std::map<std::string, TokenCounts>& domains() const noexcept { return domains_; }
  const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }  ///< by id

  Json to_json() const;
  /// Takes what `to_json` gave. Throws kCorruptData where it does not fit this vocabulary.
  void restore(const Json& saved);

 private:
  const VocabularyTexts* vocabulary_;
  std::map<std::string, TokenCounts> domains_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::uint8_t> pieces_;
};

Json to_json(const std::map<std::string, TextCounts>& domains);
/// Throws kCorruptData.
std::map<std::string, TextCounts> text_counts_of(const Json& saved);

}  // namespace flowrun::tokenizers
