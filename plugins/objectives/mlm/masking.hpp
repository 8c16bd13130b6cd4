#pragma once

// Which tokens of a sequence masked language modelling hides, and behind what: Devlin et al. 2019, arXiv:1810.04805, section 3.1. Every draw is a
// function of (key, sequence, time) alone.

#include <cstdint>
#include <span>
#include <vector>

namespace flowrun::objectives {

struct MaskingRule {
  double mask_probability = 0.15;      ///< share of tokens that are predicted
  double mask_token_fraction = 0.8;    ///< of these: shown as the mask token
  double random_token_fraction = 0.1;  ///< of these: shown as any other token; the rest is shown as it is
  std::int64_t mask_token = 2;
  std::int64_t vocab_size = 0;
  std::vector<std::int64_t> special_tokens;  ///< never predicted, never drawn; sorted
};

/// The target of a token that is not predicted.
inline constexpr std::int64_t kNotScored = -100;

/// Masks one sequence in place and writes its targets. `labels` holds what is to be predicted; a token whose label is kNotScored is left alone.
void mask_sequence(const MaskingRule& rule, std::uint64_t key, std::int64_t sequence, std::span<std::int64_t> ids, std::span<const std::int64_t> labels,
                   std::span<std::int64_t> targets);

}  // namespace flowrun::objectives
