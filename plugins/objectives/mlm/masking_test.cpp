#include "masking.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace flowrun::objectives {
namespace {

MaskingRule small_rule() {
  MaskingRule rule;
  rule.vocab_size = 50;
  rule.special_tokens = {0, 1, 2};
  return rule;
}

struct Masked {
  std::vector<std::int64_t> ids, targets;
};

Masked mask(const MaskingRule& rule, std::uint64_t key, std::int64_t sequence, const std::vector<std::int64_t>& ids) {
  Masked out{ids, std::vector<std::int64_t>(ids.size())};
  mask_sequence(rule, key, sequence, out.ids, ids, out.targets);
  return out;
}

std::vector<std::int64_t> words(std::size_t n) {
  std::vector<std::int64_t> ids(n);
  for (std::size_t i = 0; i < n; ++i) ids[i] = 3 + static_cast<std::int64_t>(i % 47);
  return ids;
}

TEST(Masking, SharesAreThoseOfTheRule) {
  const auto ids = words(200000);
  const Masked out = mask(small_rule(), 7, 3, ids);
  std::int64_t scored = 0, hidden = 0, other = 0, same = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (out.targets[i] == kNotScored) {
      EXPECT_EQ(out.ids[i], ids[i]);
      continue;
    }
    EXPECT_EQ(out.targets[i], ids[i]);
    ++scored;
    if (out.ids[i] == 2) ++hidden;
    else if (out.ids[i] == ids[i]) ++same;
    else ++other;
  }
  // Five standard deviations of the binomial counts. One random token in 47 is the token itself.
  EXPECT_NEAR(static_cast<double>(scored) / 200000, 0.15, 5 * 0.0008);
  EXPECT_NEAR(static_cast<double>(hidden) / static_cast<double>(scored), 0.8, 5 * 0.0023);
  EXPECT_NEAR(static_cast<double>(other) / static_cast<double>(scored), 0.1 * 46 / 47, 5 * 0.0018);
  EXPECT_NEAR(static_cast<double>(same) / static_cast<double>(scored), 0.1 + 0.1 / 47, 5 * 0.0018);
}

TEST(Masking, SpecialTokensAreNeverPredictedNorDrawn) {
  MaskingRule rule = small_rule();
  rule.mask_probability = 1;
  rule.mask_token_fraction = 0;
  rule.random_token_fraction = 1;
  rule.special_tokens = {0, 5, 49};
  std::vector<std::int64_t> ids(5000, 7);
  for (std::size_t i = 0; i < ids.size(); i += 3) ids[i] = rule.special_tokens[i % 9 / 3];
  const Masked out = mask(rule, 7, 3, ids);
  std::vector<bool> seen(50);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i % 3 == 0) {
      EXPECT_EQ(out.targets[i], kNotScored);
      EXPECT_EQ(out.ids[i], ids[i]);
    } else {
      seen[static_cast<std::size_t>(out.ids[i])] = true;
    }
  }
  for (std::int64_t token = 0; token < 50; ++token)
    EXPECT_EQ(seen[static_cast<std::size_t>(token)], std::find(rule.special_tokens.begin(), rule.special_tokens.end(), token) == rule.special_tokens.end()) << token;
}

TEST(Masking, DependsOnKeyAndSequenceAlone) {
  const auto ids = words(1000);
  EXPECT_EQ(mask(small_rule(), 7, 3, ids).ids, mask(small_rule(), 7, 3, ids).ids);
  EXPECT_NE(mask(small_rule(), 7, 3, ids).ids, mask(small_rule(), 7, 4, ids).ids);
  EXPECT_NE(mask(small_rule(), 7, 3, ids).ids, mask(small_rule(), 8, 3, ids).ids);
  // A prefix is masked as in the whole.
  const Masked whole = mask(small_rule(), 7, 3, ids), part = mask(small_rule(), 7, 3, words(100));
  EXPECT_TRUE(std::equal(part.ids.begin(), part.ids.end(), whole.ids.begin()));
}

TEST(Masking, TokensWithoutLabelAreLeftAlone) {
  MaskingRule rule = small_rule();
  rule.mask_probability = 1;
  std::vector<std::int64_t> ids = words(10), targets(10);
  std::vector<std::int64_t> labels = ids;
  labels[4] = kNotScored;
  mask_sequence(rule, 7, 0, ids, labels, targets);
  EXPECT_EQ(targets[4], kNotScored);
  EXPECT_EQ(ids[4], words(10)[4]);
  EXPECT_EQ(targets[5], words(10)[5]);
}

}  // namespace
}  // namespace flowrun::objectives
