#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "ascii.hpp"
#include "email.hpp"
#include "finder.hpp"
#include "ip_address.hpp"
#include "replacements.hpp"

namespace flowrun::filters::pii {
namespace {

using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::error_of;
using flowrun::testing::Parameters;
using flowrun::testing::Runner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

unsigned only(Kind kind) { return 1U << static_cast<unsigned>(kind); }

Matches find(FinderOptions options, std::string_view text) {
  Matches matches;
  Finder(options).find(text, matches);
  return matches;
}

/// What of a text is found, as "kind:match".
std::vector<std::string> found(std::string_view text, FinderOptions options = {}) {
  std::vector<std::string> out;
  for (const Match& match : find(options, text))
    out.push_back(std::string(kKindNames[static_cast<std::size_t>(match.kind)]) + ":" + std::string(text.substr(match.begin, match.end - match.begin)));
  return out;
}

std::vector<std::string> found_by_datatrove(std::string_view text) { return found(text, {.dialect = Dialect::kDatatrove}); }

/// Reads the matches of one oracle from a line of the golden file.
Matches read_matches(const flowrun::testing::Json& list) {
  Matches matches;
  for (const auto& item : list.items) {
    const auto kind = std::find(kKindNames.begin(), kKindNames.end(), item.items[0].text) - kKindNames.begin();
    matches.push_back({static_cast<std::size_t>(item.items[1].number()), static_cast<std::size_t>(item.items[2].number()), static_cast<Kind>(kind)});
  }
  return matches;
}

TEST(Finder, AgreesWithRegularExpressionsAndDatatroveOnTheGoldenFile) {
  std::ifstream in(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl");
  std::map<std::string, int> counts;
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    const std::string text = json["text"].text;
    for (std::size_t i = 0; i < kKindCount; ++i) {
      const Matches expected = read_matches(json[kKindNames[i]]);
      EXPECT_EQ(find({.kinds = only(static_cast<Kind>(i))}, text), expected) << kKindNames[i] << " in " << text;
      counts[std::string(kKindNames[i])] += static_cast<int>(expected.size());
    }
    const Matches expected = read_matches(json["datatrove"]);
    EXPECT_EQ(find({.dialect = Dialect::kDatatrove}, text), expected) << text;
    counts["datatrove"] += static_cast<int>(expected.size());
  }
  ASSERT_THAT(counts, SizeIs(kKindCount + 1));
  for (const auto& [name, count] : counts) EXPECT_GE(count, 5) << name;
}

TEST(FindDigit, AgreesWithLookingAtEveryByte) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 40, ' ');
    for (char& c : text) c = static_cast<char>(random() % 8 == 0 ? '0' + random() % 10 : random() % 256);
    for (std::size_t at = 0; at <= text.size(); ++at) {
      const std::size_t expected = std::min(text.find_first_of("0123456789", at), text.size());
      ASSERT_EQ(find_digit(text, at), expected) << ::testing::PrintToString(text);
    }
  }
}

TEST(Finder, FindsEmailAddresses) {
  EXPECT_THAT(found("Write to Jane.Doe+x@mail.university.ac.uk."), ElementsAre("email:Jane.Doe+x@mail.university.ac.uk"));
  EXPECT_THAT(found("<a href=\"mailto:me@xn--bcher-kva.de\">"), ElementsAre("email:me@xn--bcher-kva.de"));
  EXPECT_THAT(found("é.a@b.org 'c@d.net' e@f.com-g"), ElementsAre("email:a@b.org", "email:c@d.net"));
  EXPECT_THAT(found("logo@2x.png you@example.com a@b.test @home.de x@localhost"), IsEmpty());
}

TEST(Finder, FindsPublicAddresses) {
  EXPECT_THAT(found("from 8.8.8.8, 10.0.0.1, 192.0.0.9 and 192.0.0.8"), ElementsAre("ipv4:8.8.8.8", "ipv4:192.0.0.9"));
  EXPECT_THAT(found("v1.2.3.4 1.2.3.4.5 08.8.8.8 8.8.8.256"), IsEmpty());
  EXPECT_THAT(found("[2001:4860:4860::8888]:53, 2001:db8::1, fe80::1, abc::def, std::a::b, 12:30:45"), ElementsAre("ipv6:2001:4860:4860::8888"));
  EXPECT_THAT(found("::ffff:8.8.8.8 ::ffff:10.0.0.1"), ElementsAre("ipv6:::ffff:8.8.8.8"));
  EXPECT_THAT(found("10.0.0.1 fe80::1", {.only_public_ips = false}), ElementsAre("ipv4:10.0.0.1", "ipv6:fe80::1"));
}

TEST(ParseIpv6, KnowsTheFormsOfRfc4291) {
  EXPECT_EQ(parse_ipv6("::"), Ipv6{});
  EXPECT_EQ(parse_ipv6("2001:DB8::8:800:200C:417A"), (Ipv6{0x2001, 0xDB8, 0, 0, 8, 0x800, 0x200C, 0x417A}));
  EXPECT_EQ(parse_ipv6("1:2:3:4:5:6:7::"), (Ipv6{1, 2, 3, 4, 5, 6, 7, 0}));
  EXPECT_EQ(parse_ipv6("::FFFF:129.144.52.38"), (Ipv6{0, 0, 0, 0, 0, 0xFFFF, 0x8190, 0x3426}));
  for (const char* wrong : {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                            "1:2:3:4:5:6:7:8::", "1::2::3", "12345::", "::1.2.3", "1.2.3.4::", "::1.2.3.04", "1:2:3:4:5:6:7:1.2.3.4"})
    EXPECT_EQ(parse_ipv6(wrong), std::nullopt) << wrong;
}

TEST(Finder, FindsAccountsByTheirChecksums) {
  // The registry's examples and test numbers of the issuers.
  EXPECT_THAT(found("GB29 NWBK 6016 1331 9268 19, DE89370400440532013000"), ElementsAre("iban:GB29 NWBK 6016 1331 9268 19", "iban:DE89370400440532013000"));
  EXPECT_THAT(found("GB28 NWBK 6016 1331 9268 19, DE8937040044053201300, XX89370400440532013000"), IsEmpty());
  EXPECT_THAT(found("4111 1111 1111 1111, 3782-822463-10005; 5555555555554444"), ElementsAre("card:4111 1111 1111 1111", "card:3782-822463-10005", "card:5555555555554444"));
  EXPECT_THAT(found("4111 1111 1111 1112, 9111 1111 1111 1111, 4111-1111 1111-1111, 0 4111 1111 1111 1111, 4111 1111 1111 1111 2"), IsEmpty());
}

TEST(Finder, FindsPhoneNumbers) {
  EXPECT_THAT(found("+44 (0)20 7946 0018 or +4915112345678, (202) 456-1111."), ElementsAre("phone:+44 (0)20 7946 0018", "phone:+4915112345678", "phone:(202) 456-1111"));
  EXPECT_THAT(found("+1 202 456 1111 2024"), ElementsAre("phone:+1 202 456 1111")) << "the longest that the country has";
  EXPECT_THAT(found("1-800-356-9377"), ElementsAre("phone:1-800-356-9377"));
  EXPECT_THAT(found("202-555-0142 2024-05-17 911-456-1111 +999 123 4567 1202-456-1111 202 456 1111"), IsEmpty());
}

TEST(Finder, LetsOneKindHaveAPlace) {
  EXPECT_THAT(found("8.8.8.8@firm.com ::ffff:9.9.9.9"), ElementsAre("email:8.8.8.8@firm.com", "ipv6:::ffff:9.9.9.9"));
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "a@b.com 8.8.8.8 +4915112345678 ";
  const Matches matches = find({}, text);
  EXPECT_THAT(matches, SizeIs(3000));
  EXPECT_TRUE(std::is_sorted(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.end <= b.begin; }));
}

// What Python's re answers to datatrove's two expressions.
TEST(Datatrove, MatchesAsItsExpressionsDo) {
  EXPECT_THAT(found_by_datatrove("éa@b.c é.a@b.c =a..b@c.d-e-.f a@[1.2.3.25:]"), ElementsAre("email:a@b.c", "email:b@c.d-e", "email:a@[1.2.3.25:]"));
  EXPECT_THAT(found_by_datatrove("1234.1.1.256 10.1.2.3.8.8.8.8 8.8.08.8"), ElementsAre("ipv4:234.1.1.25", "ipv4:8.8.8.8"));
  EXPECT_THAT(found_by_datatrove("x.1.2.3.4@b.c"), ElementsAre("email:x.1.2.3.4@b.c"));
}

TEST(Replacements, AreNoPersonalData) {
  for (const auto& list : Replacements::defaults(Dialect::kFlowrun))
    for (const std::string& text : list) EXPECT_THAT(found(text), IsEmpty()) << text;
  for (const auto& list : Replacements::tags())
    for (const std::string& text : list) EXPECT_THAT(found(text), IsEmpty()) << text;
}

TEST(Replacements, DependOnTheMatchAlone) {
  const Replacements replacements(Replacements::defaults(Dialect::kDatatrove));
  std::map<std::string, int> counts;
  for (int i = 0; i < 6000; ++i) {
    const std::string address = "8.8." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    const std::string chosen(replacements.choose(Kind::kIpv4, address));
    EXPECT_EQ(replacements.replace(address + " " + address, {{0, address.size(), Kind::kIpv4}, {address.size() + 1, 2 * address.size() + 1, Kind::kIpv4}}), chosen + " " + chosen);
    ++counts[chosen];
  }
  ASSERT_THAT(counts, SizeIs(6));
  for (const auto& [text, count] : counts) EXPECT_NEAR(count, 1000, 150) << text << ": five standard deviations";
}

// -------------------------------------------------------------------------------------------------------------------------------- node

using Texts = std::vector<std::string>;

struct Outcome {
  Texts texts;
  std::vector<flowrun::testing::Dropped> drops;
};

Outcome run(Parameters parameters, const std::vector<Texts>& batches) {
  Runner node(flowrun_plugin_v1, parameters);
  node.open({fields::documents()});
  Outcome outcome;
  int id = 0;
  for (const Texts& texts : batches) {
    std::vector<flowrun::testing::Document> documents;
    for (const std::string& text : texts) documents.push_back({std::to_string(id++), text, "", ""});
    const auto out = node.process(documents_batch(documents));
    for (const auto& row : document_rows(out[0])) outcome.texts.push_back(row.text);
  }
  outcome.drops = node.drops();
  EXPECT_THAT(node.close(), IsEmpty());
  return outcome;
}

TEST(PiiNode, ReplacesInTexts) {
  EXPECT_THAT(run({{"email_replacement", Texts{"E"}}}, {{"none", "a@b.org, c@d.org", "none"}}).texts, ElementsAre("none", "E, E", "none"));
  EXPECT_THAT(run({{"mode", "tag"}}, {{"a@b.org 8.8.8.8 +4915112345678, 4111111111111111 DE89370400440532013000"}}).texts, ElementsAre("<EMAIL> <IP_ADDRESS> <PHONE>, <CARD> <IBAN>"));
  EXPECT_THAT(run({{"kinds", Texts{"ipv4"}}, {"mode", "tag"}}, {{"a@b.org 8.8.8.8"}}).texts, ElementsAre("a@b.org <IP_ADDRESS>"));
}

TEST(PiiNode, GivesTheSameTextsForAnyBatches) {
  const Texts texts = {"a@b.org", "8.8.8.8", "nothing", "a@b.org 9.9.9.9", "c@d.org"};
  std::vector<Texts> single;
  for (const std::string& text : texts) single.push_back({text});
  for (const char* dialect : {"flowrun", "datatrove"}) EXPECT_EQ(run({{"dialect", dialect}}, {texts}).texts, run({{"dialect", dialect}}, single).texts);
}

TEST(PiiNode, DropsDocumentsWithTooMuch) {
  const Outcome outcome = run({{"mode", "drop"}, {"max_matches", 1}}, {{"a@b.org", "8.8.8.8 a@b.org", "none"}});
  EXPECT_THAT(outcome.texts, ElementsAre("a@b.org", "none"));
  ASSERT_THAT(outcome.drops, SizeIs(1));
  EXPECT_EQ(outcome.drops[0].reason, "pii_ipv4");
  EXPECT_EQ(outcome.drops[0].value, 2);
  EXPECT_EQ(outcome.drops[0].threshold, 1);
}

TEST(PiiNode, CountsEachKind) {
  Runner node(flowrun_plugin_v1, {{"mode", "score"}, {"kinds", Texts{"phone", "email"}}});
  node.open({fields::documents()});
  const auto out = node.process(documents_batch({{"a", "none", "", ""}, {"b", "a@b.org c@d.org +4915112345678", "", ""}}));
  EXPECT_EQ(document_rows(out[0])[1].text, "a@b.org c@d.org +4915112345678") << "scores change no text";
  const auto* emails = BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("pii.email", "l");
  const auto* phones = BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("pii.phone", "l");
  EXPECT_THAT(std::vector<std::int64_t>(emails, emails + 2), ElementsAre(0, 2));
  EXPECT_THAT(std::vector<std::int64_t>(phones, phones + 2), ElementsAre(0, 1));
  EXPECT_EQ(out[0].schema.find("pii.card"), -1);

  Runner again(flowrun_plugin_v1, {{"mode", "score"}});
  EXPECT_THAT(error_of([&] { again.open({out[0].schema}); }).second, HasSubstr("has a column 'pii.email' already"));
}

TEST(PiiNode, CountsBesideDroppingAndReplacing) {
  Runner node(flowrun_plugin_v1, {{"mode", "drop"}, {"counts", true}, {"max_matches", 1}});
  node.open({fields::documents()});
  const auto out = node.process(documents_batch({{"a", "a@b.org c@d.org", "", ""}, {"b", "a@b.org", "", ""}}));
  const auto* emails = BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("pii.email", "l");
  EXPECT_THAT(std::vector<std::int64_t>(emails, emails + out[0].size()), ElementsAre(1));
}

TEST(PiiNode, RefusesKindsThatItDoesNotHave) {
  const auto error = [](Parameters parameters) { return error_of([&] { Runner(flowrun_plugin_v1, parameters); }).second; };
  EXPECT_THAT(error({{"kinds", Texts{"fax"}}}), HasSubstr("'kinds' names 'fax', expected email, iban, card, ipv6, ipv4 or phone"));
  EXPECT_THAT(error({{"kinds", Texts{"iban"}}, {"dialect", "datatrove"}}), HasSubstr("dialect = \"datatrove\" has only email and ipv4"));
}

}  // namespace
}  // namespace flowrun::filters::pii
