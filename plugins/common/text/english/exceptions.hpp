#pragma once

// The exceptions of English ("don't", "a.m.", ":-)") and how they are found: by their text, and as runs of tokens.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flowrun::text::english {

/// A hash table of short texts that says no quickly: most words of a text are in none.
class ShortTexts {
 public:
  /// Adds a text of up to 63 bytes, not empty, and returns its number: 0, 1, ...; of one that is there already, the same.
  std::uint32_t add(std::string_view text);
  /// Returns the text's number, or -1.
  std::int32_t find(std::string_view text) const noexcept {
    if (text.empty() || text.size() > 63 || !(lengths_[ends_of(text)] >> text.size() & 1)) return -1;
    return look_up(text);
  }
  std::string_view operator[](std::uint32_t number) const noexcept { return texts_[number]; }
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(texts_.size()); }

 private:
  static std::size_t ends_of(std::string_view text) noexcept { return (static_cast<unsigned char>(text.front()) * 37u + static_cast<unsigned char>(text.back())) & 1023; }
  std::int32_t look_up(std::string_view text) const noexcept;
  void place(std::uint32_t number);

  std::array<std::uint64_t, 1024> lengths_{};  ///< by first and last byte: bit n where such a text has n bytes
  std::vector<std::string> texts_;
  std::vector<std::int32_t> slots_;  ///< numbers of texts, -1 where free; a power of two
};

/// All exceptions, with their pieces.
class Exceptions {
 public:
  Exceptions();
  /// Returns the bytes of an exception's pieces, one behind the other; nothing for another text.
  std::span<const std::uint8_t> find(std::string_view text) const noexcept {
    const std::int32_t number = texts_.find(text);
    return number < 0 ? std::span<const std::uint8_t>() : pieces_[static_cast<std::size_t>(number)];
  }
  const ShortTexts& texts() const noexcept { return texts_; }

 private:
  ShortTexts texts_;
  std::vector<std::vector<std::uint8_t>> pieces_;
};

/// Runs of two and more tokens that spell an exception, as spaCy's PhraseMatcher has them: tokens are compared, the space between them is not.
class Phrases {
 public:
  void add(const std::vector<std::string_view>& tokens);
  /// Returns a token's number, or -1 where it is in no phrase.
  std::int32_t token(std::string_view text) const noexcept { return tokens_.find(text); }
  /// Returns a number where a phrase may go on with this token, or -1.
  std::int32_t later_token(std::string_view text) const noexcept { return later_tokens_.find(text); }
  /// Goes on from a node, at first 0, by a token's number. Returns the next node or -1.
  std::int32_t next(std::int32_t node, std::int32_t token) const noexcept {
    const auto it = edges_.find(key(node, token));
    return it == edges_.end() ? -1 : it->second;
  }
  bool is_end(std::int32_t node) const noexcept { return ends_[static_cast<std::size_t>(node)]; }

 private:
  static std::uint64_t key(std::int32_t node, std::int32_t token) noexcept { return static_cast<std::uint64_t>(node) << 32 | static_cast<std::uint32_t>(token); }

  ShortTexts tokens_, later_tokens_;
  std::unordered_map<std::uint64_t, std::int32_t> edges_;
  std::vector<bool> ends_{false};
};

}  // namespace flowrun::text::english
