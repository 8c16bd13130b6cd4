// Scores each line of stdin, an object with `text`: prints {"words", "sentences", "syllables", "flesch", "compression_ratio"}. With --seconds it prints how long the
// counts and the compression took instead. With --syllables each line of stdin is a word, and its syllables are printed.

#include <flowrun/descriptor.hpp>
#include <flowrun/testing/json.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "syllables.hpp"
#include "text_scores.hpp"

namespace filters = flowrun::filters;

namespace {

std::u32string decode(std::string_view text) {
  std::u32string word;
  for (std::size_t at = 0; at < text.size();) {
    const filters::CodePoint next = filters::code_point_at(text, at);
    word += next.value;
    at = next.end;
  }
  return word;
}

template <class Body>
double seconds_of(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc > 1 ? argv[1] : "";
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(option == "--syllables" ? line : flowrun::testing::read_json(line)["text"].text);
  if (option == "--syllables") {
    for (const auto& line : lines) std::printf("%lld\n", static_cast<long long>(filters::count_syllables(decode(line))));
    return 0;
  }

  const filters::CodePointClasses classes;
  filters::Compressor compressor;
  std::vector<filters::TextCounts> counts;
  std::vector<double> ratios;
  const double count_seconds = seconds_of([&] { for (const auto& line : lines) counts.push_back(filters::count_text(line, classes)); });
  const double compress_seconds = seconds_of([&] { for (const auto& line : lines) ratios.push_back(compressor.ratio(line)); });
  if (option == "--seconds") {
    std::printf("{\"counts\":%.6f,\"compression\":%.6f}\n", count_seconds, compress_seconds);
    return 0;
  }
  for (std::size_t i = 0; i < lines.size(); ++i)
    std::printf("{\"words\":%lld,\"sentences\":%lld,\"syllables\":%lld,\"flesch\":%s,\"compression_ratio\":%s}\n", static_cast<long long>(counts[i].words),
                static_cast<long long>(counts[i].sentences), static_cast<long long>(counts[i].syllables),
                flowrun::json::number(filters::flesch_reading_ease(counts[i])).c_str(), flowrun::json::number(ratios[i]).c_str());
}
