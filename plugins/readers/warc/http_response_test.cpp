#include "http_response.hpp"

#include <brotli/encode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "content_coding.hpp"
#include "readers/common/compress_for_test.hpp"

namespace flowrun::readers {
namespace {

using std::string_view_literals::operator""sv;
using ::testing::HasSubstr;

std::string brotli(std::string_view text) {
  std::string out(BrotliEncoderMaxCompressedSize(text.size()) + 64, '\0');
  std::size_t size = out.size();
  BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()), &size, reinterpret_cast<std::uint8_t*>(out.data()));
  return out.substr(0, size);
}

/// zlib's format, or with `raw` deflate alone.
std::string deflated(std::string_view text, bool raw) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, raw ? -MAX_WBITS : MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(HeaderFields, ReadsOddLines) {
  HeaderFields fields;
  const std::string header = "HTTP/1.0 200\r\nServer : a\nX-Long: one\r\n  two\r\n\tthree\r\nno colon\r\nEmpty:\r\nname: caf\xE9\r\nNAME: second\r\n\r\n";
  EXPECT_EQ(fields.read(header), "HTTP/1.0 200");
  EXPECT_EQ(fields.find("server"), "a");
  EXPECT_EQ(fields.find("X-LONG"), "one two three");
  EXPECT_EQ(fields.find("Empty"), "");
  EXPECT_EQ(fields.find("Name"), "caf\xE9") << "the first counts";
  EXPECT_EQ(fields.find("no colon"), std::nullopt);
  std::string buffer;
  EXPECT_EQ(header_text("caf\xE9", buffer), "café");
  EXPECT_EQ(header_size("a\r\nb\r\n\r\nrest"), 8u);
  EXPECT_EQ(header_size("a\nb\n\nrest"), 5u);
  EXPECT_EQ(header_size("a\nb\n"), std::string_view::npos);
  EXPECT_EQ(read_size("12"), 12);
  for (const char* bad : {"", "-1", "+1", "1 ", "0x1", "9223372036854775808"}) EXPECT_EQ(read_size(bad), std::nullopt) << bad;
}

TEST(HttpResponse, ReadsStatusHeadersAndBody) {
  HttpResponse response;
  ASSERT_TRUE(read_http_response("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nbody\r\n\r\n", response));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.fields.find("a"), "b");
  EXPECT_EQ(response.body, "body\r\n\r\n");
  ASSERT_TRUE(read_http_response("HTTP/2 200\n\nx", response));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "x");
  ASSERT_TRUE(read_http_response("HTTP/1.0 200 OK\r\nA: b", response)) << "a header that nothing ends";
  EXPECT_EQ(response.body, "");
  for (const std::string_view bad : {"", "HTTP/1.1", "HTTP/1.1 OK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "<html>HTTP/1.1 200", "HTTP/1.1 20\r\n\r\n"}) EXPECT_FALSE(read_http_response(bad, response)) << bad;
}

TEST(JoinChunks, JoinsAndStops) {
  std::string out;
  EXPECT_EQ(join_chunks("4\r\nWiki\r\nA;name=x\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", out), BodyResult::kWhole);
  EXPECT_EQ(out, "Wiki0123456789");
  EXPECT_EQ(join_chunks("1  \na\n0\n\n", out), BodyResult::kWhole) << "blanks and line feeds alone";
  EXPECT_EQ(out, "a");
  EXPECT_EQ(join_chunks("4\r\nWi", out), BodyResult::kCut);
  EXPECT_EQ(out, "Wi");
  EXPECT_EQ(join_chunks("4\r\nWiki\r\n", out), BodyResult::kCut) << "no chunk of size 0";
  EXPECT_EQ(join_chunks("4\r\nWikiX5\r\n", out), BodyResult::kDamaged);
  EXPECT_EQ(join_chunks("4\r\nWiki\r\nnothex\r\n", out), BodyResult::kDamaged);
  for (const std::string_view plain : {"<html>\r\n", "", "\r\n", "-4\r\nabcd\r\n0\r\n"}) EXPECT_EQ(join_chunks(plain, out), BodyResult::kNotEncoded) << plain;
  EXPECT_EQ(join_chunks("FFFFFFFFFFFFFFFF\r\nabc", out), BodyResult::kCut) << "memory goes by what is there";
  EXPECT_EQ(join_chunks("FFFFFFFFFFFFFFFFF\r\nabc", out), BodyResult::kNotEncoded);
}

TEST(DecompressBody, KnowsTheCodingsOfBrowsers) {
  std::string text, out;
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919 % 10007) + "\n";
  const std::pair<const char*, std::string> cases[] = {{"gzip", gzip(text)}, {"X-GZIP", gzip(text)}, {"deflate", deflated(text, false)}, {"deflate", deflated(text, true)}, {"br", brotli(text)}, {"zstd", zstd(text)}};
  for (const auto& [coding, body] : cases) {
    EXPECT_EQ(decompress_body(coding, body, 1 << 20, out), BodyResult::kWhole) << coding;
    EXPECT_EQ(out, text) << coding;
    EXPECT_EQ(decompress_body(coding, body, text.size(), out), BodyResult::kWhole) << coding;
    EXPECT_EQ(decompress_body(coding, body, text.size() - 1, out), BodyResult::kTooLarge) << coding;
    EXPECT_EQ(decompress_body(coding, body.substr(0, body.size() - body.size() / 3), 1 << 20, out), BodyResult::kCut) << coding;
    EXPECT_EQ(decompress_body(coding, "<html>plain</html>", 1 << 20, out), BodyResult::kNotEncoded) << coding;
    EXPECT_EQ(decompress_body(coding, "", 1 << 20, out), BodyResult::kNotEncoded) << coding;
  }
  std::string damaged = gzip(text);
  damaged[damaged.size() - 6] ^= 1;  // in the checksum
  EXPECT_EQ(decompress_body("gzip", damaged, 1 << 20, out), BodyResult::kDamaged);
  for (const char* none : {"identity", "utf-8", "none", "aws-chunked"}) EXPECT_EQ(decompress_body(none, gzip(text), 1 << 20, out), BodyResult::kNotEncoded) << none;
}

TEST(DecompressBody, StopsABombAtItsLimit) {
  const std::string bomb = gzip(std::string(16 << 20, 'x'));
  std::string out;
  EXPECT_EQ(decompress_body("gzip", bomb, 1 << 20, out), BodyResult::kTooLarge);
  EXPECT_LE(out.capacity(), 4u << 20);
}

TEST(HttpBody, TakesCodingsOffInTurn) {
  const std::string inner = "<p>text", stored = brotli(gzip(inner));
  std::string chunks;
  for (std::size_t at = 0; at < stored.size(); at += 7) chunks += std::to_string(std::min<std::size_t>(7, stored.size() - at)) + "\r\n" + stored.substr(at, 7) + "\r\n";
  const auto decode = [](const std::string& headers, const std::string& body, bool is_cut, std::string& fault) {
    HttpResponse response;
    const std::string message = "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + body;
    EXPECT_TRUE(read_http_response(message, response));
    HttpBody decoder;
    std::string_view out;
    const auto found = decoder.decode(response, is_cut, 1000, out);
    fault = found ? std::string(found->code) + ": " + found->message : "";
    return found ? std::string() : std::string(out);
  };
  std::string fault;
  EXPECT_EQ(decode("Transfer-Encoding: chunked\r\nContent-Encoding: gzip, br\r\n", chunks + "0\r\n\r\n", false, fault), inner);
  EXPECT_EQ(decode("Transfer-Encoding: gzip, Chunked\r\nContent-Encoding: \r\n", "3\r\nabc\r\n0\r\n\r\n", false, fault), "abc");
  EXPECT_EQ(decode("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", inner, false, fault), inner) << "decoded before it was stored";
  EXPECT_EQ(decode("Content-Length: 3\r\n", inner, false, fault), inner) << "the record is as long as it is";
  EXPECT_EQ(decode("Transfer-Encoding: chunked\r\n", "9\r\nabc", false, fault), "");
  EXPECT_EQ(fault, "bad_http_body: the body ends too early for 'chunked', as its header calls it");
  EXPECT_EQ(decode("Transfer-Encoding: chunked\r\n", "9\r\nabc", true, fault), "abc") << "what was cut when it was stored";
  decode("Content-Encoding: gzip\r\n", gzip(std::string(1001, 'x')), false, fault);
  EXPECT_EQ(fault, "record_too_large: the body has more than 1000 bytes ('max_record_bytes') behind 'gzip'");
  decode("Content-Encoding: gzip,gzip,gzip,gzip,gzip\r\n", "x", false, fault);
  EXPECT_THAT(fault, HasSubstr("5 codings, expected at most 4"));
}

}  // namespace
}  // namespace flowrun::readers
