#include "lattice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr double kUnkPenalty = 10.0;
constexpr double kNone = -std::numeric_limits<double>::infinity();

// log(exp(a) + exp(b)). Beyond a difference of 50 the smaller one is below the last bit.
double log_sum_exp(double a, double b) noexcept {
  const auto [low, high] = std::minmax(a, b);
  return high > low + 50.0 ? high : high + std::log(std::exp(low - high) + 1.0);
}

DoubleArray trie_of(const PieceList& pieces) {
  // The first of all is the empty one.
  const std::vector<std::uint32_t>& sorted = pieces.sorted();
  return DoubleArray(sorted.size() - 1, [&](std::size_t i) { return DoubleArray::Key(pieces[sorted[i + 1]].piece, sorted[i + 1]); });
}

}  // namespace

TrainingModel::TrainingModel(const PieceList& pieces, Use use) : pieces_(pieces), trie_(trie_of(pieces)), min_score_(std::numeric_limits<double>::infinity()) {
  for (std::size_t id = 1; id < pieces.size(); ++id) min_score_ = std::min(min_score_, pieces.scores()[id]);
  if (pieces.size() < 2) min_score_ = 0;  // every character is unknown: any score will do
  if (use == Use::kBestWays) return;
  probabilities_.reserve(pieces.size());
  for (std::uint32_t id = 0; id < pieces.size(); ++id) probabilities_.push_back(std::exp(score(id)));
}

double TrainingModel::unk_score() const noexcept { return min_score_ - kUnkPenalty; }

void Lattice::set_word(std::string_view word) {
  bytes_ = word.size();
  nodes_.clear();
  firsts_.clear();
  for (std::size_t begin = 0; begin < word.size();) {
    firsts_.push_back(nodes_.size());
    const auto from = static_cast<std::uint32_t>(begin);
    const std::size_t next = begin + utf8_bytes(word, begin);
    bool character_is_piece = false;
    model_.trie().for_each_prefix(word, begin, [&](std::size_t end, std::uint32_t id) {
      nodes_.push_back({from, static_cast<std::uint32_t>(end), id, 0});
      character_is_piece |= end == next;
    });
    if (!character_is_piece) nodes_.push_back({from, static_cast<std::uint32_t>(next), 0, 0});
    begin = next;
  }
  firsts_.push_back(nodes_.size());
}

// In a loop of its own, where several of the pieces, which lie anywhere, are fetched at a time.
template <class WeightOf>
void Lattice::weigh(WeightOf&& weight_of) {
  for (Node& node : nodes_) node.weight = weight_of(node.id);
}

// No sum of products is less probable than one unknown character after another; where even that is far from the smallest number, no logarithm is
// needed, and most of the training is spent here.
double Lattice::add_expected(double count, std::vector<double>& expected) {
  constexpr double kSafe = -600;  // of -708
  const auto characters = static_cast<double>(firsts_.size() - 1);
  return characters * model_.unk_score() > kSafe ? add_expected_by_products(count, expected) : add_expected_by_logarithms(count, expected);
}

double Lattice::add_expected_by_products(double count, std::vector<double>& expected) {
  weigh([this](std::uint32_t id) { return model_.probability(id); });
  forward_.assign(bytes_ + 1, 0);
  backward_.assign(bytes_ + 1, 0);
  forward_[0] = 1;
  for (const Node& node : nodes_) forward_[node.end] += forward_[node.begin] * node.weight;
  backward_[bytes_] = 1;
  for (std::size_t i = nodes_.size(); i-- > 0;) backward_[nodes_[i].begin] += nodes_[i].weight * backward_[nodes_[i].end];
  const double total = forward_[bytes_], share = count / total;
  for (const Node& node : nodes_) expected[node.id] += share * (forward_[node.begin] * node.weight * backward_[node.end]);
  return std::log(total);
}

double Lattice::add_expected_by_logarithms(double count, std::vector<double>& expected) {
  weigh([this](std::uint32_t id) { return model_.score(id); });
  forward_.assign(bytes_ + 1, kNone);
  backward_.assign(bytes_ + 1, kNone);
  const auto add = [](double& sum, double term) { sum = sum == kNone ? term : log_sum_exp(sum, term); };
  forward_[0] = 0;
  for (const Node& node : nodes_) add(forward_[node.end], forward_[node.begin] + node.weight);
  backward_[bytes_] = 0;
  for (std::size_t c = firsts_.size() - 1; c-- > 0;)
    for (std::size_t i = firsts_[c]; i < firsts_[c + 1]; ++i) add(backward_[nodes_[i].begin], nodes_[i].weight + backward_[nodes_[i].end]);
  const double total = forward_[bytes_];
  for (const Node& node : nodes_) expected[node.id] += count * std::exp(forward_[node.begin] + node.weight + backward_[node.end] - total);
  return total;
}

// Of the nodes that end at `at` the one before a node of `score`. The sums with that score are compared, not those without it: rounding makes equal
// what differs in its last bits, and then the order decides. Many seeds have equal scores, so this changes what is dropped.
std::pair<double, std::uint32_t> Lattice::best_ending(std::size_t at, double score) const {
  if (at == 0) return {score, kNoNode};
  std::pair<double, std::uint32_t> best = {kNone, kNoNode};
  for (std::uint32_t i = endings_[at].first; i != kNoNode; i = best_[i].next_ending) {
    const double sum = best_[i].score + score;
    if (best.second == kNoNode || sum > best.first) best = {sum, i};
  }
  return best;
}

void Lattice::best_path(std::vector<std::uint32_t>& path, bool parts_only) {
  weigh([this](std::uint32_t id) { return model_.score(id); });
  endings_.assign(bytes_ + 1, {});
  best_.resize(nodes_.size());
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (parts_only && node.end - node.begin == bytes_) continue;
    const auto [score, previous] = best_ending(node.begin, node.weight);
    best_[i] = {score, previous, kNoNode};
    Ending& ending = endings_[node.end];
    (ending.last == kNoNode ? ending.first : best_[ending.last].next_ending) = i;
    ending.last = i;
  }
  path.clear();
  for (std::uint32_t i = best_ending(bytes_, 0).second; i != kNoNode; i = best_[i].previous) path.push_back(nodes_[i].id);
}

}  // namespace flowrun::tokenizers
