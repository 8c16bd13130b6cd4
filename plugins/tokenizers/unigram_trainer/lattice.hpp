#pragma once

// All ways to cut one word into pieces: a node is a piece at a place. What of it training needs: the sum over all ways (forward and backward) and
// the best way (Viterbi), in natural logarithms.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "piece_list.hpp"
#include "tokenizers/common/unigram/double_array.hpp"

namespace flowrun::tokenizers {

/// The pieces of one step of the training and their trie. Piece 0 stands for unknown characters: it has no text and no score of its own.
///
/// Memory: that of the trie, and 8 bytes a piece for `probabilities`.
class TrainingModel {
 public:
  /// What is asked of the lattices: the best ways alone, or the sums over all of them.
  enum class Use { kBestWays, kSums };

  /// Keeps a reference to `pieces`, which are sorted.
  TrainingModel(const PieceList& pieces, Use use);

  const PieceList& pieces() const noexcept { return pieces_; }
  const DoubleArray& trie() const noexcept { return trie_; }
  double min_score() const noexcept { return min_score_; }
  /// Returns the score of an unknown character.
  double unk_score() const noexcept;
  /// Returns the score of a piece, or of an unknown character for 0.
  double score(std::uint32_t id) const noexcept { return id == 0 ? unk_score() : pieces_.scores()[id]; }
  /// Returns the probability of a piece, or of an unknown character for 0. For `kSums` alone.
  double probability(std::uint32_t id) const noexcept { return probabilities_[id]; }

 private:
  const PieceList& pieces_;
  DoubleArray trie_;
  double min_score_;
  std::vector<double> probabilities_;
};

/// The lattice of one word at a time; its memory is reused.
class Lattice {
 public:
  explicit Lattice(const TrainingModel& model) : model_(model) {}

  void set_word(std::string_view word);

  /// Adds `count` times the probability of each node, given the word, to `expected` of its piece. Returns the logarithm of the word's probability.
  /// Time: linear in the nodes.
  double add_expected(double count, std::vector<double>& expected);

  /// Replaces `path` by the pieces of the best way, from the last to the first. Before each piece the best one is taken for it, of equal sums (as
  /// they are after rounding) the longest. Without the word as a whole, if it is a piece, where `parts_only` is set: then the word must have two
  /// characters or more. Time: the pairs of nodes that meet.
  void best_path(std::vector<std::uint32_t>& path, bool parts_only = false);

 private:
  static constexpr std::uint32_t kNoNode = 0xFFFFFFFF;

  struct Node {
    std::uint32_t begin, end, id;
    double weight;  // its score or its probability
  };

  template <class WeightOf>
  void weigh(WeightOf&& weight_of);
  double add_expected_by_products(double count, std::vector<double>& expected);
  double add_expected_by_logarithms(double count, std::vector<double>& expected);

  std::pair<double, std::uint32_t> best_ending(std::size_t at, double score) const;

  const TrainingModel& model_;
  std::size_t bytes_ = 0;
  std::vector<Node> nodes_;          // by begin, then by end
  std::vector<std::size_t> firsts_;  // of each character, its first node; the end
  std::vector<double> forward_, backward_;
  // What best_path needs: by byte the nodes that end there, as a list; by node the score of the best way that ends with it and its predecessor.
  struct Ending {
    std::uint32_t first = kNoNode, last = kNoNode;
  };
  struct Best {
    double score;
    std::uint32_t previous, next_ending;
  };
  std::vector<Ending> endings_;
  std::vector<Best> best_;
};

}  // namespace flowrun::tokenizers
