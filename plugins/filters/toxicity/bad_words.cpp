#include "bad_words.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "filters/common/text.hpp"

namespace flowrun::filters {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Blocks of scripts that are written without spaces between words: Thai, Lao, Myanmar, Khmer, Han with its radicals and marks, Hiragana and Katakana.
constexpr Range kWithoutSpaces[] = {{0xE00, 0xEFF},   {0x1000, 0x109F}, {0x1780, 0x17FF}, {0x2E80, 0x2FDF}, {0x3005, 0x3007}, {0x3021, 0x3029}, {0x3038, 0x303B}, {0x3041, 0x30FF},
                                    {0x31F0, 0x31FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xA9E0, 0xA9FF}, {0xAA60, 0xAA7F}, {0xF900, 0xFAFF}, {0xFF66, 0xFF9F}, {0x20000, 0x3FFFF}};

bool is_without_spaces(std::uint32_t code_point) {
  return std::any_of(std::begin(kWithoutSpaces), std::end(kWithoutSpaces), [&](const Range& range) { return code_point >= range.first && code_point <= range.last; });
}

std::vector<std::string> lower_all(const std::vector<std::string>& words) {
  std::vector<std::string> lower;
  for (const std::string& word : words) lower.push_back(python_lower(word));
  return lower;
}

}  // namespace

BadWords::BadWords(const std::vector<std::string>& words, Boundaries boundaries) : words_(lower_all(words)), boundaries_(boundaries), finder_(words_) {}

/// Says whether a word may end here, with its character at the end and the one behind, or none.
bool BadWords::ends_word(std::string_view word_end, std::string_view neighbour) const {
  if (neighbour.empty() || boundaries_ == Boundaries::kNever) return true;
  const std::uint32_t next = code_point_at(neighbour, 0).value;
  if (next != '_' && !(classes_[next] & (kAlpha | kNumber))) return true;
  return boundaries_ == Boundaries::kScript && (is_without_spaces(next) || is_without_spaces(code_point_at(word_end, 0).value));
}

std::optional<std::string_view> BadWords::find(std::string_view text) const {
  const std::string lower = python_lower(text);
  const std::string_view view = lower;
  const auto last_of = [](std::string_view part) { return part.empty() ? part : part.substr(last_code_point(part)); };
  std::optional<std::string_view> found;
  finder_.find(view, [&](std::uint32_t number, std::size_t end) {
    const std::string_view word = words_[number], before = view.substr(0, end - word.size());
    if (ends_word(word, last_of(before)) && ends_word(last_of(word), view.substr(end))) found = word;
    return found.has_value();
  });
  return found;
}

}  // namespace flowrun::filters
