#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowrun {
namespace {

using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Parameters;
using flowrun::testing::Runner;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The reason for each text, "" where it is kept.
std::vector<std::string> reasons(Parameters parameters, const std::vector<std::string>& texts) {
  Runner node(flowrun_plugin_v1, parameters);
  node.open({fields::documents()});
  std::vector<flowrun::testing::Document> documents;
  for (std::size_t i = 0; i < texts.size(); ++i) documents.push_back({std::to_string(i), texts[i], "", ""});
  node.process(documents_batch(documents));
  std::vector<std::string> found(texts.size());
  for (const auto& drop : node.drops()) found[std::stoul(drop.id)] = drop.reason;
  return found;
}

TEST(LengthNode, KeepsWhatLiesOnItsBounds) {
  EXPECT_THAT(reasons({{"min", 2}, {"max", 3}}, {"é", "éé", "ééé", "éééé"}), ElementsAre("too_short", "", "", "too_long"));
  EXPECT_THAT(reasons({{"unit", "bytes"}, {"min", 3}, {"max", 4}}, {"é", "éé", "ééé"}), ElementsAre("too_short", "", "too_long"));
}

TEST(LengthNode, CountsWordsAndLines) {
  EXPECT_THAT(reasons({{"unit", "words"}, {"min", 3}}, {"don't", "don't!", "a b c"}), ElementsAre("too_short", "", "")) << "do n't !";
  EXPECT_THAT(reasons({{"unit", "words"}, {"words", "whitespace"}, {"min", 3}}, {"don't!", "a b c"}), ElementsAre("too_short", ""));
  EXPECT_THAT(reasons({{"unit", "lines"}, {"min", 2}, {"max", 2}}, {"a\n", "a\nb", "a\n\nb", ""}), ElementsAre("too_short", "", "too_long", "too_short"));
}

TEST(LengthNode, KeepsEverythingByDefault) { EXPECT_THAT(reasons({}, {"", std::string(100'000, 'x')}), ElementsAre("", "")); }

TEST(LengthNode, SaysWhatItFound) {
  Runner node(flowrun_plugin_v1, {{"min", 3}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch({{"a", "xy", "", ""}}));
  ASSERT_EQ(node.drops().size(), 1u);
  EXPECT_EQ(node.drops()[0].value, 2);
  EXPECT_EQ(node.drops()[0].threshold, 3);
  EXPECT_THAT(document_rows(out[0]), IsEmpty());
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

}  // namespace
}  // namespace flowrun
