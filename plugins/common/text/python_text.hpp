#pragma once

// len, str.isspace, str.isalpha, str.splitlines and friends of Python 3 on UTF-8, and datatrove's set of punctuation. Letters are those of the
// installed utf8proc's Unicode version; Python 3.11 has Unicode 14.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace flowrun::text {

/// What a code point is, as bits.
enum CodePointClass : std::uint8_t {
  kSpace = 1,        ///< str.isspace: what str.split() and str.strip() take away
  kAlpha = 2,        ///< str.isalpha: categories Lu, Ll, Lt, Lm, Lo
  kPunctuation = 4,  ///< datatrove 0.10.1, utils/text.py, PUNCTUATION_SET
  kTerminal = 8,     ///< the same, TERMINAL_PUNCTUATION
  kDecimal = 16,     ///< \d of a regular expression: category Nd
  kNumber = 32,      ///< with kAlpha and '_' \w of a regular expression: categories Nd, Nl, No
};

/// A code point and where the next one begins.
struct CodePoint {
  std::uint32_t value;
  std::size_t end;
};

/// Reads the code point at `at` < size of valid UTF-8.
inline CodePoint code_point_at(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, at + 1};
  if (first < 0xE0) return {(first & 31) << 6 | (byte(1) & 63), at + 2};
  if (first < 0xF0) return {(first & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63), at + 3};
  return {(first & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 | (byte(3) & 63), at + 4};
}

/// The class of every code point. Takes 1.1 MB, made once for each node; safe to read from many threads.
class CodePointClasses {
 public:
  CodePointClasses();
  std::uint8_t operator[](std::uint32_t code_point) const noexcept { return classes_[code_point]; }

 private:
  std::vector<std::uint8_t> classes_;
};

/// Gives the lines of str.splitlines() one by one.
class LineSplitter {
 public:
  explicit LineSplitter(std::string_view text) : rest_(text) {}
  /// Gives the next line without its end; false behind the last.
  bool next(std::string_view& line) noexcept;

 private:
  std::string_view rest_;
};

/// Returns where the last code point of a text begins that is not empty.
std::size_t last_code_point(std::string_view text) noexcept;

/// str.strip(), str.lstrip() and str.rstrip() without arguments.
std::string_view strip(std::string_view text, const CodePointClasses& classes) noexcept;
std::string_view strip_left(std::string_view text, const CodePointClasses& classes) noexcept;
std::string_view strip_right(std::string_view text, const CodePointClasses& classes) noexcept;

/// len(): code points.
std::int64_t character_count(std::string_view text) noexcept;

/// str.count(part): occurrences that do not overlap.
std::int64_t count_of(std::string_view text, std::string_view part) noexcept;

}  // namespace flowrun::text
