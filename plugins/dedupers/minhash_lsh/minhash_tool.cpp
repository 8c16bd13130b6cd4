// What bench/peers/compare_minhash.py runs beside datatrove; not installed.
//
//     flowrun_minhash_tool simplified < documents.jsonl            simplify_text of each text, one JSON string a line
//     flowrun_minhash_tool signature [OPTION=N ...] < documents.jsonl   each text's signature, one JSON list a line
//     flowrun_minhash_tool seconds [OPTION=N ...] < documents.jsonl     the processor time that keys of all texts take
//
// Each line of stdin is an object with `text`. Options: fast (0 or 1), n_grams, buckets, hashes_per_bucket, seed, hash_bits.

#include <flowrun/descriptor.hpp>
#include <flowrun/testing/json.hpp>

#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "simplified_text.hpp"
#include "sketcher.hpp"

namespace {

using namespace flowrun::dedupers;

SketchOptions options_of(int argc, char** argv) {
  std::map<std::string, unsigned long> numbers;
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    numbers[argument.substr(0, equals)] = std::stoul(argument.substr(equals + 1));
  }
  const auto number = [&](const char* name, unsigned long otherwise) { return numbers.contains(name) ? numbers[name] : otherwise; };
  return {number("fast", 0) != 0,         number("n_grams", 5),  number("buckets", 14),
          number("hashes_per_bucket", 8), static_cast<std::uint32_t>(number("seed", 1)), static_cast<int>(number("hash_bits", 64))};
}

void print_signatures(const std::vector<std::string>& texts, const Sketcher& sketcher) {
  Sketcher::Scratch scratch;
  std::vector<std::uint64_t> signature;
  for (const std::string& text : texts) {
    sketcher.signature(text, scratch, signature);
    std::string line = "[";
    for (const std::uint64_t value : signature) line += (line.size() > 1 ? "," : "") + std::to_string(value);
    std::puts((line + "]").c_str());
  }
}

double seconds_of(const std::vector<std::string>& texts, const Sketcher& sketcher, std::size_t buckets) {
  Sketcher::Scratch scratch;
  std::vector<BucketKey> keys(buckets);
  const std::clock_t start = std::clock();
  for (const std::string& text : texts) sketcher.keys(text, scratch, keys);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  std::vector<std::string> texts;
  for (std::string line; std::getline(std::cin, line);) texts.push_back(flowrun::testing::read_json(line)["text"].text);
  if (what == "simplified") {
    const TextSimplifier simplifier;
    std::string simplified;
    for (const std::string& text : texts) {
      simplifier.simplify(text, simplified);
      std::puts(flowrun::json::quote(simplified).c_str());
    }
    return 0;
  }
  if (what != "signature" && what != "seconds") {
    std::fputs("usage: flowrun_minhash_tool simplified|signature|seconds [OPTION=N ...]\n", stderr);
    return 2;
  }
  const SketchOptions options = options_of(argc, argv);
  const auto sketcher = Sketcher::make(options);
  if (what == "signature") print_signatures(texts, *sketcher);
  else std::printf("%.6f\n", seconds_of(texts, *sketcher, options.buckets));
}
