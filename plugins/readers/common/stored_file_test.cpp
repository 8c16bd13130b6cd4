#include "readers/common/stored_file.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "readers/common/compress_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::TemporaryFolder;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

struct Compression {
  const char* name;  ///< of a file
  std::string (*compress)(std::string_view text);
  const char* damaged;
};

constexpr Compression kCompressions[] = {{"a.gz", gzip, "damaged_gzip"},
                                         {"a.zst", zstd, "damaged_zstd"},
                                         {"a.xz", xz, "damaged_xz"},
                                         {"a.bz2", bzip2, "damaged_bzip2"},
                                         {"a.lz4", lz4, "damaged_lz4"}};

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
  std::string read(const std::string& name, const std::string& bytes, std::size_t step = 10007) {
    StoredFile file(folder_.write(name, bytes));
    const std::string text = read_all(file, step);
    damage_ = file.damage();
    plain_ = file.is_plain();
    return text;
  }

  TemporaryFolder folder_;
  std::optional<Damage> damage_;
  bool plain_ = false;
};

TEST_F(StoredFileTest, ReadsPlainAndCompressedFiles) {
  const std::string text = sample_text(3 << 20);
  EXPECT_TRUE(read("a.txt", text) == text);
  EXPECT_TRUE(plain_);
  for (const auto& [name, compress, damaged] : kCompressions) {
    EXPECT_TRUE(read(name, compress(text)) == text) << name;
    EXPECT_FALSE(damage_) << name;
    EXPECT_FALSE(plain_) << name;
  }
}

TEST_F(StoredFileTest, TellsTheFormatByContentThenByName) {
  for (const auto& [name, compress, damaged] : kCompressions) {
    for (const char* other : {"a", "a.txt", "a.gz", "a.bz2"}) {
      EXPECT_EQ(read(other, compress("text")), "text") << name << " called " << other;
      EXPECT_FALSE(plain_);
    }
    EXPECT_EQ(read(name, "never compressed"), "");
    ASSERT_TRUE(damage_) << name;
    EXPECT_STREQ(damage_->code, damaged);
  }
  EXPECT_EQ(read("a", bzip2("")), "");
  EXPECT_FALSE(plain_);
  for (const char* text : {"BZh91AY&SX is text", "BZh9", "7zXZ", "\x1F", "(\xC2\xB5/", "\x04\x22M"}) {
    EXPECT_EQ(read("a", text), text);
    EXPECT_TRUE(plain_);
  }
}

TEST_F(StoredFileTest, ReadsManyMembersAndFrames) {
  const std::string a = sample_text(200000), b = "the second", text = a + b + a;
  for (const auto& [name, compress, damaged] : kCompressions) {
    EXPECT_TRUE(read(name, compress(a) + compress(b) + compress("") + compress(a)) == text) << name;
    EXPECT_FALSE(damage_) << name;
  }
}

TEST_F(StoredFileTest, TakesWhatAFormatAllowsBetweenItsParts) {
  const std::string a = sample_text(200000), b = "the second", text = a + b + a;
  EXPECT_TRUE(read("b.gz", gzip(a) + std::string(600000, '\0') + gzip(b) + gzip(a) + std::string(7, '\0')) == text) << "zeros between members are padding";
  EXPECT_FALSE(damage_);
  EXPECT_TRUE(read("b.xz", xz(a) + std::string(600000, '\0') + xz(b) + xz(a) + std::string(8, '\0')) == text) << "so are zeros, in fours, between streams";
  EXPECT_FALSE(damage_);
  EXPECT_TRUE(read("b.xz", xz(a) + std::string(7, '\0')) == a);
  EXPECT_TRUE(damage_);
  for (const auto& [name, compress] : {std::pair("b.zst", &zstd), std::pair("b.lz4", &lz4)}) {
    const std::string skippable = "\x50\x2A\x4D\x18\x05\0\0\0other"s;
    EXPECT_TRUE(read(name, skippable + compress(a) + compress(b) + skippable + compress(a) + skippable) == text) << name;
    EXPECT_FALSE(damage_) << name;
  }
}

TEST_F(StoredFileTest, TakesEmptyFiles) {
  for (const char* name : {"a", "a.gz", "a.zst", "a.xz", "a.bz2", "a.lz4"}) {
    EXPECT_EQ(read(name, ""), "");
    EXPECT_FALSE(damage_) << name;
  }
}

TEST_F(StoredFileTest, EndsWhereTheReadersStepsEnd) {
  for (const std::size_t step : {1u, 64u, 4096u, 65536u, 131072u}) {
    const std::string text = sample_text(step == 1 ? 100 : step * 2);
    for (const auto& [name, compress, damaged] : kCompressions) {
      EXPECT_TRUE(read(name, compress(text), step) == text) << name << ' ' << step;
      EXPECT_FALSE(damage_) << name << ' ' << step;
      EXPECT_TRUE(read(name, compress(text) + compress(text), step) == text + text) << name << ' ' << step;
      EXPECT_FALSE(damage_) << name << ' ' << step;
    }
  }
}

TEST_F(StoredFileTest, GivesTheTextBeforeACut) {
  const std::string text = sample_text(3 << 20);
  for (const auto& [name, compress, damaged] : kCompressions) {
    const std::string bytes = compress(text), cut = bytes.substr(0, bytes.size() / 2);
    const std::string read_text = read(name, cut);
    EXPECT_TRUE(text.starts_with(read_text)) << name;
    EXPECT_GT(read_text.size(), text.size() / 3) << name;
    ASSERT_TRUE(damage_) << name;
    EXPECT_STREQ(damage_->code, damaged);
    EXPECT_EQ(damage_->status, Code::kCorruptData);
    EXPECT_EQ(damage_->offset, static_cast<std::int64_t>(cut.size()));
    EXPECT_EQ(damage_->file_bytes, -1) << "how much is missing is not known";
    EXPECT_THAT(damage_->message, HasSubstr("ends early, after " + std::to_string(cut.size()) + " bytes, inside a"));
  }
}

TEST_F(StoredFileTest, SeesEveryCutOfASmallFile) {
  const std::string text = sample_text(300);
  for (const auto& [name, compress, damaged] : kCompressions) {
    const std::string bytes = compress(text);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      EXPECT_TRUE(text.starts_with(read(name, bytes.substr(0, size)))) << name << " cut at " << size;
      EXPECT_TRUE(damage_) << name << " cut at " << size;
    }
  }
}

TEST_F(StoredFileTest, SeesFlippedBits) {
  const std::string text = sample_text(3 << 20);
  for (const auto& [name, compress, code] : kCompressions) {
    const std::string bytes = compress(text);
    for (std::size_t part = 1; part < 8; ++part) {
      std::string damaged = bytes;
      damaged[bytes.size() * part / 8] = static_cast<char>(damaged[bytes.size() * part / 8] ^ 0x10);
      const std::string read_text = read(name, damaged);
      ASSERT_TRUE(damage_) << name << " part " << part;
      EXPECT_STREQ(damage_->code, code);
      EXPECT_LE(damage_->offset, static_cast<std::int64_t>(bytes.size()));
      // Up to the block before the flipped bit the text is right: of the blocks, 128 KiB at most, at most two are lost.
      if (code != "damaged_gzip"s) {
        const std::size_t sure = text.size() * part / 8 > (512 << 10) ? text.size() * part / 8 - (512 << 10) : 0;
        EXPECT_TRUE(read_text.substr(0, sure) == text.substr(0, sure)) << name << ' ' << part;
      }
    }
  }
}

/// Changes bytes as a disk, a download or a bad tool might.
std::string mutate(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::size_t at = below(bytes.size()), n = 1 + below(std::min<std::size_t>(bytes.size() - at, 40));
  switch (below(5)) {
    case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
    case 1: bytes.replace(at, n, n, static_cast<char>(below(256))); break;
    case 2: bytes.erase(at, n); break;
    case 3: bytes.insert(at, bytes.substr(bytes.size() - n)); break;
    default: bytes.resize(at); break;
  }
  return bytes;
}

TEST_F(StoredFileTest, NeverTakesMutatedBytesForOthers) {
  for (const auto& [size, seeds] : {std::pair(300, 400), std::pair(200000, 100)}) {
    const std::string text = sample_text(static_cast<std::size_t>(size));
    for (const auto& [name, compress, damaged] : kCompressions) {
      const std::string bytes = compress(text);
      int seen = 0;
      for (int seed = 0; seed < seeds; ++seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        const std::string mutated = mutate(bytes, random);
        if (mutated == bytes || mutated.empty()) continue;
        const std::string read_text = read(name, mutated);
        EXPECT_TRUE(damage_ || read_text == text) << name << " of " << size << " bytes, seed " << seed;
        if (!damage_) continue;
        EXPECT_EQ(damage_->offset + std::max<std::int64_t>(damage_->file_bytes, 0), static_cast<std::int64_t>(mutated.size())) << name << ", seed " << seed;
        ++seen;
      }
      EXPECT_GT(seen, seeds * 17 / 20) << name << " of " << size << " bytes: what is changed is rarely a byte that means nothing";
    }
  }
}

TEST_F(StoredFileTest, DoesNotDependOnTheStepOfItsReader) {
  for (const auto& [name, compress, code] : kCompressions) {
    std::string damaged = compress(sample_text(3 << 20));
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    const std::string path = folder_.write(name, damaged);
    StoredFile small(path), large(path);
    EXPECT_TRUE(read_all(small, 4096) == read_all(large, 8 << 20)) << name;
    ASSERT_TRUE(small.damage() && large.damage()) << name;
    EXPECT_EQ(small.damage()->offset, large.damage()->offset) << name;
  }
}

TEST_F(StoredFileTest, SeesTextBehindTheLastMember) {
  for (const auto& [name, compress, damaged] : kCompressions) {
    EXPECT_EQ(read(name, compress("good") + "and garbage"), "good");
    ASSERT_TRUE(damage_) << name;
    EXPECT_STREQ(damage_->code, damaged);
  }
}

/// Writes another dictionary size into the header of an xz stream's first block, and the check of that header.
std::string with_dictionary(std::string bytes, char size) {
  constexpr std::size_t kBlock = 12, kCheck = 8;  // behind the stream's header; the block's is 12 bytes, the last four its CRC32
  bytes[kBlock + 6] = size;                       // behind the block's size, flags and two lengths, the filter's id and length
  const std::uint32_t check = lzma_crc32(reinterpret_cast<const std::uint8_t*>(bytes.data()) + kBlock, kCheck, 0);
  for (std::size_t i = 0; i < 4; ++i) bytes[kBlock + kCheck + i] = static_cast<char>(check >> (8 * i));
  return bytes;
}

TEST_F(StoredFileTest, RefusesAnXzDictionaryOverItsLimit) {
  constexpr char k128Mebibytes = 30, k192Mebibytes = 31, k4Gibibytes = 40;  // .xz file format, section 5.3.1
  const std::string bytes = xz("text");
  ASSERT_EQ(bytes.substr(16, 2), "\x21\x01") << "LZMA2's id and length";
  EXPECT_EQ(read("a.xz", with_dictionary(bytes, k128Mebibytes)), "text");
  EXPECT_FALSE(damage_);
  for (const char size : {k192Mebibytes, k4Gibibytes}) {
    EXPECT_EQ(read("a.xz", with_dictionary(bytes, size)), "");
    ASSERT_TRUE(damage_);
    EXPECT_EQ(damage_->status, Code::kUnsupported);
    EXPECT_STREQ(damage_->code, "unsupported_xz");
    EXPECT_THAT(damage_->message, HasSubstr(size == k192Mebibytes ? "needs 193 MiB" : "needs 4097 MiB"));
    EXPECT_THAT(damage_->message, HasSubstr("to be decoded, expected a dictionary of at most 128 MiB"));
  }
}

std::int64_t peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  return 0;
}

TEST_F(StoredFileTest, UnpacksABombInLittleMemory) {
  const std::string zeros(8 << 20, '\0');
  for (const auto& [name, compress, damaged] : kCompressions) {
    const std::string member = compress(zeros);
    std::string bytes;
    for (int i = 0; i < 32; ++i) bytes += member;
    StoredFile file(folder_.write(name, bytes));
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak starts anew from what is in use
    const std::int64_t before = peak_kib();
    std::vector<char> buffer(1 << 20);
    std::size_t size = 0;
    while (const std::size_t got = file.read(buffer.data(), buffer.size())) size += got;
    EXPECT_EQ(size, 32 * zeros.size()) << name;
    EXPECT_FALSE(file.damage()) << name;
    EXPECT_LT(peak_kib() - before, 32 << 10) << name << ": 256 MiB of text";
  }
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
