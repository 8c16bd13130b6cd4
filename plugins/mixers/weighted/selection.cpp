#include "selection.hpp"

#include <flowrun/error.hpp>
#include <flowrun/philox.hpp>

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace flowrun::mixers {
namespace {

/// Returns a number in [0, 1) with 53 bits that the id decides.
double uniform(std::string_view id, std::uint64_t key) noexcept { return static_cast<double>(XXH3_64bits_withSeed(id.data(), id.size(), key) >> 11) * 0x1.0p-53; }

double threshold_of(const std::string& text) {
  double threshold = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threshold);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(threshold))
    throw Error(Code::kInvalidArgument, "'repetitions' has the key '" + text + "', expected a number: the score from which on documents are repeated so often");
  return threshold;
}

}  // namespace

Selection::Selection(const std::map<std::string, double>& sample_fractions, const std::map<std::string, double>& repetitions)
    : sample_fractions_(sample_fractions.begin(), sample_fractions.end()) {
  for (const auto& [text, count] : repetitions) repetitions_.emplace_back(threshold_of(text), count);
  std::sort(repetitions_.begin(), repetitions_.end());
}

void Selection::set_seed(std::uint64_t seed) noexcept {
  sample_key_ = derive_seed(seed, "sample_fraction");
  repetition_key_ = derive_seed(seed, "repetitions");
}

bool Selection::in_sample(std::string_view domain, std::string_view id) const {
  const auto it = sample_fractions_.find(domain);
  return it == sample_fractions_.end() || uniform(id, sample_key_) < it->second;
}

std::int64_t Selection::copies(std::string_view id, double score) const {
  double repetitions = 1;
  for (const auto& [threshold, count] : repetitions_)
    if (score >= threshold) repetitions = count;
  const double whole = std::floor(repetitions);
  return static_cast<std::int64_t>(whole) + (uniform(id, repetition_key_) < repetitions - whole ? 1 : 0);
}

}  // namespace flowrun::mixers
