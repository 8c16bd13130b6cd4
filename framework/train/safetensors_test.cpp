#include "train/safetensors.hpp"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include <flowrun/error.hpp>

#include "base/durable.hpp"

namespace flowrun::train::safetensors {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string file_with(const std::string& header, std::size_t data_bytes) {
  std::string file(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, 'x');
}

Header parse(const std::string& file) { return parse_header(bytes_of(file), file.size(), "f"); }

std::string failure(const std::string& file) {
  try {
    parse(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCorruptData);
    return error.message();
  }
  return "accepted";
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

class SafetensorsFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "safetensors_test-" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST(SafetensorsHeader, ReadsWhatTheReferenceWriterGives) {
  // Made with safetensors 0.6.2: save({"b": int64 [2], "a": float32 [2, 1]}, metadata={"format": "pt"}).
  const Header header = parse(file_with(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[16,24]}}   )", 24));
  EXPECT_EQ(header.metadata.at("format"), "pt");
  EXPECT_EQ(header.tensors.at("a"), (TensorInfo{"F32", {2, 1}, 16, 24}));
  EXPECT_EQ(header.tensors.at("b"), (TensorInfo{"I64", {2}, 0, 16}));
}

TEST(SafetensorsHeader, AcceptsScalarsAndEmptyTensors) {
  const Header header = parse(file_with(R"({"s":)" + tensor("F32", "[]", "[0,4]") + R"(,"e":)" + tensor("F32", "[0,7]", "[4,4]") + "}", 4));
  EXPECT_EQ(header.tensors.size(), 2u);
}

TEST(SafetensorsHeader, RefusesDamage) {
  EXPECT_EQ(failure("1234567"), "'f': the file has 7 bytes, expected at least 8");
  EXPECT_EQ(failure(std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8)), "'f': the header has 18446744073709551615 bytes, expected at most 100000000");
  EXPECT_EQ(failure(std::string("\x09\0\0\0\0\0\0\0{}", 10)), "'f': the header has 9 bytes, but 2 follow its length");
  EXPECT_EQ(failure(file_with("[]", 0)), "'f': the header does not begin with '{'");
  EXPECT_NE(failure(file_with("{\"a\":", 0)).find("is not JSON"), std::string::npos);
  EXPECT_NE(failure(file_with("{} {}", 0)).find("is not JSON"), std::string::npos);
  EXPECT_NE(failure(file_with("{\"\xff\":1}", 0)).find("is not JSON"), std::string::npos);
  EXPECT_EQ(failure(file_with("{}", 1)), "'f': the data has 1 bytes, expected 0");
  EXPECT_EQ(failure(file_with(R"({"__metadata__":{"a":1}})", 0)), "'f': __metadata__ 'a' is not a string");
}

TEST(SafetensorsHeader, RefusesKeysThatStandTwice) {
  const std::string one = tensor("F32", "[1]", "[0,4]");
  EXPECT_EQ(failure(file_with(R"({"a":)" + one + R"(,"a":)" + one + "}", 4)), "'f': the header has the key 'a' twice");
  EXPECT_EQ(failure(file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"F32"}})", 4)), "'f': the header has the key 'dtype' twice");
  // The same key in two objects is no duplicate.
  EXPECT_EQ(parse(file_with(R"({"a":)" + one + R"(,"b":)" + tensor("F32", "[1]", "[4,8]") + "}", 8)).tensors.size(), 2u);
}

TEST(SafetensorsHeader, RefusesWrongTensors) {
  const auto with = [](const std::string& value) { return failure(file_with(R"({"a":)" + value + "}", 8)); };
  EXPECT_EQ(with(R"({"dtype":"F32"})"), "'f': tensor 'a' must have exactly dtype, shape and data_offsets");
  EXPECT_EQ(with(tensor("F33", "[2]", "[0,8]")), "'f': tensor 'a' has the unknown dtype 'F33'");
  EXPECT_EQ(with(tensor("F32", "[-2]", "[0,8]")), "'f': tensor 'a': an extent of shape is -2, expected a whole number of at least 0");
  EXPECT_EQ(with(tensor("F32", "[2.0]", "[0,8]")), "'f': tensor 'a': an extent of shape is 2.0, expected a whole number of at least 0");
  EXPECT_EQ(with(tensor("F32", "[4294967296,4294967296,2]", "[0,8]")), "'f': tensor 'a': the product of shape overflows");
  EXPECT_EQ(with(tensor("F32", "[4611686018427387905]", "[0,4]")), "'f': tensor 'a': the product of shape overflows");
  EXPECT_EQ(with(tensor("F32", "[3]", "[0,8]")), "'f': tensor 'a' has data_offsets [0, 8], expected 12 bytes for its dtype and shape");
  EXPECT_EQ(with(tensor("F32", "[2]", "[8,0]")), "'f': tensor 'a' has data_offsets [8, 0], expected 8 bytes for its dtype and shape");
  EXPECT_EQ(with(tensor("F32", "[2]", "[4,12]")), "'f': tensor 'a' begins at byte 4 of the data, expected 0");
  EXPECT_EQ(with(tensor("F32", "[1]", "[0,4]")), "'f': the data has 8 bytes, expected 4");
  EXPECT_EQ(with(tensor("F32", "[2]", "[18446744073709551608,0]")).substr(0, 17), "'f': tensor 'a' h");
}

TEST(SafetensorsHeader, RefusesOverlapsAndGaps) {
  const auto with = [](const std::string& a, const std::string& b, std::size_t bytes) {
    return failure(file_with(R"({"a":)" + tensor("F32", "[1]", a) + R"(,"b":)" + tensor("F32", "[1]", b) + "}", bytes));
  };
  EXPECT_EQ(with("[0,4]", "[0,4]", 4), "'f': tensor 'b' begins at byte 0 of the data, expected 4");
  EXPECT_EQ(with("[0,4]", "[8,12]", 12), "'f': tensor 'b' begins at byte 8 of the data, expected 4");
}

TEST_F(SafetensorsFile, GivesBackWhatWasWritten) {
  const std::vector<float> a = {1, 2, 3};
  const std::vector<std::int64_t> b = {-1};
  const std::string path = folder_ + "/f.safetensors";
  write_file(path, {{"b", "I64", {1}, std::as_bytes(std::span(b))}, {"a", "F32", {3, 1}, std::as_bytes(std::span(a))}, {"none", "F32", {0}, {}}}, {{"k", "v"}});
  const File file(path);
  EXPECT_EQ(file.header().data_offset % 8, 0u);
  EXPECT_EQ(file.header().metadata.at("k"), "v");
  EXPECT_EQ(file.header().tensors.at("a").shape, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(std::memcmp(file.bytes("a").data(), a.data(), 12), 0);
  EXPECT_EQ(std::memcmp(file.bytes("b").data(), b.data(), 8), 0);
  EXPECT_TRUE(file.bytes("none").empty());
  EXPECT_THROW(file.bytes("c"), Error);
}

TEST_F(SafetensorsFile, RefusesToWriteWhatItWouldNotRead) {
  const std::vector<float> a = {1, 2, 3};
  const auto bytes = std::as_bytes(std::span(a));
  EXPECT_THROW(write_file(folder_ + "/f", {{"a", "F32", {2}, bytes}}), Error);
  EXPECT_THROW(write_file(folder_ + "/f", {{"a", "F32", {3}, bytes}, {"a", "F32", {3}, bytes}}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(SafetensorsFile, AnyChangedByteOfTheHeaderIsReadStrictlyOrRefused) {
  const std::vector<float> values(6, 1.0f);
  const auto bytes = std::as_bytes(std::span(values));
  const std::string path = folder_ + "/f.safetensors";
  write_file(path, {{"a", "F32", {2}, bytes.first(8)}, {"b", "F32", {4}, bytes.last(16)}});
  const std::string good = io::read_file(path);
  const std::size_t head = parse(good).data_offset;
  std::mt19937 random(20250101);
  int refused = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string bad = good;
    const int changes = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < changes; ++i) bad[random() % head] = static_cast<char>(random());
    if (trial % 4 == 0) bad.resize(random() % (bad.size() + 1));
    try {
      const Header header = parse(bad);
      std::uint64_t covered = 0;
      for (const auto& [name, info] : header.tensors) {
        EXPECT_LE(info.end, bad.size() - header.data_offset);
        covered += info.end - info.begin;
      }
      EXPECT_EQ(covered, bad.size() - header.data_offset);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorruptData) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10000);
}

TEST_F(SafetensorsFile, NamesAFileThatIsNotThere) {
  try {
    File file(folder_ + "/none");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_NE(error.message().find("/none"), std::string::npos);
  }
}

}  // namespace
}  // namespace flowrun::train::safetensors
