#pragma once

// The protobuf wire format, as much as a few fields need: a message is a sequence of fields, each a number, a wire type and a value.
// Source: protobuf.dev/programming-guides/encoding. Written by hand: protobuf-lite needs generated code and its compiler for ten fields.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {

/// Reads the fields of one message in their order; every error is kCorruptData with the offset in the file.
class ProtobufReader {
 public:
  enum class Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  /// `offset` is where `message` begins in the file.
  explicit ProtobufReader(std::string_view message, std::size_t offset = 0) : message_(message), offset_(offset) {}

  /// Goes to the next field, whose value must then be read or skipped. Returns false at the end.
  bool next() {
    if (at_ == message_.size()) return false;
    field_begin_ = at_;
    const std::uint64_t key = read_varint();
    const auto wire = static_cast<unsigned>(key & 7);
    if (key >> 3 == 0 || key >> 3 > kFieldMax) fail("field number " + std::to_string(key >> 3));
    if (wire != 0 && wire != 1 && wire != 2 && wire != 5) fail("wire type " + std::to_string(wire));
    field_ = static_cast<std::uint32_t>(key >> 3);
    wire_ = static_cast<Wire>(wire);
    return true;
  }

  std::uint32_t field() const noexcept { return field_; }

  std::uint64_t varint() {
    expect(Wire::kVarint);
    return read_varint();
  }

  bool boolean() { return varint() != 0; }

  /// A 32-bit number: its low bits, as protobuf has it (negative numbers are written with 64 bits).
  std::int32_t int32() { return static_cast<std::int32_t>(static_cast<std::uint32_t>(varint())); }

  float float32() {
    expect(Wire::kFixed32);
    const std::string_view bytes = take(4);
    std::uint32_t bits = 0;
    for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
    return std::bit_cast<float>(bits);
  }

  std::string_view bytes() {
    expect(Wire::kBytes);
    const std::uint64_t length = read_varint();
    if (length > message_.size() - at_) fail("a length of " + std::to_string(length) + ", and " + std::to_string(message_.size() - at_) + " bytes are left");
    return take(static_cast<std::size_t>(length));
  }

  ProtobufReader message() {
    const std::string_view content = bytes();
    return ProtobufReader(content, offset_ + at_ - content.size());
  }

  void skip() {
    switch (wire_) {
      case Wire::kVarint: read_varint(); break;
      case Wire::kFixed64: take(8); break;
      case Wire::kBytes: bytes(); break;
      case Wire::kFixed32: take(4); break;
    }
  }

  /// Throws kCorruptData: `found` in the field that was read last.
  [[noreturn]] void fail(const std::string& found) const {
    throw Error(Code::kCorruptData, "sentencepiece model: " + found + " at offset " + std::to_string(offset_ + field_begin_));
  }

 private:
  static constexpr std::uint64_t kFieldMax = (1u << 29) - 1;

  std::string_view take(std::size_t count) {
    if (count > message_.size() - at_) fail("the end in a field");
    at_ += count;
    return message_.substr(at_ - count, count);
  }

  std::uint64_t read_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of more than 64 bits");
  }

  void expect(Wire wire) const {
    const auto number = [](Wire w) { return std::to_string(static_cast<int>(w)); };
    if (wire_ != wire) fail("wire type " + number(wire_) + " of field " + std::to_string(field_) + ", expected " + number(wire));
  }

  std::string_view message_;
  std::size_t offset_;
  std::size_t at_ = 0, field_begin_ = 0;
  std::uint32_t field_ = 0;
  Wire wire_ = Wire::kVarint;
};

}  // namespace flowrun::tokenizers
