#pragma once

// Where documents lie in the stream that packers/concat cuts: one after another, a separator after each. A document of n tokens takes n + 1
// places. Only the place of every 4096th document is kept; the rest follows from the lengths of the documents between.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::packers {

/// Finds the documents of any part of the stream. Cost: 8 bytes for every kSegmentDocuments documents.
/// Threads: any number of readers, or one writer.
class OffsetIndex {
 public:
  /// Documents between two places that are kept. One segment's lengths are what a random access reads first: a few thousand make both that
  /// and the index small.
  static constexpr std::int64_t kSegmentDocuments = 4096;

  /// Adds documents at the end, by their numbers of tokens.
  void append(std::span<const std::uint32_t> lengths);

  std::int64_t document_count() const noexcept { return document_count_; }
  /// Returns the tokens of the stream so far, with one separator for each document.
  std::int64_t token_count() const noexcept { return token_count_; }
  /// Returns the number of segments that have begun; the last may be short.
  std::int64_t segment_count() const noexcept { return static_cast<std::int64_t>(offsets_.size()); }
  /// Returns the segment that holds the token at `offset`, which must be in [0, token_count()).
  std::int64_t segment_of(std::int64_t offset) const noexcept;
  /// Returns the place of a segment's first token.
  std::int64_t offset_of(std::int64_t segment) const noexcept { return offsets_[static_cast<std::size_t>(segment)]; }

  /// Writes the index. Throws kIo.
  void save(const std::string& path) const;
  /// Reads an index back. Throws kNotFound where there is no file and kCorruptData where it is not the one that was written.
  static OffsetIndex load(const std::string& path);

 private:
  std::vector<std::int64_t> offsets_;  ///< of documents 0, kSegmentDocuments, ...
  std::int64_t document_count_ = 0, token_count_ = 0;
};

/// Collects the tokens [first, first + size) of the stream out of the documents that they lie in.
class TokenWindow {
 public:
  TokenWindow(std::int64_t first, std::int64_t size, std::uint32_t separator) : first_(first), end_(first + size), separator_(separator) {
    tokens_.reserve(static_cast<std::size_t>(size));
  }
  /// Copies what the window holds of a document that begins at `offset`. Documents come in order, without a gap.
  void append(std::int64_t offset, std::span<const std::uint32_t> document);
  /// Gives the tokens.
  std::vector<std::int64_t> take() noexcept { return std::move(tokens_); }

 private:
  std::int64_t first_, end_;
  std::uint32_t separator_;
  std::vector<std::int64_t> tokens_;
};

}  // namespace flowrun::packers
