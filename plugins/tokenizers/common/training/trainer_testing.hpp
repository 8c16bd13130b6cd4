#pragma once

// What the tests of the trainers' nodes share.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <flowrun/testing.hpp>

namespace flowrun::tokenizers {

using TestParameters = std::vector<std::pair<std::string, testing::Value>>;

/// The files that a trainer wrote, and what it said.
struct Trained {
  std::string tokenizer_json, tokenizer_config_json;
  std::vector<testing::LogLine> logs;
};

/// Trains the plugin that this test is linked with on texts, `per_batch` of them a batch.
inline Trained train_node(const std::vector<std::string>& texts, const TestParameters& parameters, std::size_t per_batch = 100) {
  const testing::TemporaryFolder folder;
  testing::Runner node(flowrun_plugin_v1, parameters);
  testing::OpenOptions options;
  options.staging = folder.path();
  node.open({fields::documents()}, options);
  std::vector<testing::Document> batch;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    batch.push_back({std::to_string(i), texts[i], "d", "s"});
    if (batch.size() == per_batch || i + 1 == texts.size()) node.consume(testing::documents_batch(std::exchange(batch, {})));
  }
  node.finish();
  return {testing::read_file(folder.path("tokenizer.json")), testing::read_file(folder.path("tokenizer_config.json")), node.logs()};
}

/// One line of testdata/tokenizers.jsonl (make_tokenizers.py).
struct TrainedGolden {
  std::vector<std::string> texts;
  TestParameters parameters;
  nlohmann::ordered_json line;
};

inline testing::Value value_of(const nlohmann::ordered_json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  return json.get<std::vector<std::string>>();
}

/// Returns the texts by the name that a golden file gives them. `family` is the folder of all tokenizers.
inline std::vector<std::string> golden_texts(const std::string& family, const nlohmann::ordered_json& name) {
  std::vector<std::string> texts;
  if (name.is_array()) return name.get<std::vector<std::string>>();
  if (name == "texts") {
    texts = nlohmann::json::parse(testing::read_file(family + "/common/pipeline/testdata/texts.json"))["texts"].get<std::vector<std::string>>();
    texts.resize(24);
    return texts;
  }
  const std::string corpus = testing::read_file(family + "/bpe_trainer/testdata/corpus.txt");
  for (std::size_t begin = 0; begin <= corpus.size();) {
    const std::size_t end = std::min(corpus.find("\n\n", begin), corpus.size());
    texts.push_back(corpus.substr(begin, end - begin));
    begin = end + 2;
  }
  return texts;
}

/// Trains on the corpus as it is and in another order and other batches: the files must be the same. Returns the tokenizer.json.
inline std::string train_in_any_order(const std::string& family, std::int64_t vocab_size) {
  std::vector<std::string> texts = golden_texts(family, "corpus");
  const std::string file = train_node(texts, {{"vocab_size", vocab_size}}).tokenizer_json;
  std::shuffle(texts.begin(), texts.end(), std::mt19937(3));
  EXPECT_EQ(train_node(texts, {{"vocab_size", vocab_size}}, 3).tokenizer_json, file);
  return file;
}

/// Trains on the corpus with as much memory as there is and with so little that all counts go to disk, and, with so little, over a snapshot from which
/// another node goes on: the files must be the same. Returns the tokenizer.json.
inline std::string train_with_little_memory(const std::string& family, const TestParameters& parameters) {
  const std::vector<std::string> texts = golden_texts(family, "corpus");
  const Trained expected = train_node(texts, parameters);
  const testing::TemporaryFolder folder, state;
  testing::OpenOptions options;
  options.staging = folder.path();
  options.memory_bytes = 1;
  const auto consume = [&](testing::Runner& node, std::size_t begin, std::size_t end) {
    std::vector<testing::Document> batch;
    for (std::size_t i = begin; i < end; ++i) batch.push_back({std::to_string(i), texts[i], "d", "s"});
    node.consume(testing::documents_batch(batch));
  };
  testing::Runner before(flowrun_plugin_v1, parameters), after(flowrun_plugin_v1, parameters);
  before.open({fields::documents()}, options);
  consume(before, 0, 20);
  before.snapshot(state.path());
  consume(before, 20, texts.size());  // a snapshot changes nothing
  before.finish();
  EXPECT_EQ(testing::read_file(folder.path("tokenizer.json")), expected.tokenizer_json);
  std::filesystem::remove(folder.path("tokenizer.json"));
  after.open({fields::documents()}, options);
  after.restore(state.path());
  EXPECT_GT(after.memory_bytes(), 0);
  consume(after, 20, texts.size());
  after.finish();
  EXPECT_EQ(testing::read_file(folder.path("tokenizer.json")), expected.tokenizer_json);
  EXPECT_EQ(testing::read_file(folder.path("tokenizer_config.json")), expected.tokenizer_config_json);
  return expected.tokenizer_json;
}

/// Returns the messages of a level.
inline std::vector<std::string> messages_of(const std::vector<testing::LogLine>& logs, flowrun_log_level level) {
  std::vector<std::string> messages;
  for (const testing::LogLine& line : logs)
    if (line.level == level) messages.push_back(line.message);
  return messages;
}

inline std::vector<TrainedGolden> read_trained_goldens(const std::string& plugin_folder) {
  std::vector<TrainedGolden> goldens;
  std::ifstream file(plugin_folder + "/testdata/tokenizers.jsonl");
  for (std::string text; std::getline(file, text);) {
    TrainedGolden golden;
    golden.line = nlohmann::ordered_json::parse(text);
    golden.texts = golden_texts(plugin_folder + "/..", golden.line["documents"]);
    for (const auto& [name, value] : golden.line["parameters"].items()) golden.parameters.emplace_back(name, value_of(value));
    goldens.push_back(std::move(golden));
  }
  return goldens;
}

}  // namespace flowrun::tokenizers
