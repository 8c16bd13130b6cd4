// A developer's tool: writes the tokens of a graph as raw numbers, exactly as its training region reads them, for scripts such as
// ngram_baselines.py. The data stages must have been run.
//
//   dump_tokens GRAPH COUNT FOLDER [--artifacts DIR] [--plugins DIR] [--set K=V]...
//
// GRAPH may be a run's run.toml. Writes FOLDER/sequences.u32, the first COUNT sequences that the objective's packer gives, one after another;
// FOLDER/heldout.u32, the documents of the first evaluators/perplexity one after another, and FOLDER/heldout_lengths.u32. Prints their sizes as JSON.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <flowrun/node.hpp>

#include "base/durable.hpp"
#include "graph/node_call.hpp"
#include "run/node_factory.hpp"
#include "run/runner.hpp"

namespace {

using flowrun::Code;
using flowrun::Error;
namespace run = flowrun::run;
namespace graph = flowrun::graph;

constexpr std::int64_t kRowsAtOnce = 256;

struct Arguments {
  run::GraphOptions options;
  std::int64_t count = 0;
  std::string folder;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      words.push_back(word);
      continue;
    }
    if (++i == argc) throw Error(Code::kInvalidArgument, fmt::format("'{}' has no value", word));
    const std::string value = argv[i];
    const auto equals = value.find('=');
    if (word == "--artifacts") arguments.options.artifacts = value;
    else if (word == "--plugins") arguments.options.plugin_folders.push_back(value);
    else if (word == "--set" && equals != std::string::npos) arguments.options.overrides.push_back({value.substr(0, equals), value.substr(equals + 1)});
    else throw Error(Code::kInvalidArgument, fmt::format("'{} {}' is not understood", word, value));
  }
  const std::string count = words.size() == 3 ? words[1] : "";
  if (std::from_chars(count.data(), count.data() + count.size(), arguments.count).ptr != count.data() + count.size() || arguments.count <= 0)
    throw Error(Code::kInvalidArgument, "expected GRAPH COUNT FOLDER");
  arguments.options.graph = words[0];
  arguments.folder = words[2];
  return arguments;
}

/// Returns what enters the port of that type of the first node of that plugin id or family.
graph::Connection input_of(const graph::ResolvedGraph& resolved, const std::string& plugin, const std::string& port_type) {
  for (const auto& node : resolved.nodes) {
    if (node.plugin->id != plugin && node.family() != plugin) continue;
    for (std::size_t p = 0; p < node.inputs.size(); ++p)
      if (node.descriptor().inputs[p].type == port_type && !node.inputs[p].empty()) return node.inputs[p][0];
  }
  throw Error(Code::kNotFound, fmt::format("the graph has no {} with an input of {}", plugin, port_type));
}

void write_numbers(const std::string& path, const std::vector<std::uint32_t>& numbers) {
  flowrun::io::write_file(path, {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::uint32_t)});
}

/// Appends a tensor [n, T] of ids.
void append_ids(const DLTensor& tensor, std::vector<std::uint32_t>& ids) {
  const bool wide = tensor.dtype.bits == 64;
  if (tensor.ndim != 2 || tensor.dtype.code != kDLInt || (!wide && tensor.dtype.bits != 32) || tensor.strides != nullptr)
    throw Error(Code::kUnsupported, "expected contiguous tensors of int32 or int64 [n, T]");
  const auto* data = static_cast<const std::byte*>(tensor.data) + tensor.byte_offset;
  for (std::int64_t i = 0; i < tensor.shape[0] * tensor.shape[1]; ++i)
    ids.push_back(static_cast<std::uint32_t>(wide ? reinterpret_cast<const std::int64_t*>(data)[i] : reinterpret_cast<const std::int32_t*>(data)[i]));
}

std::vector<std::uint32_t> read_sequences(const graph::IndexedNode& packer, std::int64_t count) {
  std::vector<std::uint32_t> ids;
  for (std::int64_t first = 0; first < count; first += kRowsAtOnce) {
    flowrun_batch batch{};
    packer.read_batch(first, std::min(kRowsAtOnce, count - first), &batch);
    for (std::uint32_t i = 0; i < batch.tensor_count; ++i)
      if (batch.names[i] == std::string_view("input_ids")) append_ids(batch.tensors[i]->dl_tensor, ids);
    batch.release(&batch);
  }
  return ids;
}

void read_documents(const flowrun_dataset* table, std::vector<std::uint32_t>& ids, std::vector<std::uint32_t>& lengths) {
  const flowrun::Dataset dataset(table);
  const graph::NodeCall call(nullptr);
  for (std::int64_t first = 0; first < dataset.count(); first += kRowsAtOnce) {
    const std::int64_t n = std::min(kRowsAtOnce, dataset.count() - first);
    const flowrun::OwnedArray rows = dataset.read(flowrun::Call(call.table()), first, n);
    const flowrun::TokensView view(rows.get(), dataset.schema());
    for (std::int64_t row = 0; row < n; ++row) {
      const auto document = view.input_ids[row];
      ids.insert(ids.end(), document.begin(), document.end());
      lengths.push_back(static_cast<std::uint32_t>(document.size()));
    }
  }
}

std::string artifacts_root(const run::GraphOptions& options) {
  if (!options.artifacts.empty()) return options.artifacts;
  const char* folder = std::getenv("FLOWRUN_ARTIFACTS");
  return folder != nullptr && *folder != '\0' ? folder : "runs/.artifacts";
}

void dump(const Arguments& arguments) {
  run::CheckedGraph checked = run::check_graph(arguments.options);
  run::require_valid(checked);
  const auto files = run::find_input_files(checked.resolved);
  const std::string artifacts = std::filesystem::absolute(artifacts_root(arguments.options)).string();
  const run::ArtifactStore store(artifacts);
  const run::InputDigests digests(files, artifacts + "/digests.jsonl");
  const run::StagePlan plan = run::plan_stages(checked.resolved, files, *checked.registry, digests);
  const graph::StopToken stop;
  run::Reporter reporter(run::Verbosity::kQuiet);
  const run::RunContext context{checked.resolved, plan, files, *checked.registry, store, stop, reporter, arguments.folder, 1};

  run::Datasets datasets(context);
  const auto sequences = read_sequences(datasets.attached(input_of(checked.resolved, "objectives", "batch").node), arguments.count);
  std::vector<std::uint32_t> heldout, lengths;
  read_documents(datasets.rows(input_of(checked.resolved, "evaluators/perplexity", "tokens")), heldout, lengths);
  std::filesystem::create_directories(arguments.folder);
  write_numbers(arguments.folder + "/sequences.u32", sequences);
  write_numbers(arguments.folder + "/heldout.u32", heldout);
  write_numbers(arguments.folder + "/heldout_lengths.u32", lengths);
  fmt::print(R"({{"sequences":{},"sequence_length":{},"documents":{},"document_tokens":{}}})" "\n", arguments.count,
             static_cast<std::int64_t>(sequences.size()) / arguments.count, lengths.size(), heldout.size());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    dump(parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "dump_tokens: {}\n", error.what());
    return 1;
  }
}
