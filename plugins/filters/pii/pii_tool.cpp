// Prints the matches of documents; what bench/peers/compare_pii.py compares with regular expressions. Not installed.
//
//     flowrun_pii_tool flowrun|datatrove|KIND < documents.jsonl
//
// KIND: that kind alone. Each line of stdin is an object with `text`. Prints for each a list of [kind, begin, end], in bytes.

#include <flowrun/testing/json.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "finder.hpp"

namespace pii = flowrun::filters::pii;

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  pii::FinderOptions options;
  if (what == "datatrove") options.dialect = pii::Dialect::kDatatrove;
  else if (const auto kind = std::find(pii::kKindNames.begin(), pii::kKindNames.end(), what); kind != pii::kKindNames.end()) options.kinds = 1U << (kind - pii::kKindNames.begin());
  else if (what != "flowrun") {
    std::fputs("usage: flowrun_pii_tool flowrun|datatrove|KIND < documents.jsonl\n", stderr);
    return 2;
  }
  const pii::Finder finder(options);
  pii::Matches matches;
  for (std::string line; std::getline(std::cin, line);) {
    finder.find(flowrun::testing::read_json(line)["text"].text, matches);
    std::string out = "[";
    for (const pii::Match& match : matches) {
      out += (out.size() > 1 ? ",[\"" : "[\"") + std::string(pii::kKindNames[static_cast<std::size_t>(match.kind)]) + "\",";
      out += std::to_string(match.begin) + "," + std::to_string(match.end) + "]";
    }
    std::puts((out + "]").c_str());
  }
  return 0;
}
