#pragma once

// The file that mixers/weighted keeps its index in: a magic and a version, numbers and arrays one after another, and at the end the XXH3 of all
// that stands before. Little-endian.

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct XXH3_state_s;

namespace flowrun::mixers {

/// Keeps a running checksum.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;
  void update(const void* data, std::size_t bytes) noexcept;
  std::uint64_t digest() const noexcept;

 private:
  XXH3_state_s* state_;
};

/// Writes an index. Nothing is certain before `finish`.
class IndexWriter {
 public:
  /// Throws kIo where the file cannot be made.
  explicit IndexWriter(const std::string& path);
  void number(std::int64_t value) { put(&value, sizeof value); }
  void text(std::string_view text) {
    number(static_cast<std::int64_t>(text.size()));
    put(text.data(), text.size());
  }
  template <class T>
  void values(const std::vector<T>& values) {
    number(static_cast<std::int64_t>(values.size()));
    put(values.data(), values.size() * sizeof(T));
  }
  /// Writes the checksum and closes the file. Throws kIo.
  void finish();

 private:
  void put(const void* data, std::size_t bytes);

  std::string path_;
  std::ofstream out_;
  Checksum checksum_;
};

/// Reads an index back, straight into the arrays that it fills. Throws kCorruptData for whatever was not written by an IndexWriter.
class IndexReader {
 public:
  /// Throws kNotFound where there is no file.
  explicit IndexReader(const std::string& path);
  std::int64_t number() {
    std::int64_t value = 0;
    take(&value, 1, sizeof value);
    return value;
  }
  /// Returns a number of at least 0.
  std::int64_t count();
  std::string text() {
    std::string text(checked(1), '\0');
    take(text.data(), text.size(), 1);
    return text;
  }
  template <class T>
  std::vector<T> values() {
    std::vector<T> values(checked(sizeof(T)));
    take(values.data(), values.size(), sizeof(T));
    return values;
  }
  /// Checks the checksum and that nothing follows. What was read before is only now known to be right.
  void finish();

 private:
  /// Returns the number of elements that follow, once it is sure that the file can hold them.
  std::size_t checked(std::size_t width);
  void take(void* data, std::size_t count, std::size_t width);

  std::string path_;
  std::ifstream in_;
  std::uint64_t left_ = 0;  ///< bytes of the file
  Checksum checksum_;
};

}  // namespace flowrun::mixers
