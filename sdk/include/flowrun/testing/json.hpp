#pragma once

// The smallest JSON reader that tests need: descriptors and lines written by plugins. Strict enough to fail on what is not JSON.

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../error.hpp"

namespace flowrun::testing {

/// A JSON value. Numbers keep their text, so that no digit is lost.
struct Json {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;                                   ///< of a string (unescaped) or a number (as written)
  std::vector<Json> items;                            ///< of an array
  std::vector<std::pair<std::string, Json>> members;  ///< of an object, in order

  /// Returns the member of that name, or null where there is none.
  const Json& operator[](std::string_view name) const {
    static const Json missing;
    for (const auto& [key, value] : members)
      if (key == name) return value;
    return missing;
  }
  bool is_null() const noexcept { return kind == Kind::kNull; }
  double number() const { return std::strtod(text.c_str(), nullptr); }
};

namespace detail {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Json read_document() {
    Json value = read_value(0);
    skip_space();
    if (at_ != text_.size()) fail("text after the value");
    return value;
  }

 private:
  static constexpr int kMaxDepth = 64;

  [[noreturn]] void fail(const char* what) const {
    throw Error(Code::kInvalidArgument, "not JSON at byte " + std::to_string(at_) + ": " + what);
  }
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json read_value(int depth) {
    if (depth > kMaxDepth) fail("nested too deep");
    skip_space();
    if (at_ >= text_.size()) fail("a value is missing");
    Json value;
    if (text_[at_] == '"') {
      value.kind = Json::Kind::kString;
      value.text = read_string();
    } else if (take('[')) {
      value.kind = Json::Kind::kArray;
      read_list(']', [&] { value.items.push_back(read_value(depth + 1)); });
    } else if (take('{')) {
      value.kind = Json::Kind::kObject;
      read_list('}', [&] {
        skip_space();
        std::string key = read_string();
        if (!take(':')) fail("':' expected");
        value.members.emplace_back(std::move(key), read_value(depth + 1));
      });
    } else if (take_word("true") || take_word("false")) {
      value.kind = Json::Kind::kBool;
      value.boolean = text_[at_ - 2] == 'u';
    } else if (!take_word("null")) {
      value.kind = Json::Kind::kNumber;
      value.text = read_number();
    }
    return value;
  }

  template <class ReadItem>
  void read_list(char close, ReadItem&& read_item) {
    if (take(close)) return;
    do read_item();
    while (take(','));
    if (!take(close)) fail("',' or the end of the list expected");
  }

  std::string read_number() {
    const std::size_t start = at_;
    while (at_ < text_.size() && std::string_view("+-.0123456789eE").find(text_[at_]) != std::string_view::npos) ++at_;
    std::string number(text_.substr(start, at_ - start));
    char* end = nullptr;
    std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0') fail("a number expected");
    return number;
  }

  std::string read_string() {
    if (at_ >= text_.size() || text_[at_] != '"') fail("a string expected");
    ++at_;
    std::string out;
    while (true) {
      if (at_ >= text_.size()) fail("a string without end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c == '\\') read_escape(&out);
      else out += c;
    }
  }

  void read_escape(std::string* out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (const auto index = kFrom.find(c); c != '\0' && index != std::string_view::npos) {
      *out += kTo[index];
      return;
    }
    if (c != 'u') fail("an unknown escape");
    std::uint32_t code = read_hex();
    if (code >= 0xD800 && code < 0xDC00 && take_word("\\u")) code = 0x10000 + ((code - 0xD800) << 10) + (read_hex() - 0xDC00);
    append_utf8(code, out);
  }

  std::uint32_t read_hex() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    if (digits.size() != 4 || std::from_chars(digits.data(), digits.data() + 4, code, 16).ptr != digits.data() + 4) fail("four hex digits expected");
    at_ += 4;
    return code;
  }

  static void append_utf8(std::uint32_t code, std::string* out) {
    const auto byte = [&](std::uint32_t value) { *out += static_cast<char>(value); };
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

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace detail

/// Reads one JSON value. Throws kInvalidArgument, with the byte, for anything else.
inline Json read_json(std::string_view text) { return detail::JsonReader(text).read_document(); }

}  // namespace flowrun::testing
