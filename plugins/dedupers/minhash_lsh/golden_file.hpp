#pragma once

// Reads the golden file that bench/peers/compare_minhash.py writes: documents with what datatrove makes of them.

#include <flowrun/testing/json.hpp>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace flowrun::dedupers::testing {

struct GoldenDocument {
  std::string id, text;
  std::string first;       ///< of its cluster
  std::string simplified;
  std::vector<std::uint64_t> signature;  ///< of 2 buckets of 2 hashes, seed 3; empty: none
};

/// Throws where the file cannot be read.
inline std::vector<GoldenDocument> read_golden_file() {
  const std::string path = FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl";
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path + " cannot be read");
  std::vector<GoldenDocument> documents;
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    GoldenDocument document{json["id"].text, json["text"].text, json["first"].text, json["simplified"].text, {}};
    for (const auto& value : json["signature"].items) document.signature.push_back(std::stoull(value.text));
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace flowrun::dedupers::testing
