// graphs/tokenizer.toml over text that the test makes: what its report says is counted again from the held-out documents and the ids that `flowrun tokenize`
// gives them.

#include <set>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string kGraph = std::string(FLOWRUN_SOURCE_DIR) + "/graphs/tokenizer.toml";

class TokenizerGraph : public RunTest {
 protected:
  TokenizerGraph() {
    Prose prose(9);
    for (const char* domain : {"web", "books"}) {
      std::string lines;
      for (int i = 0; i < 150; ++i) lines += Json{{"text", prose.document() + (i % 4 == 0 ? "\u00A0\u6771\u4EAC \U0001F600" : "")}, {"from", domain}}.dump() + "\n";
      write(std::string("text/") + domain + ".jsonl", lines);
    }
    // The graph as it is, and its held-out documents beside the report.
    write("kept.toml", "include = [\"" + kGraph + "\"]\n[node.heldout]\nplugin = \"writers/jsonl\"\nin = \"parts.heldout\"\npath = \"heldout.jsonl\"\n");
  }

  Finished run_graph(const std::string& graph, const std::string& output, const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> arguments{"run", graph, "--output", output, "--artifacts", "artifacts", "--json"};
    std::vector<std::string> all{"node.source.plugin=readers/jsonl", "node.source.paths=[\"text/*.jsonl\"]", "node.source.domain_field=from", "node.vocabulary.vocab_size=400",
                                 "node.parts.heldout_fraction=0.3"};
    all.insert(all.end(), settings.begin(), settings.end());
    for (const auto& setting : all) arguments.insert(arguments.end(), {"--set", setting});
    return flowrun(arguments, {{"FLOWRUN_PLUGIN_PATH", ""}});
  }

  /// Returns what `flowrun tokenize` says of each text: ids, and where they stand.
  std::vector<Json> tokenize(const std::string& tokenizer, const std::vector<Json>& documents) const {
    std::string lines;
    for (const auto& document : documents) lines += document["text"].dump() + "\n";
    write("lines.jsonl", lines);
    const auto finished = flowrun({"tokenize", "--tokenizer", tokenizer, "--jsonl", "--no-special-tokens", "lines.jsonl"}, {{"FLOWRUN_PLUGIN_PATH", ""}});
    EXPECT_EQ(finished.exit_code, 0) << finished;
    write("answers.jsonl", finished.out);
    return json_lines("answers.jsonl");
  }
};

/// Counts of one domain, made from nothing but texts and tokens.
struct Expected {
  std::int64_t documents = 0, bytes = 0, characters = 0, words = 0, tokens = 0, continued = 0;
  bool operator==(const Expected&) const = default;
};

/// Returns for each character of a text the number of its word, -1 for the white space of this test's text.
std::vector<int> words_of_characters(const std::string& text) {
  std::vector<int> words;
  int word = -1;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = (text[at] & 0x80) == 0 ? 1 : (text[at] & 0xE0) == 0xC0 ? 2 : (text[at] & 0xF0) == 0xE0 ? 3 : 4;
    const std::string character = text.substr(at, bytes);
    const bool space = character == " " || character == "\n" || character == "\u00A0";
    if (!space && !inside) ++word;
    inside = !space;
    words.push_back(space ? -1 : word);
    at += bytes;
  }
  return words;
}

void count(const Json& document, const Json& tokens, Expected& expected) {
  const auto words = words_of_characters(document["text"]);
  std::map<int, std::set<std::size_t>> tokens_of_word;
  for (std::size_t i = 0; i < tokens["ids"].size(); ++i)
    for (std::size_t at = tokens["offsets"][i][0]; at < tokens["offsets"][i][1]; ++at)
      if (words[at] >= 0) tokens_of_word[words[at]].insert(i);
  ++expected.documents;
  expected.bytes += static_cast<std::int64_t>(document["text"].get<std::string>().size());
  expected.characters += static_cast<std::int64_t>(words.size());
  expected.words += words.empty() ? 0 : *std::max_element(words.begin(), words.end()) + 1;
  expected.tokens += static_cast<std::int64_t>(tokens["ids"].size());
  expected.continued += std::count_if(tokens_of_word.begin(), tokens_of_word.end(), [](const auto& word) { return word.second.size() > 1; });
}

TEST_F(TokenizerGraph, ReportsWhatIsCountedAgainFromItsHeldOutDocuments) {
  const auto finished = run_graph("kept.toml", "run");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(finished.err.find("warning"), std::string::npos) << finished;
  const auto documents = json_lines("run/heldout.jsonl");
  const auto tokens = tokenize("run/tokenizer", documents);
  ASSERT_EQ(tokens.size(), documents.size());
  std::map<std::string, Expected> expected;
  std::map<std::uint32_t, std::int64_t> counts;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    count(documents[i], tokens[i], expected[documents[i]["domain"]]);
    for (const auto& id : tokens[i]["ids"]) ++counts[id];
  }
  ASSERT_EQ(expected.size(), 2u);

  const auto report = json("run/tokenizer-report.json");
  const auto& own = report["tokenizers"][0];
  for (const auto& [domain, values] : expected) {
    const auto &text = report["text"]["domains"][domain], &figures = own["domains"][domain];
    EXPECT_GT(values.documents, 20);
    EXPECT_GT(values.continued, 100);
    EXPECT_EQ((Expected{text["documents"], text["bytes"], text["characters"], text["words"], figures["tokens"], figures["continued_words"]}), values) << domain << ": " << text << figures;
    EXPECT_DOUBLE_EQ(figures["bytes_per_token"], static_cast<double>(values.bytes) / static_cast<double>(values.tokens));
    EXPECT_DOUBLE_EQ(figures["fertility"], static_cast<double>(values.tokens) / static_cast<double>(values.words));
  }
  std::set<std::uint32_t> listed;
  for (const auto& id : own["vocabulary"]["unused"]["ids"]) listed.insert(id.get<std::uint32_t>());
  std::set<std::uint32_t> unused;
  for (std::uint32_t id = 3; id < 400; ++id)  // 0 to 2 are special
    if (!counts.contains(id) && unused.size() < 100) unused.insert(id);
  EXPECT_EQ(listed, unused);
  EXPECT_EQ(own["vocabulary"]["unused"]["count"], 397 - static_cast<std::int64_t>(counts.size()));
  EXPECT_EQ(own["vocabulary"]["used"], counts.size());
  EXPECT_EQ(own["vocabulary"]["used_once"], std::count_if(counts.begin(), counts.end(), [](const auto& entry) { return entry.second == 1; }));
  EXPECT_NE(read("run/tokenizer-report.md").find("| bytes per token |"), std::string::npos);
}

TEST_F(TokenizerGraph, LeavesTheTokenizerInTheRunsFolderAndIsNotRunTwice) {
  ASSERT_EQ(run_graph(kGraph, "run").exit_code, 0);
  const auto artifacts = artifacts_of("run", "artifacts");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) EXPECT_EQ(read(std::string("run/tokenizer/") + name), artifacts.at(std::string("vocabulary/tokenizer/") + name));

  const auto again = run_graph(kGraph, "again");
  ASSERT_EQ(again.exit_code, 0) << again;
  const Json cached = Json::parse(again.out);
  for (const auto& stage : cached.at("stages")) EXPECT_EQ(stage["cached"], true);
  for (const char* name : {"tokenizer/tokenizer.json", "tokenizer-report.json", "tokenizer-report.md"}) EXPECT_EQ(read(std::string("again/") + name), read(std::string("run/") + name));

  // The same run again puts back what somebody has removed, a file of a folder as well, and leaves the rest alone.
  for (const char* name : {"tokenizer/tokenizer_config.json", "tokenizer-report.md"}) ASSERT_TRUE(fs::remove(path(std::string("run/") + name)));
  ASSERT_TRUE(fs::remove(path("run/tokenizer/tokenizer.json")));
  write("run/tokenizer/tokenizer.json", "mine");
  ASSERT_EQ(run_graph(kGraph, "run").exit_code, 0);
  for (const char* name : {"tokenizer/tokenizer_config.json", "tokenizer-report.md"}) EXPECT_EQ(read(std::string("run/") + name), read(std::string("again/") + name));
  EXPECT_EQ(read("run/tokenizer/tokenizer.json"), "mine");

  // Where the report goes is no part of it; what it lists is, and the vocabulary is then used again.
  const auto elsewhere = run_graph(kGraph, "elsewhere", {"node.report.folder=for/my/model", "node.report.path=out/numbers.json"});
  ASSERT_EQ(elsewhere.exit_code, 0) << elsewhere;
  const Json moved = Json::parse(elsewhere.out);
  for (const auto& stage : moved.at("stages")) EXPECT_EQ(stage["cached"], true);
  EXPECT_EQ(read("elsewhere/for/my/model/tokenizer.json"), read("again/tokenizer/tokenizer.json"));
  EXPECT_EQ(read("elsewhere/out/numbers.json"), read("run/tokenizer-report.json"));
  const auto longer = Json::parse(run_graph(kGraph, "longer", {"node.report.longest=5"}).out);
  EXPECT_EQ(longer["stages"].front()["cached"], true);
  EXPECT_EQ(longer["stages"].back()["cached"], false);
}

TEST_F(TokenizerGraph, TheReportIsTheSameForAnyThreadsAndBatches) {
  const std::vector<std::string> baselines{"node.report.baselines=[\"run/tokenizer/tokenizer.json\"]"};
  ASSERT_EQ(run_graph(kGraph, "run").exit_code, 0);
  ASSERT_EQ(run_graph(kGraph, "one", {baselines[0], "run.threads=1", "run.batch_documents=3"}).exit_code, 0);
  fs::remove_all(path("artifacts"));
  ASSERT_EQ(run_graph(kGraph, "two", {baselines[0], "run.threads=2", "run.batch_documents=500"}).exit_code, 0);
  EXPECT_EQ(read("one/tokenizer-report.json"), read("two/tokenizer-report.json"));
  EXPECT_EQ(read("one/tokenizer-report.md"), read("two/tokenizer-report.md"));
  const auto report = json("one/tokenizer-report.json");
  EXPECT_EQ(report["tokenizers"][0]["total"], report["tokenizers"][1]["total"]);  // beside itself
  EXPECT_EQ(report["comparison"][0]["bytes_per_token_ratio"]["total"], 1.0);
}

TEST_F(TokenizerGraph, RefusesWhatTheReportDoesNotKnow) {
  const auto refused = [&](const std::vector<std::string>& settings, const char* text) {
    const auto finished = run_graph(kGraph, "run", settings);
    EXPECT_EQ(finished.exit_code, 78) << finished;
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
  };
  refused({"node.report.longst=5"}, "did you mean 'longest'");
  refused({"node.report.longest=-1"}, "'longest' is -1, expected");
  refused({"node.report.baselines=[]"}, "'baselines' is empty");
  refused({"node.report.folder=../tokenizer"}, "expected the path of a file inside the run's folder");
  refused({"node.report.folder=model"}, "'model' of the run's folder is flowrun's own");
  refused({"node.report.folder=tokenizer-report.json"}, "writes already");
  refused({"node.report.tokenizer_path=x.json"}, "exactly one of 'tokenizer', 'tokenizer_path' must be given, found 2");
  EXPECT_FALSE(fs::exists(path("run")));
  const auto absent = run_graph(kGraph, "run", {"node.report.baselines=[\"nosuch.json\"]"});
  EXPECT_EQ(absent.exit_code, 66) << absent;
}

}  // namespace
}  // namespace flowrun::testing
