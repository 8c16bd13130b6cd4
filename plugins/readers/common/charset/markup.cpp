#include "readers/common/charset/markup.hpp"

#include <algorithm>

namespace flowrun::readers {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
  return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) { return lower(a) == b; });
}

bool starts_ignoring_case(std::string_view text, std::string_view lower_case) noexcept { return equal_ignoring_case(text.substr(0, lower_case.size()), lower_case); }

std::size_t find_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
  const auto found = std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), [](char a, char b) { return lower(a) == b; });
  return found == text.end() ? std::string_view::npos : static_cast<std::size_t>(found - text.begin());
}

void drop(std::string_view& text, std::string_view set) noexcept { text.remove_prefix(std::min(text.find_first_not_of(set), text.size())); }

bool take_attribute(std::string_view& text, Attribute& attribute) noexcept {
  drop(text, "\t\n\f\r /");
  if (text.empty() || text[0] == '>') return false;
  std::size_t end = 1;  // a name may begin with "="
  while (end < text.size() && !is_one_of(text[end], "\t\n\f\r =/>")) ++end;
  attribute = {text.substr(0, end), {}};
  text.remove_prefix(end);
  drop(text, kBlanks);
  if (!text.starts_with('=')) return true;
  text.remove_prefix(1);
  drop(text, kBlanks);
  if (text.empty()) return false;
  const char quote = text[0];
  if (quote == '"' || quote == '\'') {
    const std::size_t close = text.find(quote, 1);
    if (close == std::string_view::npos) return text = {}, false;
    attribute.value = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    return true;
  }
  end = std::min(text.find_first_of("\t\n\f\r >"), text.size());
  attribute.value = text.substr(0, end);
  text.remove_prefix(end);
  return true;
}

void take_tag(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_of("\t\n\f\r >"), text.size()));
  Attribute attribute;
  while (take_attribute(text, attribute)) {
  }
}

}  // namespace flowrun::readers
