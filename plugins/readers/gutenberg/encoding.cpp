#include "encoding.hpp"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <type_traits>

namespace flowrun::readers {

std::string encoding_name(std::string_view name) {
  std::string plain;  // upper case, without what stands in parentheses, spaces and marks
  for (const char c : name.substr(0, name.find('(')))
    if (c >= 'a' && c <= 'z') plain += static_cast<char>(c - 'a' + 'A');
    else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) plain += c;
  const auto holds = [&](std::string_view part) { return plain.find(part) != std::string::npos; };
  if (holds("UTF8")) return "UTF-8";
  if (holds("ASCII") || holds("ISO646")) return "ASCII";
  if (plain == "ISO88591" || plain == "ISOLATIN1" || plain == "LATIN1" || plain == "WINDOWS1252" || plain == "CP1252") return "WINDOWS-1252";
  if (plain == "MACROMAN" || plain == "MAC") return "MACINTOSH";
  std::string trimmed(name.substr(0, name.find('(')));
  while (!trimmed.empty() && trimmed.back() == ' ') trimmed.pop_back();
  std::replace(trimmed.begin(), trimmed.end(), ' ', '-');
  return trimmed;
}

std::optional<EncodingFault> to_utf8(std::string_view text, const std::string& encoding, std::string& out) {
  // A name with a slash could carry iconv's options, which leave bytes out.
  iconv_t const opened = encoding.find('/') == std::string::npos ? iconv_open("UTF-8", encoding.c_str()) : reinterpret_cast<iconv_t>(-1);
  if (opened == reinterpret_cast<iconv_t>(-1)) return EncodingFault{"unknown_encoding", "the encoding '" + encoding + "' is not known, expected one of `iconv --list`"};
  const std::unique_ptr<std::remove_pointer_t<iconv_t>, decltype(&iconv_close)> converter(opened, iconv_close);
  out.clear();
  char* in = const_cast<char*>(text.data());
  std::size_t left = text.size();
  char buffer[16 << 10];
  while (left > 0) {
    char* to = buffer;
    std::size_t room = sizeof buffer;
    const std::size_t result = iconv(converter.get(), &in, &left, &to, &room);
    out.append(buffer, to);
    if (result == static_cast<std::size_t>(-1) && errno != E2BIG)
      return EncodingFault{"bad_encoding", "byte " + std::to_string(text.size() - left) + " of the text is not " + encoding};
  }
  char* to = buffer;
  std::size_t room = sizeof buffer;
  iconv(converter.get(), nullptr, nullptr, &to, &room);  // what an encoding with states still holds
  out.append(buffer, to);
  return {};
}

}  // namespace flowrun::readers
