// What bench/peers/compare_fasttext.py runs beside the fasttext library; not installed.
//
//     flowrun_fasttext_tool MODEL < documents.jsonl              the labels of each text with their probabilities, one JSON object a line
//     flowrun_fasttext_tool MODEL --seconds < documents.jsonl    the time that it took instead
//     flowrun_fasttext_tool MODEL --check FILE...                reads each file as a model and says what is wrong with it; MODEL is not read
//
// Each line of stdin is an object with `text`.

#include "filters/common/fasttext/model_file.hpp"

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>
#include <flowrun/testing/json.hpp>

#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using flowrun::filters::fasttext::Model;

std::string as_json(const Model& model, std::string_view text) {
  std::string out = "{";
  for (const auto& prediction : model.predict(text)) {
    if (out.size() > 1) out += ',';
    out += flowrun::json::quote(model.label(prediction.label)) + ":" + flowrun::json::number(static_cast<double>(prediction.probability));
  }
  return out + "}";
}

void check(const std::vector<std::string>& files) {
  for (const std::string& file : files) try {
      flowrun::filters::fasttext::read_model(file);
      std::puts("null");
    } catch (const flowrun::Error& error) {
      std::puts(flowrun::json::quote(error.what()).c_str());
    }
}

void classify(const std::string& file, bool seconds_only) {
  const Model model = flowrun::filters::fasttext::read_model(file);
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);) texts.push_back(flowrun::testing::read_json(line)["text"].text);
  const std::clock_t start = std::clock();  // of the processor, so that what else runs on the machine does not count
  for (const std::string& text : texts) {
    if (seconds_only) model.ask(text, {});
    else std::puts(as_json(model, text).c_str());
  }
  if (seconds_only) std::printf("%.6f\n", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string option = arguments.size() > 1 ? arguments[1] : "";
  if (arguments.empty() || (arguments.size() > 1 && option != "--seconds" && option != "--check")) {
    std::fputs("usage: flowrun_fasttext_tool MODEL [--seconds] < documents.jsonl, or MODEL --check FILE...\n", stderr);
    return 2;
  }
  try {
    if (option == "--check") check({arguments.begin() + 2, arguments.end()});
    else classify(arguments[0], option == "--seconds");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flowrun_fasttext_tool: %s\n", error.what());
    return 1;
  }
}
