#include "base64.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotADigit = 0xFF;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNotADigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return digits;
}

constexpr std::array<std::uint8_t, 256> kDigits = make_digits();

}  // namespace

std::string decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) throw Error(Code::kCorruptData, "base64 of " + std::to_string(text.size()) + " characters, expected a multiple of 4");
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::size_t digits = text.size() - padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(text[i])];
    if (digit == kNotADigit) throw Error(Code::kCorruptData, "no base64 digit at offset " + std::to_string(i));
    bits = bits << 6 | digit;
    if (i % 4 == 3) bytes.append({static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)});
  }
  if (padding == 0) return bytes;
  const std::uint32_t unused = padding == 1 ? bits & 0x3 : bits & 0xF;
  if (unused != 0) throw Error(Code::kCorruptData, "unused bits are set in the last base64 digit, at offset " + std::to_string(digits - 1));
  if (padding == 1) bytes.append({static_cast<char>(bits >> 10), static_cast<char>(bits >> 2)});
  if (padding == 2) bytes += static_cast<char>(bits >> 4);
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t begin = 0; begin < bytes.size(); begin += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - begin);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[begin + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

}  // namespace flowrun::tokenizers
