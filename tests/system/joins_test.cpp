// Sources of different columns that enter one node, and mixtures that are written: each through the built binary.

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

class Joins : public RunTest {
 protected:
  /// Books have titles, questions have scores and tags.
  void write_sources() const {
    write("books.jsonl", R"({"text": "Call me Ishmael.", "title": "Moby-Dick"}
{"text": "It was a bright cold day.", "title": null}
)");
    write("questions.jsonl", R"({"text": "How does a fold work?", "score": 7, "tag": "code"}
)");
  }
  /// Returns two readers and whatever follows them.
  static std::string graph(const std::string& book_columns, const std::string& question_columns, const std::string& more) {
    return "[node.books]\nplugin = \"readers/jsonl\"\npaths = [\"books.jsonl\"]\ndomain = \"books\"\ncolumns = [" + book_columns +
           "]\n[node.questions]\nplugin = \"readers/jsonl\"\npaths = [\"questions.jsonl\"]\ndomain = \"questions\"\ncolumns = [" + question_columns + "]\n" + more;
  }
  Finished run_graph(const std::string& name, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"run", name, "--output", "out", "--artifacts", "artifacts", "--fresh"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return flowrun(arguments);
  }
};

constexpr const char* kWriteBoth = "[node.all]\nplugin = \"writers/jsonl\"\nin = [\"books\", \"questions\"]\npath = \"all.jsonl\"\n";

TEST_F(Joins, HaveTheColumnsOfAllAndNullsWhereASourceLacksOne) {
  write_sources();
  write("both.toml", graph("\"title\"", "\"score: integer\", \"tag\"", kWriteBoth));
  const auto finished = run_graph("both.toml");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto lines = json_lines("out/all.jsonl");
  ASSERT_EQ(lines.size(), 3u);
  const auto value = [&](std::size_t line, const char* key) { return lines[line].value(key, nlohmann::json()); };
  EXPECT_EQ(value(0, "title"), "Moby-Dick");
  EXPECT_TRUE(value(0, "score").is_null());
  EXPECT_TRUE(value(1, "title").is_null());
  EXPECT_TRUE(value(2, "title").is_null());
  EXPECT_EQ(value(2, "score"), 7);
  EXPECT_EQ(value(2, "tag"), "code");
  EXPECT_EQ(value(2, "text"), "How does a fold work?");
  expect_exact_sums(json("out/funnel.json"));
}

TEST_F(Joins, OfColumnsWithTwoTypesEndWith78AndNameBoth) {
  write_sources();
  write("types.toml", graph("\"title\", \"score\"", "\"score: integer\"", kWriteBoth));
  const auto finished = run_graph("types.toml");
  EXPECT_EQ(finished.exit_code, 78) << finished;
  EXPECT_NE(finished.err.find("column 'score' is string from 'books' and int64 from 'questions'; give one of them another name or type"), std::string::npos) << finished;
  EXPECT_NE(finished.err.find("at types.toml:11:1"), std::string::npos) << finished;
}

/// Tokens of two readers, mixed, and written as shards.
constexpr const char* kMixed = R"([node.vocabulary]
plugin = "tokenizers/bpe_trainer"
in = ["books", "questions"]
vocab_size = 300
[node.book_tokens]
plugin = "tokenizers/bpe"
in = "books"
tokenizer = "vocabulary"
[node.question_tokens]
plugin = "tokenizers/bpe"
in = "questions"
tokenizer = "vocabulary"
[node.mix]
plugin = "mixers/weighted"
in = ["book_tokens", "question_tokens"]
weights = { books = 2.0 }
EPOCHS
[node.shards]
plugin = "writers/token_shards"
in = "mix"
path = "shards"
format = "raw"
vocab_size = 300
[node.megatron]
plugin = "writers/token_shards"
in = "mix"
path = "megatron"
format = "megatron"
vocab_size = 300
)";

std::string mixed(const std::string& end) {
  std::string text = kMixed;
  return text.replace(text.find("EPOCHS"), 6, end);
}

class WrittenMixes : public Joins {
 protected:
  WrittenMixes() {
    Prose prose(11);
    std::string books, questions;
    for (int i = 0; i < 400; ++i) books += nlohmann::json{{"text", prose.document()}, {"title", i % 3 ? nlohmann::json("t" + std::to_string(i)) : nlohmann::json()}}.dump() + "\n";
    for (int i = 0; i < 150; ++i) questions += nlohmann::json{{"text", prose.document()}, {"score", i}}.dump() + "\n";
    write("books.jsonl", books);
    write("questions.jsonl", questions);
  }
};

TEST_F(WrittenMixes, HoldEveryDocumentAsOftenAsTheMixtureDrawsIt) {
  write("mix.toml", graph("\"title\"", "\"score: integer\"", mixed("epochs = 3.0")));
  const auto finished = run_graph("mix.toml");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto index = json("out/shards/shard-00000.json");
  const auto planned = flowrun({"plan", "mix.toml", "--artifacts", "artifacts", "--json"});
  ASSERT_EQ(planned.exit_code, 0) << planned;
  const auto plan = nlohmann::json::parse(planned.out);
  const auto& mix = plan["mixes"][0];
  EXPECT_EQ(index["tokens"].get<std::int64_t>(), mix["tokens"].get<std::int64_t>() + index["documents"].get<std::int64_t>()) << "each document ends with the end-of-text id";
  std::map<std::string, double> tokens;
  for (const auto& domain : mix["domains"]) tokens[domain["domain"]] = domain["proportion"];
  EXPECT_EQ(tokens.size(), 2u);
  const auto funnel = json("out/funnel.json");
  EXPECT_EQ(funnel["nodes"]["shards"]["in"]["documents"], index["documents"]);
  EXPECT_GT(index["documents"].get<int>(), 3 * 500) << "three epochs of all documents that are no copies";
  expect_exact_sums(funnel);
}

TEST_F(WrittenMixes, AreTheSameBytesForAnyThreadsAndBatches) {
  write("mix.toml", graph("\"title\"", "\"score: integer\"", mixed("epochs = 1.5")));
  std::map<std::string, std::string> first;
  for (const auto& [threads, batch] : std::vector<std::pair<std::string, std::string>>{{"1", "524288"}, {"2", "1000"}, {"4", "60000"}}) {
    const auto finished = run_graph("mix.toml", {"--no-cache", "--threads", threads, "--set", "run.batch_bytes=" + batch});
    ASSERT_EQ(finished.exit_code, 0) << finished;
    auto files = read_tree(path("out/shards"));
    files.merge(read_tree(path("out/megatron")));
    if (first.empty()) first = files;
    EXPECT_EQ(differences(first, files), std::vector<std::string>{}) << threads << " " << batch;
  }
  EXPECT_EQ(first.size(), 3u);
}

TEST_F(WrittenMixes, WithoutAnEndAreRefusedBeforeAnythingRuns) {
  write("endless.toml", graph("", "", mixed("")));
  const auto finished = flowrun({"validate", "endless.toml", "--json"});
  EXPECT_EQ(finished.exit_code, 78) << finished;
  const auto report = nlohmann::json::parse(finished.out, nullptr, false);
  ASSERT_EQ(report["diagnostics"].size(), 2u) << report;
  const auto& found = report["diagnostics"][0];
  EXPECT_EQ(found["code"], "constraint");
  EXPECT_EQ(found["message"], "'mix' gives rows without end, and 'shards' reads them to the end; write 'epochs' or 'tokens' or 'stages' in node 'mix'");
  EXPECT_EQ(found["node"], "shards");
  EXPECT_EQ(found["line"], 30) << "of `in`";
}

TEST_F(WrittenMixes, OfStagesAreWrittenWhereTheStagesEnd) {
  const std::string stage = "[[node.mix.stages]]\ntokens = 20_000\n", rest = "[[node.mix.stages]]\nweights = { books = 5.0 }\n";
  write("stages.toml", graph("\"title\"", "\"score: integer\"", mixed("")) + stage + stage);
  ASSERT_EQ(run_graph("stages.toml").exit_code, 0);
  EXPECT_GE(json("out/shards/shard-00000.json")["tokens"].get<int>(), 40'000);
  write("endless.toml", graph("\"title\"", "\"score: integer\"", mixed("")) + stage + rest);
  const auto finished = run_graph("endless.toml");
  EXPECT_EQ(finished.exit_code, 78) << finished;
  EXPECT_NE(finished.err.find("'mix' gives rows without end, and 'shards' reads them to the end\n  at endless.toml:23:1"), std::string::npos) << finished;
}

TEST_F(Joins, OfNodesWithAddedColumnsAreValid) {
  write_sources();
  write("scored.toml", graph("", "", "[node.scored]\nplugin = \"filters/text_scores\"\nin = \"books\"\nscores = [\"words\"]\n"
                                     "[node.unique]\nplugin = \"dedupers/exact\"\nin = [\"questions\", \"scored\"]\n"
                                     "[node.all]\nplugin = \"writers/jsonl\"\nin = \"unique\"\npath = \"all.jsonl\"\n"));
  const auto finished = run_graph("scored.toml");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto lines = json_lines("out/all.jsonl");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].value("score.words", nlohmann::json()).is_null()) << lines[0];
  EXPECT_EQ(lines[1].value("score.words", nlohmann::json()), 3) << lines[1];
}

}  // namespace
}  // namespace flowrun::testing
