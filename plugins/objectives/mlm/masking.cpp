#include "masking.hpp"

#include <algorithm>

#include <flowrun/philox.hpp>

namespace flowrun::objectives {
namespace {

/// Maps 32 random bits onto the vocabulary without its special tokens.
std::int64_t random_token(const MaskingRule& rule, std::uint64_t bits) {
  const auto choices = static_cast<std::uint64_t>(rule.vocab_size) - rule.special_tokens.size();
  auto token = static_cast<std::int64_t>(bounded(bits, choices));
  for (const std::int64_t special : rule.special_tokens)
    if (token >= special) ++token;  // sorted: each one passed moves the rest up
  return token;
}

/// 32 random bits as a number in [0, 1).
double uniform(std::uint32_t bits) { return static_cast<double>(bits) * 0x1.0p-32; }

}  // namespace

void mask_sequence(const MaskingRule& rule, std::uint64_t key, std::int64_t sequence, std::span<std::int64_t> ids, std::span<const std::int64_t> labels,
                   std::span<std::int64_t> targets) {
  for (std::size_t time = 0; time < ids.size(); ++time) {
    targets[time] = kNotScored;
    if (labels[time] == kNotScored || std::binary_search(rule.special_tokens.begin(), rule.special_tokens.end(), ids[time])) continue;
    const auto words = philox4x32(key, static_cast<std::uint64_t>(sequence), time);
    if (uniform(words[0]) >= rule.mask_probability) continue;
    targets[time] = labels[time];
    const double kind = uniform(words[1]);
    if (kind < rule.mask_token_fraction) ids[time] = rule.mask_token;
    else if (kind < rule.mask_token_fraction + rule.random_token_fraction) ids[time] = random_token(rule, (std::uint64_t{words[3]} << 32) | words[2]);
  }
}

}  // namespace flowrun::objectives
