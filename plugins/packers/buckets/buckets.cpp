#include "buckets.hpp"

#include <flowrun/error.hpp>
#include <flowrun/philox.hpp>

#include <bit>
#include <cmath>
#include <numeric>
#include <string>

namespace flowrun::packers {

Decomposition::Decomposition(std::int64_t min_length, std::int64_t max_length)
    : min_length_(min_length),
      max_length_(max_length),
      bucket_count_(static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(max_length)) - std::countr_zero(static_cast<std::uint64_t>(min_length)) + 1)) {}

std::int64_t Decomposition::piece_count(std::int64_t tokens, std::size_t bucket) const noexcept {
  const std::int64_t length = length_of(bucket);
  return length == max_length_ ? tokens / length : (tokens & length) != 0 ? 1 : 0;
}

std::int64_t Decomposition::piece_offset(std::int64_t tokens, std::size_t bucket, std::int64_t number) const noexcept {
  const std::int64_t length = length_of(bucket);
  return length == max_length_ ? number * length : tokens & ~(2 * length - 1);  // behind all longer pieces
}

std::vector<double> curriculum_odds(std::string_view curriculum, std::size_t bucket_count) {
  std::vector<double> odds;
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
    const auto longer = static_cast<double>(bucket_count - 1 - bucket), shorter = static_cast<double>(bucket);
    if (curriculum == "uniform") odds.push_back(1);
    else if (curriculum == "grow_linear") odds.push_back(longer + 1);
    else if (curriculum == "grow_p2") odds.push_back(std::exp2(longer));
    else if (curriculum == "grow_p100") odds.push_back(std::pow(100, longer));
    else if (curriculum == "shrink_p100") odds.push_back(std::pow(100, shorter));
    else throw Error(Code::kInvalidArgument, "there is no curriculum '" + std::string(curriculum) + "'");
  }
  return odds;
}

std::vector<std::uint8_t> schedule(std::span<const std::int64_t> batch_counts, std::span<const double> odds, std::int64_t cycles, std::uint64_t key, const std::function<void()>& check_stop) {
  constexpr std::int64_t kDrawsBetweenStops = 1 << 16;
  std::vector<std::uint8_t> order;
  std::vector<std::int64_t> left(batch_counts.size());
  for (std::int64_t cycle = 0; cycle < cycles; ++cycle) {
    // The share of this cycle by division of the whole, so that the shares add up.
    for (std::size_t bucket = 0; bucket < left.size(); ++bucket) {
      const double count = static_cast<double>(batch_counts[bucket]), parts = static_cast<double>(cycles);
      left[bucket] = static_cast<std::int64_t>(count * static_cast<double>(cycle + 1) / parts) - static_cast<std::int64_t>(count * static_cast<double>(cycle) / parts);
    }
    for (std::int64_t draws = std::accumulate(left.begin(), left.end(), std::int64_t{0}); draws > 0; --draws) {
      if (draws % kDrawsBetweenStops == 0) check_stop();
      double sum = 0;
      for (std::size_t bucket = 0; bucket < left.size(); ++bucket) sum += odds[bucket] * static_cast<double>(left[bucket]);
      double point = sum * philox_uniform(key, static_cast<std::uint64_t>(cycle), static_cast<std::uint64_t>(draws));
      std::size_t chosen = left.size();
      for (std::size_t bucket = 0; bucket < left.size(); ++bucket) {
        if (left[bucket] == 0) continue;
        chosen = bucket;  // the last one that has any left, should rounding carry the point beyond all
        point -= odds[bucket] * static_cast<double>(left[bucket]);
        if (point < 0) break;
      }
      --left[chosen];
      order.push_back(static_cast<std::uint8_t>(chosen));
    }
  }
  return order;
}

}  // namespace flowrun::packers
