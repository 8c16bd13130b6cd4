#include "bad_words.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "filters/common/golden_file.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::documents_batch;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::SizeIs;

bool has(const std::vector<std::string>& words, std::string_view text, Boundaries boundaries = Boundaries::kScript) { return BadWords(words, boundaries).find(text).has_value(); }

TEST(ToxicityNode, DecidesAsDatatroveOnTheGoldenFile) {
  Runner node(flowrun_plugin_v1, {{"words", Paths({FLOWRUN_TEST_SOURCE_DIR "/testdata/words"})}, {"boundaries", "always"}});
  node.open({fields::documents()});
  std::map<std::string, int> counts;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    const std::size_t drops = node.drops().size();
    node.process(documents_batch({{"a", document.text, "", ""}}));
    EXPECT_EQ(node.drops().size() > drops ? node.drops().back().reason : "", document.reason) << document.text;
    ++counts[document.reason];
  }
  EXPECT_THAT(counts, SizeIs(2));
}

TEST(BadWords, AreWordsOfTheirOwn) {
  EXPECT_TRUE(has({"darn"}, "Darn!"));
  EXPECT_TRUE(has({"darn"}, "oh,darn"));
  EXPECT_FALSE(has({"darn"}, "darned undarn darn_ 1darn darné"));
  EXPECT_TRUE(has({"darn it"}, "Well DARN IT."));
  EXPECT_TRUE(has({"d.rn"}, "(d.rn)"));
  EXPECT_FALSE(has({"d.rn"}, "darn")) << "no expression";
  EXPECT_TRUE(has({"darn", "undarn"}, "undarn"));
  EXPECT_TRUE(has({"a$"}, "a$ b", Boundaries::kAlways)) << "a mark at the end needs its boundary, too";
  EXPECT_FALSE(has({"a$"}, "a$b", Boundaries::kAlways));
}

TEST(BadWords, NeedNoSpacesWhereTheScriptHasNone) {
  EXPECT_TRUE(has({"笨蛋"}, "你这笨蛋啊"));
  EXPECT_FALSE(has({"笨蛋"}, "你这笨蛋啊", Boundaries::kAlways));
  EXPECT_TRUE(has({"ばか"}, "おまえばかだ"));
  EXPECT_TRUE(has({"โง่"}, "คนโง่มาก"));
  EXPECT_TRUE(has({"darn"}, "他说darn了")) << "another script is a boundary";
  EXPECT_FALSE(has({"darn"}, "他说darned了"));
  EXPECT_FALSE(has({"болван"}, "болваны"));
  EXPECT_TRUE(has({"darn"}, "darned", Boundaries::kNever));
}

TEST(BadWords, AreFoundInAnyCase) {
  EXPECT_TRUE(has({"БОЛВАН"}, "болван"));
  EXPECT_TRUE(has({"болван"}, "Болван"));
  EXPECT_TRUE(has({"μωρός"}, "ΜΩΡΌΣ")) << "a final sigma";
}

TEST(ToxicityNode, LooksAtOneLanguageAndLeavesOutWhatIsAllowed) {
  const TemporaryFolder folder;
  const std::string list = folder.write("words", "darn\n\n# comment\nHeck\n");
  StringBuilder languages;
  for (const char* language : {"en", "de", "en", "en"}) languages.append(language);
  auto batch = flowrun::testing::with_column(documents_batch({{"a", "darn", "", ""}, {"b", "darn", "", ""}, {"c", "heck", "", ""}, {"d", "# comment", "", ""}}), fields::utf8("language"), languages.finish());
  Runner node(flowrun_plugin_v1, {{"words", Paths({list})}, {"language", "en"}, {"allowed_words", std::vector<std::string>{"heck"}}});
  node.open({batch.schema});
  node.process(std::move(batch));
  ASSERT_THAT(node.drops(), SizeIs(1));
  EXPECT_EQ(node.drops()[0].id, "a");
  EXPECT_EQ(node.drops()[0].reason, "document_removed_with_badwords");
}

TEST(ToxicityNode, NeedsTheColumnOfItsLanguage) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, {{"words", Paths({folder.write("words", "darn\n")})}, {"language", "en"}});
  EXPECT_THROW(node.open({fields::documents()}), Error);
}

}  // namespace
}  // namespace flowrun::filters
