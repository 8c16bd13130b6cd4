#include "run/tap.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <flowrun/nearest.hpp>
#include <oneapi/tbb/global_control.h>

#include "graph/row_json.hpp"
#include "run/artifact_use.hpp"
#include "run/data_stage.hpp"
#include "run/exit_codes.hpp"
#include "run/machine.hpp"
#include "run/node_factory.hpp"
#include "run/prepared.hpp"
#include "run/scratch_folder.hpp"

namespace flowrun::run {
namespace {

using graph::Connection;
using nlohmann::ordered_json;
using plugin::EdgeKind;

/// Returns the output that a name stands for. Throws ExitError 66 with what there is.
Connection find_edge(const CheckedGraph& checked, std::string name) {
  const auto not_found = [](std::string message) { return ExitError(kNoInput, Code::kNotFound, std::move(message)); };
  if (const auto alias = checked.spec.aliases.find(name); alias != checked.spec.aliases.end()) name = alias->second;
  auto node = checked.resolved.find(name);
  std::string port;
  if (const auto dot = name.rfind('.'); !node && dot != std::string::npos) {
    node = checked.resolved.find(name.substr(0, dot));
    port = name.substr(dot + 1);
  }
  if (!node) {
    std::vector<std::string> names;
    for (const auto& candidate : checked.resolved.nodes) names.push_back(candidate.name);
    const auto near = nearest(name.substr(0, name.rfind('.')), names);
    throw not_found(fmt::format("'{}' has no node '{}'{}", checked.spec.file, name, near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  const auto& outputs = checked.resolved.nodes[*node].descriptor().outputs;
  if (outputs.empty()) throw not_found(fmt::format("node '{}' has no output: what it writes stands in the run's folder", checked.resolved.nodes[*node].name));
  std::vector<std::string> ports;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (port.empty() || outputs[o].name == port) return {*node, o};
    ports.push_back(outputs[o].name);
  }
  throw not_found(fmt::format("node '{}' has no output '{}', expected {}", checked.resolved.nodes[*node].name, port, fmt::join(ports, " or ")));
}

/// Returns the node of `edge` and all that it needs, with the same numbers of outputs; `edge` becomes that of the new graph.
graph::ResolvedGraph only_upstream(const graph::ResolvedGraph& whole, Connection& edge) {
  std::set<std::size_t> wanted;
  std::vector<std::size_t> stack{edge.node};
  while (!stack.empty()) {
    const std::size_t i = stack.back();
    stack.pop_back();
    if (!wanted.insert(i).second) continue;
    for (const auto& port : whole.nodes[i].inputs)
      for (const auto& from : port) stack.push_back(from.node);
  }
  graph::ResolvedGraph part;
  part.run = whole.run;
  std::vector<std::size_t> number(whole.nodes.size());
  for (const std::size_t i : wanted) {
    number[i] = part.nodes.size();
    part.nodes.push_back(whole.nodes[i]);
  }
  for (auto& node : part.nodes)
    for (auto& port : node.inputs)
      for (auto& from : port) from.node = number[from.node];
  for (const std::size_t i : whole.order)
    if (wanted.contains(i)) part.order.push_back(number[i]);
  edge.node = number[edge.node];
  return part;
}

std::vector<ordered_json> rows_at_front(const flowrun_dataset& dataset, std::int64_t count) {
  const std::int64_t rows = dataset.count(dataset.self);
  const std::int64_t n = rows < 0 ? count : std::min(count, rows);
  std::vector<ordered_json> records;
  OwnedArray array;
  const graph::NodeCall call(nullptr);
  if (n > 0) call.check(dataset.read(dataset.self, call.table(), 0, n, array.address()));
  const Field schema = import_schema(*dataset.schema);
  for (std::int64_t row = 0; row < n; ++row) records.push_back(graph::row_to_json(schema, array.get(), row));
  return records;
}

std::vector<ordered_json> batches_at_front(const graph::IndexedNode& packer, std::int64_t count) {
  const std::int64_t sequences = packer.count(), n = sequences < 0 ? count : std::min(count, sequences);
  std::vector<ordered_json> records;
  for (std::int64_t position = 0; position < n; ++position) {
    flowrun_batch batch{};
    packer.read_batch(position, 1, &batch);
    const std::unique_ptr<flowrun_batch, void (*)(flowrun_batch*)> owner(&batch, [](flowrun_batch* read) { read->release(read); });
    records.push_back(graph::batch_to_json(batch));
  }
  return records;
}

std::vector<ordered_json> spooled_rows(const std::string& folder, std::int64_t count) {
  graph::SpoolReader reader(folder + "/data.spool");
  const std::int64_t n = std::min(count, reader.rows());
  std::vector<ordered_json> records;
  if (n == 0) return records;
  const OwnedArray array = reader.read(0, n);
  for (std::int64_t row = 0; row < n; ++row) records.push_back(graph::row_to_json(reader.schema(), array.get(), row));
  return records;
}

/// Returns what a node has made of the folder of its artifact; the account of drops beside it is the run's.
ordered_json files_of(const std::string& folder) {
  ordered_json files = ordered_json::array();
  const auto described = describe_files(folder);
  for (const auto& [name, file] : described.items())
    if (!name.starts_with("drops/")) files.push_back({{"name", name}, {"bytes", file["bytes"]}});
  return files;
}

/// Runs what comes before, and looks.
void look(const RunContext& context, const Connection& edge, std::int64_t count, ordered_json& tapped) {
  const auto& node = context.graph.nodes[edge.node];
  const auto& output = node.descriptor().outputs[edge.output];
  const std::size_t stage = context.plan.stage_of[edge.node];
  for (std::size_t s = 0; s < stage; ++s) run_data_stage(context, s);
  const auto spool = context.plan.spool_of(edge);
  if (!spool && output.edge == EdgeKind::kStream && node.descriptor().kind != "indexed") {
    tapped["records"] = tap_data_stage(context, edge, count);
    return;
  }
  run_data_stage(context, stage);
  if (output.edge == EdgeKind::kArtifact) {
    tapped["folder"] = context.store.folder(context.plan.artifacts[*context.plan.artifact_of(edge.node)].key);
    tapped["files"] = files_of(tapped["folder"]);
    return;
  }
  Datasets datasets(context);
  if (spool) tapped["records"] = spooled_rows(context.store.folder(context.plan.artifacts[*spool].key), count);
  else if (output.type == "tokens") tapped["records"] = rows_at_front(*datasets.rows(edge), count);
  else tapped["records"] = batches_at_front(datasets.attached(edge.node), count);
}

}  // namespace

ordered_json tap_graph(const GraphOptions& options, const std::string& name, std::int64_t count, const graph::StopToken& stop, Reporter& reporter) {
  const CheckedGraph checked = check_graph(options);
  require_valid(checked);
  Connection edge = find_edge(checked, name);
  const auto& node = checked.resolved.nodes[edge.node];
  const auto& output = node.descriptor().outputs[edge.output];
  if (node.native())
    throw Error(Code::kUnsupported, fmt::format("'{}' gives {}, which exists only while a model is trained; tap shows documents, tokens, batches and artifacts", node.name, output.type));
  ordered_json tapped{{"version", 1}, {"graph", options.graph}, {"node", node.name}, {"port", output.name}, {"type", output.type}};
  const graph::ResolvedGraph part = only_upstream(checked.resolved, edge);
  const Prepared prepared = prepare(part, *checked.registry, artifacts_root(options.artifacts), &stop);
  const ArtifactUse use(*prepared.store, prepared.plan.keys(), graph::StageControl(stop));
  const ScratchFolder folder(prepared.store->root());
  const int threads = part.run.threads > 0 ? static_cast<int>(part.run.threads) : usable_threads();
  const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  const RunContext context{part, prepared.plan, prepared.files, *checked.registry, *prepared.store, stop, reporter, folder.path(), threads};
  try {
    look(context, edge, count, tapped);
  } catch (const Error& error) {
    const int signal = stop.signal.load();
    if (error.code() != Code::kCancelled || signal == 0) throw;
    throw ExitError(128 + signal, Code::kCancelled, "stopped");
  }
  return tapped;
}

}  // namespace flowrun::run
