#include "concat.hpp"

#include <flowrun/testing.hpp>
#include <flowrun/testing/errors.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::TensorBatch;
using flowrun::testing::TokenRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kSeparator = 9999999;

/// Documents of different tokens, so that a token out of place is seen; some are empty, some long.
std::vector<TokenRow> random_documents(std::size_t count, unsigned seed, std::uint32_t length_max = 40) {
  std::mt19937 random(seed);
  std::vector<TokenRow> rows;
  std::uint32_t token = 1;
  for (std::size_t i = 0; i < count; ++i) {
    TokenRow row{"doc" + std::to_string(i), "web", 7, {}};
    const std::uint32_t length = random() % 50 == 0 ? 5 * length_max : random() % length_max;
    for (std::uint32_t t = 0; t < length; ++t) row.input_ids.push_back(token++);
    rows.push_back(row);
  }
  return rows;
}

/// The definition: the whole stream, and for each token the number of its document.
struct Stream {
  std::vector<std::int64_t> tokens, documents;
  explicit Stream(const std::vector<TokenRow>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      tokens.insert(tokens.end(), rows[i].input_ids.begin(), rows[i].input_ids.end());
      tokens.push_back(kSeparator);
      documents.resize(tokens.size(), static_cast<std::int64_t>(i));
    }
  }
};

/// A node over datasets that has been prepared and attached.
class PackedNode {
 public:
  PackedNode(std::vector<const MemoryDataset*> datasets, std::int64_t sequence_length, std::int64_t shuffle_window = 0)
      : runner(flowrun_plugin_v1, {{"sequence_length", sequence_length}, {"endoftext_id", std::int64_t{kSeparator}}, {"shuffle_window", shuffle_window}}) {
    runner.open({fields::tokens()});
    runner.prepare(datasets, folder.path());
    runner.attach(datasets, folder.path());
  }
  std::vector<std::int64_t> tokens(std::int64_t first, std::int64_t n) { return runner.read_batch(first, n).tensors.at("input_ids").values; }

  TemporaryFolder folder;
  Runner runner;
};

void expect_slice(const TensorBatch& batch, const Stream& stream, const std::vector<TokenRow>& rows, std::int64_t first, std::int64_t n, std::int64_t length) {
  const auto& tensor = batch.tensors.at("input_ids");
  EXPECT_EQ(tensor.rows, n);
  EXPECT_EQ(tensor.columns, length);
  const auto from = static_cast<std::size_t>(first * length), to = static_cast<std::size_t>((first + n) * length);
  ASSERT_EQ(tensor.values, std::vector<std::int64_t>(stream.tokens.begin() + static_cast<std::ptrdiff_t>(from), stream.tokens.begin() + static_cast<std::ptrdiff_t>(to)))
      << "sequences " << first << " + " << n;
  std::vector<std::string> ids;
  for (std::size_t i = from; i < to; ++i)
    if (i == from || stream.documents[i] != stream.documents[i - 1]) ids.push_back(rows[static_cast<std::size_t>(stream.documents[i])].id);
  ASSERT_EQ(batch.ids, ids);
}

// ---------------------------------------------------------------------------------------------------------------------- the algorithm

TEST(OffsetIndex, FindsTheSegmentOfEveryToken) {
  OffsetIndex index;
  std::vector<std::uint32_t> lengths(3 * OffsetIndex::kSegmentDocuments + 5);
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<std::uint32_t>(i % 3);
  index.append(std::span(lengths).first(100));
  index.append(std::span(lengths).subspan(100));
  EXPECT_EQ(index.segment_count(), 4);
  EXPECT_EQ(index.document_count(), static_cast<std::int64_t>(lengths.size()));
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    for (std::uint32_t t = 0; t <= lengths[i]; ++t) ASSERT_EQ(index.segment_of(offset++), static_cast<std::int64_t>(i) / OffsetIndex::kSegmentDocuments);
  EXPECT_EQ(index.token_count(), offset);
}

TEST(OffsetIndex, SurvivesSaveAndLoad) {
  const TemporaryFolder folder;
  OffsetIndex index;
  index.append(std::vector<std::uint32_t>(10000, 7));
  index.save(folder.path("offsets"));
  const OffsetIndex loaded = OffsetIndex::load(folder.path("offsets"));
  EXPECT_EQ(loaded.document_count(), 10000);
  EXPECT_EQ(loaded.token_count(), 80000);
  ASSERT_EQ(loaded.segment_count(), 3);
  EXPECT_EQ(loaded.offset_of(2), 2 * 8 * OffsetIndex::kSegmentDocuments);
}

TEST(OffsetIndex, RefusesADamagedFile) {
  const TemporaryFolder folder;
  OffsetIndex index;
  index.append(std::vector<std::uint32_t>(5000, 7));
  index.save(folder.path("offsets"));
  const std::string good = read_file(folder.path("offsets"));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const std::string path = folder.write("bad", bad);
    ASSERT_EQ(error_of([&] { OffsetIndex::load(path); }).first, Code::kCorruptData) << "byte " << at;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::string path = folder.write("bad", std::string_view(good).substr(0, size));
    ASSERT_EQ(error_of([&] { OffsetIndex::load(path); }).first, Code::kCorruptData) << size << " bytes";
  }
  EXPECT_THAT(error_of([&] { OffsetIndex::load(folder.write("bad", "no index at all, but long enough to hold a header of the right size")); }).second,
              HasSubstr("bad is not an index of packers/concat"));
  EXPECT_EQ(error_of([&] { OffsetIndex::load(folder.path("none")); }).first, Code::kNotFound);
  EXPECT_EQ(error_of([&] { index.save(folder.path("no/such/folder")); }).first, Code::kIo);
}

TEST(TokenWindow, CopiesWhatLiesInside) {
  const std::vector<std::uint32_t> a{1, 2, 3}, b{}, c{4, 5, 6, 7};  // stream: 1 2 3 0 0 4 5 6 7 0
  TokenWindow window(2, 5, 0);
  window.append(0, a);
  window.append(4, b);
  window.append(5, c);
  EXPECT_THAT(window.take(), ElementsAre(3, 0, 0, 4, 5));
}

// --------------------------------------------------------------------------------------------------------------------------- the node

TEST(Concat, CutsTheStreamIntoRows) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}, {"b", "web", 1, {}}, {"c", "web", 1, {4, 5, 6, 7}}});
  PackedNode node({&data}, 4);
  EXPECT_EQ(node.runner.count(), 2);
  const TensorBatch batch = node.runner.read_batch(0, 2);
  EXPECT_THAT(batch.tensors.at("input_ids").values, ElementsAre(1, 2, 3, kSeparator, kSeparator, 4, 5, 6));
  EXPECT_THAT(batch.ids, ElementsAre("a", "b", "c"));
  EXPECT_THAT(node.runner.read_batch(1, 1).ids, ElementsAre("b", "c"));
  ASSERT_EQ(node.runner.logs().size(), 1u);
  EXPECT_EQ(node.runner.logs()[0].message, "3 documents of 10 tokens with their ends make 2 sequences of 4; 2 tokens at the end are dropped");
  EXPECT_THAT(node.runner.close(), IsEmpty());
}

TEST(Concat, EndsDocumentsWithIdZeroByDefault) {
  const MemoryDataset data({{"a", "web", 1, {5}}});
  const TemporaryFolder folder;
  Runner runner(flowrun_plugin_v1, {{"sequence_length", 2}});
  runner.open({fields::tokens()});
  runner.prepare({&data}, folder.path());
  runner.attach({&data}, folder.path());
  EXPECT_THAT(runner.read_batch(0, 1).tensors.at("input_ids").values, ElementsAre(5, 0));
}

TEST(Concat, AgreesWithTheWholeStreamAtEveryPosition) {
  for (const std::int64_t length : {2, 7, 64, 333}) {
    const auto rows = random_documents(900, static_cast<unsigned>(length));
    const MemoryDataset data(rows);
    const Stream stream(rows);
    PackedNode node({&data}, length);
    const std::int64_t count = static_cast<std::int64_t>(stream.tokens.size()) / length;
    ASSERT_EQ(node.runner.count(), count);
    std::mt19937 random(3);
    for (int i = 0; i < 200; ++i) {
      const std::int64_t first = static_cast<std::int64_t>(random()) % count, n = std::min<std::int64_t>(count - first, random() % 9);
      expect_slice(node.runner.read_batch(first, n), stream, rows, first, n, length);
    }
    expect_slice(node.runner.read_batch(0, count), stream, rows, 0, count, length);
    EXPECT_THAT(node.runner.close(), IsEmpty());
  }
}

TEST(Concat, CrossesSegments) {
  const auto rows = random_documents(3 * OffsetIndex::kSegmentDocuments + 17, 5, 6);
  const MemoryDataset data(rows);
  const Stream stream(rows);
  PackedNode node({&data}, 50);
  const std::int64_t count = node.runner.count();
  ASSERT_EQ(count, static_cast<std::int64_t>(stream.tokens.size()) / 50);
  for (std::int64_t first = count - 1; first >= 0; first -= 7) expect_slice(node.runner.read_batch(first, 1), stream, rows, first, 1, 50);
  expect_slice(node.runner.read_batch(0, count), stream, rows, 0, count, 50);
}

TEST(Concat, ReadsSeveralInputsOneAfterAnother) {
  const auto rows = random_documents(60, 8);
  const MemoryDataset first({rows.begin(), rows.begin() + 20}), second({rows.begin() + 20, rows.end()}), all(rows);
  PackedNode apart({&first, &second}, 16), together({&all}, 16);
  ASSERT_EQ(apart.runner.count(), together.runner.count());
  EXPECT_EQ(apart.tokens(0, apart.runner.count()), together.tokens(0, together.runner.count()));
}

TEST(Concat, ReadsOnlyTheDocumentsOfItsRowsAndAllAtOnce) {
  std::vector<TokenRow> rows;
  for (int i = 0; i < 5000; ++i) rows.push_back({std::to_string(i), "web", 1, std::vector<std::uint32_t>(9, 1)});
  const MemoryDataset data(rows);
  PackedNode node({&data}, 100);
  EXPECT_EQ(data.rows_read(), 0) << "the index is made from lengths alone";
  node.tokens(3, 4);  // tokens 300 to 700: documents 30 to 70
  EXPECT_EQ(data.read_calls(), 1);
  EXPECT_EQ(data.rows_read(), 40);
}

TEST(Concat, GoesOnWithoutEnd) {
  const auto rows = random_documents(5000, 11, 6);
  const MemoryDataset endless(rows, true);
  auto twice = rows;
  twice.insert(twice.end(), rows.begin(), rows.end());
  const Stream stream(twice);
  PackedNode node({&endless}, 32);
  EXPECT_EQ(node.runner.count(), -1);
  EXPECT_THAT(node.runner.logs(), IsEmpty()) << "nothing is dropped";
  const std::int64_t count = static_cast<std::int64_t>(stream.tokens.size()) / 32;
  expect_slice(node.runner.read_batch(count - 3, 3), stream, twice, count - 3, 3, 32);
  for (std::int64_t first = 0; first + 5 <= count; first += 61) expect_slice(node.runner.read_batch(first, 5), stream, twice, first, 5, 32);
}

TEST(Concat, ShufflesSequencesWithinTheirWindows) {
  const auto rows = random_documents(400, 17, 20);
  for (const bool is_endless : {false, true}) {
    const MemoryDataset data(rows, is_endless), other(rows, is_endless);
    constexpr std::int64_t kWindow = 32, kLength = 8;
    PackedNode ordered({&data}, kLength), shuffled({&other}, kLength, kWindow);
    ASSERT_EQ(ordered.runner.count(), shuffled.runner.count());
    const std::int64_t count = is_endless ? 10 * kWindow : ordered.runner.count();
    std::int64_t moved = 0;
    for (std::int64_t begin = 0; begin < count; begin += kWindow) {  // the last window of a finite input is short
      const std::int64_t n = std::min(kWindow, count - begin);
      std::multiset<std::vector<std::int64_t>> expected, found;
      for (std::int64_t i = begin; i < begin + n; ++i) {
        expected.insert(ordered.tokens(i, 1));
        found.insert(shuffled.tokens(i, 1));
        moved += ordered.tokens(i, 1) == shuffled.tokens(i, 1) ? 0 : 1;
      }
      ASSERT_EQ(found, expected) << "window at " << begin;
    }
    EXPECT_GT(moved, count / 2);
    // A batch is the sequences at its positions, whatever is read with them.
    std::vector<std::int64_t> one_by_one;
    for (std::int64_t i = 5; i < 45; ++i)
      for (const std::int64_t token : shuffled.tokens(i, 1)) one_by_one.push_back(token);
    EXPECT_EQ(shuffled.tokens(5, 40), one_by_one);
  }
}

TEST(Concat, GivesTheSameToManyThreads) {
  const auto rows = random_documents(2 * OffsetIndex::kSegmentDocuments, 13, 6);
  for (const bool is_endless : {false, true}) {
    const MemoryDataset data(rows, is_endless), other(rows, is_endless);
    PackedNode node({&data}, 20), alone({&other}, 20);
    constexpr std::int64_t kRows = 1000;
    const auto expected = alone.tokens(0, kRows);
    const auto is_right = [&](std::int64_t row) {
      const auto tokens = node.tokens(row, 1);
      return std::equal(tokens.begin(), tokens.end(), expected.begin() + row * 20);
    };
    EXPECT_EQ(count_wrong(kRows, is_right), 0);
    EXPECT_THAT(node.runner.close(), IsEmpty());
  }
}

TEST(Concat, ExplainsWhatItCannotDo) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}}), longer({{"a", "web", 1, {1, 2, 3}}, {"b", "web", 1, {1}}});
  PackedNode node({&data}, 2);
  EXPECT_EQ(error_of([&] { node.runner.read_batch(1, 2); }), (std::pair<Code, std::string>(Code::kInvalidArgument, "sequences 1 to 3 of 2")));
  EXPECT_EQ(error_of([&] { node.runner.read_batch(-1, 1); }).first, Code::kInvalidArgument);
  EXPECT_EQ(node.runner.read_batch(2, 0).tensors.at("input_ids").rows, 0);
  const auto [code, message] = error_of([&] { node.runner.attach({&longer}, node.folder.path()); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_THAT(message, HasSubstr("has the index of 1 documents, expected 2"));
}

TEST(Concat, GivesNothingForLessThanOneRow) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}}), none({});
  PackedNode node({&data}, 5), empty({&none}, 5);
  EXPECT_EQ(node.runner.count(), 0);
  EXPECT_EQ(empty.runner.count(), 0);
  EXPECT_EQ(node.runner.logs().at(0).level, FLOWRUN_LOG_WARNING);
}

TEST(Concat, StopsWhileItCounts) {
  const MemoryDataset data(random_documents(10, 1));
  const TemporaryFolder folder;
  Runner runner(flowrun_plugin_v1, {{"sequence_length", 4}});
  runner.open({fields::tokens()});
  runner.request_stop();
  EXPECT_EQ(error_of([&] { runner.prepare({&data}, folder.path()); }).first, Code::kCancelled);
}

// ---------------------------------------------------------------------------------------------------------------------- what ends a document

std::vector<std::int64_t> packed(const MemoryDataset& data, std::vector<std::pair<std::string, testing::Value>> parameters) {
  const TemporaryFolder folder;
  parameters.emplace_back("sequence_length", 4);
  Runner runner(flowrun_plugin_v1, parameters);
  runner.open({fields::tokens()});
  runner.prepare({&data}, folder.path());
  runner.attach({&data}, folder.path());
  return runner.read_batch(0, 1).tensors.at("input_ids").values;
}

TEST(Concat, EndsDocumentsByWhatTheTokensName) {
  const std::vector<TokenRow> rows = {{"a", "web", 1, {7, 8}}, {"b", "web", 1, {9, 10}}};
  const MemoryDataset plain(rows), bert(rows, false, 3), endless(rows, true, 3);
  EXPECT_THAT(packed(plain, {}), ElementsAre(7, 8, 0, 9));
  EXPECT_THAT(packed(bert, {}), ElementsAre(7, 8, 3, 9));
  EXPECT_THAT(packed(endless, {}), ElementsAre(7, 8, 3, 9));
  EXPECT_THAT(packed(bert, {{"endoftext_id", 5}}), ElementsAre(7, 8, 5, 9)) << "a parameter counts more";
  EXPECT_THAT(packed(bert, {{"endoftext_id", 0}}), ElementsAre(7, 8, 0, 9));
}

// ----------------------------------------------------------------------------------------------------------------------------- stages

using Row = std::vector<std::int64_t>;

/// A node over staged documents.
class StagedNode {
 public:
  StagedNode(const StagedDataset& data, std::int64_t sequence_length, std::int64_t shuffle_window = 0, bool follow_stages = true)
      : runner(flowrun_plugin_v1, {{"sequence_length", sequence_length}, {"endoftext_id", std::int64_t{kSeparator}}, {"shuffle_window", shuffle_window}, {"follow_stages", follow_stages}}) {
    const std::vector<const flowrun_dataset*> tables{data.table()};
    runner.open({StagedDataset::with_stages(fields::tokens())});
    runner.prepare(tables, folder.path());
    runner.attach(tables, folder.path());
  }
  /// The rows of a read.
  std::vector<Row> read(std::int64_t first, std::int64_t n) {
    const auto tensor = runner.read_batch(first, n).tensors.at("input_ids");
    std::vector<Row> rows;
    for (std::int64_t row = 0; row < tensor.rows; ++row) rows.emplace_back(tensor.values.begin() + row * tensor.columns, tensor.values.begin() + (row + 1) * tensor.columns);
    return rows;
  }
  /// The rows of each place, one place after another.
  std::vector<std::vector<Row>> places(std::int64_t n) {
    std::vector<std::vector<Row>> all;
    for (std::int64_t place = 0; place < n; ++place) all.push_back(read(place, 1));
    return all;
  }

  TemporaryFolder folder;
  Runner runner;
};

/// The definition: each part's documents are a stream of their own, of which every `place_tokens` tokens are a place.
std::vector<std::vector<Row>> cut_by_stages(const std::vector<TokenRow>& rows, const std::vector<StagePart>& parts, std::int64_t place_tokens) {
  std::vector<std::vector<Row>> places;
  auto document = rows.begin();
  for (const StagePart& part : parts) {
    const Stream stream({document, document + part.documents});
    document += part.documents;
    for (std::size_t at = 0; at + static_cast<std::size_t>(place_tokens) <= stream.tokens.size(); at += static_cast<std::size_t>(place_tokens)) {
      places.emplace_back();
      for (std::int64_t row = 0; row < place_tokens; row += part.sequence_length)
        places.back().emplace_back(stream.tokens.begin() + static_cast<std::ptrdiff_t>(at) + row, stream.tokens.begin() + static_cast<std::ptrdiff_t>(at) + row + part.sequence_length);
    }
  }
  return places;
}

/// Stages that grow, one more of the same length, one that is too small for a place, and a step back.
const std::vector<StagePart> kParts{{5000, 0, 4}, {700, 1, 8}, {60, 2, 16}, {50, 3, 16}, {1, 4, 8}, {4000, 5, 4}};

std::vector<TokenRow> staged_documents(unsigned seed) {
  auto rows = random_documents(9811, seed, 8);
  rows[5810].input_ids.resize(3);  // the whole stage 4
  return rows;
}

TEST(ConcatStages, HaveRowsOfTheirOwnLengthInPlacesOfTheSameTokens) {
  const auto rows = staged_documents(21);
  const StagedDataset data(rows, kParts);
  StagedNode node(data, 16);
  const auto expected = cut_by_stages(rows, kParts, 16);
  ASSERT_EQ(node.runner.count(), static_cast<std::int64_t>(expected.size()));
  EXPECT_EQ(node.places(node.runner.count()), expected);
  EXPECT_THAT(node.runner.close(), IsEmpty());
}

TEST(ConcatStages, SayWhatTheirEndsDrop) {
  const StagedDataset data({{"a", "web", 1, {1, 2, 3, 4, 5}}, {"b", "web", 1, {6, 7, 8, 9, 10, 11}}, {"c", "web", 1, {12}}}, {{1, 0, 2}, {1, 1, 4}, {1, 2, 4}});
  StagedNode node(data, 4);
  EXPECT_EQ(node.places(2), (std::vector<std::vector<Row>>{{{1, 2}, {3, 4}}, {{6, 7, 8, 9}}}));
  ASSERT_EQ(node.runner.logs().size(), 1u);
  EXPECT_EQ(node.runner.logs()[0].message,
            "3 documents of 15 tokens with their ends make 2 places of 4; sequences: stage 0 2 of 2, stage 1 1 of 4, stage 2 0 of 4; 7 tokens at the ends of stages are dropped");
  EXPECT_EQ(node.runner.logs()[0].level, FLOWRUN_LOG_WARNING) << "a stage without a sequence";
}

/// Reads at random places must be what was read one place after another, up to the place where the length changes.
void expect_random_reads(StagedNode& node, const std::vector<std::vector<Row>>& in_order) {
  std::mt19937 random(5);
  const auto count = static_cast<std::int64_t>(in_order.size());
  int ended_early = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t first = static_cast<std::int64_t>(random()) % count, n = std::min<std::int64_t>(count - first, 1 + random() % 40);
    std::vector<Row> expected;
    for (std::int64_t place = first; place < first + n; ++place) {
      const auto& rows = in_order[static_cast<std::size_t>(place)];
      if (place > first && rows[0].size() != expected[0].size()) {
        ++ended_early;
        break;
      }
      expected.insert(expected.end(), rows.begin(), rows.end());
    }
    ASSERT_EQ(node.read(first, n), expected) << first << " + " << n;
  }
  EXPECT_GT(ended_early, 0);
}

TEST(ConcatStages, ReadAThousandRandomPositionsAsInOrder) {
  const auto rows = staged_documents(22);
  for (const std::int64_t window : {0, 7, 64})
    for (const bool is_endless : {false, true}) {
      const StagedDataset data(rows, kParts, is_endless), other(rows, kParts, is_endless);
      StagedNode ordered(data, 16, window), random_access(other, 16, window);
      ASSERT_EQ(ordered.runner.count(), random_access.runner.count());
      const auto in_order = ordered.places(is_endless ? 6000 : ordered.runner.count());  // goes round an endless input more than once
      expect_random_reads(random_access, in_order);
      EXPECT_THAT(random_access.runner.close(), IsEmpty());
    }
}

TEST(ConcatStages, ShuffleTheirOwnSequencesOnly) {
  const auto rows = staged_documents(23);
  constexpr std::int64_t kWindow = 32, kTokens = 16;
  const auto expected = cut_by_stages(rows, kParts, kTokens);
  for (const bool is_endless : {false, true}) {
    const StagedDataset data(rows, kParts, is_endless);
    StagedNode node(data, kTokens, kWindow);
    std::size_t place = 0;
    std::int64_t moved = 0, all = 0;
    for (const StagePart& part : kParts) {
      std::vector<TokenRow> documents(rows.begin() + all, rows.begin() + all + part.documents);
      all += part.documents;
      if (is_endless && &part == &kParts.back()) break;  // its last window is not the same: more documents follow
      std::vector<Row> in_order, found;
      for (const std::size_t end = place + cut_by_stages(documents, {{part.documents, 0, part.sequence_length}}, kTokens).size(); place < end; ++place) {
        in_order.insert(in_order.end(), expected[place].begin(), expected[place].end());
        for (Row& row : node.read(static_cast<std::int64_t>(place), 1)) found.push_back(std::move(row));
      }
      ASSERT_EQ(found.size(), in_order.size());
      for (std::size_t begin = 0; begin < found.size(); begin += kWindow) {
        const auto end = static_cast<std::ptrdiff_t>(std::min(found.size(), begin + kWindow)), from = static_cast<std::ptrdiff_t>(begin);
        for (std::ptrdiff_t i = from; i < end; ++i) moved += found[static_cast<std::size_t>(i)] != in_order[static_cast<std::size_t>(i)];
        ASSERT_EQ(std::multiset<Row>(found.begin() + from, found.begin() + end), std::multiset<Row>(in_order.begin() + from, in_order.begin() + end)) << "window at row " << begin << " of stage " << part.stage;
      }
    }
    EXPECT_GT(moved, 1000);
  }
}

TEST(ConcatStages, GiveTheSameToManyThreads) {
  const auto rows = staged_documents(24);
  for (const bool is_endless : {false, true}) {
    const StagedDataset data(rows, kParts, is_endless), other(rows, kParts, is_endless);
    StagedNode node(data, 16, 32), alone(other, 16, 32);
    constexpr std::int64_t kPlaces = 2000;
    const auto expected = alone.places(kPlaces);
    EXPECT_EQ(count_wrong(kPlaces, [&](std::int64_t place) { return node.read(place, 1) == expected[static_cast<std::size_t>(place)]; }), 0);
    EXPECT_THAT(node.runner.close(), IsEmpty());
  }
}

TEST(ConcatStages, AreNotSeenWhereTheyAreNotFollowed) {
  const auto rows = staged_documents(25);
  const StagedDataset data(rows, kParts);
  const MemoryDataset plain(rows);
  StagedNode node(data, 100, 32, false);  // no length of a stage divides it
  PackedNode expected({&plain}, 100, 32);
  ASSERT_EQ(node.runner.count(), expected.runner.count());
  EXPECT_EQ(node.runner.read_batch(0, node.runner.count()).tensors.at("input_ids").values, expected.tokens(0, expected.runner.count()));
}

TEST(ConcatStages, MustFitIntoAPlace) {
  const StagedDataset data({{"a", "web", 1, {1, 2, 3}}, {"b", "web", 1, {1, 2, 3}}}, {{1, 0, 2}, {1, 7, 3}}), longer({{"a", "web", 1, {1, 2, 3}}}, {{1, 0, 8}});
  const auto [code, message] = error_of([&] { StagedNode refused(data, 4); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_THAT(message, HasSubstr("stage 7 has sequences of 3 tokens, expected a length that divides the packer's 'sequence_length', 4"));
  EXPECT_THAT(error_of([&] { StagedNode refused(longer, 4); }).second, HasSubstr("stage 0 has sequences of 8 tokens"));
}

}  // namespace
}  // namespace flowrun::packers
