#include "readers/common/tar_reader.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "readers/common/compress_for_test.hpp"
#include "readers/common/tar_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Files = std::vector<std::pair<std::string, std::string>>;

class TarReaderTest : public ::testing::Test {
 protected:
  /// Reads an archive through a file of that name.
  Files read(const std::string& name, const std::string& bytes, std::size_t limit = 1 << 30) {
    damages_.clear();
    stored_.emplace(folder_.write(name, bytes));
    const Call call(host_.table());
    Window window(call, *stored_);
    TarReader reader(window);
    return read(reader, limit);
  }
  Files read(TarReader& reader, std::size_t limit = 1 << 30) {
    const Call call(host_.table());
    Files files;
    TarMember member;
    TarDamage damage;
    std::string content;
    for (TarReader::Step step; (step = reader.next(call, member, damage)) != TarReader::Step::kEnd;) {
      if (step == TarReader::Step::kDamaged) {
        damages_.push_back(damage);
        continue;
      }
      switch (reader.read(call, content, limit)) {
        case TarReader::Content::kWhole: files.emplace_back(member.name, content); break;
        case TarReader::Content::kTooLarge: files.emplace_back(member.name, "too large"); break;
        case TarReader::Content::kCut: break;
      }
    }
    return files;
  }

  TemporaryFolder folder_;
  flowrun::testing::Journal journal_;
  flowrun::testing::LeaseBook book_{journal_};
  flowrun::testing::HostCall host_{journal_, book_};
  std::optional<StoredFile> stored_;
  std::vector<TarDamage> damages_;
};

std::string large_text() {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i * 7919 % 100003) + "\n";
  return text;
}

TEST_F(TarReaderTest, ReadsNamesOfEveryFormat) {
  const std::string long_name = std::string(150, 'd') + "/" + std::string(120, 'f'), text = large_text();
  const std::string archive = tar_entry("folder/", "", '5') + tar_entry("./a.txt", "1") + tar_entry("link", "", '2') + tar_entry("hard", "", '1') + long_named_entry(long_name, text) +
                              pax_entry("d\xC3\xA9j\xC3\xA0/" + long_name, "3") + tar_entry("latin\xE9", "4") + tar_entry("empty", "") + kTarEnd;
  const auto expected = ElementsAre(Pair("a.txt", "1"), Pair(long_name, text), Pair("d\xC3\xA9j\xC3\xA0/" + long_name, "3"), Pair("latin\xE9", "4"), Pair("empty", ""));
  EXPECT_THAT(read("a.tar", archive), expected);
  EXPECT_THAT(read("a.tar.gz", gzip(archive)), expected);
  EXPECT_THAT(read("a.tar.zst", zstd(archive)), expected);
  TarReader from_memory{std::string_view(archive)};
  EXPECT_THAT(read(from_memory), expected);
  EXPECT_THAT(damages_, IsEmpty());
}

TEST_F(TarReaderTest, TakesEmptyFilesAndArchivesOneBehindTheOther) {
  EXPECT_THAT(read("a.tar", ""), IsEmpty());
  EXPECT_THAT(read("a.tar", kTarEnd), IsEmpty());
  EXPECT_THAT(damages_, IsEmpty());
  EXPECT_THAT(read("a.tar", tar({{"a", "1"}}) + std::string(8192, '\0') + tar({{"b", "2"}})), ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(damages_, IsEmpty());
}

TEST_F(TarReaderTest, ReadsNoMoreThanTheLimit) {
  EXPECT_THAT(read("a.tar", tar({{"a", "12345"}, {"b", "1234"}, {"c", std::string(3'000'000, 'x')}, {"d", ""}}), 4),
              ElementsAre(Pair("a", "too large"), Pair("b", "1234"), Pair("c", "too large"), Pair("d", "")));
}

TEST_F(TarReaderTest, SaysWhereAnArchiveIsCut) {
  const std::string archive = tar({{"a", "first"}, {"b", large_text()}, {"c", "last"}});
  EXPECT_THAT(read("a.tar", archive.substr(0, 500000)), ElementsAre(Pair("a", "first")));
  ASSERT_EQ(damages_.size(), 1u);
  EXPECT_THAT(damages_[0].message, HasSubstr("Truncated"));
  EXPECT_EQ(damages_[0].bytes, -1);
  EXPECT_THAT(read("a.tar", archive.substr(0, 1024)), ElementsAre(Pair("a", "first")));
  ASSERT_EQ(damages_.size(), 1u) << "between two files nothing else tells that some are missing";
  EXPECT_THAT(damages_[0].message, HasSubstr("without its end mark"));
  EXPECT_EQ(damages_[0].position, 1024);
  EXPECT_EQ(damages_[0].bytes, -1) << "how much is missing is not known";
}

TEST_F(TarReaderTest, LeavesADamagedFileToItsOwnReport) {
  const std::string gz = gzip(tar({{"a", "first"}, {"b", large_text()}}));
  EXPECT_THAT(read("a.tar.gz", gz.substr(0, gz.size() / 2)), ElementsAre(Pair("a", "first")));
  EXPECT_THAT(damages_, IsEmpty());
  ASSERT_TRUE(stored_->damage());
  EXPECT_STREQ(stored_->damage()->code, "damaged_gzip");
}

TEST_F(TarReaderTest, GoesOnBehindADamagedHeader) {
  std::string archive = tar_entry("a", "first") + tar_entry("b", std::string(5000, 'x')) + tar_entry("c", "last") + kTarEnd;
  archive[1024 + 3] = '!';
  EXPECT_THAT(read("a.tar", archive), ElementsAre(Pair("a", "first"), Pair("c", "last")));
  ASSERT_EQ(damages_.size(), 1u);
  EXPECT_GE(damages_[0].bytes, 5000);
  EXPECT_THAT(read("b.tar", std::string(700, 'x')), IsEmpty());
  EXPECT_EQ(damages_.size(), 1u);
}

TEST_F(TarReaderTest, NeverCrashesAndNeverLosesSilently) {
  const std::string archive = tar_entry("a", "first") + long_named_entry(std::string(300, 'n'), "second") + pax_entry(std::string(200, 'p'), std::string(2000, 'y')) + tar_entry("z", "last") + kTarEnd;
  const Files whole = read("a.tar", archive);
  ASSERT_EQ(whole.size(), 4u);
  for (std::size_t cut = 0; cut + 1024 < archive.size(); cut += 101) {
    const Files files = read("a.tar", archive.substr(0, cut), 1 << 20);
    EXPECT_TRUE(files == whole || !damages_.empty() || cut == 0) << "cut at " << cut;
  }
  std::mt19937 random(7);
  for (int i = 0; i < 1000; ++i) {
    std::string mutated = archive;
    for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) mutated[random() % mutated.size()] = static_cast<char>(random());
    read("a.tar", mutated, 1 << 20);
  }
}

TEST(LooksLikeTar, ChecksTheChecksum) {
  const std::string entry = tar_entry("a", "text");
  EXPECT_TRUE(looks_like_tar(entry));
  EXPECT_FALSE(looks_like_tar(entry.substr(0, 511)));
  EXPECT_FALSE(looks_like_tar("x" + entry));
  EXPECT_FALSE(looks_like_tar(std::string(512, ' ')));
}

TEST(Gunzip, ReadsMembersWithinALimit) {
  std::string out, reason;
  EXPECT_TRUE(gunzip(gzip("one") + gzip("two") + std::string(9, '\0'), 6, out, reason));
  EXPECT_EQ(out, "onetwo");
  EXPECT_FALSE(gunzip(gzip("one") + gzip("two"), 5, out, reason));
  EXPECT_EQ(reason, "more than 5 bytes");
  const std::string text = large_text(), gz = gzip(text);
  EXPECT_TRUE(gunzip(gz, text.size(), out, reason));
  EXPECT_TRUE(out == text);
  EXPECT_FALSE(gunzip(gz.substr(0, gz.size() / 2), text.size(), out, reason));
  EXPECT_EQ(reason, "it ends inside a gzip member");
  EXPECT_FALSE(gunzip("no gzip", 100, out, reason));
  EXPECT_FALSE(gunzip("", 100, out, reason));
}

}  // namespace
}  // namespace flowrun::readers
