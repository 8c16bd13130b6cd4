#include "byte_level.hpp"

#include <cstddef>

namespace flowrun::bpe {
namespace {

constexpr std::size_t kCharacters = 256 + 68;  // the highest character of the alphabet is U+0143

constexpr bool stands_for_itself(std::size_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

struct Alphabet {
  std::array<std::uint16_t, 256> character{};
  std::array<std::int16_t, kCharacters> byte{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.byte) byte = -1;
  std::uint16_t next = 256;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const std::uint16_t character = stands_for_itself(byte) ? static_cast<std::uint16_t>(byte) : next++;
    alphabet.character[byte] = character;
    alphabet.byte[character] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::string byte_level_encode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const std::uint16_t character = kAlphabet.character[static_cast<unsigned char>(c)];
    if (character < 0x80) {
      text += static_cast<char>(character);
    } else {  // all of the alphabet fits two bytes of UTF-8
      text += static_cast<char>(0xC0 | character >> 6);
      text += static_cast<char>(0x80 | (character & 0x3F));
    }
  }
  return text;
}

std::optional<std::string> byte_level_decode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    std::size_t character = lead;
    if (lead >= 0x80) {
      if (lead < 0xC2 || lead > 0xDF || i == text.size()) return std::nullopt;
      const auto trail = static_cast<unsigned char>(text[i++]);
      if ((trail & 0xC0) != 0x80) return std::nullopt;
      character = static_cast<std::size_t>(lead & 0x1F) << 6 | (trail & 0x3F);
    }
    if (character >= kCharacters || kAlphabet.byte[character] < 0) return std::nullopt;
    bytes += static_cast<char>(kAlphabet.byte[character]);
  }
  return bytes;
}

std::array<std::uint8_t, 256> byte_level_order() {
  std::array<std::uint8_t, 256> order{};
  std::size_t n = 0;
  for (const std::int16_t byte : kAlphabet.byte)
    if (byte >= 0) order[n++] = static_cast<std::uint8_t>(byte);
  return order;
}

}  // namespace flowrun::bpe
