#include "filters/common/fasttext/model.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "filters/common/fasttext/softmax.hpp"

namespace flowrun::filters::fasttext {
namespace {

constexpr int kSigmoidSteps = 512, kSigmoidEnd = 8;  // fastText's table
constexpr float kMaxGain = 1e-5F;                    // how much one branch can add to a logarithm: log(1 + 1e-5)

float shifted_log(float x) { return static_cast<float>(std::log(x + 1e-5)); }

/// What a probability is after its way through a logarithm, which predictions are kept as.
float through_log(float probability) { return std::exp(shifted_log(probability)); }

std::vector<float> sigmoid_table() {
  std::vector<float> table;
  for (int i = 0; i <= kSigmoidSteps; ++i) {
    const float x = static_cast<float>(i * 2 * kSigmoidEnd) / kSigmoidSteps - kSigmoidEnd;
    table.push_back(static_cast<float>(1.0 / (1.0 + std::exp(-x))));
  }
  return table;
}

float sigmoid(float x, const std::vector<float>& table) {
  if (x < -kSigmoidEnd) return 0;
  if (x > kSigmoidEnd) return 1;
  return table[static_cast<std::size_t>((x + kSigmoidEnd) * kSigmoidSteps / kSigmoidEnd / 2)];
}

}  // namespace

Model::Model(Dictionary dictionary, Loss loss, std::unique_ptr<Matrix> input, std::unique_ptr<Matrix> output)
    : dictionary_(std::move(dictionary)), loss_(loss), input_(std::move(input)), output_(std::move(output)) {
  if (loss_ == Loss::kHierarchicalSoftmax) {
    std::vector<std::int64_t> counts;
    for (const Entry& entry : dictionary_.labels()) counts.push_back(entry.count);
    tree_.emplace(counts);
  }
  if (loss_ == Loss::kNegativeSampling || loss_ == Loss::kOneVersusAll) sigmoids_ = sigmoid_table();
}

std::string_view Model::label(std::uint32_t number) const noexcept {
  std::string_view text = dictionary_.labels()[number].text;
  if (text.starts_with(kLabelPrefix)) text.remove_prefix(kLabelPrefix.size());
  return text;
}

std::optional<std::uint32_t> Model::find_label(std::string_view text) const noexcept {
  for (std::uint32_t i = 0; i < dictionary_.labels().size(); ++i)
    if (label(i) == text) return i;
  return std::nullopt;
}

/// Gives the mean of the line's rows; false where there is none.
bool Model::read(std::string_view line, std::vector<float>& mean) const {
  std::size_t count = 0;
  mean.assign(input_->columns(), 0);
  dictionary_.for_each_rows(line, [&](std::span<const std::uint32_t> rows) {
    input_->add_rows(rows, mean);
    count += rows.size();
  });
  if (count == 0) return false;
  const auto share = static_cast<float>(1.0 / static_cast<double>(count));
  for (float& value : mean) value *= share;
  return true;
}

float Model::product(std::size_t row, std::span<const float> mean) const {
  const float found = output_->dot(row, mean);
  if (std::isnan(found)) throw Error(Code::kCorruptData, "the fastText model gives no number for this text: its weights are too large");
  return found;
}

std::vector<float> Model::outputs(std::span<const float> mean) const {
  std::vector<float> values(output_->rows());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = product(i, mean);
  if (loss_ == Loss::kSoftmax) softmax(values);
  else
    for (float& value : values) value = sigmoid(value, sigmoids_);
  return values;
}

float Model::right_probability(std::uint32_t node, std::span<const float> mean) const {
  return static_cast<float>(1.0 / (1 + std::exp(-product(node - tree_->labels(), mean))));
}

/// Follows the more probable branches first and leaves out those that cannot lead to a better label. What one branch may add to a logarithm is
/// allowed for, so that the label is the best of all.
Prediction Model::best_leaf(std::span<const float> mean) const {
  struct Open {
    std::uint32_t node;
    float score;
  };
  const float margin = kMaxGain * static_cast<float>(tree_->depth() + 1);
  std::vector<Open> open{{tree_->root(), 0}};
  Open best{0, -std::numeric_limits<float>::infinity()};
  while (!open.empty()) {
    const Open at = open.back();
    open.pop_back();
    if (at.score + margin < best.score) continue;
    if (tree_->is_label(at.node)) {
      if (at.score > best.score) best = at;
      continue;
    }
    const float right = right_probability(at.node, mean);
    const LabelTree::Branch& branch = tree_->branch(at.node);
    const Open to_left{branch.left, at.score + shifted_log(static_cast<float>(1.0 - right))}, to_right{branch.right, at.score + shifted_log(right)};
    open.push_back(to_left.score < to_right.score ? to_left : to_right);
    open.push_back(to_left.score < to_right.score ? to_right : to_left);
  }
  return {best.node, std::exp(best.score)};
}

float Model::leaf_probability(std::uint32_t label, std::span<const float> mean) const {
  std::vector<bool> goes_right;
  const std::vector<std::uint32_t> path = tree_->path_to(label, goes_right);
  const float lowest = shifted_log(0);
  float score = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const float right = right_probability(path[i], mean);
    score += shifted_log(goes_right[i] ? right : static_cast<float>(1.0 - right));
    if (score < lowest) return 0;
  }
  return std::exp(score);
}

std::vector<Prediction> Model::all_leaves(std::span<const float> mean) const {
  std::vector<Prediction> found;
  for (std::uint32_t label = 0; label < tree_->labels(); ++label)
    if (const float probability = leaf_probability(label, mean); probability > 0) found.push_back({label, probability});
  return found;
}

std::vector<Prediction> Model::predict(std::string_view line) const {
  std::vector<float> mean;
  if (!read(line, mean)) return {};
  std::vector<Prediction> found;
  if (tree_) {
    found = all_leaves(mean);
  } else {
    for (const float value : outputs(mean)) found.push_back({static_cast<std::uint32_t>(found.size()), through_log(value)});
  }
  std::stable_sort(found.begin(), found.end(), [](const Prediction& a, const Prediction& b) { return a.probability > b.probability; });
  return found;
}

std::optional<Model::Answer> Model::ask(std::string_view line, std::span<const std::uint32_t> labels) const {
  std::vector<float> mean;
  if (!read(line, mean)) return std::nullopt;
  Answer answer{};
  if (tree_) {
    answer.best = best_leaf(mean);
    for (const std::uint32_t label : labels) answer.probabilities.push_back(leaf_probability(label, mean));
    return answer;
  }
  const std::vector<float> values = outputs(mean);
  const auto best = std::max_element(values.begin(), values.end());
  answer.best = {static_cast<std::uint32_t>(best - values.begin()), through_log(*best)};
  for (const std::uint32_t label : labels) answer.probabilities.push_back(through_log(values[label]));
  return answer;
}

}  // namespace flowrun::filters::fasttext
