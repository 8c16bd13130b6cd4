#include "buckets.hpp"

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "packers/common/threads_for_test.hpp"

namespace flowrun::packers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::MemoryDataset;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::TokenRow;
using Tokens = std::vector<std::int64_t>;

constexpr std::uint32_t kEnd = 9999999;

// ---------------------------------------------------------------------------------------------------------------------- the algorithm

/// The definition, as the authors' program has it: the longest power of two that fits is cut off the front, until what is left is too short.
std::vector<std::pair<std::int64_t, std::int64_t>> cut(std::int64_t tokens, std::int64_t min_length, std::int64_t max_length) {
  std::vector<std::pair<std::int64_t, std::int64_t>> pieces;  // offset, length
  for (std::int64_t offset = 0; tokens - offset >= min_length;) {
    std::int64_t length = min_length;
    while (2 * length <= max_length && 2 * length <= tokens - offset) length *= 2;
    pieces.emplace_back(offset, length);
    offset += length;
  }
  return pieces;
}

TEST(Decomposition, CutsAsTheDefinition) {
  for (const auto& [min_length, max_length] : {std::pair<std::int64_t, std::int64_t>{2, 2}, {2, 64}, {8, 64}, {256, 8192}}) {
    const Decomposition decomposition(min_length, max_length);
    for (std::int64_t tokens = 0; tokens < 3 * max_length + 7; tokens += tokens < 300 ? 1 : 37) {
      std::vector<std::pair<std::int64_t, std::int64_t>> pieces;
      std::int64_t sum = 0;
      for (std::size_t bucket = 0; bucket < decomposition.bucket_count(); ++bucket)
        for (std::int64_t number = 0; number < decomposition.piece_count(tokens, bucket); ++number) {
          pieces.emplace_back(decomposition.piece_offset(tokens, bucket, number), decomposition.length_of(bucket));
          sum += decomposition.length_of(bucket);
        }
      std::sort(pieces.begin(), pieces.end());
      ASSERT_EQ(pieces, cut(tokens, min_length, max_length)) << tokens << " tokens in " << min_length << " to " << max_length;
      ASSERT_EQ(decomposition.dropped(tokens), tokens - sum);
    }
  }
}

TEST(Curriculum, HasTheOddsOfThePaper) {
  using Odds = std::vector<double>;
  EXPECT_EQ(curriculum_odds("uniform", 6), (Odds{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(curriculum_odds("grow_linear", 6), (Odds{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(curriculum_odds("grow_p2", 6), (Odds{32, 16, 8, 4, 2, 1}));
  EXPECT_EQ(curriculum_odds("grow_p100", 3), (Odds{10000, 100, 1}));
  EXPECT_EQ(curriculum_odds("shrink_p100", 3), (Odds{1, 100, 10000}));
  EXPECT_EQ(curriculum_odds("grow_p2", 1), (Odds{1}));
  EXPECT_EQ(error_of([] { curriculum_odds("grow", 2); }).second, "there is no curriculum 'grow'");
}

std::vector<std::uint8_t> schedule_of(const std::vector<std::int64_t>& counts, const std::string& curriculum, std::int64_t cycles, std::uint64_t key) {
  return schedule(counts, curriculum_odds(curriculum, counts.size()), cycles, key, [] {});
}

TEST(Curriculum, GivesEveryBatchOnceAndEachCycleItsShare) {
  const std::vector<std::int64_t> counts{40, 0, 21, 3};
  for (const char* name : {"uniform", "grow_linear", "grow_p2", "grow_p100", "shrink_p100"})
    for (const std::int64_t cycles : {1, 2, 8, 100}) {
      const auto order = schedule_of(counts, name, cycles, 7);
      ASSERT_EQ(order.size(), 64u);
      for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) EXPECT_EQ(std::count(order.begin(), order.end(), bucket), counts[bucket]) << name;
      EXPECT_EQ(order, schedule_of(counts, name, cycles, 7));
    }
  const auto order = schedule_of(counts, "grow_p2", 2, 7);
  EXPECT_EQ(std::count(order.begin(), order.begin() + 31, 0), 20);  // half of 40, 21 and 3 is 20, 10 and 1
  EXPECT_EQ(std::count(order.begin(), order.begin() + 31, 2), 10);
  EXPECT_NE(schedule_of(counts, "uniform", 1, 7), schedule_of(counts, "uniform", 1, 8));
}

TEST(Curriculum, DrawsTheFirstBatchByTheOdds) {
  // 5 batches with odds 4, 3 with 2, 8 with 1: 20, 6 and 8 of 34.
  const std::vector<std::int64_t> counts{5, 3, 8};
  std::array<int, 3> drawn{};
  constexpr int kTrials = 20000;
  for (int key = 0; key < kTrials; ++key) ++drawn[schedule_of(counts, "grow_p2", 1, static_cast<std::uint64_t>(key))[0]];
  const std::array<double, 3> expected{20 / 34.0, 6 / 34.0, 8 / 34.0};
  for (std::size_t bucket = 0; bucket < 3; ++bucket) {
    const double deviation = std::sqrt(kTrials * expected[bucket] * (1 - expected[bucket]));
    EXPECT_NEAR(drawn[bucket], kTrials * expected[bucket], 5 * deviation) << "bucket " << bucket;
  }
}

TEST(Curriculum, PutsShortOnesFirstWhereItGrows) {
  const std::vector<std::int64_t> counts(6, 100);
  // The mean place of each bucket's batches.
  const auto places = [&](const std::string& name) {
    const auto order = schedule_of(counts, name, 1, 3);
    std::array<double, 6> mean{};
    for (std::size_t i = 0; i < order.size(); ++i) mean[order[i]] += static_cast<double>(i) / 100;
    return mean;
  };
  for (const char* name : {"grow_linear", "grow_p2", "grow_p100"}) {
    const auto mean = places(name);
    EXPECT_LT(mean[0] + mean[1], mean[4] + mean[5]) << name;
  }
  const auto p100 = places("grow_p100"), shrink = places("shrink_p100"), uniform = places("uniform");
  EXPECT_TRUE(std::is_sorted(p100.begin(), p100.end()));
  EXPECT_TRUE(std::is_sorted(shrink.rbegin(), shrink.rend()));
  for (const double mean : uniform) EXPECT_NEAR(mean, 300, 5 * 173 / std::sqrt(100));  // a random order's mean and its deviation
}

// --------------------------------------------------------------------------------------------------------------------------- the node

std::vector<TokenRow> random_documents(std::size_t count, unsigned seed, std::uint32_t length_max) {
  std::mt19937 random(seed);
  std::vector<TokenRow> rows;
  std::uint32_t token = 1;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back({"doc" + std::to_string(i), "web", 7, {}});
    const std::uint32_t length = random() % 30 == 0 ? 6 * length_max : random() % length_max;
    for (std::uint32_t t = 0; t < length; ++t) rows.back().input_ids.push_back(token++);
  }
  return rows;
}

struct Settings {
  std::int64_t sequence_length = 64, min_length = 8, batch_size = 3, cycles = 2, shuffle_window = 16;
  std::string curriculum = "grow_p2";
};

/// A node over datasets that has been prepared and attached.
class BucketNode {
 public:
  explicit BucketNode(std::vector<const MemoryDataset*> datasets, const Settings& settings = {})
      : runner(flowrun_plugin_v1, {{"sequence_length", settings.sequence_length}, {"min_length", settings.min_length}, {"batch_size", settings.batch_size}, {"cycles", settings.cycles},
                                   {"shuffle_window", settings.shuffle_window}, {"curriculum", settings.curriculum}, {"endoftext_id", std::int64_t{kEnd}}}) {
    runner.open({fields::tokens()});
    runner.prepare(datasets, folder.path());
    runner.attach(datasets, folder.path());
  }
  /// The rows of a read: each as long as the batch's sequences are.
  std::vector<Tokens> read(std::int64_t first, std::int64_t n) {
    const auto tensor = runner.read_batch(first, n).tensors.at("input_ids");
    std::vector<Tokens> rows;
    for (std::int64_t row = 0; row < tensor.rows; ++row) rows.emplace_back(tensor.values.begin() + row * tensor.columns, tensor.values.begin() + (row + 1) * tensor.columns);
    return rows;
  }

  TemporaryFolder folder;
  Runner runner;
};

/// All sequences of the definition, each with the document that it is of.
std::map<Tokens, std::string> all_sequences(const std::vector<TokenRow>& rows, std::int64_t min_length, std::int64_t max_length) {
  std::map<Tokens, std::string> all;
  for (const TokenRow& row : rows) {
    Tokens tokens(row.input_ids.begin(), row.input_ids.end());
    tokens.push_back(kEnd);
    for (const auto& [offset, length] : cut(static_cast<std::int64_t>(tokens.size()), min_length, max_length))
      all.emplace(Tokens(tokens.begin() + offset, tokens.begin() + offset + length), row.id);
  }
  return all;
}

TEST(Buckets, EveryBatchHasOneLengthAndTheSameTokens) {
  const auto rows = random_documents(5000, 3, 100);  // more than one segment
  const MemoryDataset data(rows);
  BucketNode node({&data});
  auto expected = all_sequences(rows, 8, 64);
  std::map<std::size_t, std::size_t> in_all, found;
  for (const auto& [tokens, id] : expected) ++in_all[tokens.size()];
  const std::int64_t count = node.runner.count();
  ASSERT_EQ(count % 3, 0);
  for (std::int64_t first = 0; first < count; first += 3) {
    const auto batch = node.runner.read_batch(first, 3);
    const auto& tensor = batch.tensors.at("input_ids");
    ASSERT_EQ(tensor.rows * tensor.columns, 3 * 64) << "constant tokens";
    ASSERT_EQ(batch.ids.size(), static_cast<std::size_t>(tensor.rows));
    for (std::int64_t row = 0; row < tensor.rows; ++row) {
      const auto sequence = expected.find(Tokens(tensor.values.begin() + row * tensor.columns, tensor.values.begin() + (row + 1) * tensor.columns));
      ASSERT_NE(sequence, expected.end()) << "no piece of a document, or given twice";
      ASSERT_EQ(sequence->second, batch.ids[static_cast<std::size_t>(row)]);
      expected.erase(sequence);
      ++found[static_cast<std::size_t>(tensor.columns)];
    }
  }
  // What is missing fills no batch.
  for (const auto& [length, sequences] : in_all) EXPECT_EQ(found[length], sequences / (3 * 64 / length) * (3 * 64 / length)) << "of length " << length;
  EXPECT_EQ(in_all.size(), 4u);
  EXPECT_TRUE(node.runner.close().empty());
}

TEST(Buckets, ReportsWhatItCropsAndDrops) {
  // With its end 11 tokens: 8 and 2, and one is cropped; 5 tokens: 4, and one is cropped.
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, {"b", "web", 1, {11, 12, 13, 14}}});
  BucketNode node({&data}, {8, 2, 1, 1, 0, "uniform"});
  ASSERT_EQ(node.runner.logs().size(), 1u);
  EXPECT_EQ(node.runner.logs()[0].message,
            "2 documents of 16 tokens with their ends make sequences: 1 of 2, 1 of 4, 1 of 8; 2 tokens are cropped as shorter than 2; 1 batches of 8 tokens; "
            "6 tokens that fill no batch are dropped");
  EXPECT_EQ(node.read(0, 1), (std::vector<Tokens>{{1, 2, 3, 4, 5, 6, 7, 8}}));
}

TEST(Buckets, EndsADocumentInsideItsLastPiece) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}, {"b", "web", 1, {4, 5, 6, 7, 8}}});
  BucketNode node({&data}, {4, 2, 1, 1, 0, "grow_p100"});
  std::set<std::vector<Tokens>> found;
  for (std::int64_t i = 0; i < node.runner.count(); ++i) found.insert(node.read(i, 1));
  EXPECT_EQ(found, (std::set<std::vector<Tokens>>{{{1, 2, 3, kEnd}}, {{4, 5, 6, 7}}}));  // {8, end} fills no batch of two
}

TEST(Buckets, ReadsAThousandRandomPositionsAsInOrder) {
  const auto rows = random_documents(5000, 9, 120);
  const MemoryDataset data(rows), other(rows);
  BucketNode ordered({&data}), random_access({&other});
  const std::int64_t count = ordered.runner.count();
  ASSERT_EQ(random_access.runner.count(), count);
  std::vector<std::vector<Tokens>> expected;  // by place
  for (std::int64_t first = 0; first < count; first += 3) {
    const auto batch = ordered.read(first, 3);
    const std::size_t in_place = batch.size() / 3;
    for (std::size_t place = 0; place < 3; ++place) expected.emplace_back(batch.begin() + static_cast<std::ptrdiff_t>(place * in_place), batch.begin() + static_cast<std::ptrdiff_t>((place + 1) * in_place));
  }
  std::mt19937 random(5);
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t first = static_cast<std::int64_t>(random()) % count, n = std::min<std::int64_t>(3 - first % 3, 1 + random() % 3);
    std::vector<Tokens> slice;
    for (std::int64_t place = first; place < first + n; ++place) slice.insert(slice.end(), expected[static_cast<std::size_t>(place)].begin(), expected[static_cast<std::size_t>(place)].end());
    ASSERT_EQ(random_access.read(first, n), slice) << first << " + " << n << ": a part of a batch, as one of several readers takes it";
  }
}

TEST(Buckets, GivesTheSameToManyThreads) {
  const auto rows = random_documents(5000, 13, 60);
  const MemoryDataset data(rows), other(rows);
  BucketNode node({&data}), alone({&other});
  const std::int64_t count = alone.runner.count();
  std::vector<std::vector<Tokens>> expected;
  for (std::int64_t i = 0; i < count; ++i) expected.push_back(alone.read(i, 1));
  EXPECT_EQ(count_wrong(count, [&](std::int64_t place) { return node.read(place, 1) == expected[static_cast<std::size_t>(place)]; }), 0);
  EXPECT_TRUE(node.runner.close().empty());
}

TEST(Buckets, MakesItsIndexFromLengthsAlone) {
  const MemoryDataset data(random_documents(500, 2, 100));
  BucketNode node({&data});
  EXPECT_EQ(data.rows_read(), 0);
  node.read(0, 3);
  EXPECT_LE(data.rows_read(), 3 * 64 / 8) << "the documents of one batch";
}

TEST(Buckets, TakesTheEndOfDocumentsFromTheTokens) {
  const MemoryDataset data({{"a", "web", 1, {7}}}, false, 3);
  const TemporaryFolder folder;
  Runner runner(flowrun_plugin_v1, {{"sequence_length", 2}, {"min_length", 2}, {"batch_size", 1}});
  runner.open({fields::tokens()});
  runner.prepare({&data}, folder.path());
  runner.attach({&data}, folder.path());
  EXPECT_EQ(runner.read_batch(0, 1).tensors.at("input_ids").values, (Tokens{7, 3}));
}

TEST(Buckets, ExplainsWhatItCannotDo) {
  Runner staged(flowrun_plugin_v1, {{"sequence_length", 16}, {"min_length", 2}, {"batch_size", 1}});
  EXPECT_EQ(error_of([&] { staged.open({fields::batch({fields::utf8("id"), fields::uint32("sequence_length")})}); }),
            (std::pair<Code, std::string>(Code::kInvalidArgument, "the stages of the input's mixer have a 'sequence_length', which packers/buckets does not follow: its own 'curriculum' orders the lengths; "
                                                                  "take it out of the stages, or let packers/concat or packers/best_fit pack them")));
  const MemoryDataset data(random_documents(100, 1, 100)), fewer(random_documents(99, 1, 100)), endless(random_documents(3, 1, 9), true), none({});
  BucketNode node({&data}), empty({&none});
  const std::int64_t count = node.runner.count();
  EXPECT_EQ(error_of([&] { node.read(count - 1, 2); }),
            (std::pair<Code, std::string>(Code::kInvalidArgument, "sequences " + std::to_string(count - 1) + " to " + std::to_string(count + 1) + " of " + std::to_string(count))));
  EXPECT_EQ(error_of([&] { node.read(-1, 1); }).first, Code::kInvalidArgument);
  EXPECT_NE(error_of([&] { node.read(2, 2); }).second.find("sequences 2 to 4 lie in two batches of 3"), std::string::npos);
  EXPECT_EQ(node.runner.read_batch(count, 0).tensors.at("input_ids").rows, 0);
  EXPECT_EQ(empty.runner.count(), 0);
  EXPECT_EQ(empty.runner.logs().at(0).level, FLOWRUN_LOG_WARNING);
  const auto [code, message] = error_of([&] { node.runner.attach({&fewer}, node.folder.path()); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_NE(message.find("buckets.bin is of 100 documents, expected 99"), std::string::npos) << message;
  EXPECT_NE(error_of([&] { BucketNode without_end({&endless}); }).second.find("give the mixer 'epochs'"), std::string::npos);
  EXPECT_NE(error_of([&] { BucketNode odd({&data}, {48}); }).second.find("'sequence_length' is 48, expected a power of two, such as 32"), std::string::npos);
  EXPECT_NE(error_of([&] { BucketNode odd({&data}, {64, 9}); }).second.find("'min_length' is 9"), std::string::npos);
}

TEST(Buckets, StopsWhileItCounts) {
  const MemoryDataset data(random_documents(10, 1, 9));
  const TemporaryFolder folder;
  Runner runner(flowrun_plugin_v1, {{"sequence_length", 256}, {"batch_size", 1}});
  runner.open({fields::tokens()});
  runner.request_stop();
  EXPECT_EQ(error_of([&] { runner.prepare({&data}, folder.path()); }).first, Code::kCancelled);
}

}  // namespace
}  // namespace flowrun::packers
