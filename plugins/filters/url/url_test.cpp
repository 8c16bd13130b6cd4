#include "url_rules.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "filters/common/golden_file.hpp"
#include "punycode.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::documents_batch;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Parameters = std::vector<std::pair<std::string, flowrun::testing::Value>>;

Paths testdata(const std::string& name) { return Paths({FLOWRUN_TEST_SOURCE_DIR "/testdata/" + name}); }

Parameters all_lists() {
  Parameters parameters = {{"suffix_list", testdata("suffixes.dat")}};
  for (const char* list : {"domains", "urls", "banned_words", "soft_banned_words", "banned_subwords"}) parameters.emplace_back(list, testdata(list));
  return parameters;
}

flowrun::testing::Batch batch_of(const std::vector<std::string>& urls) {
  std::vector<flowrun::testing::Document> rows;
  StringBuilder column;
  for (const std::string& url : urls) {
    rows.push_back({std::to_string(rows.size()), "text", "", ""});
    column.append(url);
  }
  return flowrun::testing::with_column(documents_batch(rows), fields::utf8("url"), column.finish());
}

/// The reason for each URL, "" where it stays.
std::vector<std::string> reasons(const Parameters& parameters, const std::vector<std::string>& urls) {
  Runner node(flowrun_plugin_v1, parameters);
  node.open({batch_of({}).schema});
  node.process(batch_of(urls));
  std::vector<std::string> found(urls.size());
  for (const auto& drop : node.drops()) found[std::stoul(drop.id)] = drop.reason;
  return found;
}

std::string registered(std::string_view url) {
  const PublicSuffixes suffixes("com\nuk\nco.uk\n*.ck\n!www.ck\n// a comment\nрф\n// ===BEGIN PRIVATE DOMAINS===\nblogspot.com\n");
  return suffixes.domain_of(url).registered;
}

TEST(UrlNode, DecidesAsDatatroveOnTheGoldenFile) {
  std::vector<std::string> urls, expected;
  std::map<std::string, int> counts;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    urls.push_back(document.text);
    expected.push_back(document.reason);
    ++counts[document.reason];
  }
  EXPECT_EQ(reasons(all_lists(), urls), expected);
  EXPECT_THAT(counts, SizeIs(7)) << "every reason, and the kept ones";
}

TEST(PublicSuffixes, FindTheDomainOfAHost) {
  EXPECT_EQ(registered("https://news.bbc.co.uk/x"), "bbc.co.uk");
  EXPECT_EQ(registered("http://user:pw@a.b.com:80?x"), "b.com");
  EXPECT_EQ(registered("b.com"), "b.com");
  EXPECT_EQ(registered("http://co.uk/"), "") << "a suffix alone";
  EXPECT_EQ(registered("http://localhost/"), "");
  EXPECT_EQ(registered("http://1.2.3.4/"), "");
  EXPECT_EQ(registered("http://[::1]/"), "");
  EXPECT_EQ(registered("http://x.blogspot.com/"), "blogspot.com") << "suffixes of private owners do not count";
  EXPECT_EQ(registered("http://B.Co.Uk./"), "B.Co.Uk") << "letters stay as they are";
}

TEST(PublicSuffixes, KnowWildcardsAndTheirExceptions) {
  EXPECT_EQ(registered("http://a.b.c.ck/"), "b.c.ck");
  EXPECT_EQ(registered("http://c.ck/"), "");
  EXPECT_EQ(registered("http://x.www.ck/"), "www.ck");
}

TEST(PublicSuffixes, ReadOtherScripts) {
  EXPECT_EQ(registered("http://пример.РФ/"), "пример.РФ");
  EXPECT_EQ(registered("http://a.b.xn--p1ai/"), "b.xn--p1ai");
  EXPECT_EQ(registered("http://a。b．com｡/"), "b.com") << "other full stops";
}

// RFC 3492, section 7.1: examples (B), (L), (S) and the German one of the IDNA documents.
TEST(Punycode, IsThatOfTheRfc) {
  EXPECT_EQ(punycode("他们为什么不说中文"), "ihqwcrb4cv8a8dqg056pqjye");
  EXPECT_EQ(punycode("3年B組金八先生"), "3B-ww4c5e180e575a65lsy2b");
  EXPECT_EQ(punycode("-> $1.00 <-"), "-> $1.00 <--");
  EXPECT_EQ(punycode("bücher"), "bcher-kva");
  EXPECT_THROW(punycode("\xFF"), Error);
}

TEST(EntrySet, HoldsWhatWasPutIn) {
  EntrySet entries;
  EXPECT_FALSE(entries.contains("a"));
  for (int i = 0; i < 5000; i += 2) entries.insert("entry" + std::to_string(i));
  entries.insert("entry0");
  EXPECT_EQ(entries.size(), 2500u);
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(entries.contains("entry" + std::to_string(i)), i % 2 == 0) << i;
}

TEST(UrlNode, CountsDifferentSoftWords) {
  const TemporaryFolder folder;
  const Parameters parameters = {{"soft_banned_words", Paths({folder.write("soft", "a\nB\nc\n")})}, {"soft_word_threshold", 2}};
  EXPECT_THAT(reasons(parameters, {"x/a/a", "x/a-b", "x/A-b", "x/ab"}), ElementsAre("", "soft_blacklisted", "", ""));
}

TEST(UrlNode, AnEmptyLineOfAListIsNoEntry) {
  const TemporaryFolder folder;
  const std::string list = folder.write("list", "\n  \n# no\n!!\nword\r\n");
  EXPECT_THAT(reasons({{"banned_words", Paths({list})}, {"banned_subwords", Paths({list})}}, {"http://x/", "http://no/", "http://x/word", "http://x/wo-rd"}),
              ElementsAre("", "", "hard_blacklisted", "blacklisted_subword"));
}

/// What refuses the node, by its constructor or when it is opened.
std::string refusal(const Parameters& parameters) {
  try {
    Runner node(flowrun_plugin_v1, parameters);
    node.open({fields::documents()});
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(UrlNode, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal({}), HasSubstr("there is no list"));
  EXPECT_EQ(refusal({{"domains", testdata("domains")}}), "'domains' needs 'suffix_list', which says what the domain of a host is");
  EXPECT_EQ(refusal({{"urls", testdata("urls")}}), "the input has no column 'url', which 'url_column' names");
  Runner node(flowrun_plugin_v1, {{"urls", testdata("urls")}});
  node.open({batch_of({}).schema});
  try {
    node.process(batch_of({""}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCorruptData);
    EXPECT_EQ(error.message(), "the document has no URL in column 'url'");
  }
  const std::string empty = folder.write("empty", "# nothing\n");
  Runner without(flowrun_plugin_v1, {{"urls", Paths({empty})}});
  EXPECT_THROW(without.open({batch_of({}).schema}), Error);
}

}  // namespace
}  // namespace flowrun::filters
