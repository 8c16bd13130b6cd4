// Every page of corpus/, of the golden pages and of the hostile ones once: what a fuzzer has found stays mended in each build.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "extract_fuzz.hpp"
#include "filters/extract_html/hostile_pages.hpp"

namespace flowrun::filters::html {
namespace {

namespace fs = std::filesystem;

int run_all(const fs::path& folder) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NO_THROW(fuzz_extract_html(bytes)) << entry.path();
    ++count;
  }
  return count;
}

TEST(ExtractHtmlFuzz, HoldsForTheCorpus) {
  EXPECT_GE(run_all(FLOWRUN_TEST_SOURCE_DIR "/corpus/extract_html"), 10) << "the corpus is gone";
  EXPECT_EQ(run_all(FLOWRUN_TEST_SOURCE_DIR "/../testdata/pages"), 24);
}

TEST(ExtractHtmlFuzz, HoldsForHostilePages) {
  for (const std::size_t bytes : {100u, 4000u, 100000u})
    for (const auto& [name, page] : hostile_pages(bytes)) EXPECT_NO_THROW(fuzz_extract_html(page)) << name << " " << bytes;
}

}  // namespace
}  // namespace flowrun::filters::html
