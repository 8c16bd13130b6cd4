#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <random>
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
using Numbers = std::vector<std::int64_t>;

/// A node over a dataset that has been prepared and attached. Length 0: none is given.
class RowsNode {
 public:
  RowsNode(std::vector<const MemoryDataset*> datasets, std::int64_t sequence_length, std::int64_t pad_id = -1) : runner(flowrun_plugin_v1, parameters(sequence_length, pad_id)) {
    runner.open({fields::tokens()});
    runner.prepare(datasets, folder.path());
    runner.attach(datasets, folder.path());
  }
  Numbers read(std::int64_t first, std::int64_t n, const char* name = "input_ids") { return runner.read_batch(first, n).tensors.at(name).values; }

  TemporaryFolder folder;
  Runner runner;

 private:
  static std::vector<std::pair<std::string, flowrun::testing::Value>> parameters(std::int64_t sequence_length, std::int64_t pad_id) {
    std::vector<std::pair<std::string, flowrun::testing::Value>> given;
    if (sequence_length > 0) given.emplace_back("sequence_length", sequence_length);
    if (pad_id >= 0) given.emplace_back("pad_id", pad_id);
    return given;
  }
};

std::vector<TokenRow> random_documents(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<TokenRow> rows;
  std::uint32_t token = 1;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back({"doc" + std::to_string(i), "web", 7, {}});
    for (std::uint32_t t = random() % 30; t > 0; --t) rows.back().input_ids.push_back(token++);
  }
  return rows;
}

TEST(Rows, PadsEachDocumentAtTheRight) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}, {"b", "web", 1, {}}, {"c", "web", 1, {4, 5, 6, 7, 8}}});
  RowsNode node({&data}, 4, 99);
  ASSERT_EQ(node.runner.count(), 3);
  const auto batch = node.runner.read_batch(0, 3);
  EXPECT_EQ(batch.tensors.at("input_ids").rows, 3);
  EXPECT_EQ(batch.tensors.at("input_ids").columns, 4);
  EXPECT_EQ(batch.tensors.at("input_ids").values, (Numbers{1, 2, 3, 99, 99, 99, 99, 99, 4, 5, 6, 7}));
  EXPECT_EQ(batch.tensors.at("labels").values, (Numbers{1, 2, 3, -100, -100, -100, -100, -100, 4, 5, 6, 7}));
  EXPECT_EQ(batch.ids, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(node.runner.logs().size(), 1u);
  EXPECT_EQ(node.runner.logs()[0].message, "3 rows of 4 tokens: 5 are padding; 1 tokens of 1 longer documents are cropped");
  EXPECT_EQ(node.runner.logs()[0].level, FLOWRUN_LOG_WARNING);
  EXPECT_TRUE(node.runner.close().empty());
}

TEST(Rows, AreAsLongAsTheLongestOfTheirBatchWhereNoLengthIsGiven) {
  const MemoryDataset data({{"a", "web", 1, {1}}, {"b", "web", 1, {2, 3, 4}}}, false, 7);
  RowsNode node({&data}, 0);
  EXPECT_EQ(node.read(0, 2), (Numbers{1, 7, 7, 2, 3, 4}));
  EXPECT_EQ(node.read(0, 1), (Numbers{1, 7})) << "a causal model needs two";
  EXPECT_EQ(node.read(0, 1, "labels"), (Numbers{1, -100}));
  EXPECT_TRUE(node.runner.logs().empty());
}

TEST(Rows, ReadsAThousandRandomPositionsAsInOrder) {
  const auto documents = random_documents(3000, 1);
  for (const bool is_endless : {false, true}) {
    const MemoryDataset data(documents, is_endless), other(documents, is_endless);
    RowsNode ordered({&data}, 16), random_access({&other}, 16);
    ASSERT_EQ(ordered.runner.count(), is_endless ? -1 : 3000);
    const std::int64_t count = is_endless ? 7000 : 3000;
    const auto expected = ordered.read(0, count);
    for (std::int64_t row = 0; row < count; ++row) {  // the definition
      const auto& ids = documents[static_cast<std::size_t>(row) % documents.size()].input_ids;
      for (std::size_t t = 0; t < 16; ++t) ASSERT_EQ(expected[static_cast<std::size_t>(row) * 16 + t], t < ids.size() ? ids[t] : 0);
    }
    std::mt19937 random(2);
    for (int i = 0; i < 1000; ++i) {
      const std::int64_t first = static_cast<std::int64_t>(random()) % count, n = std::min<std::int64_t>(count - first, random() % 5);
      ASSERT_EQ(random_access.read(first, n), Numbers(expected.begin() + first * 16, expected.begin() + (first + n) * 16));
    }
  }
}

TEST(Rows, GivesTheSameToManyThreads) {
  const MemoryDataset data(random_documents(1000, 3));
  RowsNode node({&data}, 16);
  const auto expected = node.read(0, 1000);
  const auto is_right = [&](std::int64_t row) {
    const auto tokens = node.read(row, 1);
    return std::equal(tokens.begin(), tokens.end(), expected.begin() + row * 16);
  };
  EXPECT_EQ(count_wrong(1000, is_right), 0);
}

// ------------------------------------------------------------------------------------------------------------------------- labels

/// One document of three tokens with a column `labels` of the given item type.
class LabelledDataset {
 public:
  LabelledDataset(const char* item, std::size_t label_count) : item_(item), label_count_(label_count) {
    Field schema = fields::tokens();
    schema.children.push_back({"labels", "+l", false, {{"item", item, false, {}}}});
    export_schema(schema, &schema_);
    export_schema(MemoryDataset::index_fields(), &index_schema_);
    table_.size = sizeof table_;
    table_.self = this;
    table_.count = [](void*) -> std::int64_t { return 1; };
    table_.read = [](void* self, const flowrun_call*, std::int64_t, std::int64_t, ArrowArray* out) {
      static_cast<LabelledDataset*>(self)->read().move_to(out);
      return FLOWRUN_OK;
    };
    table_.index_schema = &index_schema_;
    table_.schema = &schema_;
  }
  LabelledDataset(const LabelledDataset&) = delete;
  LabelledDataset& operator=(const LabelledDataset&) = delete;
  ~LabelledDataset() {
    schema_.release(&schema_);
    index_schema_.release(&index_schema_);
  }
  const flowrun_dataset* table() const noexcept { return &table_; }

 private:
  OwnedArray read() const {
    StringBuilder id, domain;
    id.append("a");
    domain.append("web");
    ListBuilder tokens, labels;
    tokens.append(std::vector<std::uint32_t>{5, 6, 7});
    constexpr std::int32_t kLabels[] = {-100, 6, 9, 9};
    // Both widths have the same offsets; the builder's 32-bit values are replaced for the wide one.
    for (std::size_t i = 0; i < label_count_; ++i) labels.values().push_back(static_cast<std::uint32_t>(kLabels[i]));
    labels.end_row();
    OwnedArray narrow = labels.finish();
    if (item_ == "l") {
      OwnedArray wide = make_column(std::vector<std::int64_t>(kLabels, kLabels + label_count_));
      std::swap(*narrow.get().children[0], *wide.address());
    }
    std::vector<OwnedArray> columns;
    columns.push_back(id.finish());
    columns.push_back(domain.finish());
    columns.push_back(make_column(std::vector<std::int64_t>{1}));
    columns.push_back(tokens.finish());
    columns.push_back(std::move(narrow));
    return make_batch(std::move(columns), 1);
  }

  const std::string item_;
  const std::size_t label_count_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

/// Reads the one row through the plugin's own table, which takes any dataset.
Numbers labels_of(const LabelledDataset& data) {
  const TemporaryFolder folder;
  Runner runner(flowrun_plugin_v1, {});
  runner.open({fields::tokens()});
  runner.prepare(std::vector{data.table()}, folder.path());
  runner.attach(std::vector{data.table()}, folder.path());
  return runner.read_batch(0, 1).tensors.at("labels").values;
}

TEST(Rows, TakesLabelsThatTheTokensHave) {
  EXPECT_EQ(labels_of(LabelledDataset("i", 3)), (Numbers{-100, 6, 9}));
  EXPECT_EQ(labels_of(LabelledDataset("l", 3)), (Numbers{-100, 6, 9}));
}

TEST(Rows, RefusesLabelsThatDoNotFit) {
  for (const std::size_t count : {2, 4}) {
    const auto [code, message] = error_of([&] { labels_of(LabelledDataset("i", count)); });
    EXPECT_EQ(code, Code::kCorruptData);
    EXPECT_NE(message.find("document 'a' has " + std::to_string(count) + " labels, expected 3"), std::string::npos) << message;
  }
  EXPECT_NE(error_of([&] { labels_of(LabelledDataset("I", 3)); }).second.find("expected '+l' of 'i' or 'l'"), std::string::npos);
}

TEST(Rows, ExplainsWhatItCannotDo) {
  Runner staged(flowrun_plugin_v1, {});
  EXPECT_EQ(error_of([&] { staged.open({fields::batch({fields::utf8("id"), fields::uint32("sequence_length")})}); }),
            (std::pair<Code, std::string>(Code::kInvalidArgument, "the stages of the input's mixer have a 'sequence_length', which packers/rows does not follow: a row is a document, as long as that is; "
                                                                  "take it out of the stages, or let packers/concat or packers/best_fit pack them")));
  const MemoryDataset data({{"a", "web", 1, {1}}}), longer({{"a", "web", 1, {1}}, {"b", "web", 1, {1}}}), none({});
  RowsNode node({&data}, 4), empty({&none}, 4);
  EXPECT_EQ(error_of([&] { node.read(0, 2); }).first, Code::kInvalidArgument);
  EXPECT_EQ(error_of([&] { node.read(-1, 1); }).first, Code::kInvalidArgument);
  EXPECT_EQ(node.runner.read_batch(1, 0).tensors.at("input_ids").rows, 0);
  EXPECT_EQ(empty.runner.count(), 0);
  const auto [code, message] = error_of([&] { node.runner.attach({&longer}, node.folder.path()); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_NE(message.find("documents.bin is of 1 documents, expected 2"), std::string::npos) << message;
}

}  // namespace
}  // namespace flowrun::packers
