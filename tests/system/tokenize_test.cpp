// `flowrun tokenize`, and tokenizers that are there already in a graph. What they give is compared with Hugging Face tokenizers in
// plugins/tokenizers/common/pipeline/golden_test.cpp.

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

class Tokenize : public RunTest {
 protected:
  Tokenize() {
    const auto files = nlohmann::json::parse(read_file(std::string(FLOWRUN_SOURCE_DIR) + "/plugins/tokenizers/common/pipeline/testdata/tokenizers.json"));
    for (const char* name : {"bert_uncased", "gpt2", "llama3"}) write(std::string(name) + "/tokenizer.json", files.at(name).dump());
  }
  Finished tokenize(const std::string& input, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "tokenize");
    arguments.push_back(write("input.txt", input));
    return flowrun(std::move(arguments));
  }
};

TEST_F(Tokenize, GivesALineOfIdsForALineOfText) {
  const auto finished = tokenize("the time\n\nwater\n", {"--tokenizer", "bert_uncased"});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  std::istringstream lines(finished.out);
  std::vector<nlohmann::json> ids;
  for (std::string line; std::getline(lines, line);) ids.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[1], nlohmann::json({2, 3}));  // [CLS] [SEP]
  EXPECT_EQ(ids[0].front(), 2);
  EXPECT_EQ(ids[0].back(), 3);
  const auto bare = tokenize("\n", {"--tokenizer", "bert_uncased/tokenizer.json", "--no-special-tokens"});
  EXPECT_EQ(bare.out, "[]\n");
}

TEST_F(Tokenize, GivesTokensAndOffsetsInCodePoints) {
  const auto finished = tokenize("\"Stra\\u00dfe the\"\n{\"text\":\"\",\"other\":1}\n", {"--tokenizer", "gpt2", "--jsonl"});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto first = nlohmann::json::parse(finished.out.substr(0, finished.out.find('\n')));
  EXPECT_EQ(first["ids"].size(), first["tokens"].size());
  EXPECT_EQ(first["offsets"].back(), nlohmann::json({6, 10}));  // with its space; "Straße" is six code points and seven bytes
  EXPECT_EQ(finished.out.substr(finished.out.find('\n') + 1), "{\"ids\":[],\"tokens\":[],\"offsets\":[]}\n");
}

TEST_F(Tokenize, DecodesWhatItHasEncoded) {
  const std::string text = "The mill's water, 1,234 times: \xE6\x9D\xB1\xE4\xBA\xAC \xF0\x9F\x98\x80";
  for (const char* name : {"gpt2", "llama3"}) {
    const auto ids = tokenize(text + "\n", {"--tokenizer", name});
    ASSERT_EQ(ids.exit_code, 0) << ids;
    EXPECT_EQ(tokenize(ids.out, {"--tokenizer", name, "--decode"}).out, text + "\n") << name;
  }
}

TEST_F(Tokenize, NamesWhatItRefuses) {
  const auto refused = [&](const std::string& input, std::vector<std::string> arguments, int code, const char* text) {
    const auto finished = tokenize(input, std::move(arguments));
    EXPECT_EQ(finished.exit_code, code) << finished;
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
  };
  refused("a\n", {"--tokenizer", "nosuch.json"}, 66, "'nosuch.json' cannot be opened");
  refused("good\nbad \xFF\n", {"--tokenizer", "gpt2"}, 65, "bad_utf8");
  refused("3\n", {"--tokenizer", "gpt2", "--jsonl"}, 65, "input.txt:1: found 3, expected a JSON string");
  refused("[1]\n[1,-2]\n", {"--tokenizer", "gpt2", "--decode"}, 65, "input.txt:2: found -2 in [1,-2], expected a JSON list of ids, whole numbers from 0 to 4294967295");
  refused("\"a\"\n\n", {"--tokenizer", "gpt2", "--jsonl"}, 65, "input.txt:2: found an empty line, expected a JSON string");
  refused("a\n", {}, 2, "--tokenizer");
  write("broken/tokenizer.json", "{\"version\":\"1.0\",\"model\":{\"type\":\"LSTM\"}}");
  refused("a\n", {"--tokenizer", "broken"}, 69, "'model.type' is \"LSTM\"");
  write("cut/tokenizer.json", read("gpt2/tokenizer.json").substr(0, 1000));
  refused("a\n", {"--tokenizer", "cut"}, 65, "in 'cut'");
}

TEST_F(Tokenize, TextThatTheModelHasNoTokenForIsBadInput) {
  write("small/tokenizer.json", R"({"version":"1.0","model":{"type":"Unigram","unk_id":null,"vocab":[["a",-1.0]]}})");
  const auto finished = tokenize("a\nab\n", {"--tokenizer", "small"});
  EXPECT_EQ(finished.exit_code, 65) << finished;
  EXPECT_EQ(finished.out, "[0]\n");
  EXPECT_NE(finished.err.find("input.txt:2"), std::string::npos) << finished;
}

TEST_F(Tokenize, SaysWhatItCannotWriteAndEndsAtTheFirstSignal) {
  write("input.txt", "the time\n");
  const auto shell = [&](const std::string& script) { return run({{"/bin/sh", "-c", script}, path("")}); };
  const auto full = shell("'" + kFlowrun + "' tokenize --tokenizer gpt2 input.txt > /dev/full");
  EXPECT_EQ(full.exit_code, 74) << full;
  EXPECT_NE(full.err.find("standard output cannot be written: No space left on device"), std::string::npos) << full;
  // It has answered one line and waits for the next.
  const auto stopped = shell("mkfifo in; '" + kFlowrun +
                             "' tokenize --tokenizer gpt2 < in > out & exec 3> in; echo a >&3; while [ ! -s out ]; do sleep 0.01; done; kill -TERM $!; wait $!; echo $?");
  EXPECT_EQ(stopped.out, "143\n") << stopped;
}

TEST_F(Tokenize, EndsWhenNobodyReadsItsAnswers) {
  const auto finished = run({{"/bin/sh", "-c", "yes the time | '" + kFlowrun + "' tokenize --tokenizer gpt2 | head -n 1"}, path("")}, 60);
  EXPECT_FALSE(finished.timed_out);
  EXPECT_EQ(finished.out.substr(0, 1), "[") << finished;
}

TEST_F(Tokenize, AnswersALineBeforeItWaitsForTheNextHalf) {
  // The second line has no end yet when the first must have been answered.
  const auto finished = run({{"/bin/sh", "-c", "mkfifo in; '" + kFlowrun + "' tokenize --tokenizer gpt2 < in > out & exec 3> in; printf 'a\\nb' >&3; " +
                                                   "while [ ! -s out ]; do sleep 0.01; done; exec 3>&-; wait $!; wc -l < out"}, path("")}, 60);
  EXPECT_EQ(finished.out, "2\n") << finished;
}

TEST_F(Tokenize, AsksForThePatternOfRanks) {
  const std::string testdata = std::string(FLOWRUN_SOURCE_DIR) + "/plugins/tokenizers/load/testdata/", ranks = testdata + "small.tiktoken";
  ASSERT_EQ(tokenize("a b\n", {"--tokenizer", ranks, "--pattern", "cl100k"}).exit_code, 0);
  const auto refused = [&](std::vector<std::string> arguments, int code, const char* text) {
    const auto finished = tokenize("a\n", std::move(arguments));
    EXPECT_EQ(finished.exit_code, code) << finished;
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
  };
  constexpr const char* kChoices = "--pattern, one of gpt2, cl100k, o200k, llama3, qwen2; ";
  refused({"--tokenizer", ranks}, 2, kChoices);
  refused({"--tokenizer", ranks, "--pattern", "gpt5"}, 2, "--pattern is 'gpt5', expected one of gpt2, cl100k, o200k, llama3, qwen2");
  refused({"--tokenizer", testdata + "bpe.model", "--pattern", "gpt2"}, 2, kChoices);
  refused({"--tokenizer", "gpt2", "--pattern", "gpt2"}, 2, kChoices);
  refused({"--tokenizer", "absent.tiktoken", "--pattern", "gpt2"}, 66, "'absent.tiktoken' cannot be opened");
  // Damage is found before a pattern is asked for.
  const std::string content = read_file(ranks);
  write("cut.tiktoken", content.substr(0, 1001));
  refused({"--tokenizer", "cut.tiktoken"}, 65, "line 124: found 'vw==', expected base64, a space and a rank");
  write("bad.tiktoken", content + "YWFh x\n");
  refused({"--tokenizer", "bad.tiktoken", "--pattern", "gpt2"}, 65, "line 321: 'x' is not a rank");
  write("cut.model", read_file(testdata + "bpe.model").substr(0, 1001));
  refused({"--tokenizer", "cut.model"}, 65, "sentencepiece model: ");
}

TEST_F(Tokenize, AGraphSaysWhatIsWrongWithAnExpressionBeforeItReads) {
  write("in.txt", "the time of water");
  write("small.tiktoken", read_file(std::string(FLOWRUN_SOURCE_DIR) + "/plugins/tokenizers/load/testdata/small.tiktoken"));
  write("graph.toml",
        "[run]\nname = \"t\"\n[node.text]\nplugin = \"readers/text\"\npaths = [\"in.txt\"]\n[node.vocabulary]\nplugin = \"tokenizers/load\"\npath = \"small.tiktoken\"\n"
        "[node.tokens]\nplugin = \"tokenizers/bpe\"\nin = \"text\"\ntokenizer = \"vocabulary\"\ncache = true\n");
  const struct {
    const char *expression, *text;
  } cases[] = {{"a(b", "'expression' cannot be used: the pattern has a '(' without its ')' at byte 1; supported is the syntax of Oniguruma 6.9, but for back-references"},
               {"(a)\\1", "'expression' cannot be used: the pattern has a back-reference at byte 3, which is not supported"}};
  for (const auto& [expression, text] : cases) {
    const auto finished = flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts", "--fresh", "--set", std::string("node.vocabulary.expression=") + expression});
    EXPECT_EQ(finished.exit_code, 78) << finished;
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
    EXPECT_NE(finished.err.find("in node 'vocabulary' (tokenizers/load "), std::string::npos) << finished;
    EXPECT_NE(finished.err.find("graph.toml:6:1"), std::string::npos) << finished;
    EXPECT_FALSE(std::filesystem::exists(path("run"))) << "an earlier run would have been moved aside";
  }
}

TEST_F(Tokenize, AGraphLoadsATokenizerAndEncodesWithIt) {
  write("in.txt", "the time of water\n\nlong words made now");
  const auto graph = [&](const char* tokenizer, const char* encoder) {
    write("graph.toml", std::string("[run]\nname = \"t\"\n[node.text]\nplugin = \"readers/text\"\npaths = [\"in.txt\"]\nsplit = \"blank_lines\"\n[node.vocabulary]\nplugin = \"tokenizers/load\"\npath = \"") +
                            tokenizer + "/tokenizer.json\"\n[node.tokens]\nplugin = \"tokenizers/" + encoder + "\"\nin = \"text\"\ntokenizer = \"vocabulary\"\ncache = true\n");
    return flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts", "--fresh"});
  };
  for (const auto& [tokenizer, encoder] : std::vector<std::pair<const char*, const char*>>{{"bert_uncased", "wordpiece"}, {"llama3", "bpe"}}) {
    const auto finished = graph(tokenizer, encoder);
    ASSERT_EQ(finished.exit_code, 0) << finished;
    EXPECT_EQ(json("run/funnel.json")["nodes"]["tokens"]["out"]["documents"], 2);
    const auto files = artifacts_of("run", "artifacts");
    EXPECT_EQ(files.at("vocabulary/tokenizer/tokenizer.json"), read(std::string(tokenizer) + "/tokenizer.json"));
  }
  // Beside a file of another name there may be another tokenizer's configuration.
  write("other/tokenizer_config.json", "{\"of\": \"another\"}");
  write("other/mine.json", read("gpt2/tokenizer.json"));
  ASSERT_EQ(graph("gpt2", "bpe").exit_code, 0);
  ASSERT_EQ(flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts", "--fresh", "--set", "node.vocabulary.path=other/mine.json"}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(artifacts_of("run", "artifacts").at("vocabulary/tokenizer/tokenizer_config.json"))["tokenizer_class"], "PreTrainedTokenizerFast");
  const auto wrong = graph("bert_uncased", "bpe");
  EXPECT_EQ(wrong.exit_code, 70) << wrong;
  EXPECT_NE(wrong.err.find("use plugin \"tokenizers/wordpiece\""), std::string::npos) << wrong;
}

}  // namespace
}  // namespace flowrun::testing
