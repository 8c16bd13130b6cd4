#pragma once

// Reads testdata/: files of lines that hold a name and ranges of code points, `Lu 41-5A C0-D6 ...`.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace flowrun::tokenizers {

constexpr char32_t kCodePoints = 0x110000;

inline bool is_surrogate(char32_t c) { return c >= 0xD800 && c < 0xE000; }

/// Holds for each code point whether it is in one of the ranges of a line.
using CodePointSet = std::vector<bool>;

inline CodePointSet parse_ranges(std::istream& words) {
  CodePointSet set(kCodePoints);
  for (std::string range; words >> range;) {
    const std::size_t dash = range.find('-');
    const char32_t first = std::stoul(range, nullptr, 16);
    const char32_t last = dash == std::string::npos ? first : std::stoul(range.substr(dash + 1), nullptr, 16);
    for (char32_t c = first; c <= last; ++c) set.at(c) = true;
  }
  return set;
}

inline std::map<std::string, CodePointSet> read_ranges(const std::string& name) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/" + name);
  std::map<std::string, CodePointSet> sets;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    sets[key] = parse_ranges(words);
  }
  return sets;
}

}  // namespace flowrun::tokenizers
