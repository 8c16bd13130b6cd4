#include "shares.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

namespace flowrun::mixers {
namespace {

/// The masses add up to less than two to this and a half: with up to 2^63 tokens drawn, their products then stay inside 128 bits.
constexpr int kMassBits = 61;

}  // namespace

std::vector<double> masses_of(const std::vector<double>& weights, const std::vector<std::int64_t>& tokens, double temperature, bool unimax) {
  std::vector<double> masses(weights.size(), 0);
  const double largest = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
  if (!(largest > 0)) return masses;
  const int exponent = std::ilogb(largest);  // the weights are scaled first: the product must not overflow
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    const auto size = static_cast<double>(tokens[i]);
    const double scaled = std::ldexp(weights[i], -exponent);
    const double mass = unimax ? scaled : scaled * (temperature == 1 ? size : std::pow(size, 1 / temperature));
    masses[i] = std::max(mass, std::numeric_limits<double>::min());  // what has a weight takes part, however little it is beside another
  }
  return masses;
}

std::vector<double> capped_budgets(const std::vector<double>& masses, const std::vector<double>& caps, double budget) {
  std::vector<std::size_t> order;
  double mass_left = 0;
  for (std::size_t i = 0; i < masses.size(); ++i) {
    if (!(masses[i] > 0)) continue;
    order.push_back(i);
    mass_left += masses[i];
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return caps[a] / masses[a] < caps[b] / masses[b]; });
  std::vector<double> budgets(masses.size(), 0);
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const std::size_t i = order[rank];
    // The last one's part is all that is left, whatever rounding has made of the masses' sum.
    const double part = rank + 1 == order.size() ? budget : budget * masses[i] / mass_left;
    budgets[i] = std::min(part, caps[i]);
    budget -= budgets[i];
    mass_left -= masses[i];
  }
  return budgets;
}

std::vector<std::int64_t> to_integers(const std::vector<double>& masses) {
  const double total = std::accumulate(masses.begin(), masses.end(), 0.0);
  std::vector<std::int64_t> integers;
  if (!(total > 0)) return std::vector<std::int64_t>(masses.size(), 0);
  const int scale = kMassBits - 1 - std::ilogb(total);
  for (const double mass : masses) integers.push_back(mass > 0 ? std::max<std::int64_t>(1, std::llround(std::ldexp(mass, scale))) : 0);
  return integers;
}

}  // namespace flowrun::mixers
