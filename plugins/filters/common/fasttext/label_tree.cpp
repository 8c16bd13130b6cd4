#include "filters/common/fasttext/label_tree.hpp"

#include <algorithm>

namespace flowrun::filters::fasttext {

LabelTree::LabelTree(std::span<const std::int64_t> counts) : labels_(counts.size()), branches_(labels_ - 1), parents_(2 * labels_ - 1) {
  std::vector<std::int64_t> totals(counts.begin(), counts.end());
  totals.resize(2 * labels_ - 1, kMaxTotal);
  std::size_t left_over = labels_, next_branch = labels_;  // labels below `left_over` and branches from `next_branch` on have no parent yet
  const auto take = [&] { return static_cast<std::uint32_t>(left_over > 0 && totals[left_over - 1] < totals[next_branch] ? --left_over : next_branch++); };
  for (std::size_t node = labels_; node < totals.size(); ++node) {
    const std::uint32_t left = take(), right = take();
    branches_[node - labels_] = {left, right};
    totals[node] = totals[left] + totals[right];
    parents_[left] = parents_[right] = static_cast<std::uint32_t>(node);
  }
  std::vector<std::size_t> depths(totals.size(), 0);
  for (std::size_t node = totals.size() - 1; node-- > 0;) depth_ = std::max(depth_, depths[node] = depths[parents_[node]] + 1);
}

std::vector<std::uint32_t> LabelTree::path_to(std::uint32_t label, std::vector<bool>& right) const {
  std::vector<std::uint32_t> path;
  right.clear();
  for (std::uint32_t node = label; node != root(); node = parents_[node]) {
    path.push_back(parents_[node]);
    right.push_back(branch(parents_[node]).right == node);
  }
  std::reverse(path.begin(), path.end());
  std::reverse(right.begin(), right.end());
  return path;
}

}  // namespace flowrun::filters::fasttext
