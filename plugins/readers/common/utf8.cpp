#include "readers/common/utf8.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>

namespace flowrun::readers {
namespace {

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Returns the size of the valid sequence at the start of `text`, or 0. Table 3-7 of the Unicode Standard.
std::size_t sequence_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0}; };
  const std::uint8_t first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || (second & 0xC0) != 0x80) return 0;
  if (first < 0xE0) return 2;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (byte(2) & 0xC0) != 0x80) return 0;
  if (first < 0xF0) return 3;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) || (byte(3) & 0xC0) != 0x80) return 0;
  return 4;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  if (simdjson::validate_utf8(text.data(), text.size())) return std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = sequence_size(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return std::string_view::npos;
}

std::string describe_invalid_utf8(std::string_view text, std::size_t at, std::string_view what) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  if (at >= text.size()) return "invalid UTF-8 in " + std::string(what);
  const auto hex = [&](std::size_t i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    return std::string("0x") + kDigits[byte >> 4] + kDigits[byte & 15];
  };
  std::string message = "invalid UTF-8 at byte " + std::to_string(at) + " of " + std::string(what) + ": " + hex(at);
  if (at == 0 && (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")))
    return message + ' ' + hex(1) + ", as UTF-16 begins; convert the file: iconv -f UTF-16 -t UTF-8";
  return message + "; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8";
}

std::string_view find_utf16(std::string_view text) noexcept {
  constexpr std::size_t kLeastBytes = 16, kMostBytes = 4096;
  if (text.size() < kLeastBytes) return {};
  const std::size_t pairs = std::min(text.size(), kMostBytes) / 2;
  std::size_t zeros[2] = {};
  for (std::size_t i = 0; i < 2 * pairs; ++i) zeros[i % 2] += text[i] == '\0';
  // UTF-8 may hold zero bytes, but hardly three in four at every other place and none between.
  const auto is_utf16 = [&](std::size_t high, std::size_t low) { return 4 * high >= 3 * pairs && 16 * low <= pairs; };
  return is_utf16(zeros[1], zeros[0]) ? "UTF-16LE" : is_utf16(zeros[0], zeros[1]) ? "UTF-16BE" : std::string_view();
}

std::size_t character_start(std::string_view text, std::size_t offset) noexcept {
  std::size_t start = offset;
  for (int back = 0; back < 3 && start > 0 && is_continuation(text[start]); ++back) --start;
  return is_continuation(text[start]) ? offset : start;
}

void append_utf8(char32_t code, std::string& out) {
  const auto byte = [&](char32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6), byte(0x80 | (code & 63));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
  } else {
    byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
  }
}

}  // namespace flowrun::readers
