// A plugin that throws, of each kind, at each call, whatever it throws: the run ends, names the node and exits by the error's code. 1,000 runs.

#include <fmt/format.h>

#include "system/in_process.hpp"

namespace flowrun::testing {
namespace {

constexpr int kRuns = 1000;

/// A node that throws at one of its calls, in a graph around it.
struct Place {
  const char* kind;   ///< the test plugin is test/<kind>_throw
  const char* call;
  const char* graph;  ///< has {} where the throwing node's parameters stand
};

constexpr const char* kSource = "[node.bad]\nplugin = \"test/source_throw\"\nunits = 3\ndocuments = 20\n{}\n[node.out]\nplugin = \"test/collect\"\nin = \"bad\"\n";
constexpr const char* kMap =
    "[node.a]\nplugin = \"test/source_numbers\"\n[node.bad]\nplugin = \"test/map_throw\"\nin = \"a\"\n{}\n[node.out]\nplugin = \"test/collect\"\nin = \"bad\"\n";
constexpr const char* kSerial =
    "[node.a]\nplugin = \"test/source_numbers\"\n[node.bad]\nplugin = \"test/serial_throw\"\nin = \"a\"\n{}\n[node.out]\nplugin = \"test/collect\"\nin = \"bad\"\n";
constexpr const char* kBlocking =
    "[node.a]\nplugin = \"test/source_numbers\"\n[node.bad]\nplugin = \"test/blocking_throw\"\nin = \"a\"\n{}\n[node.out]\nplugin = \"test/collect\"\nin = \"bad\"\n";
constexpr const char* kIndexed =
    "[node.a]\nplugin = \"test/source_numbers\"\n[node.t]\nplugin = \"test/byte_tokens\"\nin = \"a\"\n"
    "[node.bad]\nplugin = \"test/indexed_throw\"\nin = \"t\"\n{}\n[node.rows]\nplugin = \"test/indexed_rows\"\nin = \"bad\"\n";

constexpr Place kPlaces[] = {
    {"source", "create", kSource},     {"source", "open", kSource},         {"source", "open_unit", kSource},   {"source", "next", kSource},
    {"map", "create", kMap},           {"map", "open", kMap},               {"map", "process", kMap},           {"serial", "create", kSerial},
    {"serial", "open", kSerial},       {"serial", "process", kSerial},      {"serial", "finish", kSerial},      {"blocking", "create", kBlocking},
    {"blocking", "open", kBlocking},   {"blocking", "consume", kBlocking},  {"blocking", "finish", kBlocking},  {"blocking", "produce", kBlocking},
    {"indexed", "create", kIndexed},   {"indexed", "open", kIndexed},       {"indexed", "prepare", kIndexed},   {"indexed", "attach", kIndexed},
};

/// What is thrown, and how the run then ends.
struct Thrown {
  const char* what;
  const char* code;
  int exit_code;
  const char* text;
};

constexpr Thrown kThrown[] = {
    {"runtime_error", "kInternal", 70, "thrown by the test"}, {"int", "kInternal", 70, "unknown type"},
    {"bad_alloc", "kInternal", 70, "memory"},                 {"error", "kInternal", 70, "thrown by the test"},
    {"error", "kInvalidArgument", 70, "thrown by the test"},  {"error", "kCorruptData", 65, "thrown by the test"},
    {"error", "kNotFound", 66, "thrown by the test"},         {"error", "kUnavailable", 69, "thrown by the test"},
    {"error", "kUnsupported", 69, "thrown by the test"},      {"error", "kIo", 74, "thrown by the test"},
    {"error", "kOutOfMemory", 70, "thrown by the test"},      {"error", "kCancelled", 70, "thrown by the test"},
};

/// How a run ends by what is thrown at a place: a node that is being made knows its parameters alone, so an argument that it refuses is the graph's.
int exit_code_at(const Place& place, const Thrown& thrown) {
  return std::string_view(place.call) == "create" && std::string_view(thrown.code) == "kInvalidArgument" ? 78 : thrown.exit_code;
}

/// Calls that are made often throw at one of them; the others have one chance.
bool made_often(std::string_view call) { return call == "next" || call == "process" || call == "consume" || call == "produce" || call == "open_unit"; }

class ThrowingNodes : public InProcessTest {};

TEST_F(ThrowingNodes, EndTheRunAndAreNamed) {
  Watchdog watchdog(30);
  std::mt19937_64 random(20240501);
  std::map<std::string, int> runs_of_kind;
  for (int i = 0; i < kRuns && !HasFailure(); ++i) {
    const Place& place = kPlaces[static_cast<std::size_t>(i) % std::size(kPlaces)];
    const Thrown& thrown = kThrown[random() % std::size(kThrown)];
    const std::uint64_t last = std::string_view(place.call) == "open_unit" ? 3 : 8;
    const std::string at = made_often(place.call) ? fmt::format("at = {}\n", random() % last) : "";
    const std::string bad = fmt::format("call = \"{}\"\nwhat = \"{}\"\ncode = \"{}\"\n{}", place.call, thrown.what, thrown.code, at);
    const int threads = 1 + static_cast<int>(random() % 4);
    const std::string toml = fmt::format("[run]\nname = \"t\"\nbatch_documents = {}\nmemory_bytes = {}\n", 1 + random() % 8, random() % 2 == 0 ? 1000 : 1 << 30) +
                             fmt::format(fmt::runtime(place.graph), bad);
    watchdog.begins(toml);
    SCOPED_TRACE(fmt::format("run {}, {} threads\n{}", i, threads, toml));
    const Outcome outcome = run_anew(toml, threads);
    EXPECT_EQ(outcome.exit_code, exit_code_at(place, thrown)) << outcome.message;
    EXPECT_NE(outcome.message.find("in node 'bad' (test/" + std::string(place.kind) + "_throw 1.0.0)"), std::string::npos) << outcome.message;
    EXPECT_NE(outcome.message.find(thrown.text), std::string::npos) << outcome.message;
    if (outcome.exit_code == 78) {
      EXPECT_FALSE(std::filesystem::exists(path("run"))) << "the graph is wrong: nothing is touched";
    } else {
      EXPECT_EQ(json("run/manifest.json")["exit_code"], outcome.exit_code);
      EXPECT_EQ(json("run/manifest.json")["status"], "failed");
    }
    ++runs_of_kind[place.kind];
  }
  for (const char* kind : {"source", "map", "serial", "blocking", "indexed"}) EXPECT_GE(runs_of_kind[kind], 150) << kind;
}

TEST_F(ThrowingNodes, LeaveNothingThatALaterRunWouldTakeForFinished) {
  const std::string graph = "[run]\nname = \"t\"\nbatch_documents = 4\n" + fmt::format(fmt::runtime(kMap), "at = 37\n");
  ASSERT_EQ(run_anew(graph, 2).exit_code, 70);
  for (const auto& [name, bytes] : read_tree(path("artifacts"))) EXPECT_FALSE(name.ends_with("manifest.json")) << name;
  EXPECT_FALSE(std::filesystem::exists(path("run/collected.jsonl")));
}

}  // namespace
}  // namespace flowrun::testing
