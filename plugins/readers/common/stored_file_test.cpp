#include "readers/common/stored_file.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "readers/common/compress_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::TemporaryFolder;
using ::testing::HasSubstr;

/// Text that compresses to a fraction and whose every part is different.
std::string sample_text(std::size_t bytes) {
  std::string text;
  for (std::uint64_t i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i * 2654435761u % 1000003) + " of the sample\n";
  text.resize(bytes);
  return text;
}

std::string read_all(StoredFile& file, std::size_t step = 10007) {
  std::string text, buffer(step, '\0');
  while (const std::size_t got = file.read(buffer.data(), buffer.size())) text.append(buffer, 0, got);
  return text;
}

class StoredFileTest : public ::testing::Test {
 protected:
  std::string read(const std::string& name, const std::string& bytes) {
    StoredFile file(folder_.write(name, bytes));
    const std::string text = read_all(file);
    damage_ = file.damage();
    return text;
  }

  TemporaryFolder folder_;
  std::optional<Damage> damage_;
};

TEST_F(StoredFileTest, ReadsPlainGzipAndZstd) {
  const std::string text = sample_text(3 << 20);
  EXPECT_TRUE(read("a.txt", text) == text);
  EXPECT_TRUE(read("a.gz", gzip(text)) == text);
  EXPECT_TRUE(read("a.zst", zstd(text)) == text);
  EXPECT_FALSE(damage_);
}

TEST_F(StoredFileTest, ReadsManyMembersAndFrames) {
  const std::string a = sample_text(200000), b = "the second", text = a + b + a;
  EXPECT_TRUE(read("a.gz", gzip(a) + gzip(b) + gzip("") + gzip(a)) == text);
  EXPECT_FALSE(damage_);
  EXPECT_TRUE(read("b.gz", gzip(a) + std::string(600000, '\0') + gzip(b) + gzip(a) + std::string(7, '\0')) == text) << "zeros between members are padding";
  EXPECT_FALSE(damage_);
  EXPECT_TRUE(read("a.zst", zstd(a) + zstd(b) + zstd("") + zstd(a)) == text);
  EXPECT_FALSE(damage_);
}

TEST_F(StoredFileTest, TakesEmptyFiles) {
  for (const char* name : {"a", "a.gz", "a.zst"}) {
    EXPECT_EQ(read(name, ""), "");
    EXPECT_FALSE(damage_) << name;
  }
}

TEST_F(StoredFileTest, GivesTheTextBeforeACut) {
  const std::string text = sample_text(3 << 20);
  for (const auto& [name, bytes, code] : {std::tuple("a.gz", gzip(text), "damaged_gzip"), std::tuple("a.zst", zstd(text), "damaged_zstd")}) {
    const std::string cut = bytes.substr(0, bytes.size() / 2);
    const std::string read_text = read(name, cut);
    EXPECT_TRUE(text.starts_with(read_text));
    EXPECT_GT(read_text.size(), text.size() / 3) << name;
    ASSERT_TRUE(damage_) << name;
    EXPECT_STREQ(damage_->code, code);
    EXPECT_EQ(damage_->status, Code::kCorruptData);
    EXPECT_EQ(damage_->offset + damage_->file_bytes, static_cast<std::int64_t>(cut.size()));
    EXPECT_THAT(damage_->message, HasSubstr("ends inside a"));
    EXPECT_THAT(damage_->message, HasSubstr("at byte " + std::to_string(damage_->offset)));
  }
}

TEST_F(StoredFileTest, SeesEveryCutOfASmallFile) {
  const std::string text = sample_text(300);
  for (const auto& [name, bytes] : {std::pair("a.gz", gzip(text)), std::pair("a.zst", zstd(text))}) {
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      EXPECT_TRUE(text.starts_with(read(name, bytes.substr(0, size))));
      EXPECT_TRUE(damage_) << name << " cut at " << size;
    }
  }
}

TEST_F(StoredFileTest, SeesFlippedBits) {
  const std::string text = sample_text(3 << 20);
  for (const auto& [name, bytes, code] : {std::tuple("a.gz", gzip(text), "damaged_gzip"), std::tuple("a.zst", zstd(text), "damaged_zstd")}) {
    for (std::size_t part = 1; part < 8; ++part) {
      std::string damaged = bytes;
      damaged[bytes.size() * part / 8] = static_cast<char>(damaged[bytes.size() * part / 8] ^ 0x10);
      const std::string read_text = read(name, damaged);
      ASSERT_TRUE(damage_) << name << " part " << part;
      EXPECT_STREQ(damage_->code, code);
      EXPECT_LE(damage_->offset, static_cast<std::int64_t>(bytes.size()));
      // Up to the block before the flipped bit the text is right: of zstd's blocks of 128 KiB at most two are lost.
      if (std::string(name) == "a.zst") {
        const std::size_t sure = text.size() * part / 8 > (512 << 10) ? text.size() * part / 8 - (512 << 10) : 0;
        EXPECT_TRUE(read_text.substr(0, sure) == text.substr(0, sure)) << part;
      }
    }
  }
}

TEST_F(StoredFileTest, DoesNotDependOnTheStepOfItsReader) {
  std::string damaged = zstd(sample_text(3 << 20));
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  const std::string path = folder_.write("a.zst", damaged);
  StoredFile small(path), large(path);
  EXPECT_TRUE(read_all(small, 4096) == read_all(large, 8 << 20));
  EXPECT_EQ(small.damage()->offset, large.damage()->offset);
}

TEST_F(StoredFileTest, SeesTextBehindTheLastMember) {
  EXPECT_EQ(read("a.gz", gzip("good") + "and garbage"), "good");
  ASSERT_TRUE(damage_);
  EXPECT_EQ(damage_->code, std::string("damaged_gzip"));
  EXPECT_EQ(read("a.gz", "never compressed"), "");
  EXPECT_TRUE(damage_);
  EXPECT_EQ(read("a.zst", "never compressed"), "");
  EXPECT_TRUE(damage_);
}

TEST_F(StoredFileTest, NamesAMissingFile) {
  try {
    StoredFile file(folder_.path("none.txt"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("none.txt: cannot be"));
  }
}

}  // namespace
}  // namespace flowrun::readers
