#pragma once

// What of a text is compared: datatrove 0.10.1's simplify_text (utils/text.py, Apache-2.0) with its default TextNormConfig. Lower case, every number "0", punctuation
// and runs of white space one space, NFD without non-spacing marks. As in Python 3.11, characters later than Unicode 14 are left as they are; only decimal digits are
// those of Unicode 17, as the package `regex` has them. Checked against it by what bench/peers/compare_dedup.py and
// compare_decontaminate.py compare.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::text {

/// Simplifies texts of valid UTF-8. Safe to call from many threads at once. Time: linear. Takes 0.3 MB, made from utf8proc's data in some 10 ms.
class TextSimplifier {
 public:
  TextSimplifier();
  /// Writes the simplified text to `out`, in place of what is there.
  void simplify(std::string_view text, std::string& out) const;

 private:
  class Writer;

  std::uint32_t form_of(std::uint32_t code_point) const noexcept { return pages_[page_of_[code_point >> 8]][code_point & 0xFF]; }
  std::uint32_t make_form(std::uint32_t code_point);
  std::size_t simplify_one(std::string_view text, std::size_t at, Writer& writer) const;
  std::size_t number_end(std::string_view text, std::size_t at) const noexcept;
  std::size_t digits_end(std::string_view text, std::size_t at) const noexcept;
  bool is_final_sigma(std::string_view text, std::size_t begin, std::size_t end) const noexcept;

  std::vector<std::array<std::uint32_t, 256>> pages_;  ///< bits of a form (simplified_text.cpp) by code point, each different page once
  std::vector<std::uint16_t> page_of_;
  std::vector<std::uint32_t> sequences_;  ///< forms of more than one code point: how many, then these
};

}  // namespace flowrun::text
