#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace flowrun::filters {
namespace {

using flowrun::testing::Document;
using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Runner;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Document> numbered(int count) {
  std::vector<Document> rows;
  for (int i = 0; i < count; ++i) rows.push_back({"data/web.jsonl#" + std::to_string(i), "text", "", ""});
  return rows;
}

std::set<std::string> heldout_ids(double fraction, const std::vector<Document>& rows) {
  Runner node(flowrun_plugin_v1, {{"heldout_fraction", fraction}});
  node.open({fields::documents()});
  std::set<std::string> ids;
  for (const auto& row : document_rows(node.process(documents_batch(rows))[1])) ids.insert(row.id);
  return ids;
}

// XXH3-64 of the ids by python-xxhash 3.8.2: "a" e6c632b61e964e1f, "b" 575a0b1c44d8843f, "" 2d06800538d394c2; of 2^64: 0.9015, 0.3412, 0.1759.
TEST(Split, FollowsTheHashOfTheId) {
  const std::vector<Document> rows{{"a", "1", "", ""}, {"b", "2", "", ""}, {"", "3", "", ""}};
  EXPECT_THAT(heldout_ids(0.1758, rows), IsEmpty());
  EXPECT_THAT(heldout_ids(0.1759, rows), ElementsAre(""));
  EXPECT_THAT(heldout_ids(0.3412, rows), ElementsAre(""));
  EXPECT_THAT(heldout_ids(0.3413, rows), ElementsAre("", "b"));
  EXPECT_THAT(heldout_ids(0.9014, rows), ElementsAre("", "b"));
  EXPECT_THAT(heldout_ids(0.9015, rows), ElementsAre("", "a", "b"));
}

// 20,000 documents at 2 % are 400 +- 20 (one sigma); 5 sigma are allowed.
TEST(Split, HoldsTheExpectedShareOut) { EXPECT_NEAR(static_cast<double>(heldout_ids(0.02, numbered(20000)).size()), 400, 100); }

TEST(Split, KeepsTheSmallerPartInTheLarger) {
  const auto rows = numbered(2000);
  const auto small = heldout_ids(0.1, rows), large = heldout_ids(0.3, rows);
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
  EXPECT_TRUE(heldout_ids(0, rows).empty());
  EXPECT_EQ(heldout_ids(1, rows).size(), rows.size());
}

TEST(Split, KeepsTheOrderAndEveryDocument) {
  Runner node(flowrun_plugin_v1, {{"heldout_fraction", 0.5}});
  node.open({fields::documents()});
  const auto rows = numbered(100);
  auto out = node.process(documents_batch(rows));
  const auto train = document_rows(out[0]), heldout = document_rows(out[1]);
  std::vector<Document> merged;
  for (std::size_t t = 0, h = 0; t + h < rows.size();) merged.push_back(t < train.size() && train[t] == rows[t + h] ? train[t++] : heldout[h++]);
  EXPECT_EQ(merged, rows);
  EXPECT_GT(heldout.size(), 20u);
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

}  // namespace
}  // namespace flowrun::filters
