#pragma once

// A piece of text on its way to tokens: what it has become, and for each byte of that the range of the input that it came from. So a token's offsets
// are offsets of the input, whatever normalizers and pre-tokenizers have done in between. The rules are those of Hugging Face tokenizers 0.23.3
// (NormalizedString), since offsets must be equal.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizers/common/unicode/normalization.hpp"

namespace flowrun::tokenizers {

/// A range of bytes.
struct Range {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const Range&) const = default;
};

/// A part of a text, and whether a pattern matched it. A list of them covers the whole text, in order.
struct PatternPart {
  Range range;
  bool matched = false;
};

/// What becomes of the parts that a pattern matches.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// A text and where each byte of it came from.
///
/// What changes it throws kUnsupported where it would grow to more than 64 KiB and 128 times the text that it came from: a chain of replacements can make
/// gigabytes of a line.
class NormalizedString {
 public:
  /// Text below 4 GiB that is its own origin.
  explicit NormalizedString(std::string_view text);

  const std::string& text() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  /// Returns where this piece begins in the input.
  std::uint32_t original_begin() const noexcept { return original_.begin; }

  /// Returns the range of the input that bytes [begin, end) of the text came from; an empty range stays as it is, counted from the piece's begin.
  Range original_of(Range range) const;
  /// Returns a part of the text, with its origins.
  NormalizedString slice(Range range) const;
  /// Replaces the whole text by `chars`, each of which replaces a character, follows one as an insertion, or removes some after it (see MappedChar);
  /// `removed_first` characters at the very beginning are gone.
  void transform(std::span<const MappedChar> chars, std::size_t removed_first = 0);
  /// Replaces bytes [range) of the text likewise.
  void transform_range(Range range, std::span<const MappedChar> chars, std::size_t removed_first = 0);

  /// Keeps the characters of which `keep` is true.
  void filter(const std::function<bool(char32_t)>& keep);
  /// Replaces each character by one.
  void map(const std::function<char32_t(char32_t)>& function);
  void prepend(std::string_view prefix);
  /// Puts `content` in the place of each matched part.
  void replace(std::span<const PatternPart> parts, std::string_view content);
  void strip(bool left, bool right);
  void lowercase();

  /// Cuts the text by what a pattern matched; parts may be empty.
  std::vector<NormalizedString> split(std::span<const PatternPart> parts, SplitBehavior behavior) const;

 private:
  NormalizedString() = default;
  Range whole_by_origin() const;
  void check_growth(std::size_t bytes) const;

  std::string text_;
  std::vector<Range> origins_;  // of each byte of text_, in the input
  Range original_;              // what this piece covers of the input
};

/// Returns the parts of `text` as cut before and after each character of which `matches` is true; each such character is a match by itself.
std::vector<PatternPart> match_characters(std::string_view text, const std::function<bool(char32_t)>& matches);

/// Exchanges matched and unmatched.
void invert(std::vector<PatternPart>& parts);

}  // namespace flowrun::tokenizers
