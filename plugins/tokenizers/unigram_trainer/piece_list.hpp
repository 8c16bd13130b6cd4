#pragma once

// Pieces of a Unigram training: up to a million of them, so they lie close together.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

/// States what a piece is worth. The text belongs to the list.
struct ScoredPiece {
  std::string_view piece;
  double score;  ///< natural logarithm of a probability
};

/// Pieces by id, each of them once. Memory: 16 bytes a piece beside its own; while it grows, up to twice as much, but where `reserve` was told.
class PieceList {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = ScoredPiece;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = ScoredPiece;
    Iterator(const PieceList& list, std::size_t id) : list_(&list), id_(id) {}
    ScoredPiece operator*() const { return (*list_)[id_]; }
    Iterator& operator++() {
      ++id_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return id_ == other.id_; }

   private:
    const PieceList* list_;
    std::size_t id_;
  };

  PieceList() = default;
  PieceList(std::initializer_list<ScoredPiece> pieces) {
    for (const ScoredPiece& piece : pieces) add(piece.piece, piece.score);
    sort();
  }

  void reserve(std::size_t pieces, std::size_t bytes);
  /// Throws kUnsupported where the pieces would have 4 GiB together.
  void add(std::string_view piece, double score);
  /// Sees to it that `sorted` holds all pieces.
  void sort();

  bool empty() const noexcept { return scores_.empty(); }
  std::size_t size() const noexcept { return scores_.size(); }
  ScoredPiece operator[](std::size_t id) const {
    const std::size_t begin = id == 0 ? 0 : ends_[id - 1];
    return {std::string_view(text_).substr(begin, ends_[id] - begin), scores_[id]};
  }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
  const std::vector<double>& scores() const noexcept { return scores_; }
  void set_score(std::size_t id, double score) { scores_[id] = score; }

  /// Returns the ids in the order of the pieces' bytes, as of the last call of `sort`.
  const std::vector<std::uint32_t>& sorted() const noexcept { return sorted_; }

  /// Returns the pieces of `ids`, none of them twice, in that order; they are sorted where these are.
  PieceList select(const std::vector<std::uint32_t>& ids) const;

 private:
  std::string text_;
  std::vector<std::uint32_t> ends_;  // of each piece in `text_`
  std::vector<double> scores_;
  std::vector<std::uint32_t> sorted_;
};

}  // namespace flowrun::tokenizers
