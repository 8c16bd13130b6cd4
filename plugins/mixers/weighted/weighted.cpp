#include "weighted.hpp"

#include <flowrun/error.hpp>
#include <flowrun/philox.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace flowrun::mixers {
namespace {

/// The masses add up to less than two to this: with up to 2^63 tokens drawn, deficits then stay inside 128 bits.
constexpr int kMassBits = 61;

double weight_of(const std::map<std::string, double>& weights, const std::string& domain) {
  const auto it = weights.find(domain);
  return it == weights.end() ? 1.0 : it->second;
}

/// Turns w_i |D_i| into integers of the same proportions: scaled by a power of two, so that ties of simple weights stay exact.
std::vector<std::int64_t> to_masses(std::vector<double> weights, const std::vector<std::int64_t>& tokens) {
  const int exponent = std::ilogb(*std::max_element(weights.begin(), weights.end()));
  double total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = std::ldexp(weights[i], -exponent) * static_cast<double>(tokens[i]);  // scaled first: the product must not overflow
    total += weights[i];
  }
  const int scale = kMassBits - 1 - std::ilogb(total);
  std::vector<std::int64_t> masses;
  for (const double weight : weights) masses.push_back(std::max<std::int64_t>(1, std::llround(std::ldexp(weight, scale))));
  return masses;
}

}  // namespace

WeightedOrder::WeightedOrder(const DomainIndex& index, const std::map<std::string, double>& weights, std::uint64_t seed) {
  std::vector<double> member_weights;
  std::vector<std::int64_t> tokens;
  for (const Domain& domain : index.domains()) {
    const double weight = weight_of(weights, domain.name);
    if (!(weight > 0)) continue;
    members_.push_back({&domain, 0, derive_seed(seed, domain.name)});
    member_weights.push_back(weight);
    tokens.push_back(domain.token_count);
    epoch_tokens_ += domain.token_count;
  }
  if (index.domains().empty())
    throw Error(Code::kInvalidArgument, "the input has " + std::to_string(index.row_count()) + " documents and no token, expected at least one to mix");
  if (members_.empty()) throw Error(Code::kInvalidArgument, "'weights' leaves every domain of the input out, expected one above 0");
  const auto masses = to_masses(std::move(member_weights), tokens);
  for (std::size_t i = 0; i < members_.size(); ++i) mass_total_ += members_[i].mass = masses[i];
  kept_.push_back({0, 0, std::vector<Progress>(members_.size())});
}

std::vector<WeightedOrder::Part> WeightedOrder::parts() const {
  std::vector<Part> parts;
  for (const Member& member : members_) parts.push_back({member.domain, static_cast<double>(member.mass) / static_cast<double>(mass_total_)});
  return parts;
}

std::int64_t WeightedOrder::draw(Walk& walk) const {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < members_.size(); ++i)
    if (walk.progress[i].deficit > walk.progress[largest].deficit) largest = i;
  const Member& member = members_[largest];
  const auto documents = static_cast<std::uint64_t>(member.domain->rows.size());
  const auto given = static_cast<std::uint64_t>(walk.progress[largest].documents++);
  const std::uint64_t document = Permutation(philox_u64(member.key, given / documents), documents)(given % documents);

  const std::int64_t length = member.domain->lengths[document];
  for (std::size_t i = 0; i < members_.size(); ++i) walk.progress[i].deficit += Wide{members_[i].mass} * length;
  walk.progress[largest].deficit -= Wide{mass_total_} * length;
  walk.tokens += length;
  ++walk.position;
  return member.domain->rows[document];
}

WeightedOrder::Walk WeightedOrder::walk_to(std::int64_t position, const std::function<void()>& check_stop) {
  Walk walk;
  {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<std::size_t>(position / kStride);
    while (kept_.size() <= number) {
      check_stop();
      Walk next = kept_.back();
      for (std::int64_t i = 0; i < kStride; ++i) draw(next);
      kept_.push_back(std::move(next));
    }
    walk = kept_[number];
  }
  while (walk.position < position) draw(walk);
  return walk;
}

std::int64_t WeightedOrder::draw_count(double tokens, const std::function<void()>& check_stop) const {
  Walk walk{0, 0, std::vector<Progress>(members_.size())};
  while (static_cast<double>(walk.tokens) < tokens) {
    if (walk.position % kStride == 0) check_stop();
    draw(walk);
  }
  return walk.position;
}

std::vector<std::int64_t> WeightedOrder::rows(std::int64_t first, std::int64_t n, const std::function<void()>& check_stop) {
  std::vector<std::int64_t> rows;
  if (n == 0) return rows;
  rows.reserve(static_cast<std::size_t>(n));
  Walk walk = walk_to(first, check_stop);
  for (std::int64_t i = 0; i < n; ++i) rows.push_back(draw(walk));
  return rows;
}

}  // namespace flowrun::mixers
