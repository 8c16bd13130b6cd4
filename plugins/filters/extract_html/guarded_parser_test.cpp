#include "guarded_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>

#include "extraction.hpp"
#include "hostile_pages.hpp"

namespace flowrun::filters::html {
namespace {

constexpr ExtractionLimits kDefaults = {8 << 20, {1024, 1000000, 100000000}};

#if defined(__SANITIZE_ADDRESS__)
constexpr double kSlower = 20;
constexpr std::size_t kHostileBytes = 256 << 10;
#else
constexpr double kSlower = 1;
constexpr std::size_t kHostileBytes = 2 << 20;
#endif

double cpu_seconds(const auto& work) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string reason_of(const std::string& page, const ExtractionLimits& limits = kDefaults) {
  Extraction extraction(limits, Head::kUnion);
  const PageFault fault = extraction.read(page);
  return fault.reason == nullptr ? "" : fault.reason;
}

TEST(GuardedParser, BoundsTheTimeOfHostilePages) {
  for (const auto& [name, page] : hostile_pages(kHostileBytes)) {
    std::string reason;
    const double seconds = cpu_seconds([&page = page, &reason] { reason = reason_of(page); });
    EXPECT_LT(seconds, 1.5 * kSlower) << name << " " << reason;
    RecordProperty(name, reason + " " + std::to_string(static_cast<int>(seconds * 1000)) + " ms");
  }
}

TEST(GuardedParser, TakesTenThousandCrossedElementsIn50Milliseconds) {
  for (const std::string& page : {repeated("<b><i>x</b>y</i>", 10000), repeated("<b><i>", 10000) + repeated("</b></i>", 10000), repeated("<p><b><i></p>x", 10000)})
    EXPECT_LT(cpu_seconds([&] { reason_of(page); }), 0.05 * kSlower) << page.substr(0, 20);
  EXPECT_EQ(reason_of(repeated("<b><i>x</b>y</i>", 10000)), "") << "which is no more than a browser would show";
}

TEST(GuardedParser, NamesTheLimitThatIsMet) {
  EXPECT_EQ(reason_of(repeated("<div>", 2000)), "too_deep");
  EXPECT_EQ(reason_of(repeated("<p>x", 600000)), "too_many_nodes");
  EXPECT_EQ(reason_of("<p>" + numbered("<b id=#>", 8000) + repeated("</p><p>x", 100000)), "too_many_steps");
  EXPECT_EQ(reason_of(numbered("<p a#>x", 1 << 20)), "too_many_names");
  EXPECT_EQ(reason_of(std::string((8 << 20) + 1, 'x')), "too_large");
  EXPECT_EQ(reason_of("<p> \n"), "no_text");
}

TEST(GuardedParser, TakesWhatIsJustWithinALimit) {
  const auto with_depth = [](std::size_t depth) { return ExtractionLimits{1 << 20, {depth, 100000, 10000000}}; };
  const std::string page = repeated("<div>", 98) + "x";  // in <html> and <body>
  EXPECT_EQ(reason_of(page, with_depth(100)), "");
  EXPECT_EQ(reason_of(page, with_depth(99)), "too_deep");
  EXPECT_EQ(reason_of("x", {1, kDefaults.parser}), "");
  EXPECT_EQ(reason_of("xy", {1, kDefaults.parser}), "too_large");
}

TEST(GuardedParser, IsFreshAfterAPageThatWasRefused) {
  Extraction extraction(kDefaults, Head::kFull);
  EXPECT_STREQ(extraction.read(repeated("<div>", 2000)).reason, "too_deep");
  EXPECT_EQ(extraction.read("<title>T</title><p>one").reason, nullptr);
  EXPECT_EQ(extraction.text(), "one");
  EXPECT_EQ(extraction.page().title, "T");
  EXPECT_STREQ(extraction.read(numbered("<p a#>x", 1 << 20)).reason, "too_many_names");
  EXPECT_EQ(extraction.read("<p>two").reason, nullptr);
  EXPECT_EQ(extraction.text(), "two");
  EXPECT_EQ(extraction.page().title, "");
}

TEST(GuardedParser, StopsAtTheSameTokenEveryTime) {
  const ExtractionLimits limits = {1 << 20, {1024, 1000000, 20000}};
  std::size_t taken = 0;
  for (std::size_t count = 1; reason_of(repeated("<p>x", count), limits).empty(); ++count) taken = count;
  EXPECT_GT(taken, 1000u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reason_of(repeated("<p>x", taken), limits), "");
    EXPECT_EQ(reason_of(repeated("<p>x", taken + 1), limits), "too_many_steps");
  }
}

TEST(GuardedParser, SurvivesAnyBytes) {
  const std::vector<std::string> parts = {"<", ">", "</", "<!--", "-->", "<p>", "<table>", "<td>", "<b>", "</b>", "<a href=x>", "<script>", "</script>", "<svg>", "<math>", "<![CDATA[", "&", "&#", "\0", "\xFF", "\xC3", "\xE2\x82",
                                          "<select>", "<template>", "<title>", "'", "\"", "=", "class=nav", "<!doctype html>", "<plaintext>", "<?", "x", " ", "\r\n"};
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::string page;
    for (int n = static_cast<int>(random() % 60); n > 0; --n) random() % 4 == 0 ? void(page += static_cast<char>(random())) : void(page += parts[random() % parts.size()]);
    EXPECT_NO_THROW(reason_of(page)) << "seed 11, page " << i;
  }
}

}  // namespace
}  // namespace flowrun::filters::html
