#include "selection.hpp"

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace flowrun::mixers {
namespace {

using flowrun::testing::error_of;

constexpr int kDocuments = 20'000;

std::string id_of(int number) { return "file.jsonl#" + std::to_string(number); }

std::set<int> sample(double fraction, std::uint64_t seed) {
  Selection selection({{"web", fraction}}, {});
  selection.set_seed(seed);
  std::set<int> taken;
  for (int i = 0; i < kDocuments; ++i)
    if (selection.in_sample("web", id_of(i))) taken.insert(i);
  return taken;
}

TEST(Selection, ALargerFractionOnlyAddsDocuments) {
  std::set<int> before;
  for (const double fraction : {0.0, 0.001, 0.1, 0.5, 0.51, 0.99, 1.0}) {
    const auto taken = sample(fraction, 7);
    EXPECT_TRUE(std::includes(taken.begin(), taken.end(), before.begin(), before.end())) << fraction;
    // Five standard deviations of a binomial count.
    EXPECT_NEAR(static_cast<double>(taken.size()), fraction * kDocuments, 5 * std::sqrt(fraction * (1 - fraction) * kDocuments)) << fraction;
    before = taken;
  }
  EXPECT_NE(sample(0.5, 7), sample(0.5, 8)) << "another seed, another sample";
}

TEST(Selection, OtherDomainsAreWhole) {
  Selection selection({{"web", 0.0}}, {});
  selection.set_seed(1);
  EXPECT_TRUE(selection.in_sample("books", "a"));
  EXPECT_FALSE(selection.in_sample("web", "a"));
}

TEST(Selection, RepeatsByTheHighestThresholdReached) {
  Selection selection({}, {{"0.5", 2}, {"0.8", 3.5}, {"10", 0}});
  selection.set_seed(3);
  EXPECT_EQ(selection.copies("a", 0.49), 1);
  EXPECT_EQ(selection.copies("a", 0.5), 2) << "from the threshold on";
  EXPECT_EQ(selection.copies("a", 0.79), 2);
  EXPECT_EQ(selection.copies("a", 10), 0) << "10 is above 0.8, by number and not by text";
  int copies = 0;
  for (int i = 0; i < kDocuments; ++i) {
    const auto count = selection.copies(id_of(i), 0.9);
    EXPECT_TRUE(count == 3 || count == 4);
    EXPECT_EQ(selection.copies(id_of(i), 0.9), count);
    copies += static_cast<int>(count);
  }
  EXPECT_NEAR(copies, 3.5 * kDocuments, 5 * std::sqrt(0.25 * kDocuments));
}

TEST(Selection, SampleAndRepetitionsAreIndependent) {
  Selection selection({{"web", 0.5}}, {{"0", 1.5}});
  selection.set_seed(3);
  int both = 0;
  for (int i = 0; i < kDocuments; ++i) both += selection.in_sample("web", id_of(i)) && selection.copies(id_of(i), 1) == 2;
  EXPECT_NEAR(both, 0.25 * kDocuments, 5 * std::sqrt(0.25 * 0.75 * kDocuments));
}

TEST(Selection, RefusesAThresholdThatIsNoNumber) {
  for (const char* key : {"good", "", "0.5x", "nan"}) {
    const auto [code, message] = error_of([&] { Selection({}, {{key, 2}}); });
    EXPECT_EQ(code, Code::kInvalidArgument);
    EXPECT_EQ(message, "'repetitions' has the key '" + std::string(key) + "', expected a number: the score from which on documents are repeated so often");
  }
}

}  // namespace
}  // namespace flowrun::mixers
