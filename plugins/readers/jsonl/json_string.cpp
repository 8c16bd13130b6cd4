#include "json_string.hpp"

#include <charconv>
#include <cstdint>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

/// Returns the four hex digits at the start of `text` as a number, -1 where there are none.
std::int32_t hex4(std::string_view text) noexcept {
  std::int32_t value = 0;
  if (text.size() < 4 || text[0] == '-') return -1;
  return std::from_chars(text.data(), text.data() + 4, value, 16).ptr == text.data() + 4 ? value : -1;
}

/// Decodes an escape that begins with "\u" and takes it off `rest`.
Unescaped take_unicode(std::string_view& rest, std::string& out) {
  std::int32_t code = hex4(rest.substr(2));
  if (code < 0) return Unescaped::kBadEscape;
  rest.remove_prefix(6);
  if (code >= 0xD800 && code <= 0xDFFF) {
    const std::int32_t low = code < 0xDC00 && rest.starts_with("\\u") ? hex4(rest.substr(2)) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return Unescaped::kLoneSurrogate;
    rest.remove_prefix(6);
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(static_cast<char32_t>(code), out);
  return Unescaped::kOk;
}

/// Decodes the escape at the start of `rest` and takes it off.
Unescaped take_escape(std::string_view& rest, std::string& out) {
  static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
  if (rest.starts_with("\\u")) return take_unicode(rest, out);
  const std::size_t index = rest.size() < 2 ? std::string_view::npos : kFrom.find(rest[1]);
  if (index == std::string_view::npos) return Unescaped::kBadEscape;
  out += kTo[index];
  rest.remove_prefix(2);
  return Unescaped::kOk;
}

}  // namespace

Unescaped unescape(std::string_view raw, std::string& buffer, std::string_view& out) {
  std::size_t plain = raw.find('\\');
  if (plain == std::string_view::npos) {
    out = raw;
    return Unescaped::kOk;
  }
  buffer.clear();
  buffer.reserve(raw.size());
  while (plain != std::string_view::npos) {
    buffer.append(raw, 0, plain);
    raw.remove_prefix(plain);
    if (const Unescaped result = take_escape(raw, buffer); result != Unescaped::kOk) return result;
    plain = raw.find('\\');
  }
  buffer.append(raw);
  out = buffer;
  return Unescaped::kOk;
}

}  // namespace flowrun::readers
