#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

using namespace flowrun::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Documents = std::vector<Document>;

const std::string kCommon = FLOWRUN_TEST_SOURCE_DIR "/../common/";

/// The tokenizer of kCommon/testdata knows these words; the others of pipeline/testdata stand beside it.
Documents documents() {
  Documents documents;
  for (int i = 0; i < 40; ++i) {
    std::string text;
    for (int word = 0; word < i; ++word) text += (word % 7 != 0 ? " " : "\n\n") + std::to_string(word * i) + " the mill's river " + (word % 5 != 0 ? "" : "\xE6\x9D\xB1\xE4\xBA\xAC");
    documents.push_back({"id" + std::to_string(i), text, i % 3 != 0 ? "books" : "web", "f"});
  }
  return documents;
}

class ReportNode : public ::testing::Test {
 protected:
  std::string tokenizer_file(const std::string& name) const {
    const auto files = nlohmann::json::parse(read_file(kCommon + "pipeline/testdata/tokenizers.json"));
    return folder_.write(name + ".json", files.at(name).dump());
  }
  OpenOptions options() const {
    OpenOptions options;
    options.staging = folder_.path();
    options.artifacts["tokenizer"] = kCommon + "testdata";
    return options;
  }
  void open(Runner& node) const { node.open({flowrun::fields::documents(), std::nullopt}, options()); }
  nlohmann::json report() const { return nlohmann::json::parse(read_file(folder_.path("tokenizer-report.json"))); }
  std::string files() const { return read_file(folder_.path("tokenizer-report.json")) + read_file(folder_.path("tokenizer-report.md")); }

  TemporaryFolder folder_;
};

TEST_F(ReportNode, IsTheSameForAnyBatchesAndOrder) {
  const Documents all = documents();
  std::vector<std::string> reports;
  for (const std::size_t batch : {all.size(), std::size_t{1}, std::size_t{7}}) {
    Runner node(flowrun_plugin_v1, {{"baselines", Paths({tokenizer_file("bert_uncased"), tokenizer_file("gpt2")})}});
    open(node);
    for (std::size_t first = 0; first < all.size(); first += batch) {
      Documents part(all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(std::min(first + batch, all.size())));
      if (batch == 7) std::reverse(part.begin(), part.end());
      node.process(documents_batch(part));
    }
    node.finish();
    reports.push_back(files());
    EXPECT_THAT(node.close(), IsEmpty());
  }
  EXPECT_EQ(reports[0], reports[1]);
  EXPECT_EQ(reports[0], reports[2]);
  const auto found = report();
  EXPECT_EQ(found["text"]["total"]["documents"], 40);
  EXPECT_EQ(found["tokenizers"].size(), 3u);
  EXPECT_EQ(found["tokenizers"][0]["name"], "tokenizer");
  EXPECT_EQ(found["tokenizers"][1]["model"], "WordPiece");
  EXPECT_GT(found["tokenizers"][1]["total"]["unknown_tokens"], 0);
  EXPECT_EQ(found["tokenizers"][0]["total"]["unknown_tokens"], 0);
  for (std::size_t i = 1; i < 3; ++i) {
    const double ratio = found["comparison"][i - 1]["bytes_per_token_ratio"]["domains"]["web"];
    EXPECT_DOUBLE_EQ(ratio, found["tokenizers"][0]["domains"]["web"]["bytes_per_token"].get<double>() / found["tokenizers"][i]["domains"]["web"]["bytes_per_token"].get<double>());
  }
}

TEST_F(ReportNode, GoesOnFromASnapshotAsIfNothingHadHappened) {
  const Documents all = documents();
  const TemporaryFolder state;
  const Documents first(all.begin(), all.begin() + 25), second(all.begin() + 25, all.end());
  Runner whole(flowrun_plugin_v1), stopped(flowrun_plugin_v1), resumed(flowrun_plugin_v1);
  open(whole);
  whole.process(documents_batch(all));
  whole.finish();
  const std::string expected = files();
  open(stopped);
  stopped.process(documents_batch(first));
  stopped.snapshot(state.path());
  open(resumed);
  resumed.restore(state.path());
  EXPECT_EQ(resumed.memory_bytes(), stopped.memory_bytes());
  EXPECT_GT(resumed.memory_bytes(), 8 * 1200);  // a count for each id
  resumed.process(documents_batch(second));
  resumed.finish();
  EXPECT_EQ(files(), expected);
}

TEST_F(ReportNode, RefusesADamagedSnapshot) {
  const TemporaryFolder state;
  Runner node(flowrun_plugin_v1);
  open(node);
  node.process(documents_batch({{"a", "the mill", "x", "f"}}));
  node.snapshot(state.path());
  const std::string good = read_file(state.path("counts.json"));
  const auto restored = [&](const std::string& text) {
    state.write("counts.json", text);
    return error_of([&] { node.restore(state.path()); });
  };
  for (const std::string& damaged : {good.substr(0, good.size() / 2), std::string("[]"), std::string(R"({"texts":{},"tokenizers":[]})")}) {
    const auto [code, message] = restored(damaged);
    EXPECT_EQ(code, flowrun::Code::kCorruptData) << damaged.substr(0, 40);
    EXPECT_THAT(message, HasSubstr("is not the state of a report on 1 tokenizers"));
  }
  EXPECT_THAT(restored(R"({"texts":{"x":[1,2,3]},"tokenizers":[{}]})").second, HasSubstr("found [1,2,3], expected 4 numbers"));
  EXPECT_THAT(restored(R"({"texts":{"x":[1,2,3,-4]},"tokenizers":[{}]})").second, HasSubstr("found -4, expected a whole number"));
  EXPECT_THAT(restored(R"({"texts":{},"tokenizers":[{"domains":{}}]})").second, HasSubstr("'ids' is missing"));
  EXPECT_THAT(restored(R"({"texts":{},"tokenizers":[{"ids":[1,2],"domains":{}}]})").second, HasSubstr("found [1,2], expected 1200 numbers"));
}

TEST_F(ReportNode, PutsTheTokenizerIntoAFolder) {
  Runner node(flowrun_plugin_v1, {{"folder", "tokenizer"}, {"longest", 3}});
  open(node);
  node.process(documents_batch({{"a", "the mill", "x", "f"}}));
  node.finish();
  EXPECT_EQ(read_file(folder_.path("tokenizer/tokenizer.json")), read_file(kCommon + "testdata/tokenizer.json"));
  EXPECT_EQ(report()["tokenizers"][0]["vocabulary"]["longest"].size(), 3u);
}

TEST_F(ReportNode, ReportsOnAFileAsWell) {
  const std::string words = folder_.write("words.json", R"({"version": "1.0", "model": {"type": "WordLevel", "vocab": {"the": 0, "?": 1}, "unk_token": "?"}, "pre_tokenizer": {"type": "WhitespaceSplit"}})");
  Runner node(flowrun_plugin_v1, {{"tokenizer_path", Paths({words})}});
  OpenOptions options;
  options.staging = folder_.path();
  node.open({flowrun::fields::documents(), std::nullopt}, options);
  node.process(documents_batch({{"a", "the mill", "x", "f"}}));
  node.finish();
  EXPECT_EQ(report()["tokenizers"][0]["total"]["tokens"], 2);
  EXPECT_EQ(report()["tokenizers"][0]["total"]["unknown_tokens"], 1);
  EXPECT_EQ(report()["tokenizers"][0]["model"], "WordLevel");
  EXPECT_EQ(report()["tokenizers"][0]["total"]["continued_words"], 0);
}

TEST_F(ReportNode, RefusesATextThatATokenizerHasNoTokenForAndCountsItForNone) {
  const std::string unigram = folder_.write("unigram.json", R"({"version": "1.0", "model": {"type": "Unigram", "vocab": [["a", -1]]}})");
  Runner node(flowrun_plugin_v1, {{"baselines", Paths({unigram})}});
  open(node);
  node.process(documents_batch({{"1", "aa", "x", "f"}, {"2", "ab", "x", "f"}, {"3", "a", "x", "f"}}));
  node.finish();
  ASSERT_EQ(node.row_errors().size(), 1u);
  EXPECT_EQ(node.row_errors()[0].row, 1);
  EXPECT_EQ(node.row_errors()[0].code, "not_in_vocabulary");
  EXPECT_THAT(node.row_errors()[0].message, HasSubstr("unigram: the character at byte 1 is not in the vocabulary"));
  EXPECT_EQ(report()["text"]["total"]["documents"], 2);
  EXPECT_EQ(report()["tokenizers"][1]["total"]["tokens"], 3);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST_F(ReportNode, WithoutDocumentsStillReportsOnTheVocabulary) {
  Runner node(flowrun_plugin_v1);
  open(node);
  node.finish();
  ASSERT_EQ(node.logs().size(), 1u);
  EXPECT_EQ(node.logs()[0].level, FLOWRUN_LOG_WARNING);
  EXPECT_THAT(node.logs()[0].message, HasSubstr("no document came in"));
  EXPECT_EQ(report()["tokenizers"][0]["vocabulary"]["size"], 1200);
  EXPECT_EQ(report()["tokenizers"][0]["vocabulary"]["unused"]["share"], 1.0);
  EXPECT_TRUE(report()["tokenizers"][0]["total"]["fertility"].is_null());
}

TEST_F(ReportNode, NamesTheFileThatItCannotUse) {
  const std::string broken = folder_.write("broken.json", R"({"version": "1.0", "model": {"type": "LSTM"}})");
  Runner node(flowrun_plugin_v1, {{"baselines", Paths({broken})}});
  const auto [code, message] = error_of([&] { open(node); });
  EXPECT_EQ(code, flowrun::Code::kUnsupported);
  EXPECT_THAT(message, HasSubstr("'model.type' is \"LSTM\""));
  EXPECT_THAT(message, HasSubstr("in '" + broken + "'"));
}

TEST_F(ReportNode, StopsWhenTheRunStops) {
  Runner node(flowrun_plugin_v1);
  open(node);
  node.request_stop();
  EXPECT_EQ(error_of([&] { node.process(documents_batch({{"a", "the mill", "x", "f"}})); }).first, flowrun::Code::kCancelled);
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST_F(ReportNode, SaysWhatItCouldNotWrite) {
  Runner node(flowrun_plugin_v1);
  OpenOptions absent = options();
  absent.staging = folder_.path("absent");
  node.open({flowrun::fields::documents(), std::nullopt}, absent);
  const auto [code, message] = error_of([&] { node.finish(); });
  EXPECT_EQ(code, flowrun::Code::kIo);
  EXPECT_THAT(message, HasSubstr("absent/tokenizer-report.json' cannot be written, needs "));
}

}  // namespace
