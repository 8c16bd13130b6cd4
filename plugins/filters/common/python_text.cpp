#include "filters/common/python_text.hpp"

#include <utf8proc.h>

#include <algorithm>

namespace flowrun::filters {
namespace {

constexpr std::uint32_t kCodePoints = 0x110000;

struct Range {
  std::uint32_t first, last;
};

// Every code point for which str.isspace() holds (Unicode 14; the property has not changed since Unicode 6.3).
constexpr Range kSpaces[] = {{0x9, 0xD}, {0x1C, 0x20}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

// datatrove 0.10.1 (Apache-2.0), utils/text.py: PUNCTUATION_SET, printed as ranges by bench/peers/compare_gopher.py --punctuation.
constexpr Range kPunctuationRanges[] = {
    {0x0, 0x8}, {0xB, 0x1F}, {0x21, 0x2F}, {0x3A, 0x40}, {0x5B, 0x60}, {0x7B, 0x9F}, {0xAB, 0xAB}, {0xB4, 0xB4}, {0xBB, 0xBB},
    {0x589, 0x589}, {0x61D, 0x61F}, {0x6D4, 0x6D4}, {0x700, 0x702}, {0x7F9, 0x7F9}, {0x837, 0x837}, {0x839, 0x839}, {0x83D, 0x83E},
    {0x964, 0x965}, {0x104A, 0x104B}, {0x1362, 0x1362}, {0x1367, 0x1368}, {0x166E, 0x166E}, {0x1735, 0x1736}, {0x17D4, 0x17D6},
    {0x17D9, 0x17DA}, {0x1803, 0x1803}, {0x1809, 0x1809}, {0x1944, 0x1945}, {0x1AA8, 0x1AAB}, {0x1B5A, 0x1B5B}, {0x1B5E, 0x1B5F},
    {0x1B7D, 0x1B7E}, {0x1C3B, 0x1C3C}, {0x1C7E, 0x1C7F}, {0x2013, 0x2014}, {0x2019, 0x2019}, {0x201C, 0x201E}, {0x2026, 0x2026},
    {0x203C, 0x203D}, {0x2047, 0x2049}, {0x2236, 0x2236}, {0x2501, 0x2501}, {0x25BA, 0x25BA}, {0x2E2E, 0x2E2E}, {0x2E3C, 0x2E3C},
    {0x2E53, 0x2E54}, {0x3001, 0x3002}, {0x3008, 0x300D}, {0x3010, 0x3011}, {0xA4FF, 0xA4FF}, {0xA60E, 0xA60F}, {0xA6F3, 0xA6F3},
    {0xA6F7, 0xA6F7}, {0xA876, 0xA877}, {0xA8CE, 0xA8CF}, {0xA92F, 0xA92F}, {0xA9C8, 0xA9C9}, {0xAA5D, 0xAA5F}, {0xAAF0, 0xAAF1},
    {0xABEB, 0xABEB}, {0xFE52, 0xFE52}, {0xFE56, 0xFE57}, {0xFF01, 0xFF01}, {0xFF05, 0xFF05}, {0xFF08, 0xFF09}, {0xFF0C, 0xFF0C},
    {0xFF0E, 0xFF0E}, {0xFF11, 0xFF11}, {0xFF1A, 0xFF1B}, {0xFF1F, 0xFF1F}, {0xFF5E, 0xFF5E}, {0xFF61, 0xFF61}, {0x10A56, 0x10A57},
    {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x11047, 0x11048}, {0x110BE, 0x110C1}, {0x11141, 0x11143}, {0x111C5, 0x111C6},
    {0x111CD, 0x111CD}, {0x111DE, 0x111DF}, {0x11238, 0x11239}, {0x1123B, 0x1123C}, {0x112A9, 0x112A9}, {0x1144B, 0x1144C},
    {0x115C2, 0x115C3}, {0x115C9, 0x115D7}, {0x11641, 0x11642}, {0x1173C, 0x1173E}, {0x11944, 0x11944}, {0x11946, 0x11946},
    {0x11A42, 0x11A43}, {0x11A9B, 0x11A9C}, {0x11C41, 0x11C42}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F44}, {0x16A6E, 0x16A6F},
    {0x16AF5, 0x16AF5}, {0x16B37, 0x16B38}, {0x16B44, 0x16B44}, {0x16E98, 0x16E98}, {0x1BC9F, 0x1BC9F}, {0x1DA88, 0x1DA88}};

bool is_letter(std::uint32_t code_point) noexcept {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

/// Returns the bytes of the line end at `at`, 0 where there is none.
std::size_t line_end_size(std::string_view text, std::size_t at) noexcept {
  switch (static_cast<unsigned char>(text[at])) {
    case '\r': return text.substr(at, 2) == "\r\n" ? 2 : 1;
    case '\n': case '\v': case '\f': case 0x1C: case 0x1D: case 0x1E: return 1;
    case 0xC2: return text.substr(at, 2) == "\xC2\x85" ? 2 : 0;
    case 0xE2: return text.substr(at, 3) == "\xE2\x80\xA8" || text.substr(at, 3) == "\xE2\x80\xA9" ? 3 : 0;
    default: return 0;
  }
}

}  // namespace

CodePointClasses::CodePointClasses() : classes_(kCodePoints) {
  for (std::uint32_t code_point = 0; code_point < kCodePoints; ++code_point)
    if (is_letter(code_point)) classes_[code_point] = kAlpha;
  const auto mark = [&](const Range& range, std::uint8_t bit) {
    for (std::uint32_t code_point = range.first; code_point <= range.last; ++code_point) classes_[code_point] = static_cast<std::uint8_t>(classes_[code_point] | bit);
  };
  for (const Range& range : kSpaces) mark(range, kSpace);
  for (const Range& range : kPunctuationRanges) mark(range, kPunctuation);
}

bool LineSplitter::next(std::string_view& line) noexcept {
  if (rest_.empty()) return false;
  std::size_t at = 0, size = 0;
  while (at < rest_.size() && (size = line_end_size(rest_, at)) == 0) ++at;
  line = rest_.substr(0, at);
  rest_.remove_prefix(at + size);
  return true;
}

std::string_view strip_left(std::string_view text, const CodePointClasses& classes) noexcept {
  while (!text.empty()) {
    const CodePoint first = code_point_at(text, 0);
    if (!(classes[first.value] & kSpace)) break;
    text.remove_prefix(first.end);
  }
  return text;
}

std::string_view strip_right(std::string_view text, const CodePointClasses& classes) noexcept {
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!(classes[code_point_at(text, last).value] & kSpace)) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

std::int64_t count_of(std::string_view text, std::string_view part) noexcept {
  std::int64_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace flowrun::filters
