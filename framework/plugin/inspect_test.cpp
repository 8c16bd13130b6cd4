#include "plugin/inspect.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/plugin_testing.hpp"

namespace flowrun::plugin {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

std::vector<std::string> keys_of(const nlohmann::ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

PluginFile example_file() {
  PluginFile file;
  file.id = "filters/example";
  file.file = "/p/filters/example.so";
  file.raw_descriptor = example_descriptor().dump();
  file.descriptor = parse_descriptor(file.raw_descriptor);
  return file;
}

TEST(Inspect, JsonHasEveryKeyOfTheContract) {
  const auto object = inspect_json(example_file(), "abc");
  EXPECT_THAT(keys_of(object), IsSupersetOf({"id", "version", "tier", "kind", "inputs", "outputs", "parameters", "determinism", "threads", "devices", "source", "file",
                                             "sha256", "abi", "fingerprint"}));
  EXPECT_EQ(object["version"], "1.2.3");
  EXPECT_EQ(object["sha256"], "abc");
  EXPECT_EQ(object["file"], "/p/filters/example.so");
  EXPECT_EQ(object["abi"], nlohmann::ordered_json({{"major", 1}, {"minor", 0}}));
  EXPECT_TRUE(object["fingerprint"].is_null());
  EXPECT_THAT(keys_of(object["inputs"][0]), IsSupersetOf({"name", "type", "columns_needed"}));
  EXPECT_THAT(keys_of(object["outputs"][0]), IsSupersetOf({"name", "type", "columns_added"}));
  EXPECT_THAT(keys_of(object["parameters"][0]), IsSupersetOf({"name", "type", "unit", "default", "min", "max", "choices", "required", "description"}));
  EXPECT_EQ(object["parameters"][0]["default"], 50);
  EXPECT_EQ(object["status"], "ok");
}

TEST(Inspect, JsonShowsAFingerprintAsAnObject) {
  PluginFile file = example_file();
  file.descriptor->fingerprint = R"({"cuda":"none"})";
  EXPECT_EQ(inspect_json(file, "")["fingerprint"]["cuda"], "none");
}

TEST(Inspect, AFileWithoutDescriptorThrowsItsReason) {
  PluginFile file;
  file.refused = true;
  file.reason = "'x': because";
  const Error error = error_of([&] { inspect_json(file, ""); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.message(), file.reason);
}

TEST(Inspect, MarkdownIsTheWholeReadme) {
  EXPECT_EQ(inspect_markdown(*example_file().descriptor), R"(# filters/example

<!-- Made by `flowrun inspect --markdown filters/example`: do not edit. -->

Keeps what is good.

```toml
[node.good]
plugin = "filters/example"
```

## Ports

| port | direction | type | edge | columns |
|---|---|---|---|---|
| `in` | in | documents | stream | needs `language` |
| `tokenizer` | in, optional | tokenizer | artifact |  |
| `out` | out | documents | stream | adds `score.example` |

## Parameters

| parameter | type | unit | range | default | |
|---|---|---|---|---|---|
| `min_words` | integer | words | 0 to 1000 | `50` | Fewest words. |
| `max_words` | integer | words | at least 0 | required | Most words. |
| `share` | float |  | 0 to 1 | `0.5` | A share. |
| `mode` | string |  | "drop", "score" | `"drop"` | What to do \| or not. |
| `tokenizer_path` | path |  |  | none | A file. |
| `weights` | table<float> |  |  | `{ books = 1.0 }` | By domain. |
| `stages` | list<table> |  |  | none | In order. |
| `stages[].share` | float |  | 0 to 1 | required | Of the whole. |
| `stages[].weights` | table<float> |  |  | none | Of the stage. |

## Constraints

- `min_words` <= `max_words`
- at most one of `tokenizer`, `tokenizer_path`

## Contract

- Kind: map (portable tier).
- Determinism: pure.
- Threads: Any number of calls at once.
- Devices: cpu.
- Source: Rae et al. 2021, arXiv:2112.11446.
)");
}

TEST(Inspect, TextNamesPortsParametersAndFile) {
  const std::string text = inspect_text(example_file(), "abc");
  EXPECT_THAT(text, ::testing::StartsWith("filters/example 1.2.3: Keeps what is good.\n"));
  EXPECT_THAT(text, HasSubstr("  parameter    min_words: integer, words, 0 to 1000, default 50: Fewest words.\n"));
  EXPECT_THAT(text, HasSubstr("  parameter    stages[].share: float, 0 to 1, required: Of the whole.\n"));
  EXPECT_THAT(text, HasSubstr("  input        tokenizer: tokenizer (artifact, optional)\n"));
  EXPECT_THAT(text, HasSubstr("  constraint   `min_words` <= `max_words`\n"));
  EXPECT_THAT(text, HasSubstr("  sha256       abc\n"));
}

TEST(List, JsonHasGoodAndRefusedPlugins) {
  const TemporaryFolder folder;
  copy_as(good_folder() + "/test/collect.so", folder, "test/collect");
  folder.write("test/broken.so", "text");
  Registry registry({{folder.path(), true}});
  const auto object = list_json(registry);
  EXPECT_EQ(object["version"], 1);
  ASSERT_EQ(object["plugins"].size(), 2u);
  const auto& broken = object["plugins"][0];
  const auto& collect = object["plugins"][1];
  EXPECT_THAT(keys_of(broken), ::testing::ElementsAre("id", "family", "version", "tier", "kind", "summary", "file", "sha256", "status", "reason"));
  EXPECT_EQ(broken["status"], "refused");
  EXPECT_THAT(broken["reason"].get<std::string>(), HasSubstr("is not a library"));
  EXPECT_TRUE(broken["version"].is_null());
  EXPECT_EQ(broken["family"], "test");
  EXPECT_EQ(collect["id"], "test/collect");
  EXPECT_EQ(collect["status"], "ok");
  EXPECT_TRUE(collect["reason"].is_null());
  EXPECT_EQ(collect["kind"], "serial");
  EXPECT_EQ(collect["sha256"].get<std::string>().size(), 64u);
}

}  // namespace
}  // namespace flowrun::plugin
