// Runs the node alone, through the same C table that flowrun uses. Any test framework will do; this needs none.

#include <flowrun/testing.hpp>

#include <cstdio>
#include <string>

namespace {

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  ++failures;
}

}  // namespace

int main() {
  using flowrun::testing::documents_batch;

  flowrun::testing::Runner node(flowrun_plugin_v1, {{"min_characters", 3}});
  node.open({flowrun::fields::documents()});
  {
    const auto out = node.process(documents_batch({{"a", "abc", "web", "x.jsonl"}, {"b", "éé", "web", "x.jsonl"}, {"c", "ééé", "web", "x.jsonl"}}));
    const auto kept = flowrun::testing::document_rows(out[0]);
    expect(kept.size() == 2 && kept[0].id == "a" && kept[1].id == "c", "documents of three characters are kept, in order");
  }
  expect(node.drops().size() == 1 && node.drops()[0].id == "b", "the shorter one is dropped");
  expect(node.drops()[0].reason == "too_short" && node.drops()[0].value == 2 && node.drops()[0].threshold == 3, "the drop says why");
  expect(node.close().empty(), "the node keeps the rules of the boundary");

  flowrun::testing::Runner by_default(flowrun_plugin_v1);
  by_default.open({flowrun::fields::documents()});
  by_default.process(documents_batch({{"a", std::string(199, 'x'), "", ""}, {"b", std::string(200, 'x'), "", ""}}));
  expect(by_default.drops().size() == 1, "the default is 200 characters");
  return failures == 0 ? 0 : 1;
}
