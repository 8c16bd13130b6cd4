// Runs tokenizers/load and the encoders of documents without a graph, for bench/peers/compare_formats.py. Documents are read from a file of one JSON string
// a line; results go to stdout; seconds of the processor go to stderr as one JSON object.
//
//     flowrun_formats_tool convert PATH [PATTERN]                            the tokenizer.json
//     flowrun_formats_tool encode TOKENIZER_JSON MODEL_TYPE DOCUMENTS [quiet]  ids, one JSON list a document; with `quiet`, only their number

#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats.hpp"
#include "tokenizers/common/pipeline/document_encoder.hpp"
#include "tokenizers/common/tool_documents.hpp"

namespace {

using namespace flowrun::tokenizers;

void encode(const std::string& tokenizer, const std::string& model_type, const std::string& path, bool quiet) {
  DocumentTokenizer::Encoder encoder(std::make_shared<const DocumentTokenizer>(tokenizer, model_type));
  const auto documents = read_documents(path);
  std::vector<std::vector<std::uint32_t>> ids(documents.size());
  const std::clock_t start = std::clock();
  std::size_t count = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    encoder.encode(documents[i], ids[i]);
    count += ids[i].size();
  }
  std::cerr << nlohmann::json{{"cpu_seconds", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC}} << "\n";
  if (quiet) std::cout << count << "\n";
  else for (const auto& list : ids) std::cout << nlohmann::json(list) << "\n";
}

int run(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "" : arguments[0];
  if (command == "convert" && (arguments.size() == 2 || arguments.size() == 3)) {
    std::cout << read_tokenizer_files(arguments[1], {arguments.size() == 3 ? arguments[2] : "", "", {}}).tokenizer_json;
    return EXIT_SUCCESS;
  }
  if (command == "encode" && (arguments.size() == 4 || arguments.size() == 5)) {
    encode(arguments[1], arguments[2], arguments[3], arguments.size() == 5);
    return EXIT_SUCCESS;
  }
  std::cerr << "usage: flowrun_formats_tool convert PATH [PATTERN] | encode TOKENIZER_JSON MODEL_TYPE DOCUMENTS [quiet]\n";
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "flowrun_formats_tool: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
