// Of the node: how records are found, chosen and decoded, and what becomes of damage.

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"
#include "readers/common/warc/warc_for_test.hpp"
#include "selection.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ParameterList = std::vector<std::pair<std::string, flowrun::testing::Value>>;
using Strings = std::vector<std::string>;
using Compress = std::string (*)(std::string_view);

std::string as_is(std::string_view text) { return std::string(text); }

/// A skippable frame of zstd with the dictionary of the others.
std::string dictionary_frame(std::string_view dictionary) {
  std::string frame = "\x5D\x2A\x4D\x18";
  for (int shift = 0; shift < 32; shift += 8) frame += static_cast<char>(dictionary.size() >> shift);
  return frame + std::string(dictionary);
}

std::string zstd_with(std::string_view dictionary, std::string_view text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress_usingDict(context, out.data(), out.size(), text.data(), text.size(), dictionary.data(), dictionary.size(), 3));
  ZSTD_freeCCtx(context);
  return out;
}

/// Text that compresses to about a third.
std::string words(std::size_t bytes, unsigned seed) {
  std::mt19937 draw(seed);
  std::string text;
  while (text.size() < bytes) text += "word" + std::to_string(draw() % 5000) + (draw() % 9 == 0 ? ".\n" : " ");
  return text;
}

std::string noise(std::size_t bytes, unsigned seed) {
  std::mt19937 draw(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(draw());
  return text;
}

/// What a crawler writes: other records around each page.
std::vector<std::string> crawl(int pages, std::size_t page_bytes) {
  std::vector<std::string> records = {warc_record("warcinfo", "software: test\r\n", "Content-Type: application/warc-fields\r\n")};
  for (int i = 0; i < pages; ++i) {
    const std::string name = "p" + std::to_string(i);
    records.push_back(warc_record("request", "GET / HTTP/1.1\r\n\r\n", "Content-Type: application/http; msgtype=request\r\n"));
    records.push_back(warc_page(name, "<p>" + words(page_bytes, static_cast<unsigned>(i)) + "</p>"));
    records.push_back(warc_record("metadata", "fetchTimeMs: 1\r\n"));
  }
  return records;
}

std::string joined(const std::vector<std::string>& records, Compress compress) {
  std::string out;
  for (const std::string& record : records) out += compress(record);
  return out;
}

class WarcNode : public ReaderTest {
 protected:
  WarcNode() : ReaderTest("data/") {}

  std::vector<Document> read_file(const std::string& name, const std::string& bytes, ParameterList parameters = {}) {
    parameters.emplace_back("paths", paths({{name, bytes}}));
    return read(std::move(parameters));
  }
  /// Returns a column of text of the documents read last, "-" for null.
  Strings column(const std::string& name) const {
    Strings out;
    for (const auto& batch : batches_) {
      const auto& fields = batch.schema.children;
      const auto at = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
      const ArrowArray& values = *batch.array.get().children[at - fields.begin()];
      for (std::int64_t row = 0; row < batch.size(); ++row) {
        const bool null = detail::may_be_null(values) && !detail::bit(values.buffers[0], values.offset + row);
        if (null) out.push_back("-");
        else if (at->format == "l") out.push_back(std::to_string(static_cast<const std::int64_t*>(values.buffers[1])[row]));
        else out.emplace_back(BatchView(batch.array.get(), batch.schema).strings(name)[row]);
      }
    }
    return out;
  }
  Strings ids(const std::vector<Document>& rows) const {
    Strings out;
    for (const Document& row : rows) out.push_back(row.id.substr(row.id.rfind('#')));
    return out;
  }
};

TEST_F(WarcNode, ReadsPagesWhateverCompressesThem) {
  const std::vector<std::string> records = crawl(5, 3000);
  const struct {
    const char* name;
    std::string bytes;
  } files[] = {{"a.warc", joined(records, as_is)},      {"a.warc.gz", joined(records, gzip)},  {"a.warc.zst", joined(records, zstd)}, {"one.warc.gz", gzip(joined(records, as_is))},
               {"one.warc.zst", zstd(joined(records, as_is))}, {"a.warc.xz", xz(joined(records, as_is))}, {"a.warc.bz2", bzip2(joined(records, as_is))}, {"a.warc.lz4", lz4(joined(records, as_is))}};
  for (const auto& file : files) {
    const auto rows = read_file(file.name, file.bytes, {{"domain", "web"}});
    EXPECT_THAT(errors(), IsEmpty()) << file.name;
    EXPECT_THAT(ids(rows), ElementsAre("#2", "#5", "#8", "#11", "#14")) << file.name << ": all records count";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].text, "<p>" + words(3000, static_cast<unsigned>(i)) + "</p>");
      EXPECT_EQ(rows[i].domain, "web");
      EXPECT_EQ(rows[i].source, std::string("data/") + file.name);
    }
    EXPECT_THAT(column("url"), ElementsAre("http://x.org/p0", "http://x.org/p1", "http://x.org/p2", "http://x.org/p3", "http://x.org/p4"));
    EXPECT_THAT(node_->close(), IsEmpty());
  }
}

TEST_F(WarcNode, GivesColumnsOfTheRecordAndTheResponse) {
  const std::string page = warc_page("a", "gr\xFC\xDF", "Content-Type: text/html;\r\n charset=iso-8859-1\r\nServer: caf\xE9\r\nContent-Language: de\r\n", "WARC-IP-Address: 192.0.2.1\r\n");
  const std::string resource = warc_record("resource", "<p>r", "WARC-Target-URI: <http://x.org/r>\r\nContent-Type: text/html\r\nWARC-Identified-Content-Language: fra,eng\r\n", "WARC/1.1");
  const auto rows = read_file("a.warc", page + resource, {{"record_types", Strings{"response", "resource"}}, {"id_field", "WARC-Record-ID"}, {"columns", Strings{"ip = WARC-IP-Address", "server = http:Server"}}});
  EXPECT_THAT(rows, ElementsAre(Document{"<urn:uuid:a>", "grüß", "", "data/a.warc"}, Document{"data/a.warc#1", "<p>r", "", "data/a.warc"}));
  EXPECT_THAT(column("url"), ElementsAre("http://x.org/a", "http://x.org/r")) << "wget's brackets are left out";
  EXPECT_THAT(column("date"), ElementsAre("2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"));
  EXPECT_THAT(column("record_id"), ElementsAre("<urn:uuid:a>", "-"));
  EXPECT_THAT(column("content_type"), ElementsAre("text/html; charset=iso-8859-1", "text/html"));
  EXPECT_THAT(column("status"), ElementsAre("200", "-"));
  EXPECT_THAT(column("language"), ElementsAre("de", "fra,eng"));
  EXPECT_THAT(column("charset"), ElementsAre("windows-1252", "UTF-8"));
  EXPECT_THAT(column("charset_source"), ElementsAre("http", "utf8"));
  EXPECT_THAT(column("replaced"), ElementsAre("0", "0"));
  EXPECT_THAT(column("ip"), ElementsAre("192.0.2.1", "-"));
  EXPECT_THAT(column("server"), ElementsAre("café", "-"));
}

TEST_F(WarcNode, TakesTheTypesAndStatusesThatAreAskedFor) {
  const auto with = [](const std::string& name, const std::string& headers, const std::string& more = {}, const std::string& body = "x") { return warc_page(name, body, headers, more); };
  std::string missing = with("missing", "Content-Type: text/html\r\n");
  missing.replace(missing.find("200 OK"), 6, "404 No");
  const std::string file = with("html", "Content-Type: TEXT/HTML\r\n") + with("xhtml", "Content-Type: application/xhtml+xml; a=b\r\n") + with("plain", "content-type: text/plain\r\n") +
                           with("image", "Content-Type: image/png\r\n") + with("identified", "Content-Type: image/png\r\n", "WARC-Identified-Payload-Type: text/html\r\n") +
                           with("sniffed", "", {}, " <!DOCTYPE html><p>") + with("unknown", "", {}, "%PDF-1.4") + missing +
                           warc_record("revisit", "HTTP/1.1 200 OK\r\n\r\n", "WARC-Target-URI: http://x.org/revisit\r\nContent-Type: application/http; msgtype=response\r\n");
  const auto found = [&](ParameterList parameters) {
    read_file("a.warc.gz", gzip(file), std::move(parameters));
    EXPECT_THAT(errors(), IsEmpty());
    Strings names = column("url");
    for (std::string& name : names) name.erase(0, 13);
    return names;
  };
  EXPECT_THAT(found({}), ElementsAre("html", "xhtml", "identified", "sniffed"));
  EXPECT_THAT(found({{"media_types", Strings{"text/*"}}}), ElementsAre("html", "plain", "identified", "sniffed"));
  EXPECT_THAT(found({{"media_types", Strings{"*/*"}}, {"http_statuses", Strings{"4xx"}}}), ElementsAre("missing"));
  EXPECT_THAT(found({{"media_types", Strings{"*/*"}}, {"http_statuses", Strings{"*"}}}), ElementsAre("html", "xhtml", "plain", "image", "identified", "sniffed", "unknown", "missing"));
}

TEST_F(WarcNode, ReadsOddRecords) {
  std::string line_feeds = warc_page("lf", "<p>a");
  for (std::size_t at = 0; (at = line_feeds.find("\r\n", at)) != std::string::npos;) line_feeds.erase(at, 1);
  line_feeds.replace(line_feeds.find("Content-Length: "), 19, "Content-Length: 60\n");  // its own header has become shorter
  const std::string block = "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\n\n<p>a";
  ASSERT_EQ(block.size(), 60u);
  const std::string folded = warc_page("folded", "<p>b", "Content-Type: text/html\r\n", "WARC-Warcinfo-ID: <urn:a\r\n b>\r\nno colon here\r\n");
  std::string no_end = warc_page("end", "<p>d", "Content-Type: text/html\r\n", {});
  no_end.resize(no_end.size() - 4);
  const auto rows = read_file("a.warc", "\r\n\r\n" + line_feeds + folded + warc_page("empty", "") + "\r\n\n" + no_end);
  EXPECT_THAT(errors(), IsEmpty());
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].text, "<p>a");
  EXPECT_EQ(rows[1].text, "<p>b");
  EXPECT_EQ(rows[2].text, "");
  EXPECT_EQ(rows[3].text, "<p>d");
  EXPECT_THAT(read_file("empty.warc.gz", ""), IsEmpty());
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(WarcNode, DecodesPagesAsBrowsersDo) {
  const std::string html = "Content-Type: text/html\r\n";
  const std::string file = warc_page("meta", "<meta charset=windows-1251>\xCF\xF0\xE8", html) + warc_page("bom", "\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F", "Content-Type: text/html; charset=latin1\r\n") +
                           warc_page("plain", "gr\xC3\xBC\xC3\x9F", html) + warc_page("fallback", "gr\xFC\xDF", html) + warc_page("sjis", "\x93\xFA\x96{", "Content-Type: text/html; charset=Shift_JIS\r\n") +
                           warc_page("wrong", "gr\xC3\xBC", "Content-Type: text/html; charset=latin1\r\n");
  auto rows = read_file("a.warc", file);
  EXPECT_THAT(errors(), IsEmpty());
  Strings texts;
  for (const auto& row : rows) texts.push_back(row.text);
  EXPECT_THAT(texts, ElementsAre("<meta charset=windows-1251>При", "grüß", "grüß", "grüß", "日本", "grÃ¼"));
  EXPECT_THAT(column("charset"), ElementsAre("windows-1251", "UTF-8", "UTF-8", "windows-1252", "Shift_JIS", "windows-1252"));
  EXPECT_THAT(column("charset_source"), ElementsAre("meta", "bom", "utf8", "fallback", "http", "http"));
  rows = read_file("a.warc", file, {{"charset_order", "utf8_first"}});
  EXPECT_EQ(rows.back().text, "grü");
  rows = read_file("a.warc", file, {{"fallback_charset", ""}});
  EXPECT_EQ(rows.size(), 5u);
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].record, 3);
  EXPECT_THAT(errors()[0].message, HasSubstr("0xFC"));
}

TEST_F(WarcNode, RefusesOrReplacesWhatIsMalformed) {
  const std::string file = warc_page("a", "<p>a\xFFz") + warc_page("b", "\x81\xFF\x81\x81", "Content-Type: text/html; charset=shift_jis\r\n") + warc_page("c", "<p>c") +
                           warc_page("cut", "<p>\xE2\x82", "Content-Type: text/html; charset=utf-8\r\n", "WARC-Truncated: length\r\n");
  auto rows = read_file("a.warc", file);
  EXPECT_THAT(ids(rows), ElementsAre("#2", "#3"));
  EXPECT_EQ(rows[1].text, "<p>") << "a character that was cut with the page";
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].message, "invalid UTF-8 at byte 4 of the page, which says that it is UTF-8 (http)");
  EXPECT_EQ(errors()[0].documents, 1);
  EXPECT_EQ(errors()[0].offset, 0);
  EXPECT_EQ(errors()[1].code, "bad_charset");
  EXPECT_EQ(errors()[1].message, "byte 0 of the page is not Shift_JIS, which is how it is encoded (http)");
  rows = read_file("a.warc", file, {{"malformed", "replace"}});
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_EQ(rows[0].text, "<p>a\xEF\xBF\xBDz");
  EXPECT_THAT(column("replaced"), ElementsAre("1", "1", "0", "0"));
}

TEST_F(WarcNode, RefusesBodiesThatCannotBeUsed) {
  const std::string chunked = "Transfer-Encoding: chunked\r\nContent-Type: text/html\r\n", gzipped = "Content-Encoding: gzip\r\nContent-Type: text/html\r\n";
  const std::string file = warc_page("a", "5\r\nabcde\r\n0\r\n\r\n", chunked) + warc_page("b", "5\r\nab", chunked) + warc_page("c", gzip("<p>c"), gzipped) + warc_page("d", gzip(std::string(5000, 'x')), gzipped) +
                           warc_record("response", "<html>no http", "Content-Type: application/http; msgtype=response\r\n") + warc_page("e", "<p>e");
  const auto rows = read_file("a.warc.gz", gzip(file), {{"max_record_bytes", 2000}});
  EXPECT_THAT(ids(rows), ElementsAre("#0", "#2", "#5"));
  EXPECT_EQ(rows[0].text, "abcde");
  EXPECT_EQ(rows[1].text, "<p>c");
  Strings codes;
  for (const auto& error : errors()) codes.push_back(error.code + "#" + std::to_string(error.record));
  EXPECT_THAT(codes, ElementsAre("bad_http_body#1", "record_too_large#3", "bad_http#4"));
}

TEST_F(WarcNode, GoesOnAfterAWrongLength) {
  for (const int change : {-30, -1, 1, 400, 4000}) {
    std::string wrong = warc_page("b", std::string(200, 'b'));
    const std::size_t at = wrong.find("Content-Length: ") + 16, end = wrong.find('\r', at);
    wrong.replace(at, end - at, std::to_string(std::stoi(wrong.substr(at, end - at)) + change));
    const std::vector<std::string> records = {warc_page("a", "<p>a"), wrong, warc_page("c", std::string(300, 'c')), warc_page("d", "<p>d")};
    for (const Compress compress : {Compress(as_is), Compress(gzip), Compress(zstd)}) {
      const auto rows = read_file("a.warc", joined(records, compress));
      EXPECT_THAT(ids(rows), ElementsAre("#0", "#2", "#3")) << change;
      ASSERT_EQ(errors().size(), 1u) << change;
      EXPECT_THAT(errors()[0].code, ::testing::AnyOf("bad_warc", "truncated_warc"));
      EXPECT_EQ(errors()[0].record, 1);
      EXPECT_EQ(errors()[0].offset, static_cast<std::int64_t>(compress(records[0]).size())) << "where the record, or its member, begins";
    }
  }
}

TEST_F(WarcNode, GoesOnAtTheNextMemberAfterDamage) {
  const std::vector<std::string> records = crawl(3, 20000);
  for (const auto& [compress, code] : {std::pair(Compress(gzip), "damaged_gzip"), std::pair(Compress(zstd), "damaged_zstd")}) {
    std::string file = joined({records.begin(), records.begin() + 5}, compress), member = compress(records[5]);
    const std::int64_t begin = static_cast<std::int64_t>(file.size());
    member[member.size() / 2] ^= 4;
    file += member + joined({records.begin() + 6, records.end()}, compress);
    const auto rows = read_file("a.warc", file);
    EXPECT_THAT(ids(rows), ElementsAre("#2", "#8")) << "the damaged record keeps its number";
    ASSERT_EQ(errors().size(), 1u);
    EXPECT_EQ(errors()[0].code, code);
    EXPECT_EQ(errors()[0].file, "data/a.warc");
    EXPECT_EQ(errors()[0].offset, begin);
    EXPECT_EQ(errors()[0].file_bytes, static_cast<std::int64_t>(member.size()));
    EXPECT_EQ(errors()[0].documents, 0);
    EXPECT_EQ(errors()[0].record, 5);
  }
}

TEST_F(WarcNode, ReportsAMemberOnceWhereverItIsDamaged) {
  const std::string a = gzip(warc_page("a", words(3000, 1))), b = gzip(warc_page("b", words(3000, 2))), c = gzip(warc_page("c", "<p>c"));
  for (std::size_t at = 0; at < b.size(); at += at < 400 ? 1 : 97) {
    std::string damaged = b;
    damaged[at] ^= 0x20;
    const auto rows = read_file("a.warc.gz", a + damaged + c);
    if (at >= 3 && at < 10 && errors().empty()) continue;  // a time or an operating system in the member's header
    EXPECT_THAT(ids(rows), ElementsAre("#0", "#2")) << at;
    EXPECT_THAT(errors(), ElementsAre(::testing::Field(&flowrun::testing::RecordError::code, "damaged_gzip"))) << at;
  }
}

TEST_F(WarcNode, GivesNoRecordOfAMemberWhoseChecksumFails) {
  std::string member = gzip(warc_page("a", words(3000, 1)));
  member[member.size() - 6] ^= 1;
  EXPECT_THAT(read_file("a.warc.gz", member + gzip(warc_page("b", "<p>b"))), ElementsAre(Document{"data/a.warc.gz#1", "<p>b", "", "data/a.warc.gz"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_THAT(errors()[0].message, AllOf(HasSubstr("the gzip member at byte 0 is given up"), HasSubstr("incorrect data check")));
}

TEST_F(WarcNode, GivesTheRecordsOfOneMemberUpToItsDamage) {
  const std::vector<std::string> records = crawl(40, 3000);
  std::string file = gzip(joined(records, as_is));
  file.resize(file.size() / 2);
  const auto rows = read_file("a.warc.gz", file);
  EXPECT_GT(rows.size(), 10u);
  EXPECT_LT(rows.size(), 30u);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].text, "<p>" + words(3000, static_cast<unsigned>(i)) + "</p>");
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "damaged_gzip");
}

/// Cuts and flipped bits: what is given is as it was, and where something is missing there is an error with a place.
TEST_F(WarcNode, LosesNothingInSilence) {
  std::vector<std::string> records = crawl(6, 2500);
  records.push_back(warc_page("image", noise(150'000, 5), "Content-Type: image/png\r\n"));
  records.push_back(warc_page("last", words(2000, 99)));
  for (const Compress compress : {Compress(gzip), Compress(zstd)}) {
    const std::string good = joined(records, compress);
    std::map<std::string, std::string> expected;
    for (const Document& row : read_file("a.warc", good)) expected[row.id] = row.text;
    ASSERT_EQ(expected.size(), 7u);
    std::mt19937 draw(7);
    int reported = 0;
    for (int i = 0; i < 50; ++i) {
      std::string bad = good;
      if (i % 5 < 2) bad.resize(draw() % bad.size());
      else bad[draw() % bad.size()] ^= static_cast<char>(1 << draw() % 8);
      // A file that ends between two members is a whole one: nothing in it says that more were to come.
      if (good.compare(bad.size(), 3, good, 0, 3) == 0) continue;
      const auto rows = read_file("a.warc", bad);
      for (const auto& error : errors()) EXPECT_TRUE(error.file == "data/a.warc" && error.offset >= 0) << i << ' ' << error.message;
      reported += !errors().empty();
      std::size_t same = 0;
      for (const Document& row : rows) same += expected.count(row.id) > 0 && expected[row.id] == row.text;
      EXPECT_EQ(same, rows.size()) << i;
      EXPECT_TRUE(!errors().empty() || rows.size() == expected.size()) << i;
    }
    EXPECT_GT(reported, 15);
  }
}

TEST_F(WarcNode, PassesOverLargeRecordsUnread) {
  const std::string image = noise(300'000, 1), video = noise(3'000'000, 2);
  const std::string nested = gzip(warc_page("nested", "<p>not a record of this file")) + noise(100'000, 3);
  std::vector<std::string> records = {warc_page("a", "<p>a"), warc_page("i", image, "Content-Type: image/png\r\n"), warc_page("b", "<p>b"), warc_page("v", video, "Content-Type: video/mp4\r\n"),
                                      warc_page("n", noise(80'000, 4) + nested, "Content-Type: application/gzip\r\n"), warc_page("c", "<p>c")};
  for (const Compress compress : {Compress(as_is), Compress(gzip), Compress(zstd)}) {
    const auto rows = read_file("a.warc", joined(records, compress));
    EXPECT_THAT(ids(rows), ElementsAre("#0", "#2", "#5")) << "what looks like a member inside of one is none";
    EXPECT_THAT(errors(), IsEmpty());
  }
  // Their checksums are not looked at: nothing of them is given.
  std::string damaged = gzip(records[1]);
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_THAT(ids(read_file("a.warc.gz", gzip(records[0]) + damaged + gzip(records[2]))), ElementsAre("#0", "#2"));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(WarcNode, StopsAtBombs) {
  const std::string honest = warc_page("honest", std::string(30 << 20, ' '));
  std::string lying = warc_page("lying", "<p>a") + std::string(30 << 20, ' ');
  for (const Compress compress : {Compress(gzip), Compress(zstd)}) {
    const std::string file = compress(warc_page("a", "<p>a")) + compress(honest) + compress(lying) + compress(warc_page("b", "<p>b"));
    ASSERT_LT(file.size(), 1u << 20);
    const auto rows = read_file("a.warc", file, {{"max_record_bytes", 1 << 20}});
    EXPECT_THAT(ids(rows), ElementsAre("#0", "#3"));
    ASSERT_EQ(errors().size(), 2u);
    EXPECT_EQ(errors()[0].code, "record_too_large");
    EXPECT_EQ(errors()[0].offset, static_cast<std::int64_t>(compress(warc_page("a", "<p>a")).size()));
    EXPECT_EQ(errors()[1].code, "bad_warc");
    EXPECT_THAT(errors()[1].message, HasSubstr("more than 1048576 bytes ('max_record_bytes') without a record, is given up"));
  }
}

TEST_F(WarcNode, ReadsRecordsThatMembersCut) {
  const std::string text = joined(crawl(8, 5000), as_is);
  for (const Compress compress : {Compress(gzip), Compress(zstd)}) {
    std::string file;
    for (std::size_t at = 0; at < text.size(); at += 7001) file += compress(std::string_view(text).substr(at, 7001));
    const auto rows = read_file("a.warc", file);
    EXPECT_THAT(errors(), IsEmpty());
    EXPECT_EQ(rows.size(), 8u);
  }
}

TEST_F(WarcNode, ReadsFramesWithADictionary) {
  const std::vector<std::string> records = crawl(20, 500);
  const std::string dictionary = joined(records, as_is).substr(0, 8000);
  std::string frames;
  for (const std::string& record : records) frames += zstd_with(dictionary, record);
  for (const std::string& first : {dictionary_frame(dictionary), dictionary_frame(zstd(dictionary))}) {
    EXPECT_EQ(read_file("a.warc.zst", first + frames).size(), 20u);
    EXPECT_THAT(errors(), IsEmpty());
  }
  EXPECT_THAT(read_file("a.warc.zst", frames), IsEmpty());
  EXPECT_FALSE(errors().empty()) << "no dictionary";
}

TEST_F(WarcNode, RefusesParametersThatItDoesNotKnow) {
  const auto message = [&](const char* name, flowrun::testing::Value value) {
    try {
      read_file("a.warc", "", {{name, std::move(value)}});
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  EXPECT_EQ(message("fallback_charset", "utf-7"), "'fallback_charset' is 'utf-7', expected a label of the Encoding Standard such as \"windows-1252\"");
  EXPECT_EQ(message("record_types", Strings{"request"}), "'record_types' has 'request', expected \"response\", \"resource\" or \"conversion\"");
  EXPECT_EQ(message("media_types", Strings{"html"}), "'media_types' has 'html', expected types such as \"text/html\", \"text/*\" or \"*/*\"");
  EXPECT_EQ(message("http_statuses", Strings{"20"}), "'http_statuses' has '20', expected statuses such as \"200\", \"2xx\" or \"*\"");
  EXPECT_EQ(message("http_statuses", Strings{}), "'http_statuses' is empty, expected statuses such as \"200\", \"2xx\" or \"*\"");
  EXPECT_EQ(message("columns", Strings{"url = X"}), "column 'url' of 'columns' is one that this reader adds by itself, expected another name");
}

TEST(SniffMediaType, KnowsHtmlByItsFirstTag) {
  for (const char* html : {"<!DOCTYPE HTML>", "\n <html lang=x>", "<!-- x", "\xEF\xBB\xBF<p>", "<a href=x>"}) EXPECT_EQ(sniff_media_type(html), "text/html") << html;
  for (const char* other : {"", "<", "<htmlx>", "<abbr>", "text <p>", "%PDF", "<?xml version='1.0'?>"}) EXPECT_EQ(sniff_media_type(other), "") << other;
}

}  // namespace
}  // namespace flowrun::readers
