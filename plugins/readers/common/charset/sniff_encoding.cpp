#include "readers/common/charset/sniff_encoding.hpp"

#include <algorithm>

#include "readers/common/charset/markup.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kPrescanBytes = 16 << 10;

/// What a page may say of itself: UTF-16 cannot be true where the tag was found, and x-user-defined is a misuse.
const Encoding* declared_in_text(std::string_view label) noexcept {
  const Encoding* encoding = find_encoding(label);
  if (encoding == nullptr) return nullptr;
  if (encoding->kind == Encoding::Kind::kUtf16Be || encoding->kind == Encoding::Kind::kUtf16Le) return &utf8_encoding();
  if (encoding->kind == Encoding::Kind::kUserDefined) return find_encoding("windows-1252");
  return encoding;
}

/// Takes the attributes of a <meta> off `text`. As in the standard, the first attribute of a name counts.
const Encoding* take_meta(std::string_view& text) noexcept {
  bool has_http_equiv = false, has_content = false, has_charset = false, got_pragma = false;
  std::string_view label;
  bool needs_pragma = false;
  Attribute attribute;
  while (take_attribute(text, attribute)) {
    if (equal_ignoring_case(attribute.name, "http-equiv") && !has_http_equiv) {
      has_http_equiv = true;
      got_pragma = equal_ignoring_case(attribute.value, "content-type");
    } else if (equal_ignoring_case(attribute.name, "content") && !has_content) {
      has_content = true;
      if (const std::string_view found = charset_parameter(attribute.value); !found.empty() && label.empty()) label = found, needs_pragma = true;
    } else if (equal_ignoring_case(attribute.name, "charset") && !has_charset) {
      has_charset = true;
      label = attribute.value, needs_pragma = false;
    }
  }
  return label.empty() || (needs_pragma && !got_pragma) ? nullptr : declared_in_text(label);
}

SniffedEncoding byte_order_mark(std::string_view bytes) noexcept {
  if (bytes.starts_with("\xEF\xBB\xBF")) return {&utf8_encoding(), "bom", 3};
  if (bytes.starts_with("\xFE\xFF")) return {find_encoding("utf-16be"), "bom", 2};
  if (bytes.starts_with("\xFF\xFE")) return {find_encoding("utf-16le"), "bom", 2};
  return {};
}

bool is_ascii(std::string_view bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

}  // namespace

std::string_view charset_parameter(std::string_view value) noexcept {
  constexpr std::string_view kName = "charset";
  while (true) {
    const std::size_t found = find_ignoring_case(value, kName);
    if (found == std::string_view::npos) return {};
    value.remove_prefix(found + kName.size());
    drop(value, kBlanks);
    if (value.starts_with('=')) break;
  }
  value.remove_prefix(1);
  drop(value, kBlanks);
  if (value.empty()) return {};
  if (value[0] == '"' || value[0] == '\'') {
    const std::size_t close = value.find(value[0], 1);
    return close == std::string_view::npos ? std::string_view() : value.substr(1, close - 1);
  }
  return value.substr(0, value.find_first_of("\t\n\f\r ;"));
}

const Encoding* prescan_meta(std::string_view bytes) noexcept {
  std::string_view text = bytes.substr(0, kPrescanBytes);
  while (true) {
    text.remove_prefix(std::min(text.find('<'), text.size()));
    if (text.size() < 2) return nullptr;
    if (text.starts_with("<!--")) {
      text.remove_prefix(std::min(text.find("-->", 2), text.size()));
    } else if (starts_ignoring_case(text, "<meta") && text.size() > 5 && is_one_of(text[5], "\t\n\f\r /")) {
      text.remove_prefix(5);
      if (const Encoding* found = take_meta(text)) return found;
    } else if (is_letter(text[1]) || (text[1] == '/' && text.size() > 2 && is_letter(text[2]))) {
      take_tag(text);
    } else if (is_one_of(text[1], "!/?")) {
      text.remove_prefix(std::min(text.find('>'), text.size()));
    } else {
      text.remove_prefix(1);
    }
  }
}

const Encoding* prescan_xml(std::string_view bytes) noexcept {
  std::string_view text = bytes.substr(0, kPrescanBytes);
  if (!text.starts_with("<?xml")) return nullptr;
  text = text.substr(0, text.find('>'));
  const std::size_t found = text.find("encoding");
  if (found == std::string_view::npos) return nullptr;
  text.remove_prefix(found + 8);
  drop(text, kBlanks);
  if (!text.starts_with('=')) return nullptr;
  text.remove_prefix(1);
  drop(text, kBlanks);
  if (text.empty() || !is_one_of(text[0], "\"'")) return nullptr;
  const std::size_t close = text.find(text[0], 1);
  return close == std::string_view::npos ? nullptr : declared_in_text(text.substr(1, close - 1));
}

SniffedEncoding sniff_encoding(std::string_view bytes, const SniffOptions& options) noexcept {
  if (const SniffedEncoding marked = byte_order_mark(bytes); marked.encoding != nullptr) return marked;
  const auto is_utf8 = [&] { return find_invalid_utf8(bytes) == std::string_view::npos; };
  if (options.utf8_first && !is_ascii(bytes) && is_utf8()) return {&utf8_encoding(), "utf8"};
  if (const Encoding* declared = find_encoding(options.declared)) return {declared, "http"};
  if (options.markup) {
    if (const Encoding* found = prescan_meta(bytes)) return {found, "meta"};
    if (const Encoding* found = prescan_xml(bytes)) return {found, "xml"};
  }
  if (is_utf8()) return {&utf8_encoding(), "utf8"};
  return {options.fallback, "fallback"};
}

}  // namespace flowrun::readers
