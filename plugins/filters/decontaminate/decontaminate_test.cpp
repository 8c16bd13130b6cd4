#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "evaluation_items.hpp"
#include "ngram_index.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::Document;
using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::error_of;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kData = FLOWRUN_TEST_SOURCE_DIR "/testdata/";

void add_golden_sets(NgramIndex& index) {
  for (const char* name : {"choices", "labels", "lists"})
    read_evaluation_items(kData + name + ".jsonl", name, {}, [&](const EvaluationItem& item) {
      for (const std::string& label : item.labels) index.add({0, item.record}, label, item.query);
    });
}

TEST(NgramIndex, NamesTheNgramThatDatatroveNames) {
  std::map<std::string, NgramIndex> indexes;
  indexes.try_emplace("default", NgramRules{});
  indexes.try_emplace("short", NgramRules{5, true, true});
  indexes.try_emplace("answers", NgramRules{8, false, false});
  for (auto& [name, index] : indexes) add_golden_sets(index);
  std::map<std::pair<std::string, bool>, int> counts;
  std::ifstream in(kData + "golden.jsonl");
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    const auto found = indexes.at(json["rules"].text).find(json["text"].text);
    EXPECT_EQ(found ? found->ngram : "", json["ngram"].text) << json["text"].text;
    ++counts[{json["rules"].text, found.has_value()}];
  }
  EXPECT_EQ(counts.size(), 6u) << "both answers by all rules";
}

TEST(NgramIndex, LooksForWhatItsRulesSay) {
  const std::string query = "a b c d e", label = "f g h i j";  // the example of datatrove's NGramsDecontConfig
  const auto found = [&](NgramRules rules, const std::string& text) {
    NgramIndex index(rules);
    index.add({0, 0}, label, query);
    const auto match = index.find(text);
    return match ? match->ngram : "";
  };
  for (const std::string ngram : {"f g h i", "g h i j"}) EXPECT_EQ(found({4, false, false}, "x " + ngram + " y"), ngram);
  for (const std::string ngram : {"c d e f", "d e f g", "e f g h"}) {
    EXPECT_EQ(found({4, false, true}, "x " + ngram + " y"), ngram);
    EXPECT_EQ(found({4, true, false}, "x " + ngram + " y"), "");
  }
  for (const std::string ngram : {"a b c d", "b c d e"}) {
    EXPECT_EQ(found({4, true, false}, "x " + ngram + " y"), ngram);
    EXPECT_EQ(found({4, false, true}, "x " + ngram + " y"), "");
  }
  EXPECT_EQ(found({4, true, true}, "F, G -\nH (I)"), "f g h i") << "case, punctuation and white space do not count";
  EXPECT_EQ(found({4, true, true}, "f g h"), "");
}

TEST(NgramIndex, HoldsMoreThanItBeganWith) {
  NgramIndex index({2, false, false});
  std::string label;
  for (int i = 0; i < 5000; ++i) label += "w" + std::string(static_cast<std::size_t>(i % 7), 'x') + static_cast<char>('a' + i % 26) + static_cast<char>('a' + i / 26 % 26) + static_cast<char>('a' + i / 676) + " ";
  index.add({3, 7}, label, std::nullopt);
  index.add({4, 8}, label, std::nullopt);
  EXPECT_EQ(index.size(), 4999u);
  const auto match = index.find("nothing here " + label.substr(30000, 40));
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->origin.set, 3u) << "the first that had it";
  EXPECT_EQ(match->origin.record, 7);
}

/// The items of a file with this content, as "query>label,label"; or the message of the error.
std::string items(const std::string& content, const ItemKeys& keys = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.write("set.jsonl", content);
  std::string out;
  try {
    read_evaluation_items(path, "set.jsonl", keys, [&](const EvaluationItem& item) {
      out += std::to_string(item.record) + ":" + item.query.value_or("-") + ">";
      for (const std::string& label : item.labels) out += label + ",";
    });
  } catch (const Error& error) {
    return error.message();
  }
  return out;
}

TEST(EvaluationItems, HaveTheirAnswersInThreeForms) {
  EXPECT_EQ(items("{\"query\":\"q\",\"label\":\"a\"}\n\n{\"label\":[\"b\",\"c\"],\"query\":null}\r\n{\"query\":\"q\",\"choices\":[\"x\",\"y\",\"z\"],\"gold\":[2,0]}"), "0:q>a,1:->b,c,2:q>z,x,");
  EXPECT_EQ(items("{\"context\":\"q\",\"continuation\":\"a\"}", {"context", "continuation", "choices", "gold"}), "0:q>a,");
}

TEST(EvaluationItems, SayWhichLineIsWrong) {
  EXPECT_THAT(items("{\"label\":\"a\"}\n{\"lable\":\"b\"}"), HasSubstr("set.jsonl:2: has neither 'label' nor 'choices' with 'gold': set 'label_field', or 'choices_field' and 'gold_field'; did you mean 'lable'?"));
  EXPECT_THAT(items("[1]"), HasSubstr("set.jsonl:1: is no JSON object"));
  EXPECT_THAT(items("{\"label\":1}"), HasSubstr("set.jsonl:1: key 'label' holds something else than text"));
  EXPECT_THAT(items("{\"choices\":[\"x\"],\"gold\":1}"), HasSubstr("set.jsonl:1: key 'gold' is 1, but 'choices' has 1"));
  EXPECT_THAT(items("{\"label\":[]}"), HasSubstr("set.jsonl:1: has no right answer"));
}

// -------------------------------------------------------------------------------------------------------------------------------- node

/// A set with one item, and documents of which the second has a run of it.
class DecontaminateNode : public ::testing::Test {
 protected:
  std::vector<std::pair<std::string, Value>> parameters(const std::string& mode) { return {{"evaluation_sets", Paths({{path_, "eval/set.jsonl"}})}, {"n_grams", 3}, {"mode", mode}}; }
  const std::vector<Document> documents_ = {{"a", "nothing to see", "d", "s"}, {"b", "Well: two, three Four!", "d", "s"}, {"c", "one two", "d", "s"}};
  TemporaryFolder folder_;
  std::string path_ = folder_.write("set.jsonl", "{\"label\":\"zero zero zero\"}\n{\"query\":\"one two\",\"label\":\"three four five\"}\n");
};

TEST_F(DecontaminateNode, DropsWithDatatrovesReason) {
  Runner node(flowrun_plugin_v1, parameters("drop"));
  node.open({fields::documents()});
  auto out = node.process(documents_batch(documents_));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(documents_[0], documents_[2]));
  ASSERT_EQ(node.drops().size(), 1u);
  EXPECT_EQ(node.drops()[0].id, "b");
  EXPECT_EQ(node.drops()[0].reason, "contaminated");
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST_F(DecontaminateNode, GivesAReportBesideTheOthers) {
  Runner node(flowrun_plugin_v1, parameters("split"));
  node.open({fields::documents()});
  auto out = node.process(documents_batch(documents_));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(documents_[0], documents_[2]));
  EXPECT_THAT(document_rows(out[1]), ElementsAre(documents_[1]));
  const BatchView report(out[1].array.get(), out[1].schema);
  EXPECT_EQ(report.strings("decontaminate.set")[0], "eval/set.jsonl");
  EXPECT_EQ(report.values<std::int64_t>("decontaminate.item", "l")[0], 1);
  EXPECT_EQ(report.strings("decontaminate.ngram")[0], "two three four");
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST_F(DecontaminateNode, ScoresAllDocuments) {
  Runner node(flowrun_plugin_v1, parameters("score"));
  node.open({fields::documents()});
  const auto out = node.process(documents_batch(documents_));
  EXPECT_EQ(document_rows(out[0]), documents_);
  const BatchView scored(out[0].array.get(), out[0].schema);
  std::vector<std::string> reasons, ngrams;
  for (int row = 0; row < 3; ++row) {
    reasons.emplace_back(scored.strings("decontaminate.reason")[row]);
    ngrams.emplace_back(scored.strings("decontaminate.ngram")[row]);
  }
  EXPECT_THAT(reasons, ElementsAre("", "contaminated", ""));
  EXPECT_THAT(ngrams, ElementsAre("", "two three four", ""));
  EXPECT_EQ(scored.values<std::int64_t>("decontaminate.item", "l")[0], -1);
  const int keep = out[0].schema.find("decontaminate.keep");
  ASSERT_GE(keep, 0);
  EXPECT_EQ(static_cast<const std::uint8_t*>(out[0].array.get().children[keep]->buffers[1])[0], 0b101);

  Runner again(flowrun_plugin_v1, parameters("score"));
  EXPECT_THAT(error_of([&] { again.open({out[0].schema}); }).second, HasSubstr("has a column 'decontaminate.set' already"));
}

TEST_F(DecontaminateNode, RefusesSetsWithoutALongEnoughItem) {
  const auto error = error_of([&] { Runner(flowrun_plugin_v1, {{"evaluation_sets", Paths({{path_, "eval/set.jsonl"}})}}); });
  EXPECT_EQ(error.first, Code::kInvalidArgument);
  EXPECT_THAT(error.second, HasSubstr("the evaluation sets have 2 items, but none of 'n_grams' = 12 words"));
}

}  // namespace
}  // namespace flowrun::filters
