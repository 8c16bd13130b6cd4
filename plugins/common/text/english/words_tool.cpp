// What the scripts of bench/peers run beside datatrove; not installed.
//
//     flowrun_words_tool words|sentences|lower < documents.jsonl  the words or sentences of each text, or all of it in lower case, one JSON list a line
//     flowrun_words_tool words --seconds < documents.jsonl        the time that it took instead
//
// Each line of stdin is an object with `text`.

#include <flowrun/descriptor.hpp>
#include <flowrun/testing/json.hpp>

#include <ctime>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/english/words.hpp"
#include "common/text/python_lower.hpp"

namespace {

using Strings = std::vector<std::string>;

Strings copies(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const bool seconds_only = argc > 2 && std::string_view(argv[2]) == "--seconds";
  if (what != "words" && what != "sentences" && what != "lower") {
    std::fputs("usage: flowrun_words_tool words|sentences|lower [--seconds]\n", stderr);
    return 2;
  }
  Strings texts;
  for (std::string line; std::getline(std::cin, line);) texts.push_back(flowrun::testing::read_json(line)["text"].text);

  const flowrun::text::EnglishWords english;
  flowrun::text::WordList words;
  double seconds = 0;  // of the processor, so that what else runs on the machine does not count
  for (const std::string& text : texts) {
    const std::clock_t start = std::clock();
    std::string lower;
    if (what == "words") english.split(text, words);
    else if (what == "sentences") words.words = english.split_sentences(text);
    else words.words = {lower = flowrun::text::python_lower(text)};
    seconds += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    if (!seconds_only) std::puts(flowrun::json::list(copies(words.words)).c_str());
  }
  if (seconds_only) std::printf("%.6f\n", seconds);
}
