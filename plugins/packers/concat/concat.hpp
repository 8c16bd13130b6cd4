#pragma once

// Where documents lie in the stream that packers/concat cuts: one after another, a separator after each. A document of n tokens takes n + 1
// tokens of it. Only where every 4096th document begins is kept; the rest follows from the lengths of the documents between. Each stage of a
// curriculum is a section of the stream that is cut for itself: what is left at its end fills no place.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "packers/common/stages.hpp"

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

/// Cuts the stream into places of T tokens, and those into rows that follow one another. Threads: as of OffsetIndex.
class PlaceIndex {
 public:
  explicit PlaceIndex(std::int64_t place_tokens) : place_tokens_(place_tokens) {}

  /// Adds documents at the end.
  void append(const DocumentSizes& documents);

  const OffsetIndex& offsets() const noexcept { return offsets_; }
  std::span<const Section> sections() const noexcept { return sections_; }
  /// Returns the places that are full.
  std::int64_t place_count() const noexcept { return sections_.empty() ? 0 : end_of(sections_.size() - 1); }
  /// Returns the rows in the full places of a section.
  std::int64_t row_count(std::size_t section) const noexcept { return (end_of(section) - sections_[section].place) * rows_in_place(section); }
  std::int64_t rows_in_place(std::size_t section) const noexcept { return place_tokens_ / sections_[section].sequence_length; }
  /// Returns the tokens at the end of a section that fill no place.
  std::int64_t dropped(std::size_t section) const noexcept { return (end_token(section) - sections_[section].begin) % place_tokens_; }

  /// Writes the index into a folder. Throws kIo.
  void save(const std::string& folder) const;
  /// Reads an index back. Throws kNotFound where there is none and kCorruptData where it is not the one that was written.
  static PlaceIndex load(const std::string& folder, std::int64_t place_tokens);

 private:
  std::int64_t end_token(std::size_t section) const noexcept { return section + 1 < sections_.size() ? sections_[section + 1].begin : offsets_.token_count(); }
  std::int64_t end_of(std::size_t section) const noexcept { return sections_[section].place + (end_token(section) - sections_[section].begin) / place_tokens_; }

  std::int64_t place_tokens_;  ///< T
  OffsetIndex offsets_;
  std::vector<Section> sections_;  ///< they begin at tokens of the stream
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
