// Decides on each line of stdin, an object with `text`, by the default limits: prints {"reason", "value"}, both null where it is kept.
// With --seconds it prints the time that the decisions took instead.

#include <flowrun/descriptor.hpp>
#include <flowrun/testing/json.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "gopher_quality.hpp"

int main(int argc, char** argv) {
  const flowrun::filters::GopherQuality rules{{}};
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);) texts.push_back(flowrun::testing::read_json(line)["text"].text);

  const auto start = std::chrono::steady_clock::now();
  std::vector<std::optional<flowrun::filters::GopherVerdict>> verdicts;
  for (const auto& text : texts) verdicts.push_back(rules.check(text));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  if (argc > 1 && std::string_view(argv[1]) == "--seconds") {
    std::printf("%.6f\n", seconds.count());
    return 0;
  }
  for (const auto& verdict : verdicts)
    std::printf("{\"reason\":%s,\"value\":%s}\n", verdict ? flowrun::json::quote(verdict->reason).c_str() : "null",
                verdict ? flowrun::json::number(verdict->value).c_str() : "null");
}
