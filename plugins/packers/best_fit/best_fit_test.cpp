#include "best_fit.hpp"

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "packers/common/staged_dataset_for_test.hpp"
#include "packers/common/threads_for_test.hpp"

namespace flowrun::packers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::MemoryDataset;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::TokenRow;

constexpr std::uint32_t kEnd = 9999999, kPad = 8888888;

std::vector<std::uint32_t> random_lengths(std::size_t count, unsigned seed, std::uint32_t length_max) {
  std::mt19937 random(seed);
  std::vector<std::uint32_t> lengths;
  // Short documents are many and long ones few, as in real text.
  for (std::size_t i = 0; i < count; ++i) lengths.push_back(random() % 20 == 0 ? random() % (4 * length_max) : random() % (1 + random() % length_max));
  return lengths;
}

// ---------------------------------------------------------------------------------------------------------------------- the algorithm

using Bin = std::vector<std::array<std::int64_t, 3>>;  ///< document, offset, length of its pieces

std::vector<std::array<std::int64_t, 3>> pieces_of(const std::vector<std::uint32_t>& lengths, std::int64_t row) {
  std::vector<std::array<std::int64_t, 3>> pieces;
  for (std::size_t d = 0; d < lengths.size(); ++d) {
    std::int64_t offset = 0, left = std::int64_t{lengths[d]} + 1;
    while (left > 0) {
      const std::int64_t length = left > row ? row : left;
      pieces.push_back({static_cast<std::int64_t>(d), offset, length});
      offset += length;
      left -= length;
    }
  }
  return pieces;
}

/// The definition, by looking at every row for every piece. `best`: the row with least room that suffices; else the first that suffices.
std::vector<Bin> pack_slowly(const std::vector<std::uint32_t>& lengths, std::int64_t row, bool best, bool longest_first) {
  auto pieces = pieces_of(lengths, row);
  if (longest_first) std::stable_sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a[2] > b[2]; });
  std::vector<Bin> bins;
  std::vector<std::int64_t> rooms;
  for (const auto& piece : pieces) {
    std::size_t chosen = bins.size();
    for (std::size_t i = 0; i < bins.size(); ++i)
      if (rooms[i] >= piece[2] && (chosen == bins.size() || (best && rooms[i] < rooms[chosen]))) chosen = i;
    if (chosen == bins.size()) {
      bins.emplace_back();
      rooms.push_back(row);
    }
    bins[chosen].push_back(piece);
    rooms[chosen] -= piece[2];
  }
  for (Bin& bin : bins) std::sort(bin.begin(), bin.end());
  return bins;
}

std::vector<Bin> bins_of(const Packing& packing) {
  std::vector<Bin> bins;
  for (std::int64_t s = 0; s < packing.sequence_count(); ++s) {
    bins.emplace_back();
    for (const Piece& piece : packing.sequence(s)) bins.back().push_back({piece.document, piece.offset, piece.length});
  }
  return bins;
}

TEST(BestFit, MakesTheRowsOfTheDefinition) {
  int cases = 0;
  for (const std::int64_t row : {2, 3, 7, 64, 500})
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{300}})
      for (unsigned seed = 0; seed < 5; ++seed, ++cases) {
        const auto lengths = random_lengths(count, seed, static_cast<std::uint32_t>(row));
        ASSERT_EQ(bins_of(Packing(lengths, row, LongDocument::kSplit)), pack_slowly(lengths, row, true, true)) << "row " << row << ", " << count << " documents, seed " << seed;
      }
  EXPECT_EQ(cases, 100);
}

TEST(BestFit, KeepsEveryTokenOnceAndRespectsRows) {
  const auto lengths = random_lengths(5000, 1, 512);
  const Packing packing(lengths, 256, LongDocument::kSplit);
  std::vector<std::int64_t> next(lengths.size(), 0);
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> pieces;
  std::int64_t tokens = 0, full = 0;
  for (std::int64_t s = 0; s < packing.sequence_count(); ++s) {
    std::int64_t used = 0;
    for (const Piece& piece : packing.sequence(s)) {
      ASSERT_TRUE(pieces.emplace(std::pair(piece.document, piece.offset), piece.length).second);
      used += piece.length;
    }
    ASSERT_GT(used, 0);
    ASSERT_LE(used, 256);
    tokens += used;
    full += used == 256;
  }
  for (const auto& [place, length] : pieces) {  // in the order of documents and offsets
    ASSERT_EQ(place.second, next[place.first]);
    next[place.first] += length;
  }
  std::int64_t split = 0, expected = 0;
  for (std::size_t d = 0; d < lengths.size(); ++d) {
    ASSERT_EQ(next[d], std::int64_t{lengths[d]} + 1);
    expected += next[d];
    split += next[d] > 256;
  }
  EXPECT_EQ(tokens, expected);
  EXPECT_EQ(packing.token_count(), expected);
  EXPECT_EQ(packing.split_count(), split);
  EXPECT_EQ(packing.cropped_count(), 0);
  EXPECT_GT(full, packing.sequence_count() / 2);
}

TEST(BestFit, NeedsNoMoreRowsThanFirstFitAndNearlyTheFewest) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto lengths = random_lengths(2000, seed, 128);
    const Packing packing(lengths, 128, LongDocument::kSplit);
    const auto bound = (packing.token_count() + 127) / 128;
    EXPECT_GE(packing.sequence_count(), bound);
    EXPECT_LE(packing.sequence_count(), static_cast<std::int64_t>(pack_slowly(lengths, 128, false, false).size())) << "first fit, seed " << seed;
    EXPECT_LE(packing.sequence_count(), static_cast<std::int64_t>(pack_slowly(lengths, 128, false, true).size())) << "first fit decreasing, seed " << seed;
    // Johnson 1973: best fit decreasing needs at most 11/9 of the fewest rows, and four. With many short documents it is far closer.
    EXPECT_LE(packing.sequence_count(), bound + bound / 200 + 1) << "seed " << seed;
  }
}

TEST(BestFit, CropsLongDocuments) {
  const Packing packing(std::vector<std::uint32_t>{9, 3, 4}, 4, LongDocument::kCrop);  // with their ends 10, 4 and 5
  EXPECT_EQ(bins_of(packing), (std::vector<Bin>{{{0, 0, 4}}, {{1, 0, 4}}, {{2, 0, 4}}}));
  EXPECT_EQ(packing.cropped_count(), 7);
  EXPECT_EQ(packing.token_count(), 12);
  EXPECT_EQ(packing.split_count(), 2);
}

// --------------------------------------------------------------------------------------------------------------------------- the node

std::vector<TokenRow> random_documents(std::size_t count, unsigned seed, std::uint32_t length_max) {
  std::vector<TokenRow> rows;
  std::uint32_t token = 1;
  for (const std::uint32_t length : random_lengths(count, seed, length_max)) {
    rows.push_back({"doc" + std::to_string(rows.size()), "web", 7, {}});
    for (std::uint32_t t = 0; t < length; ++t) rows.back().input_ids.push_back(token++);
  }
  return rows;
}

/// A node over datasets that has been prepared and attached.
class PackedNode {
 public:
  PackedNode(std::vector<const MemoryDataset*> datasets, std::int64_t sequence_length, std::int64_t window, const std::string& long_documents = "split")
      : runner(flowrun_plugin_v1, {{"sequence_length", sequence_length}, {"window_documents", window}, {"long_documents", long_documents}, {"endoftext_id", std::int64_t{kEnd}}, {"pad_id", std::int64_t{kPad}}}) {
    runner.open({fields::tokens()});
    runner.prepare(datasets, folder.path());
    runner.attach(datasets, folder.path());
  }
  std::vector<std::int64_t> read(std::int64_t first, std::int64_t n, const char* name = "input_ids") { return runner.read_batch(first, n).tensors.at(name).values; }

  TemporaryFolder folder;
  Runner runner;
};

TEST(BestFit, GivesPaddedRowsWithTheirLabelsAndDocuments) {
  const MemoryDataset data({{"a", "web", 1, {1, 2}}, {"b", "web", 1, {3, 4, 5, 6, 7}}, {"c", "web", 1, {}}});
  PackedNode node({&data}, 4, 10);  // pieces b 4, a 3, b 2, c 1
  ASSERT_EQ(node.runner.count(), 3);
  std::map<std::vector<std::int64_t>, std::pair<std::vector<std::int64_t>, std::vector<std::string>>> found;
  for (std::int64_t row = 0; row < 3; ++row) {
    const auto batch = node.runner.read_batch(row, 1);
    found[batch.tensors.at("input_ids").values] = {batch.tensors.at("labels").values, batch.ids};
  }
  const std::int64_t end = kEnd, pad = kPad;
  const decltype(found) expected{{{3, 4, 5, 6}, {{3, 4, 5, 6}, {"b"}}}, {{1, 2, end, end}, {{1, 2, end, end}, {"a", "c"}}}, {{7, end, pad, pad}, {{7, end, -100, -100}, {"b"}}}};
  EXPECT_EQ(found, expected);
  ASSERT_EQ(node.runner.logs().size(), 1u);
  EXPECT_EQ(node.runner.logs()[0].message,
            "3 documents of 10 tokens with their ends make 3 sequences of 4; 2 tokens are padding (16.667%), 0 are cropped; 1 documents are longer than a sequence; "
            "no packing needs fewer than 3 sequences");
  EXPECT_TRUE(node.runner.close().empty());
}

TEST(BestFit, EachWindowHoldsItsOwnDocuments) {
  const auto rows = random_documents(1000, 4, 60);
  const MemoryDataset data(rows);
  constexpr std::int64_t kWindow = 128, kLength = 32;
  PackedNode node({&data}, kLength, kWindow);
  std::int64_t position = 0, moved = 0;
  for (std::size_t first = 0; first < rows.size(); first += kWindow) {
    std::vector<std::uint32_t> lengths;
    for (std::size_t i = first; i < std::min(rows.size(), first + kWindow); ++i) lengths.push_back(static_cast<std::uint32_t>(rows[i].input_ids.size()));
    const auto bins = pack_slowly(lengths, kLength, true, true);
    std::multiset<std::vector<std::int64_t>> expected, found;
    std::vector<std::vector<std::int64_t>> in_order;
    for (const Bin& bin : bins) {
      std::vector<std::int64_t> row;
      for (const auto& [document, offset, length] : bin)
        for (std::int64_t t = offset; t < offset + length; ++t) {
          const auto& ids = rows[first + static_cast<std::size_t>(document)].input_ids;
          row.push_back(t < static_cast<std::int64_t>(ids.size()) ? ids[static_cast<std::size_t>(t)] : kEnd);
        }
      row.resize(kLength, kPad);
      expected.insert(row);
      in_order.push_back(row);
    }
    for (const auto& row : in_order) {
      const auto read = node.read(position++, 1);
      moved += read != row;
      found.insert(read);
    }
    ASSERT_EQ(found, expected) << "window at document " << first;
  }
  EXPECT_EQ(position, node.runner.count());
  EXPECT_GT(moved, position / 2) << "the longest first would be a curriculum of its own";
}

TEST(BestFit, ReadsAThousandRandomPositionsAsInOrder) {
  const auto rows = random_documents(6000, 9, 90);
  for (const bool is_endless : {false, true}) {
    const MemoryDataset data(rows, is_endless), other(rows, is_endless);
    PackedNode ordered({&data}, 64, 500), random_access({&other}, 64, 500);
    ASSERT_EQ(ordered.runner.count(), random_access.runner.count());
    const std::int64_t count = is_endless ? 9000 : ordered.runner.count();  // goes round an endless input more than once
    ASSERT_GT(count, 1000);
    const auto ids = ordered.read(0, count), labels = ordered.read(0, count, "labels");
    std::mt19937 random(5);
    for (int i = 0; i < 1000; ++i) {
      const std::int64_t first = static_cast<std::int64_t>(random()) % count, n = std::min<std::int64_t>(count - first, random() % 4);
      const auto batch = random_access.runner.read_batch(first, n);
      ASSERT_EQ(batch.tensors.at("input_ids").values, std::vector(ids.begin() + first * 64, ids.begin() + (first + n) * 64)) << first << " + " << n;
      ASSERT_EQ(batch.tensors.at("labels").values, std::vector(labels.begin() + first * 64, labels.begin() + (first + n) * 64));
    }
    EXPECT_TRUE(random_access.runner.close().empty());
  }
}

TEST(BestFit, GivesTheSameToManyThreads) {
  const auto rows = random_documents(3000, 13, 40);
  for (const bool is_endless : {false, true}) {
    const MemoryDataset data(rows, is_endless), other(rows, is_endless);
    PackedNode node({&data}, 20, 100), alone({&other}, 20, 100);
    constexpr std::int64_t kRows = 1000;
    const auto expected = alone.read(0, kRows);
    const auto is_right = [&](std::int64_t row) {
      const auto tokens = node.read(row, 1);
      return std::equal(tokens.begin(), tokens.end(), expected.begin() + row * 20);
    };
    EXPECT_EQ(count_wrong(kRows, is_right), 0);
    EXPECT_TRUE(node.runner.close().empty());
  }
}

TEST(BestFit, ReadsSeveralInputsOneAfterAnother) {
  const auto rows = random_documents(60, 8, 30);
  const MemoryDataset first({rows.begin(), rows.begin() + 20}), second({rows.begin() + 20, rows.end()}), all(rows);
  PackedNode apart({&first, &second}, 16, 25), together({&all}, 16, 25);
  ASSERT_EQ(apart.runner.count(), together.runner.count());
  EXPECT_EQ(apart.read(0, apart.runner.count()), together.read(0, together.runner.count()));
}

TEST(BestFit, MakesItsIndexFromLengthsAlone) {
  const MemoryDataset data(random_documents(500, 2, 30));
  PackedNode node({&data}, 16, 100);
  EXPECT_EQ(data.rows_read(), 0);
  node.read(3, 1);
  EXPECT_LE(data.rows_read(), 16) << "the documents of one row";
}

TEST(BestFit, TakesTheEndOfDocumentsFromTheTokens) {
  const MemoryDataset data({{"a", "web", 1, {7}}}, false, 3);
  Runner runner(flowrun_plugin_v1, {{"sequence_length", 3}});
  const TemporaryFolder folder;
  runner.open({fields::tokens()});
  runner.prepare({&data}, folder.path());
  runner.attach({&data}, folder.path());
  EXPECT_EQ(runner.read_batch(0, 1).tensors.at("input_ids").values, (std::vector<std::int64_t>{7, 3, 3}));
  EXPECT_EQ(runner.read_batch(0, 1).tensors.at("labels").values, (std::vector<std::int64_t>{7, 3, -100}));
}

TEST(BestFit, ExplainsWhatItCannotDo) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}}), longer({{"a", "web", 1, {1, 2, 3}}, {"b", "web", 1, {1}}}), none({});
  PackedNode node({&data}, 2, 10), empty({&none}, 2, 10);
  EXPECT_EQ(error_of([&] { node.runner.read_batch(1, 2); }), (std::pair<Code, std::string>(Code::kInvalidArgument, "sequences 1 to 3 of 2")));
  EXPECT_EQ(error_of([&] { node.runner.read_batch(-1, 1); }).first, Code::kInvalidArgument);
  EXPECT_EQ(node.runner.read_batch(2, 0).tensors.at("input_ids").rows, 0);
  const auto [code, message] = error_of([&] { node.runner.attach({&longer}, node.folder.path()); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_NE(message.find("has the index of 1 documents, expected 2"), std::string::npos) << message;
  EXPECT_EQ(empty.runner.count(), 0);
  EXPECT_EQ(empty.runner.logs().at(0).level, FLOWRUN_LOG_WARNING);
}

TEST(BestFit, StopsWhileItPacks) {
  const MemoryDataset data(random_documents(10, 1, 5));
  const TemporaryFolder folder;
  Runner runner(flowrun_plugin_v1, {{"sequence_length", 4}});
  runner.open({fields::tokens()});
  runner.request_stop();
  EXPECT_EQ(error_of([&] { runner.prepare({&data}, folder.path()); }).first, Code::kCancelled);
}

// ----------------------------------------------------------------------------------------------------------------------------- stages

/// The rows of a place and what of them is scored.
struct PlaceRows {
  std::vector<std::vector<std::int64_t>> ids, labels;
  bool operator==(const PlaceRows&) const = default;
};

/// A node over staged documents.
class StagedNode {
 public:
  StagedNode(const StagedDataset& data, std::int64_t sequence_length, std::int64_t window, const std::string& long_documents = "split", bool follow_stages = true)
      : runner(flowrun_plugin_v1, {{"sequence_length", sequence_length}, {"window_documents", window}, {"long_documents", long_documents}, {"endoftext_id", std::int64_t{kEnd}},
                                   {"pad_id", std::int64_t{kPad}}, {"follow_stages", follow_stages}}) {
    const std::vector<const flowrun_dataset*> tables{data.table()};
    runner.open({StagedDataset::with_stages(fields::tokens())});
    runner.prepare(tables, folder.path());
    runner.attach(tables, folder.path());
  }
  PlaceRows read(std::int64_t first, std::int64_t n) {
    const auto batch = runner.read_batch(first, n);
    const auto cut = [&](const char* name) {
      const auto& tensor = batch.tensors.at(name);
      std::vector<std::vector<std::int64_t>> rows;
      for (std::int64_t row = 0; row < tensor.rows; ++row) rows.emplace_back(tensor.values.begin() + row * tensor.columns, tensor.values.begin() + (row + 1) * tensor.columns);
      return rows;
    };
    return {cut("input_ids"), cut("labels")};
  }
  std::vector<PlaceRows> places(std::int64_t n) {
    std::vector<PlaceRows> all;
    for (std::int64_t place = 0; place < n; ++place) all.push_back(read(place, 1));
    return all;
  }

  TemporaryFolder folder;
  Runner runner;
};

/// Stages that grow, one more of the same length, a small one, and a step back; their documents are no multiples of a window.
const std::vector<StagePart> kParts{{1234, 0, 16}, {777, 1, 32}, {150, 2, 64}, {90, 3, 64}, {1, 4, 16}, {800, 5, 32}};
constexpr std::size_t kPartDocuments = 3052;

/// Rows of the definition: each part is packed for itself, in windows of its own.
std::multiset<std::vector<std::int64_t>> rows_of_part(const std::vector<TokenRow>& documents, std::int64_t window, std::int64_t length) {
  std::multiset<std::vector<std::int64_t>> rows;
  for (std::size_t first = 0; first < documents.size(); first += static_cast<std::size_t>(window)) {
    std::vector<std::uint32_t> lengths;
    for (std::size_t i = first; i < std::min(documents.size(), first + static_cast<std::size_t>(window)); ++i) lengths.push_back(static_cast<std::uint32_t>(documents[i].input_ids.size()));
    for (const Bin& bin : pack_slowly(lengths, length, true, true)) {
      std::vector<std::int64_t> row;
      for (const auto& [document, offset, size] : bin)
        for (std::int64_t t = offset; t < offset + size; ++t) {
          const auto& ids = documents[first + static_cast<std::size_t>(document)].input_ids;
          row.push_back(t < static_cast<std::int64_t>(ids.size()) ? ids[static_cast<std::size_t>(t)] : kEnd);
        }
      row.resize(static_cast<std::size_t>(length), kPad);
      rows.insert(row);
    }
  }
  return rows;
}

TEST(BestFitStages, HaveRowsOfTheirOwnLengthInPlacesOfTheSameTokens) {
  const auto rows = random_documents(kPartDocuments, 31, 50);
  const StagedDataset data(rows, kParts);
  constexpr std::int64_t kWindow = 100, kTokens = 64;
  StagedNode node(data, kTokens, kWindow);
  std::int64_t place = 0, first = 0;
  for (const StagePart& part : kParts) {
    auto expected = rows_of_part({rows.begin() + first, rows.begin() + first + part.documents}, kWindow, part.sequence_length);
    first += part.documents;
    const std::int64_t in_place = kTokens / part.sequence_length;
    while (static_cast<std::int64_t>(expected.size()) % in_place != 0) expected.insert(std::vector<std::int64_t>(static_cast<std::size_t>(part.sequence_length), kPad));
    std::multiset<std::vector<std::int64_t>> found;
    for (const std::int64_t end = place + static_cast<std::int64_t>(expected.size()) / in_place; place < end; ++place) {
      const PlaceRows read = node.read(place, 1);
      ASSERT_EQ(static_cast<std::int64_t>(read.ids.size()), in_place);
      found.insert(read.ids.begin(), read.ids.end());
      for (std::size_t r = 0; r < read.ids.size(); ++r)
        for (std::size_t t = 0; t < read.ids[r].size(); ++t) ASSERT_EQ(read.labels[r][t], read.ids[r][t] == kPad ? -100 : read.ids[r][t]);
    }
    ASSERT_EQ(found, expected) << "stage " << part.stage;
  }
  EXPECT_EQ(node.runner.count(), place);
  EXPECT_TRUE(node.runner.close().empty());
}

TEST(BestFitStages, SayWhatTheirEndsPad) {
  const StagedDataset data({{"a", "web", 1, {1}}, {"b", "web", 1, {2, 3, 4}}, {"c", "web", 1, {5, 6, 7, 8, 9}}}, {{2, 0, 2}, {1, 1, 4}});
  StagedNode node(data, 4, 10);  // rows of 2 and 2 + 2, which leave one of two in the second place; 4 and 2 of 4
  EXPECT_EQ(node.runner.count(), 4);
  ASSERT_EQ(node.runner.logs().size(), 1u);
  EXPECT_EQ(node.runner.logs()[0].message,
            "3 documents of 12 tokens with their ends make 4 places of 4; sequences: stage 0 3 of 2, stage 1 2 of 4; 4 tokens are padding (25.000%), 0 are cropped; "
            "2 documents are longer than a sequence; no packing needs fewer than 5 sequences");
  const std::vector<std::int64_t> padding{kPad, kPad};
  EXPECT_EQ(node.read(1, 1).ids.at(1), padding) << "a stage begins a new place";
  EXPECT_EQ(node.read(1, 1).labels.at(1), (std::vector<std::int64_t>{-100, -100}));
}

TEST(BestFitStages, ReadAThousandRandomPositionsAsInOrder) {
  const auto rows = random_documents(kPartDocuments, 33, 50);
  for (const bool is_endless : {false, true}) {
    const StagedDataset data(rows, kParts, is_endless), other(rows, kParts, is_endless);
    StagedNode ordered(data, 64, 100), random_access(other, 64, 100);
    ASSERT_EQ(ordered.runner.count(), random_access.runner.count());
    const auto in_order = ordered.places(is_endless ? 5000 : ordered.runner.count());  // goes round an endless input more than once
    std::mt19937 random(5);
    int ended_early = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto count = static_cast<std::int64_t>(in_order.size()), first = static_cast<std::int64_t>(random()) % count, n = std::min<std::int64_t>(count - first, 1 + random() % 20);
      PlaceRows expected;
      for (std::int64_t place = first; place < first + n; ++place) {
        const PlaceRows& own = in_order[static_cast<std::size_t>(place)];
        if (place > first && own.ids[0].size() != expected.ids[0].size()) {
          ++ended_early;
          break;
        }
        expected.ids.insert(expected.ids.end(), own.ids.begin(), own.ids.end());
        expected.labels.insert(expected.labels.end(), own.labels.begin(), own.labels.end());
      }
      ASSERT_EQ(random_access.read(first, n), expected) << first << " + " << n;
    }
    EXPECT_GT(ended_early, 0);
    EXPECT_TRUE(random_access.runner.close().empty());
  }
}

TEST(BestFitStages, CropToTheirOwnLength) {
  const StagedDataset data({{"a", "web", 1, {1, 2, 3, 4, 5}}, {"b", "web", 1, {6, 7, 8, 9, 10}}}, {{1, 0, 2}, {1, 1, 4}});
  StagedNode node(data, 4, 10, "crop");
  EXPECT_EQ(node.read(0, 1).ids, (std::vector<std::vector<std::int64_t>>{{1, 2}, {kPad, kPad}}));
  EXPECT_EQ(node.read(1, 1).ids, (std::vector<std::vector<std::int64_t>>{{6, 7, 8, 9}}));
}

TEST(BestFitStages, GiveTheSameToManyThreads) {
  const auto rows = random_documents(kPartDocuments, 34, 50);
  for (const bool is_endless : {false, true}) {
    const StagedDataset data(rows, kParts, is_endless), other(rows, kParts, is_endless);
    StagedNode node(data, 64, 100), alone(other, 64, 100);
    constexpr std::int64_t kPlaces = 800;
    const auto expected = alone.places(kPlaces);
    EXPECT_EQ(count_wrong(kPlaces, [&](std::int64_t place) { return node.read(place, 1) == expected[static_cast<std::size_t>(place)]; }), 0);
    EXPECT_TRUE(node.runner.close().empty());
  }
}

TEST(BestFitStages, AreNotSeenWhereTheyAreNotFollowed) {
  const auto rows = random_documents(kPartDocuments, 35, 50);
  const StagedDataset data(rows, kParts);
  const MemoryDataset plain(rows);
  StagedNode node(data, 50, 100, "split", false);  // no length of a stage divides it
  PackedNode expected({&plain}, 50, 100);
  ASSERT_EQ(node.runner.count(), expected.runner.count());
  EXPECT_EQ(node.runner.read_batch(0, node.runner.count()).tensors.at("input_ids").values, expected.read(0, expected.runner.count()));
}

TEST(BestFitStages, MustFitIntoAPlace) {
  const StagedDataset data({{"a", "web", 1, {1, 2, 3}}}, {{1, 3, 3}});
  const auto [code, message] = error_of([&] { StagedNode refused(data, 4, 10); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_NE(message.find("stage 3 has sequences of 3 tokens, expected a length that divides the packer's 'sequence_length', 4"), std::string::npos) << message;
}

TEST(WindowIndex, RefusesADamagedFile) {
  const TemporaryFolder folder;
  WindowIndex index(8);
  index.append({0, 0, 4}, 5, 3);
  index.append({0, 1, 8}, 2, 2);
  index.save(folder.path());
  EXPECT_EQ(WindowIndex::load(folder.path(), 8).place_count(), 4);
  for (const char* name : {"windows.bin", "stages.bin"}) {
    const std::string good = testing::read_file(folder.path(name));
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      folder.write(name, bad);
      ASSERT_EQ(error_of([&] { WindowIndex::load(folder.path(), 8); }).first, Code::kCorruptData) << name << ", byte " << at;
    }
    folder.write(name, good);
  }
}

}  // namespace
}  // namespace flowrun::packers
