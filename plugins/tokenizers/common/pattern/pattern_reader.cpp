#include "pattern_reader.hpp"

#include <flowrun/error.hpp>

#include "code_points.hpp"

namespace flowrun::tokenizers {

std::uint32_t PatternReader::peek() const {
  if (at_end()) return 0;
  const auto* const base = reinterpret_cast<const unsigned char*>(text_.data());
  const Character character = decode_at(base + offset_, base + text_.size());
  if (character.code_point == kInvalidByte) invalid("a byte that is not UTF-8", offset_);
  return character.code_point;
}

std::uint32_t PatternReader::next() {
  const std::uint32_t c = peek();
  offset_ += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  return c;
}

bool PatternReader::accept(std::string_view literal) noexcept {
  if (!looking_at(literal)) return false;
  offset_ += literal.size();
  return true;
}

int PatternReader::digits(int base, int max, std::uint32_t& value) {
  value = 0;
  int count = 0;
  for (; count < max && !at_end(); ++count, ++offset_) {
    const char c = text_[offset_];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
    if (digit >= base) break;
    value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
  }
  return count;
}

bool PatternReader::has_ahead(char c) const noexcept {
  for (std::size_t i = offset_; i < text_.size(); ++i) {
    if (text_[i] == c) return true;
    if (text_[i] == '\\') ++i;
  }
  return false;
}

void PatternReader::invalid(const std::string& what, std::size_t offset) const {
  throw Error(Code::kInvalidArgument, "the pattern has " + what + " at byte " + std::to_string(offset));
}

void PatternReader::unsupported(const std::string& what, std::size_t offset) const {
  throw Error(Code::kUnsupported, "the pattern has " + what + " at byte " + std::to_string(offset) + ", which is not supported");
}

std::string shown(std::uint32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace flowrun::tokenizers
