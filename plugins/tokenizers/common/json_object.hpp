#pragma once

// Strict reading of tokenizer.json: every message names the place in the file, and what is not known is refused rather than ignored.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace flowrun::tokenizers {

using Json = nlohmann::json;

/// Throw kCorruptData, kUnsupported: "tokenizer.json: " and the message.
[[noreturn]] void refuse_corrupt(const std::string& message);
[[noreturn]] void refuse_unsupported(const std::string& message);

/// Returns a value as it reads in a message, cut short; ASCII.
std::string shown(const Json& value);

/// Parses the text of a tokenizer.json. Throws kCorruptData for what is no JSON, is nested deeper than such a file can be, or has a key twice in one object
/// (JSON leaves open what that means).
Json parse_json(std::string_view text);

/// One object of the file and where it is.
class JsonObject {
 public:
  /// Throws kCorruptData if `value` is no object. Both must outlive this.
  JsonObject(const Json& value, std::string path);

  const Json& value() const noexcept { return value_; }
  std::string path_of(std::string_view key) const { return path_.empty() ? std::string(key) : path_ + "." + std::string(key); }
  const std::string& path() const noexcept { return path_; }

  const Json* find(const char* key) const;
  /// The typed look-ups throw kCorruptData where the key is missing or of another type.
  const Json& at(const char* key) const;
  const std::string& string_at(const char* key) const;
  bool boolean_at(const char* key) const;
  std::uint64_t count_at(const char* key) const;
  const Json& array_at(const char* key) const;
  /// A string of exactly one character.
  char32_t character_at(const char* key) const;
  /// Absent and null give the default.
  bool boolean_or(const char* key, bool other) const;
  std::optional<bool> optional_boolean(const char* key) const;
  std::optional<std::string> optional_string(const char* key) const;

  /// Refuses a value that is there and none of `supported`.
  void expect(const char* key, std::initializer_list<Json> supported) const;
  /// Refuses keys that are not known.
  void expect_keys(std::initializer_list<std::string_view> known) const;

 private:
  const Json& value_;
  std::string path_;
};

/// Returns an id, below 2^31. Throws kCorruptData.
std::uint32_t read_id(const Json& value, const std::string& path);

}  // namespace flowrun::tokenizers
