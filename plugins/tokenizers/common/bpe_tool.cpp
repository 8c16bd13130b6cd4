// Runs the tokenizers without a graph, for comparison with other implementations (bench/peers/compare_bpe.py, tokenizer_speed.py). Documents are
// read from a file of one JSON string a line; results go to stdout, one JSON list a line; seconds go to stderr as one JSON object.
//
//     flowrun_bpe_tool pretokens DOCUMENTS                        lengths in bytes
//     flowrun_bpe_tool train VOCAB_SIZE MIN_FREQUENCY DOCUMENTS [PATTERN]   the tokenizer.json; of named_patterns.hpp, gpt2
//     flowrun_bpe_tool encode TOKENIZER_JSON DOCUMENTS [quiet]    ids; with `quiet`, only their number
//     flowrun_bpe_tool speed TOKENIZER_JSON SLICES THREADS        answers requests on stdin: see encoder_speed.hpp

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tokenizers/bpe_trainer/bpe_trainer.hpp"
#include "tokenizers/common/bpe_encoder.hpp"
#include "tokenizers/common/encoder_speed.hpp"
#include "tokenizers/common/gpt2_pretokenizer.hpp"
#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "tokenizers/common/tokenizer_json.hpp"
#include "tokenizers/common/tool_documents.hpp"

namespace {

using namespace flowrun::bpe;
using flowrun::tokenizers::read_documents;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class T>
void print_list(const std::vector<T>& values) {
  std::string line = "[";
  for (const T value : values) (line += line.size() > 1 ? "," : "") += std::to_string(value);
  std::cout << line << "]\n";
}

void pretokens(const std::string& path) {
  for (const std::string& document : read_documents(path)) {
    std::vector<std::size_t> sizes;
    for (std::size_t begin = 0; begin < document.size(); begin += sizes.back()) sizes.push_back(gpt2_pretoken_end(document, begin) - begin);
    print_list(sizes);
  }
}

void train(const BpeTrainerOptions& options, const std::string& pattern, const std::string& path) {
  const auto documents = read_documents(path);
  const auto expression = flowrun::tokenizers::expression_named(pattern);
  const auto scanner = flowrun::tokenizers::find_scanner(expression);
  if (scanner == nullptr) throw std::runtime_error("'" + pattern + "' is no pattern");
  const auto start = Clock::now();
  flowrun::tokenizers::WordCounter pretokens({});
  for (const std::string& document : documents) count_pretokens(document, scanner, pretokens);
  const double count_seconds = seconds_since(start);
  const BpeModel model = train_bpe(pretokens, options);
  std::cerr << nlohmann::json{{"seconds", seconds_since(start)}, {"count_seconds", count_seconds}, {"counter_bytes", pretokens.memory_bytes()}} << '\n';
  std::cout << write_tokenizer_json(model, pattern == "gpt2" ? "" : expression);
}

void encode(const std::string& tokenizer, const std::string& path, bool quiet) {
  const auto documents = read_documents(path);
  BpeEncoder encoder(std::make_shared<const Bpe>(read_byte_level_model(flowrun::tokenizers::load_json(tokenizer))));
  std::vector<std::vector<std::uint32_t>> ids(documents.size());
  std::size_t tokens = 0, bytes = 0;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < documents.size(); ++i) {
    encoder.encode(documents[i], ids[i]);
    tokens += ids[i].size();
    bytes += documents[i].size();
    if (quiet) std::vector<std::uint32_t>().swap(ids[i]);
  }
  const double seconds = seconds_since(start);
  std::cerr << nlohmann::json{{"seconds", seconds}, {"mb_per_s", static_cast<double>(bytes) / 1e6 / seconds}, {"tokens", tokens}} << '\n';
  if (quiet) return;
  for (const auto& document : ids) print_list(document);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if (args.size() == 2 && args[0] == "pretokens") return pretokens(args[1]), 0;
    if (args.size() >= 4 && args[0] == "train") {
      BpeTrainerOptions options;
      options.vocab_size = static_cast<std::uint32_t>(std::stoul(args[1]));
      options.min_frequency = std::stoull(args[2]);
      return train(options, args.size() > 4 ? args[4] : "gpt2", args[3]), 0;
    }
    if (args.size() >= 3 && args[0] == "encode") return encode(args[1], args[2], args.size() > 3 && args[3] == "quiet"), 0;
    if (args.size() == 4 && args[0] == "speed") return flowrun::tokenizers::measure_encoder(args[1], args[2], std::stoul(args[3]), std::cin, std::cout), 0;
    std::cerr << "usage: flowrun_bpe_tool pretokens DOCUMENTS | train VOCAB_SIZE MIN_FREQUENCY DOCUMENTS [PATTERN] | encode TOKENIZER_JSON DOCUMENTS [quiet] |"
                 " speed TOKENIZER_JSON SLICES THREADS\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "flowrun_bpe_tool: " << error.what() << '\n';
    return 1;
  }
}
