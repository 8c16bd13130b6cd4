// `flowrun tap`: what it shows of an edge is what a run has there, and it does no more than it needs.

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class Tap : public PipelineTest {
 protected:
  Tap() { write_pipeline(2, 60'000); }

  Finished start(const std::string& edge, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"tap", "prepare.toml", edge, "--artifacts", "artifacts"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return flowrun(arguments);
  }
  nlohmann::json tap(const std::string& edge, std::vector<std::string> more = {}) const {
    more.push_back("--json");
    const auto finished = start(edge, std::move(more));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
  /// Returns the types of the artifacts in the cache.
  std::vector<std::string> made() const {
    const auto finished = flowrun({"cache", "list", "--json", "--artifacts", "artifacts"});
    const auto listed = nlohmann::json::parse(finished.out, nullptr, false);
    std::vector<std::string> types;
    for (const auto& artifact : listed["artifacts"]) types.push_back(artifact["type"]);
    std::sort(types.begin(), types.end());
    return types;
  }
};

TEST_F(Tap, DocumentsAreThoseThatTheRunWrites) {
  const auto ran = flowrun(prepare("run"));
  ASSERT_EQ(ran.exit_code, 0) << ran;
  const auto tapped = tap("parts.heldout", {"-n", "3"});
  EXPECT_EQ(tapped["version"], 1);
  EXPECT_EQ(tapped["node"], "parts");
  EXPECT_EQ(tapped["port"], "heldout");
  EXPECT_EQ(tapped["type"], "documents");
  ASSERT_EQ(tapped["records"].size(), 3u);
  std::istringstream lines(read("run/clean/heldout.jsonl"));
  for (const auto& record : tapped["records"]) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(record, nlohmann::json::parse(line));
  }
  EXPECT_EQ(made(), std::vector<std::string>{"documents"}) << "that of 'unique', which is kept anyway; nothing of a stream's own stage";
  EXPECT_EQ(tap("parts.heldout", {"-n", "3", "--set", "run.threads=1", "--set", "run.batch_documents=1"})["records"], tapped["records"]);
  const std::string all = read("run/clean/heldout.jsonl");
  EXPECT_EQ(tap("parts.heldout", {"-n", "1000000"})["records"].size(), static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')));
}

TEST_F(Tap, TokensAreThoseOfTheirTexts) {
  const auto texts = tap("parts.train", {"-n", "4"})["records"], tokens = tap("train_tokens", {"-n", "4"})["records"];
  const auto vocabulary = tap("vocabulary");
  EXPECT_EQ(vocabulary["type"], "tokenizer");
  EXPECT_EQ(vocabulary["files"][0]["name"], "tokenizer.json");
  ASSERT_EQ(tokens.size(), 4u);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(tokens[i]["id"], texts[i]["id"]);
    EXPECT_EQ(tokens[i]["bytes"], texts[i]["text"].get<std::string>().size());
    write("text.jsonl", texts[i]["text"].dump() + "\n");
    const auto answer = flowrun({"tokenize", "--tokenizer", vocabulary["folder"], "--jsonl", "text.jsonl"});
    ASSERT_EQ(answer.exit_code, 0) << answer;
    EXPECT_EQ(nlohmann::json::parse(answer.out)["ids"], tokens[i]["input_ids"]);
  }
}

TEST_F(Tap, SequencesAreTheMixedTokensPacked) {
  const std::vector<std::string> in_order{"--set", "node.sequences.shuffle_window=1"};
  const auto rows = tap("mix", {"-n", "50"})["records"];
  const auto sequences = tap("sequences", {"-n", "5", in_order[0], in_order[1]})["records"];
  std::vector<std::int64_t> tokens;
  for (const auto& row : rows) {
    for (const auto& id : row["input_ids"]) tokens.push_back(id);
    tokens.push_back(0);  // <|endoftext|>
  }
  ASSERT_GE(tokens.size(), 5u * 64);
  ASSERT_EQ(sequences.size(), 5u);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::vector<std::int64_t> expected(tokens.begin() + static_cast<std::ptrdiff_t>(64 * s), tokens.begin() + static_cast<std::ptrdiff_t>(64 * (s + 1)));
    EXPECT_EQ(sequences[s]["input_ids"], nlohmann::json::array({expected}));
    EXPECT_FALSE(sequences[s]["documents"].empty());
  }
}

TEST_F(Tap, WhatARunHasMadeIsUsedAgain) {
  tap("train_tokens");
  const auto types = made();
  EXPECT_NE(std::find(types.begin(), types.end(), "tokenizer"), types.end());
  EXPECT_EQ(std::find(types.begin(), types.end(), "output"), types.end());
  const auto planned = flowrun({"plan", "prepare.toml", "--artifacts", "artifacts", "--json"});
  bool tokenizer_cached = false;
  const auto plan = nlohmann::json::parse(planned.out);
  for (const auto& stage : plan["stages"])
    for (const auto& artifact : stage["artifacts"]) tokenizer_cached = tokenizer_cached || (artifact["type"] == "tokenizer" && artifact["cached"] == true);
  EXPECT_TRUE(tokenizer_cached);
}

TEST_F(Tap, TextIsShortenedForPeople) {
  const auto finished = start("parts", {"-n", "1"});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(finished.out.rfind("parts.train: documents\n-- 0\nid ", 0), 0u) << finished;
  EXPECT_NE(finished.out.find(" bytes)"), std::string::npos) << finished;
}

TEST_F(Tap, NamesWhatIsNotThere) {
  const auto refused = [&](const std::string& edge, int code, const char* text) {
    const auto finished = start(edge);
    EXPECT_EQ(finished.exit_code, code) << finished;
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
  };
  refused("part", 66, "has no node 'part'; did you mean 'parts'?");
  refused("parts.test", 66, "node 'parts' has no output 'test', expected train or heldout");
  refused("clean", 66, "has no output");
  EXPECT_EQ(flowrun({"tap", "prepare.toml"}).exit_code, 2);
  EXPECT_EQ(flowrun({"tap", "prepare.toml", "parts", "-n", "0"}).exit_code, 2);
  EXPECT_EQ(flowrun({"tap", "nosuch.toml", "parts"}).exit_code, 66);
}

}  // namespace
}  // namespace flowrun::testing
