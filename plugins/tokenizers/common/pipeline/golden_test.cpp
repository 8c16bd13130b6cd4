// Tokenizers of every kind against what Hugging Face tokenizers 0.23.3 gives for texts of many scripts: make_golden.py writes testdata/.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

using nlohmann::json;

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(FLOWRUN_TEST_SOURCE_DIR) + "/testdata/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::uint32_t> flat_offsets(const Encoding& encoding) {
  std::vector<std::uint32_t> out;
  for (const Range& offset : encoding.offsets) out.insert(out.end(), {offset.begin, offset.end});
  return out;
}

/// One tokenizer and the library's answers: [ids, offsets one after another, decoded text] for each text.
struct Golden {
  std::string name, tokenizer;
  json answers;
};

class Goldens : public ::testing::TestWithParam<int> {
 public:
  static const std::vector<Golden>& all() {
    static const std::vector<Golden> goldens = [] {
      const json files = json::parse(read_file("tokenizers.json"));
      std::vector<Golden> list;
      std::ifstream lines(std::string(FLOWRUN_TEST_SOURCE_DIR) + "/testdata/answers.jsonl");
      for (std::string line; std::getline(lines, line);) {
        json entry = json::parse(line);
        const std::string name = entry[0];
        list.push_back({name, files.at(name).dump(), std::move(entry[1])});
      }
      return list;
    }();
    return goldens;
  }
  static const std::vector<std::string>& texts() {
    static const std::vector<std::string> list = json::parse(read_file("texts.json"))["texts"];
    return list;
  }
};

TEST_P(Goldens, IdsOffsetsAndDecodedTextAreEqual) {
  const Golden& golden = all().at(static_cast<std::size_t>(GetParam()));
  SCOPED_TRACE(golden.name);
  const Tokenizer tokenizer = read_tokenizer(golden.tokenizer);
  ASSERT_EQ(golden.answers.size(), texts().size());
  for (std::size_t i = 0; i < texts().size(); ++i) {
    const std::string& text = texts()[i];
    const Encoding encoding = tokenizer.encode(text);
    EXPECT_EQ(json(encoding.ids), golden.answers[i][0]) << "ids of text " << i << ": " << json(text);
    EXPECT_EQ(json(flat_offsets(encoding)), golden.answers[i][1]) << "offsets of text " << i << ": " << json(text);
    EXPECT_EQ(tokenizer.decode(encoding.ids, false), golden.answers[i][2].get<std::string>()) << "text " << i << " decoded: " << json(text);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Goldens, ::testing::Range(0, 30), [](const auto& one) { return Goldens::all().at(static_cast<std::size_t>(one.param)).name; });

TEST(GoldenFiles, HoldAsManyTokenizersAsAreTested) {
  EXPECT_EQ(Goldens::all().size(), 30u);
  EXPECT_GE(Goldens::texts().size(), 60u);
}

}  // namespace
}  // namespace flowrun::tokenizers
