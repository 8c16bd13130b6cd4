#pragma once

// Best-fit-decreasing packing: documents, cut only where they are longer than a row, are put into rows from the longest to the shortest, each
// into the row that has the least room left that suffices; where there is none, a new row begins. Ding et al. 2024, "Fewer Truncations Improve
// Language Modeling", arXiv:2404.10830, section 3 and algorithm 1. Checked against a search of all rows for each piece.
//
// Documents are packed in windows, so that any row is found without those before, and no window holds documents of two stages of a curriculum.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "packers/common/stages.hpp"

namespace flowrun::packers {

/// Tokens of one document, its end among them.
struct Piece {
  std::uint32_t document;  ///< of those that were packed together, from 0
  std::uint32_t offset, length;
};

/// What becomes of a document that is longer than a row.
enum class LongDocument {
  kSplit,  ///< cut into rows; the rest is a piece like any other
  kCrop,   ///< only its first row is kept
};

/// Documents packed together.
class Packing {
 public:
  /// `lengths` are the tokens of each document without its end, for which one place is added; at most 2^32 - 2. Of rows with equal room the
  /// first one is taken, of pieces with equal length that of the first document. Cost: 24 bytes and O(log n) steps for each of n pieces.
  Packing(std::span<const std::uint32_t> lengths, std::int64_t sequence_length, LongDocument long_document);

  std::int64_t sequence_count() const noexcept { return static_cast<std::int64_t>(begins_.size()) - 1; }
  /// Returns the pieces of a row, in the order of their documents.
  std::span<const Piece> sequence(std::int64_t number) const noexcept {
    const auto begin = begins_[static_cast<std::size_t>(number)], end = begins_[static_cast<std::size_t>(number) + 1];
    return std::span(pieces_).subspan(begin, end - begin);
  }
  std::int64_t token_count() const noexcept { return token_count_; }        ///< in the rows, ends among them
  std::int64_t cropped_count() const noexcept { return cropped_count_; }    ///< tokens left out
  std::int64_t split_count() const noexcept { return split_count_; }        ///< documents longer than a row

 private:
  void cut(std::span<const std::uint32_t> lengths, std::int64_t sequence_length, LongDocument long_document);
  std::vector<std::uint32_t> choose_rows(std::int64_t sequence_length);
  void sort_by_row(const std::vector<std::uint32_t>& rows);

  std::vector<Piece> pieces_;
  std::vector<std::size_t> begins_;  ///< of each row's pieces, and the end
  std::int64_t token_count_ = 0, cropped_count_ = 0, split_count_ = 0;
};

/// Where windows of documents, their rows and the places of T tokens lie that the rows share. What a stage's rows leave of its last place is padding.
/// Cost: 16 bytes a window. Threads: any number of readers, or one writer.
class WindowIndex {
 public:
  explicit WindowIndex(std::int64_t place_tokens) : place_tokens_(place_tokens) {}

  /// Adds a window at the end: its stage, its documents, and the rows that they are packed into.
  void append(const StageRun& stage, std::int64_t documents, std::int64_t rows);

  std::int64_t window_count() const noexcept { return static_cast<std::int64_t>(first_rows_.size()) - 1; }
  std::int64_t document_count() const noexcept { return first_documents_.back(); }
  std::span<const Section> sections() const noexcept { return sections_; }
  /// Returns the places that all rows take, the last one maybe in part.
  std::int64_t place_count() const noexcept { return sections_.empty() ? 0 : end_of(sections_.size() - 1); }
  /// Returns the places whose rows do not change when windows are added.
  std::int64_t settled_count() const noexcept;
  std::int64_t rows_in_place(std::size_t section) const noexcept { return place_tokens_ / sections_[section].sequence_length; }
  std::int64_t row_count(std::size_t section) const noexcept { return end_row(section) - first_row(section); }
  /// Returns the tokens of a section's places.
  std::int64_t token_count(std::size_t section) const noexcept { return (end_of(section) - sections_[section].place) * place_tokens_; }

  /// A window's documents and the length of its rows.
  struct Window {
    std::int64_t first_document, document_count, sequence_length;
  };
  Window window(std::int64_t number) const noexcept;

  /// A row of a window.
  struct Row {
    std::int64_t window, number, row_count;
  };
  /// Returns row `number` of a place, nothing where that is padding.
  std::optional<Row> row(std::int64_t place, std::int64_t number) const noexcept;

  /// Writes the index into a folder. Throws kIo.
  void save(const std::string& folder) const;
  /// Reads an index back. Throws kNotFound where there is none and kCorruptData where it is not the one that was written.
  static WindowIndex load(const std::string& folder, std::int64_t place_tokens);

 private:
  std::int64_t first_row(std::size_t section) const noexcept { return first_rows_[static_cast<std::size_t>(sections_[section].begin)]; }
  std::int64_t end_row(std::size_t section) const noexcept { return section + 1 < sections_.size() ? first_row(section + 1) : first_rows_.back(); }
  std::int64_t end_of(std::size_t section) const noexcept { return sections_[section].place + (row_count(section) + rows_in_place(section) - 1) / rows_in_place(section); }

  std::int64_t place_tokens_;                         ///< T
  std::vector<std::int64_t> first_documents_{0}, first_rows_{0};  ///< of each window, and the end
  std::vector<Section> sections_;                     ///< they begin at windows
};

}  // namespace flowrun::packers
