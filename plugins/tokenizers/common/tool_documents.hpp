#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace flowrun::tokenizers {

/// Reads the documents of a tool's file: one JSON string a line. Throws std::runtime_error if it cannot be opened.
inline std::vector<std::string> read_documents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("'" + path + "' cannot be opened");
  std::vector<std::string> documents;
  for (std::string line; std::getline(file, line);) documents.push_back(nlohmann::json::parse(line).get<std::string>());
  return documents;
}

}  // namespace flowrun::tokenizers
