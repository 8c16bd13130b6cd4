#include "readers/common/warc/header_fields.hpp"

#include <algorithm>
#include <charconv>

#include "readers/common/charset/text_decoder.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Takes a line off `text` and returns it without its end.
std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::size_t header_size(std::string_view bytes) noexcept {
  for (std::size_t line = 0;;) {
    const std::size_t end = bytes.find('\n', line);
    if (end == std::string_view::npos) return end;
    if (end == line || (end == line + 1 && bytes[line] == '\r')) return end + 1;
    line = end + 1;
  }
}

std::string_view HeaderFields::read(std::string_view header) {
  fields_.clear();
  folded_.clear();
  const std::string_view first = take_line(header);
  while (!header.empty()) {
    const std::string_view line = take_line(header);
    if (line.starts_with(' ') || line.starts_with('\t')) {
      fold(trimmed(line));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) fields_.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return first;
}

void HeaderFields::fold(std::string_view more) {
  if (fields_.empty() || more.empty()) return;
  std::string_view& value = fields_.back().second;
  folded_.push_back(std::string(value) + (value.empty() ? "" : " ") + std::string(more));
  value = folded_.back();
}

std::optional<std::string_view> HeaderFields::find(std::string_view name) const noexcept {
  for (const auto& [found, value] : fields_)
    if (same_name(found, name)) return value;
  return std::nullopt;
}

bool same_name(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::optional<std::int64_t> read_size(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || text.starts_with('-')) return std::nullopt;
  return value;
}

std::string_view header_text(std::string_view value, std::string& buffer) {
  if (find_invalid_utf8(value) == std::string_view::npos) return value;
  buffer = TextDecoder().decode(value, *find_encoding("windows-1252")).text;
  return buffer;
}

}  // namespace flowrun::readers
