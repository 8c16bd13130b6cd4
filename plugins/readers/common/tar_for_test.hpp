#pragma once

// Tar archives for tests, written by the rules of POSIX.1-2017 (pax) and GNU tar.

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::readers {

/// One entry: a ustar header and its padded content. Names of more than 100 bytes need `long_named_entry` or `pax_entry`.
inline std::string tar_entry(std::string_view name, std::string_view content, char type = '0') {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view value) { header.replace(at, value.size(), value); };
  char size[13];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  put(0, name.substr(0, 100));
  put(100, "0000644"), put(108, "0000000"), put(116, "0000000"), put(124, size), put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  put(148, std::string_view(checksum, 7));
  header += content;
  header.resize((header.size() + 511) / 512 * 512, '\0');
  return header;
}

/// An entry whose name stands in a GNU "long link" before it.
inline std::string long_named_entry(std::string_view name, std::string_view content) {
  return tar_entry("././@LongLink", std::string(name) + '\0', 'L') + tar_entry(name, content);
}

/// An entry whose name stands in a pax header before it.
inline std::string pax_entry(const std::string& name, std::string_view content) {
  const std::string rest = " path=" + name + '\n';
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) ++length;
  return tar_entry("PaxHeaders/x", std::to_string(length) + rest, 'x') + tar_entry("short", content);
}

inline const std::string kTarEnd(1024, '\0');

inline std::string tar(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out;
  for (const auto& [name, content] : files) out += tar_entry(name, content);
  return out + kTarEnd;
}

}  // namespace flowrun::readers
