#include <flowrun/descriptor.hpp>

#include <flowrun/testing/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flowrun {
namespace {

using testing::Json;
using testing::read_json;

TEST(Descriptor, IsJsonWithEverythingThatWasSaid) {
  const std::string text = Descriptor("filters/example", "1.2.3")
                               .summary("Says \"no\".")
                               .input(Port("in", "documents").columns({"language"}))
                               .input(Port("tokenizer", "tokenizer", Edge::kArtifact).optional())
                               .output({"out", "documents"})
                               .parameter(integer("count").about("How many.").unit("documents").range(1, 9007199254740992.0).defaults(3))
                               .parameter(number("share").range(0, 1).defaults(1))
                               .parameter(strings("words").defaults(std::vector<std::string>{"a", "b"}))
                               .parameter(string("mode").choices({"x", "y"}).required())
                               .less_or_equal("share", "count")
                               .declares_state()
                               .to_json("portable", "map");
  const Json json = read_json(text);
  EXPECT_EQ(json["id"].text, "filters/example");
  EXPECT_EQ(json["summary"].text, "Says \"no\".");
  EXPECT_EQ(json["kind"].text, "map");
  EXPECT_TRUE(json["declares_state"].boolean);
  EXPECT_EQ(json["inputs"].items.at(0)["columns_needed"].items.at(0).text, "language");
  EXPECT_TRUE(json["inputs"].items.at(1)["optional"].boolean);
  EXPECT_EQ(json["inputs"].items.at(1)["edge"].text, "artifact");
  const auto& parameters = json["parameters"].items;
  ASSERT_EQ(parameters.size(), 4u);
  EXPECT_EQ(parameters[0]["default"].text, "3");
  EXPECT_EQ(parameters[0]["max"].text, "9007199254740992");
  EXPECT_EQ(parameters[1]["default"].text, "1.0") << "the default of a float is written as one";
  EXPECT_EQ(parameters[2]["default"].items.at(1).text, "b");
  EXPECT_TRUE(parameters[3]["required"].boolean);
  EXPECT_EQ(parameters[3]["choices"].items.at(0).text, "x");
  EXPECT_EQ(json["constraints"].items.at(0)["names"].items.at(1).text, "count");
}

TEST(Descriptor, SaysWhatTextsAreNamesOf) {
  const Json port = read_json(Port("out", "documents").domain_from("domain", {"domain_field"}).to_json(false));
  EXPECT_EQ(port["domain_from"].text, "domain");
  EXPECT_EQ(port["domain_unless"].items.at(0).text, "domain_field");
  const Json weights = read_json(numbers_by_key("weights").names_domains(1).to_json());
  EXPECT_EQ(weights["names"].text, "domain");
  EXPECT_EQ(weights["otherwise"].text, "1.0");
  EXPECT_EQ(read_json(string("order_by").names_columns().to_json())["names"].text, "column");
}

TEST(Json, RoundTripsEveryByteThatMustBeEscaped) {
  std::string text;
  for (int c = 0; c < 0x80; ++c) text += static_cast<char>(c);
  EXPECT_EQ(read_json(json::quote(text)).text, text);
}

TEST(Json, WritesTheShortestNumber) {
  EXPECT_EQ(json::number(0.1), "0.1");
  EXPECT_EQ(json::number(3), "3.0");
  EXPECT_EQ(json::number(1e-8), "1e-08");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "\"\x01\"", "nul", "1 2", "\"\\x\"", "{\"a\":1,}"}) EXPECT_THROW(read_json(text), Error) << text;
  EXPECT_EQ(read_json("\"\\ud83d\\ude00\\u00e9\"").text, "😀é");
}

}  // namespace
}  // namespace flowrun
