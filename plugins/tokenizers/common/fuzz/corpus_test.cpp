// Every input of corpus/ once: what a fuzzer has found stays mended in each build, with sanitizers or without, whatever the compiler.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "targets.hpp"

namespace flowrun::tokenizers {
namespace {

namespace fs = std::filesystem;

struct Target {
  const char* name;  // of the folder too
  void (*run)(std::string_view);
};

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, Holds) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(FLOWRUN_TEST_SOURCE_DIR) / "corpus" / GetParam().name)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 10u) << "the corpus is gone";
  for (const fs::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_NO_THROW(GetParam().run(bytes)) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus,
                         ::testing::Values(Target{"tokenizer_file", fuzz_tokenizer_file}, Target{"encode", fuzz_encode}, Target{"tiktoken_ranks", fuzz_tiktoken_ranks},
                                           Target{"sentencepiece_model", fuzz_sentencepiece_model}, Target{"pattern", fuzz_pattern}),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace flowrun::tokenizers
