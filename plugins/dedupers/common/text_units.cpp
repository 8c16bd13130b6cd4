#include "dedupers/common/text_units.hpp"

#include <algorithm>

namespace flowrun::dedupers {
namespace {

constexpr std::string_view kSpaces = " \t\n\r\v\f";

}  // namespace

TextUnits::TextUnits(std::string_view text, UnitKind kind) : text_(text) {
  split_lines();
  if (kind == UnitKind::kParagraph) join_lines();
}

void TextUnits::split_lines() {
  for (std::size_t begin = 0; begin < text_.size();) {
    const std::size_t end = std::min(text_.find('\n', begin), text_.size());
    if (text_.find_first_not_of(kSpaces, begin) < end) units_.push_back({begin, end});
    begin = end + 1;
  }
}

/// Lines that follow one another are one paragraph.
void TextUnits::join_lines() {
  std::vector<Unit> paragraphs;
  for (const Unit& line : units_) {
    if (!paragraphs.empty() && paragraphs.back().end + 1 == line.begin) paragraphs.back().end = line.end;
    else paragraphs.push_back(line);
  }
  units_ = std::move(paragraphs);
}

std::string_view TextUnits::operator[](std::size_t unit) const noexcept {
  const std::string_view whole = text_.substr(units_[unit].begin, units_[unit].end - units_[unit].begin);
  const std::size_t first = whole.find_first_not_of(kSpaces);
  return whole.substr(first, whole.find_last_not_of(kSpaces) + 1 - first);
}

std::string TextUnits::without(const std::vector<bool>& removed) const {
  std::string out;
  out.reserve(text_.size());
  if (units_.empty()) return out = text_;
  out += text_.substr(0, units_[0].begin);
  std::size_t gap = 0, last = 0;  // what stands behind the last unit that stays
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (removed[i]) continue;
    out += text_.substr(last, gap);
    out += text_.substr(units_[i].begin, units_[i].end - units_[i].begin);
    last = units_[i].end;
    gap = i + 1 < units_.size() ? units_[i + 1].begin - last : 0;
  }
  return out += text_.substr(units_.back().end);
}

}  // namespace flowrun::dedupers
