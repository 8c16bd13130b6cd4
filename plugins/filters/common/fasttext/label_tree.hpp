#pragma once

// The Huffman tree of fastText's hierarchical softmax (src/loss.cc, HierarchicalSoftmaxLoss; Morin and Bengio 2005): a label's probability
// is the product of the branches from the root to it.

#include <cstdint>
#include <span>
#include <vector>

namespace flowrun::filters::fasttext {

/// Nodes [0, labels) are the labels, those behind them branch; the last one is the root. Node labels + i has row i of the output matrix.
class LabelTree {
 public:
  static constexpr std::int64_t kMaxTotal = 1'000'000'000'000'000;  ///< fastText's count of a node that is not made yet
  struct Branch {
    std::uint32_t left, right;
  };
  /// `counts` of the labels, at least one, add up to less than kMaxTotal. fastText builds from the last label up: others than descending counts
  /// give a tree that is no Huffman tree, but the one that the model was trained with.
  explicit LabelTree(std::span<const std::int64_t> counts);

  std::uint32_t labels() const noexcept { return static_cast<std::uint32_t>(labels_); }
  std::uint32_t root() const noexcept { return static_cast<std::uint32_t>(2 * labels_ - 2); }
  bool is_label(std::uint32_t node) const noexcept { return node < labels_; }
  const Branch& branch(std::uint32_t node) const noexcept { return branches_[node - labels_]; }
  /// Returns the nodes from the root to above the label, and which way each goes on, in `right`.
  std::vector<std::uint32_t> path_to(std::uint32_t label, std::vector<bool>& right) const;
  /// Returns how many branches the longest path has.
  std::size_t depth() const noexcept { return depth_; }

 private:
  std::size_t labels_, depth_ = 0;
  std::vector<Branch> branches_;
  std::vector<std::uint32_t> parents_;
};

}  // namespace flowrun::filters::fasttext
