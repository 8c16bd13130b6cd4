#include "run/run_folder.hpp"

#include <deque>
#include <filesystem>

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include "base/durable.hpp"

namespace flowrun::run {
namespace {

class ManifestInputs : public ::testing::Test {
 protected:
  ManifestInputs() {
    for (std::size_t i = 0; i < 3000; ++i) {  // more than is written at once
      names_.push_back("data/\"" + std::to_string(i) + "\n.txt");
      inputs_.push_back({{names_.back(), names_.back()}, static_cast<std::int64_t>(i)});
      inputs_.back().hex.fill(static_cast<char>('a' + i % 6));
    }
  }
  RunFolder open(const std::vector<InputDigests::Input>& inputs) { return RunFolder(path_, {std::string(64, 'f'), nlohmann::json::array(), &inputs}, false, reporter_); }
  void save() {
    RunFolder folder = open(inputs_);
    folder.manifest() = {{"graph_hash", std::string(64, 'f')}, {"plugins", nlohmann::json::array()}, {"status", "running"}, {"artifacts", {{{"node", "\n \"inputs\": ["}}}}};
    folder.save_manifest();
  }
  std::string text() const { return io::read_file(path_ + "/manifest.json"); }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path("run");
  Reporter reporter_{Verbosity::kQuiet};
  std::deque<std::string> names_;
  std::vector<InputDigests::Input> inputs_;
};

TEST_F(ManifestInputs, AreWrittenAsOneJsonTextWouldBe) {
  for (const std::size_t count : {3000, 1, 0}) {
    inputs_.resize(count);
    std::filesystem::remove_all(path_);
    save();
    const auto manifest = nlohmann::json::parse(text());
    ASSERT_EQ(manifest["inputs"].size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(manifest["inputs"][i], inputs_[i].to_json());
    EXPECT_EQ(text(), manifest.dump(1) + "\n");
  }
}

TEST_F(ManifestInputs, ThatAreTheSameLetTheRunGoOn) {
  save();
  RunFolder folder = open(inputs_);
  EXPECT_EQ(folder.state(), FolderState::kUnfinished);
  EXPECT_EQ(folder.manifest()["status"], "running");
}

TEST_F(ManifestInputs, OfWhichOneIsAnotherSetTheRunAside) {
  using Change = void (*)(std::vector<InputDigests::Input>&);
  for (const Change change : {Change([](auto& inputs) { inputs[1700].hex[63] = 'x'; }), Change([](auto& inputs) { inputs.pop_back(); }), Change([](auto& inputs) { inputs.push_back(inputs.back()); })}) {
    save();
    auto other = inputs_;
    change(other);
    EXPECT_EQ(open(other).state(), FolderState::kNew);
    std::filesystem::remove_all(path_);
  }
}

}  // namespace
}  // namespace flowrun::run
