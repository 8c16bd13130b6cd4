#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"
#include "readers/common/warc/warc_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string text_record(const std::string& name, const std::string& text, const std::string& more = {}) {
  return warc_record("conversion", text, "WARC-Target-URI: http://x.org/" + name + "\r\nWARC-Record-ID: <urn:uuid:" + name + ">\r\nContent-Type: text/plain\r\n" + more);
}

class WetNode : public ReaderTest {
 protected:
  WetNode() : ReaderTest("data/") {}
};

TEST_F(WetNode, GivesTextsAsTheyAre) {
  const std::string info = warc_record("warcinfo", "Software-Info: test\r\n"), a = text_record("a", "Grüße\nzwei\n", "WARC-Identified-Content-Language: deu,eng\r\n"), b = text_record("b", "");
  for (const std::string& file : {info + a + b, gzip(info) + gzip(a) + gzip(b), zstd(info) + zstd(a) + zstd(b)}) {
    const auto rows = read({{"paths", paths({{"a.warc.wet", file}})}, {"domain", "web"}});
    EXPECT_THAT(rows, ElementsAre(Document{"data/a.warc.wet#1", "Grüße\nzwei\n", "web", "data/a.warc.wet"}, Document{"data/a.warc.wet#2", "", "web", "data/a.warc.wet"}));
    EXPECT_THAT(errors(), IsEmpty());
    const BatchView batch(batches_[0].array.get(), batches_[0].schema);
    EXPECT_EQ(batch.strings("url")[0], "http://x.org/a");
    EXPECT_EQ(batch.strings("date")[0], "2024-05-06T07:08:09Z");
    EXPECT_EQ(batch.strings("record_id")[1], "<urn:uuid:b>");
    EXPECT_EQ(batch.strings("languages")[0], "deu,eng");
    EXPECT_EQ(batches_[0].array.get().children[7]->null_count, 1);
  }
}

TEST_F(WetNode, RefusesWhatIsNoUtf8) {
  const std::string file = text_record("a", "caf\xE9") + text_record("b", "b");
  const auto rows = read({{"paths", paths({{"a.wet", file}})}, {"id_field", "WARC-Record-ID"}});
  EXPECT_THAT(rows, ElementsAre(Document{"<urn:uuid:b>", "b", "", "data/a.wet"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].record, 0);
  EXPECT_EQ(errors()[0].bytes, 4);
}

TEST_F(WetNode, RefusesARecordOverTheLimit) {
  const auto rows = read({{"paths", paths({{"a.wet.gz", gzip(text_record("a", std::string(1000, 'a'))) + gzip(text_record("b", "b"))}})}, {"max_record_bytes", 256}});
  EXPECT_THAT(rows, ElementsAre(Document{"data/a.wet.gz#1", "b", "", "data/a.wet.gz"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_THAT(errors()[0].message, HasSubstr("a record of 1000 bytes, expected at most 256"));
}

}  // namespace
}  // namespace flowrun::readers
