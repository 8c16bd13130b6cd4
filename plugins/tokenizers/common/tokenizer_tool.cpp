// Runs whole tokenizers without a graph, for comparison with other implementations (bench/peers/compare_tokenizers.py, compare_mutations.py). Texts come on
// standard input, a JSON string a line; answers go to standard output, a line of JSON each.
//
//     flowrun_tokenizer_tool answers TOKENIZER_JSON [no_special_tokens]   [ids, tokens, offsets, text of the ids without special tokens]
//     flowrun_tokenizer_tool documents TOKENIZER_JSON                     ids, as the nodes encode documents
//     flowrun_tokenizer_tool files TEXTS                                  the lines are texts of files, each loaded and asked for all TEXTS (a JSON list in a
//                                                                         file): {"refused": message} or a list of answers; null for a text that is refused

#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <flowrun/error.hpp>
#include <nlohmann/json.hpp>

#include "tokenizers/common/pipeline/document_encoder.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace {

using namespace flowrun::tokenizers;

std::string line_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json answer(const Tokenizer& tokenizer, const std::string& text, bool add_special_tokens) {
  const Encoding encoding = tokenizer.encode(text, {.add_special_tokens = add_special_tokens});
  Json offsets = Json::array();
  for (const Range& offset : encoding.offsets) offsets.push_back({offset.begin, offset.end});
  return {encoding.ids, encoding.tokens, std::move(offsets), tokenizer.decode(encoding.ids, true)};
}

template <class Answer>
void answer_lines(Answer&& answer_of) {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << line_of(answer_of(Json::parse(line).get<std::string>()));
}

void answers(const std::string& path, bool add_special_tokens) {
  const Tokenizer tokenizer = load_tokenizer(path);
  answer_lines([&](const std::string& text) { return answer(tokenizer, text, add_special_tokens); });
}

void documents(const std::string& path) {
  const std::string type = load_tokenizer(path).model_type();
  DocumentTokenizer::Encoder encoder(std::make_shared<const DocumentTokenizer>(path, type));
  answer_lines([&](const std::string& text) {
    std::vector<std::uint32_t> ids;
    encoder.encode(text, ids);
    return Json(ids);
  });
}

Json answers_of_file(const std::string& file, const std::vector<std::string>& texts) {
  try {
    const Tokenizer tokenizer = read_tokenizer(file);
    Json list = Json::array();
    for (const std::string& text : texts) {
      try {
        list.push_back(answer(tokenizer, text, true));
      } catch (const flowrun::Error&) {
        list.push_back(nullptr);
      }
    }
    return list;
  } catch (const flowrun::Error& error) {
    return {{"refused", error.what()}};
  }
}

void files(const std::string& texts_path) {
  std::ifstream stream(texts_path, std::ios::binary);
  const auto texts = Json::parse(stream).get<std::vector<std::string>>();
  answer_lines([&](const std::string& file) {
    std::cout.flush();  // what was answered is known should this file end the process
    return answers_of_file(file, texts);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  try {
    if (args.size() >= 2 && args[0] == "answers") return answers(args[1], args.size() == 2), 0;
    if (args.size() == 2 && args[0] == "documents") return documents(args[1]), 0;
    if (args.size() == 2 && args[0] == "files") return files(args[1]), 0;
    std::cerr << "usage: flowrun_tokenizer_tool answers TOKENIZER_JSON [no_special_tokens] | documents TOKENIZER_JSON | files TEXTS\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "flowrun_tokenizer_tool: " << error.what() << '\n';
    return 1;
  }
}
