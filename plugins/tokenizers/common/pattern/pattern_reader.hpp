#pragma once

// The text of a pattern, read one code point at a time, and the errors that name a place in it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flowrun::tokenizers {

/// Reads a pattern. Every function may throw `Error` kInvalidArgument where the pattern is not UTF-8.
class PatternReader {
 public:
  explicit PatternReader(std::string_view expression) : text_(expression) {}

  bool at_end() const noexcept { return offset_ == text_.size(); }
  std::size_t offset() const noexcept { return offset_; }
  void back_to(std::size_t offset) noexcept { offset_ = offset; }
  /// Returns the next code point, or 0 at the end.
  std::uint32_t peek() const;
  /// Takes the next code point; not at the end.
  std::uint32_t next();
  bool looking_at(std::string_view literal) const noexcept { return text_.substr(offset_, literal.size()) == literal; }
  /// Takes `literal` if it stands next.
  bool accept(std::string_view literal) noexcept;
  /// Takes up to `max` digits of `base`; returns how many there were.
  int digits(int base, int max, std::uint32_t& value);
  /// States whether `c` stands in the rest, behind no '\'.
  bool has_ahead(char c) const noexcept;

  /// Throws `Error` kInvalidArgument: Oniguruma refuses the pattern too.
  [[noreturn]] void invalid(const std::string& what, std::size_t offset) const;
  /// Throws `Error` kUnsupported: Oniguruma may take the pattern.
  [[noreturn]] void unsupported(const std::string& what, std::size_t offset) const;

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
};

/// Returns `code_point` as UTF-8, for messages.
std::string shown(std::uint32_t code_point);

}  // namespace flowrun::tokenizers
