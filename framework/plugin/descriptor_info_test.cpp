#include "plugin/descriptor_info.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/plugin_testing.hpp"

namespace flowrun::plugin {
namespace {

using nlohmann::json;

TEST(Descriptor, ReadsEveryField) {
  const DescriptorInfo info = parse_descriptor(example_descriptor().dump());
  EXPECT_EQ(info.id, "filters/example");
  EXPECT_EQ(info.version, "1.2.3");
  EXPECT_EQ(info.kind, "map");
  EXPECT_EQ(info.abi_major, 1);
  ASSERT_EQ(info.inputs.size(), 2u);
  EXPECT_EQ(info.input("in")->edge, EdgeKind::kStream);
  EXPECT_EQ(info.input("in")->columns, std::vector<std::string>{"language"});
  EXPECT_EQ(info.input("tokenizer")->edge, EdgeKind::kArtifact);
  EXPECT_TRUE(info.input("tokenizer")->optional);
  EXPECT_EQ(info.output("out")->columns, std::vector<std::string>{"score.example"});
  EXPECT_EQ(info.output("in"), nullptr);
  const ParameterInfo* words = info.parameter("min_words");
  ASSERT_NE(words, nullptr);
  EXPECT_EQ(words->unit, "words");
  EXPECT_EQ(words->default_value, 50);
  EXPECT_EQ(words->min, 0);
  EXPECT_EQ(words->max, 1000);
  EXPECT_TRUE(info.parameter("max_words")->required);
  EXPECT_FALSE(info.parameter("max_words")->max.has_value());
  EXPECT_EQ(info.parameter("mode")->choices, (std::vector<std::string>{"drop", "score"}));
  ASSERT_EQ(info.parameter("stages")->fields.size(), 2u);
  EXPECT_EQ(info.parameter("stages")->fields[1].type, "table<float>");
  EXPECT_EQ(info.parameter("absent"), nullptr);
  ASSERT_EQ(info.constraints.size(), 2u);
  EXPECT_EQ(info.constraints[0].kind, "less_or_equal");
  EXPECT_EQ(info.constraints[1].names, (std::vector<std::string>{"tokenizer", "tokenizer_path"}));
  EXPECT_FALSE(info.fingerprint.has_value());
}

TEST(Descriptor, ReadsWhatTheSdkWrites) {
  Descriptor sdk("readers/thing", "0.1.0");
  sdk.summary("Reads \"things\"\tand\nlines.").output(Port("out", "documents").columns({"language"})).parameter(paths("paths").required().about("Files."));
  sdk.parameter(number("share").range(0, 1).defaults(0.1).about("A share.")).parameter(integer("n").min_value(-3).defaults(7).about("A number."));
  sdk.parameter(tables("stages").field(number("share").required().about("A share.")).field(numbers_by_key("weights").about("Weights.")).about("Stages."));
  const DescriptorInfo info = parse_descriptor(sdk.to_json("portable", "source"));
  EXPECT_EQ(info.summary, "Reads \"things\"\tand\nlines.");
  EXPECT_EQ(info.parameter("share")->default_value, 0.1);
  EXPECT_EQ(info.parameter("n")->min, -3);
  EXPECT_EQ(info.parameter("paths")->type, "paths");
  EXPECT_TRUE(info.parameter("stages")->fields.at(0).required);
}

TEST(Descriptor, ReadsWhatTextsAreNamesOf) {
  Descriptor sdk("readers/thing", "0.1.0");
  sdk.summary("Reads things.").output(Port("out", "documents").domain_from("domain", {"domain_field"}));
  sdk.parameter(string("domain").defaults("").about("A domain.")).parameter(string("domain_field").about("A field."));
  sdk.parameter(numbers_by_key("weights").names_domains(1).about("Weights.")).parameter(strings("columns").names_columns().about("Columns."));
  const DescriptorInfo info = parse_descriptor(sdk.to_json("portable", "source"));
  EXPECT_EQ(info.output("out")->domain_from, "domain");
  EXPECT_EQ(info.output("out")->domain_unless, std::vector<std::string>{"domain_field"});
  EXPECT_EQ(info.parameter("weights")->names, Names::kDomains);
  EXPECT_EQ(info.parameter("weights")->otherwise, 1);
  EXPECT_EQ(info.parameter("columns")->names, Names::kColumns);
  EXPECT_EQ(info.parameter("domain")->names, Names::kNothing);
}

TEST(Descriptor, ReadsANativeFingerprint) {
  json native = example_descriptor();
  native["tier"] = native["kind"] = "native";
  native["fingerprint"] = R"({"libtorch_version":"2.15.0","cxx11_abi":1,"glibcxx_debug":false})";
  EXPECT_EQ(parse_descriptor(native.dump()).fingerprint, R"({"libtorch_version":"2.15.0","cxx11_abi":1,"glibcxx_debug":false})");
}

/// One change of the good descriptor, and what is then said. `pointer` is a JSON pointer; an empty `value` removes the key.
struct Fault {
  const char* pointer;
  const char* value;
  const char* message;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.pointer << " = " << fault.value; }

class DescriptorFault : public ::testing::TestWithParam<Fault> {};

TEST_P(DescriptorFault, NamesPathFoundAndExpected) {
  json descriptor = example_descriptor();
  const json::json_pointer pointer(GetParam().pointer);
  if (*GetParam().value) descriptor[pointer] = json::parse(GetParam().value);
  else descriptor[pointer.parent_pointer()].erase(pointer.back());
  const Error error = error_of([&] { parse_descriptor(descriptor.dump()); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.message(), GetParam().message);
}

constexpr Fault kFaults[] = {
    {"/version", "", "descriptor key 'version' is missing"},
    {"/version", "7", "descriptor key 'version' is 7, expected a string that is not empty"},
    {"/summary", "\"\"", "descriptor key 'summary' is \"\", expected a string that is not empty"},
    {"/abi", "1", "descriptor key 'abi' is 1, expected an object"},
    {"/abi/major", "\"1\"", "descriptor key 'abi.major' is \"1\", expected a whole number from 0 to 65535"},
    {"/abi/major", "2", "built for plugin ABI 2.0, expected 1.x; rebuild it with the SDK of this flowrun"},
    {"/id", "\"Filters/x\"", "descriptor key 'id' is \"Filters/x\", expected <family>/<name> in snake_case"},
    {"/id", "\"../x\"", "descriptor key 'id' is \"../x\", expected <family>/<name> in snake_case"},
    {"/id", "\"a/b/c\"", "descriptor key 'id' is \"a/b/c\", expected <family>/<name> in snake_case"},
    {"/tier", "\"fast\"", "descriptor key 'tier' is \"fast\", expected one of portable, native"},
    {"/tier", "\"native\"", "descriptor key 'kind' is \"map\", expected 'native' for the native tier and for it alone"},
    {"/kind", "\"filter\"", "descriptor key 'kind' is \"filter\", expected one of source, map, serial, blocking, indexed, native"},
    {"/kind", "\"source\"", "descriptor key 'inputs' is not what its kind can serve, expected no stream and no dataset for kind source"},
    {"/kind", "\"indexed\"", "descriptor key 'inputs' is not what its kind can serve, expected at least one dataset and no stream for kind indexed"},
    {"/outputs", "[]", "descriptor key 'outputs' is not what its kind can serve, expected streams, at least one for kind map"},
    {"/extra", "1",
     "descriptor key 'extra' is unknown, expected one of abi, id, version, summary, tier, kind, inputs, outputs, parameters, constraints, declares_state, "
     "determinism, threads, devices, source, example, fingerprint"},
    {"/inputs", "{}", "descriptor key 'inputs' is an object, expected a list"},
    {"/inputs/0/name", "\"in-put\"", "descriptor key 'inputs[0].name' is \"in-put\", expected a name in snake_case"},
    {"/inputs/1/name", "\"in\"", "descriptor key 'inputs[1].name' is \"in\", expected a name that no earlier port has"},
    {"/inputs/1/name", "\"seed\"", "descriptor key 'inputs[1].name' is \"seed\", expected a name that is not a reserved key of a node"},
    {"/inputs/0/edge", "\"pipe\"", "descriptor key 'inputs[0].edge' is \"pipe\", expected one of stream, dataset, artifact, model"},
    {"/inputs/0/optional", "0", "descriptor key 'inputs[0].optional' is 0, expected true or false"},
    {"/outputs/0/columns_needed", "[]", "descriptor key 'outputs[0].columns_needed' is unknown, expected one of name, type, edge, columns_added, endless_without, domain_from, domain_unless"},
    {"/outputs/0/endless_without", "[\"min_words\"]", "descriptor key 'outputs[0].endless_without' is a list, expected nothing: only a dataset may have no end"},
    {"/outputs/0/columns_added/0", "3", "descriptor key 'outputs[0].columns_added[0]' is 3, expected a string that is not empty"},
    {"/parameters/0/type", "\"int\"",
     "descriptor key 'parameters[0].type' is \"int\", expected one of boolean, integer, float, string, path, paths, output_path, list<string>, table<float>, list<table>"},
    {"/parameters/0/unit", "\"\"", "descriptor key 'parameters[0].unit' is \"\", expected a string that is not empty"},
    {"/parameters/0/min", "0.5", "descriptor key 'parameters[0].min' is 0.5, expected a whole number or null"},
    {"/parameters/0/min", "2000", "descriptor key 'parameters[0].min' is 2000, expected at most 'max', which is 1000"},
    {"/parameters/0/default", "2000", "descriptor key 'parameters[0].default' is 2000, expected at most 1000"},
    {"/parameters/0/default", "-1", "descriptor key 'parameters[0].default' is -1, expected at least 0"},
    {"/parameters/0/default", "1.0", "descriptor key 'parameters[0].default' is 1.0, expected a value of type integer"},
    {"/parameters/0/required", "true", "descriptor key 'parameters[0].default' is 50, expected null, because the parameter is required"},
    {"/parameters/0/choices", "[\"1\"]", "descriptor key 'parameters[0].choices' is a list, expected null for a parameter that is not a string"},
    {"/parameters/0/description", "\"\"", "descriptor key 'parameters[0].description' is \"\", expected a string that is not empty"},
    {"/parameters/1/name", "\"min_words\"",
     "descriptor key 'parameters[1].name' is \"min_words\", expected a name that no other parameter, artifact port or model port has"},
    {"/parameters/1/name", "\"tokenizer\"",
     "descriptor key 'parameters[1].name' is \"tokenizer\", expected a name that no other parameter, artifact port or model port has"},
    {"/parameters/1/name", "\"threads\"", "descriptor key 'parameters[1].name' is \"threads\", expected a name that is not a reserved key of a node"},
    {"/parameters/3/min", "1", "descriptor key 'parameters[3].min' is 1, expected null for a parameter that is not a number"},
    {"/parameters/3/default", "\"keep\"", "descriptor key 'parameters[3].default' is \"keep\", expected one of the choices drop, score"},
    {"/parameters/3/choices", "[]", "descriptor key 'parameters[3].choices' is a list, expected null or at least one choice"},
    {"/parameters/5/default", "{\"books\":\"1\"}", "descriptor key 'parameters[5].default' is an object, expected a value of type table<float>"},
    {"/parameters/6/default", "[]", "descriptor key 'parameters[6].default' is a list, expected a value of type list<table>"},
    {"/parameters/6/fields", "[]", "descriptor key 'parameters[6].fields' is a list, expected at least one field"},
    {"/parameters/6/fields/1/type", "\"path\"", "descriptor key 'parameters[6].fields[1].type' is \"path\", expected a type of values"},
    {"/parameters/6/fields/1/name", "\"share\"", "descriptor key 'parameters[6].fields[1].name' is \"share\", expected a name that no earlier field has"},
    {"/parameters/5/fields", "[]",
     "descriptor key 'parameters[5].fields' is unknown, expected one of name, type, unit, default, min, max, choices, required, description, names, otherwise"},
    {"/constraints/0/kind", "\"less\"",
     "descriptor key 'constraints[0].kind' is \"less\", expected one of less_or_equal, exactly_one_of, at_most_one_of, multiple_of"},
    {"/constraints/0/names", "[\"min_words\"]", "descriptor key 'constraints[0].names' has 1 names, expected two"},
    {"/constraints/0/names/1", "\"mode\"", "descriptor key 'constraints[0].names[1]' is \"mode\", expected a parameter that is a number"},
    {"/constraints/0", R"({"kind":"multiple_of","names":["min_words","share"]})",
     "descriptor key 'constraints[0].names[1]' is \"share\", expected an integer parameter"},
    {"/constraints/1/names/0", "\"in\"", "descriptor key 'constraints[1].names[0]' is \"in\", expected a parameter, artifact port or model port"},
    {"/declares_state", "null", "descriptor key 'declares_state' is null, expected true or false"},
    {"/determinism", "\"random\"", "descriptor key 'determinism' is \"random\", expected one of pure, seeded, stateful"},
    {"/devices", "[]", "descriptor key 'devices' is a list, expected at least one device"},
    {"/devices/0", "\"tpu\"", "descriptor key 'devices[0]' is \"tpu\", expected one of cpu, cuda"},
    {"/fingerprint", "\"{}\"", "descriptor key 'fingerprint' is \"{}\", expected null for a portable plugin"},
};

INSTANTIATE_TEST_SUITE_P(All, DescriptorFault, ::testing::ValuesIn(kFaults));

TEST(Descriptor, ChecksTheFingerprintOfANativePlugin) {
  json native = example_descriptor();
  native["tier"] = native["kind"] = "native";
  EXPECT_EQ(error_of([&] { parse_descriptor(native.dump()); }).message(), "descriptor key 'fingerprint' is null, expected a string for a native plugin");
  native["fingerprint"] = "{\"cuda\":[]}";
  EXPECT_EQ(error_of([&] { parse_descriptor(native.dump()); }).message(),
            "descriptor key 'fingerprint' is \"{\\\"cuda\\\":[]}\", expected JSON text of an object whose values are strings, numbers or booleans");
}

TEST(Descriptor, LaterMinorVersionMayHaveMoreKeys) {
  json later = example_descriptor();
  later["abi"]["minor"] = FLOWRUN_ABI_MINOR + 1;
  later["licence"] = "MIT";
  later["parameters"][0]["deprecated"] = true;
  EXPECT_EQ(parse_descriptor(later.dump()).abi_minor, FLOWRUN_ABI_MINOR + 1);
}

TEST(Descriptor, RefusesWhatIsNoJson) {
  EXPECT_THAT(error_of([] { parse_descriptor("{\"abi\": "); }).message(), ::testing::StartsWith("descriptor is not JSON: parse error at line 1, column 9"));
  EXPECT_EQ(error_of([] { parse_descriptor("[]"); }).message(), "descriptor is a list, expected an object");
  EXPECT_THAT(error_of([] { parse_descriptor(std::string_view("{\"id\": \"\xff\"}")); }).message(), ::testing::HasSubstr("ill-formed UTF-8"));
  EXPECT_EQ(error_of([] { parse_descriptor(std::string(2 << 20, ' ')); }).message(), "descriptor has 2097152 bytes, expected at most 1048576");
  EXPECT_THROW(parse_descriptor(std::string(100000, '[')), Error);
}

TEST(Descriptor, TooManyPortsAreRefused) {
  json many = example_descriptor();
  for (int i = 0; i <= FLOWRUN_MAX_PORTS; ++i)
    many["outputs"][static_cast<std::size_t>(i)] = {{"name", "out" + std::to_string(i)}, {"type", "documents"}, {"edge", "stream"}, {"columns_added", json::array()}};
  EXPECT_EQ(error_of([&] { parse_descriptor(many.dump()); }).message(), "descriptor key 'outputs' has 17 ports, expected at most 16");
}

TEST(Descriptor, IdsAreFamilyAndName) {
  for (const char* id : {"readers/text", "a/b", "dedupers/minhash_lsh2"}) EXPECT_TRUE(is_plugin_id(id)) << id;
  for (const char* id : {"", "/", "a", "a/", "/a", "a/b/c", "A/b", "a/../b", "a/b.so", "1a/b", "a/_b", "a b/c"}) EXPECT_FALSE(is_plugin_id(id)) << id;
}

}  // namespace
}  // namespace flowrun::plugin
