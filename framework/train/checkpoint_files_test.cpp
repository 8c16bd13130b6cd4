#include "train/checkpoint_files.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include <flowrun/error.hpp>

#include "base/durable.hpp"
#include "train/safetensors.hpp"

namespace flowrun::train {
namespace {

namespace fs = std::filesystem;

class CheckpointFiles : public testing::Test {
 protected:
  void SetUp() override {
    run_ = testing::TempDir() + "checkpoint_files_test-" + std::to_string(::getpid());
    fs::remove_all(run_);
    fs::create_directories(checkpoints());
  }
  void TearDown() override { fs::remove_all(run_); }

  std::string checkpoints() const { return run_ + "/checkpoints"; }
  std::string folder(std::int64_t step) const { return checkpoints() + "/" + checkpoint_name(step); }

  void commit(std::int64_t step, std::int64_t keep) {
    const std::string staged = checkpoints() + "/.staged";
    fs::create_directories(staged);
    const std::vector<float> values(4, static_cast<float>(step));
    safetensors::write_file(staged + "/model.safetensors", {{"w", "F32", {4}, std::as_bytes(std::span(values))}});
    safetensors::write_file(staged + "/optimizer.safetensors", {{"w.exp_avg", "F32", {4}, std::as_bytes(std::span(values))}});
    io::write_file(staged + "/config.json", "{}\n");
    CheckpointState state;
    state.step = step;
    io::write_file(staged + "/state.json", state.to_json());
    write_checkpoint_manifest(staged);
    commit_checkpoint(staged, checkpoints(), step, keep);
  }
  static void flip(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }

  std::string run_;
};

TEST_F(CheckpointFiles, StateGoesThroughJson) {
  CheckpointState state;
  state.step = 400;
  state.seed = 0xffffffffffffffffu;
  state.graph_hash = "ab";
  state.schedule = R"({"name":"cosine"})";
  state.exact = false;
  const CheckpointState read = CheckpointState::from_json(state.to_json(), "f");
  EXPECT_EQ(read.step, 400);
  EXPECT_EQ(read.seed, 0xffffffffffffffffu);
  EXPECT_EQ(read.schedule, R"({"name":"cosine"})");
  EXPECT_FALSE(read.exact);
  EXPECT_THROW(CheckpointState::from_json(R"({"step":"x"})", "f"), Error);
  EXPECT_THROW(CheckpointState::from_json("[", "f"), Error);
}

TEST_F(CheckpointFiles, LatestPointsAtTheLastAndOldOnesGo) {
  for (const std::int64_t step : {100, 200, 300, 400}) commit(step, 3);
  EXPECT_EQ(list_checkpoints(checkpoints()), (std::vector<std::int64_t>{200, 300, 400}));
  EXPECT_EQ(fs::read_symlink(checkpoints() + "/latest"), "step-00000400");
  EXPECT_TRUE(verify_checkpoint(checkpoints() + "/latest").problems.empty());
  EXPECT_FALSE(fs::exists(checkpoints() + "/.staged"));
}

TEST_F(CheckpointFiles, NamesEachDamagedFile) {
  commit(100, 3);
  EXPECT_EQ(verify_checkpoint(folder(100)).files, 4);
  flip(folder(100) + "/model.safetensors", 70);
  fs::resize_file(folder(100) + "/config.json", 1);
  fs::remove(folder(100) + "/state.json");
  const auto problems = verify_checkpoint(folder(100)).problems;
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0], "'config.json' has 1 bytes, expected 3");
  EXPECT_NE(problems[1].find("'model.safetensors' has sha256 "), std::string::npos);
  EXPECT_EQ(problems[2], "'state.json' is missing");
}

TEST_F(CheckpointFiles, RefusesManifestsThatSayNothingOrLeadOut) {
  commit(100, 3);
  const auto problem_with = [&](const std::string& manifest) {
    io::write_file(folder(100) + "/manifest.json", manifest);
    const auto problems = verify_checkpoint(folder(100)).problems;
    return problems.empty() ? std::string("none") : problems[0];
  };
  EXPECT_EQ(problem_with("{"), "'manifest.json' is not a manifest: expected {\"files\": {...}}");
  EXPECT_EQ(problem_with(R"({"files":{}})"), "'manifest.json' lists no files");
  EXPECT_EQ(problem_with(R"({"files":{"../x":{"bytes":1,"sha256":""}}})"), "manifest.json lists '../x', which is not a file name");
  EXPECT_EQ(problem_with(R"({"files":{"config.json":{"bytes":-3}}})"), "manifest.json: 'config.json' must have bytes and sha256");
  fs::remove(folder(100) + "/manifest.json");
  EXPECT_EQ(verify_checkpoint(folder(100)).problems.at(0), "'manifest.json' is missing");
  EXPECT_THROW(verify_checkpoint(run_ + "/none"), Error);
}

TEST_F(CheckpointFiles, FallsBackToTheOneBeforeADamagedOne) {
  commit(100, 3);
  commit(200, 3);
  flip(folder(200) + "/optimizer.safetensors", 80);
  std::vector<std::string> warnings;
  EXPECT_EQ(find_checkpoint(checkpoints(), warnings), 100);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("step-00000200' is damaged and not used"), std::string::npos);
  // The run gets to step 200 again, and writes over the damaged one.
  commit(200, 3);
  warnings.clear();
  EXPECT_EQ(find_checkpoint(checkpoints(), warnings), 200);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(CheckpointFiles, FindsNothingWhereNothingIs) {
  std::vector<std::string> warnings;
  EXPECT_EQ(find_checkpoint(run_ + "/none", warnings), std::nullopt);
  EXPECT_EQ(find_checkpoint(checkpoints(), warnings), std::nullopt);
}

TEST_F(CheckpointFiles, ModelIsTheCheckpointWithoutOptimizerAndState) {
  commit(100, 3);
  publish_model(folder(100), run_ + "/model");
  EXPECT_TRUE(verify_checkpoint(run_ + "/model").problems.empty());
  EXPECT_TRUE(fs::exists(run_ + "/model/model.safetensors"));
  EXPECT_TRUE(fs::exists(run_ + "/model/config.json"));
  EXPECT_FALSE(fs::exists(run_ + "/model/state.json"));
  EXPECT_FALSE(fs::exists(run_ + "/model/optimizer.safetensors"));
  commit(200, 3);
  publish_model(folder(200), run_ + "/model");
  EXPECT_EQ(io::read_file(run_ + "/model/model.safetensors"), io::read_file(folder(200) + "/model.safetensors"));
}

TEST_F(CheckpointFiles, PublishingRepairsWhatAKillLeft) {
  commit(100, 3);
  publish_model(folder(100), run_ + "/model");
  const auto written = fs::last_write_time(run_ + "/model/config.json");
  publish_model(folder(100), run_ + "/model");
  EXPECT_EQ(fs::last_write_time(run_ + "/model/config.json"), written) << "a whole model is not written again";
  // Killed between the two renames: the old one is away, the new one not there yet.
  fs::rename(run_ + "/model", run_ + "/model.old");
  fs::create_directories(run_ + "/model.tmp");
  publish_model(folder(100), run_ + "/model");
  EXPECT_TRUE(verify_checkpoint(run_ + "/model").problems.empty());
  EXPECT_FALSE(fs::exists(run_ + "/model.old"));
  EXPECT_FALSE(fs::exists(run_ + "/model.tmp"));
  flip(run_ + "/model/model.safetensors", 70);
  publish_model(folder(100), run_ + "/model");
  EXPECT_TRUE(verify_checkpoint(run_ + "/model").problems.empty());
}

}  // namespace
}  // namespace flowrun::train
