#pragma once

// Reads the golden files that bench/peers/compare_filters.py writes: documents with datatrove's decision.

#include <flowrun/testing/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace flowrun::filters::testing {

struct GoldenDocument {
  std::string text;
  std::string reason;  ///< "" where it is kept
  std::string after;   ///< its text then
};

/// Throws where the file cannot be read.
inline std::vector<GoldenDocument> read_golden_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path + " cannot be read");
  std::vector<GoldenDocument> documents;
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    documents.push_back({json["text"].text, json["reason"].text, json["changed"].is_null() ? json["text"].text : json["changed"].text});
  }
  return documents;
}

}  // namespace flowrun::filters::testing
