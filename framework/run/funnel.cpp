#include "run/funnel.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include <flowrun/descriptor.hpp>

#include "base/durable.hpp"
#include "base/zstd_stream.hpp"

namespace flowrun::run {
namespace {

using plugin::EdgeKind;

/// Manifests of the committed artifacts, each read once.
class Manifests {
 public:
  explicit Manifests(const RunContext& context) : context_(context) {
    for (std::size_t a = 0; a < context.plan.artifacts.size(); ++a)
      if (context.store.has(context.plan.artifacts[a].key)) manifests_[a] = context.store.manifest(context.plan.artifacts[a].key);
  }

  /// Returns the artifact of the node's stage that recorded it.
  std::optional<std::size_t> recorder(std::size_t node) const {
    for (const auto& [a, manifest] : manifests_)
      if (context_.plan.artifacts[a].stage == context_.plan.stage_of[node] && manifest.at("nodes").contains(context_.plan.node_keys[node])) return a;
    return std::nullopt;
  }
  const nlohmann::json& at(std::size_t a) const { return manifests_.at(a); }

 private:
  const RunContext& context_;
  std::map<std::size_t, nlohmann::json> manifests_;
};

bool on_documents(const graph::ResolvedNode& node) {
  const auto carries = [](const plugin::PortInfo& port) { return port.type == "documents" || port.type == "tokens"; };
  const auto& descriptor = node.descriptor();
  return std::any_of(descriptor.inputs.begin(), descriptor.inputs.end(), carries) || std::any_of(descriptor.outputs.begin(), descriptor.outputs.end(), carries);
}

/// An evaluator is a sink: it used the rows of its dataset.
graph::Counters evaluator_counters(const RunContext& context, const Manifests& manifests, std::size_t i) {
  graph::Counters counters;
  const auto& node = context.graph.nodes[i];
  for (std::size_t p = 0; p < node.inputs.size(); ++p)
    for (const auto& from : node.inputs[p])
      if (node.descriptor().inputs[p].edge == EdgeKind::kDataset)
        if (const auto spool = context.plan.spool_of(from); spool && context.store.has(context.plan.artifacts[*spool].key)) {
          const auto& stream = manifests.at(*spool).at("stream");
          counters.in += {stream.at("documents").get<std::int64_t>(), stream.at("bytes").get<std::int64_t>(), 0};
        }
  counters.out = counters.in;
  return counters;
}

}  // namespace

namespace {

/// Adds the copies that a graph makes of documents. Where documents are dropped or refused behind one of a stream's consumers they may be kept behind
/// another: each consumer then has a copy of its own, and `total.in` counts the further ones. Elsewhere a document is counted once.
class Copies {
 public:
  Copies(const RunContext& context, const NodeCounters& counters) : context_(context), counters_(counters) {
    for (const auto& [i, own] : counters)
      for (const auto& port : context.graph.nodes[i].inputs)
        for (const auto& from : port)
          if (counters.contains(from.node)) consumers_[{from.node, from.output}].push_back(i);
    for (auto it = context.graph.order.rbegin(); it != context.graph.order.rend(); ++it) loses_[*it] = loses(*it);
  }

  graph::Tally total() const {
    graph::Tally copies;
    for (const auto& [stream, consumers] : consumers_) {
      if (std::none_of(consumers.begin(), consumers.end(), [&](std::size_t i) { return loses_.at(i); })) continue;
      for (std::size_t n = 1; n < consumers.size(); ++n) copies += size_of(stream.first, consumers);
    }
    return copies;
  }

 private:
  /// Returns whether documents are lost in node `i` or behind it.
  bool loses(std::size_t i) const {
    const auto own = counters_.find(i);
    if (own == counters_.end()) return false;
    if (own->second.dropped_total().documents + own->second.errors_total().documents > 0) return true;
    for (const auto& [stream, consumers] : consumers_)
      if (stream.first == i && std::any_of(consumers.begin(), consumers.end(), [&](std::size_t c) { return loses_.at(c); })) return true;
    return false;
  }

  /// Returns what a stream holds: what a node reads that reads nothing else, or what its producer gives.
  graph::Tally size_of(std::size_t producer, const std::vector<std::size_t>& consumers) const {
    for (const std::size_t i : consumers) {
      std::size_t streams = 0;
      for (const auto& port : context_.graph.nodes[i].inputs) streams += port.size();
      if (streams == 1) return counters_.at(i).in;
    }
    return counters_.at(producer).out;
  }

  const RunContext& context_;
  const NodeCounters& counters_;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> consumers_;  ///< of each stream, by node and output
  std::map<std::size_t, bool> loses_;
};

}  // namespace

NodeCounters read_counters(const RunContext& context) {
  const Manifests manifests(context);
  NodeCounters all;
  for (std::size_t i = 0; i < context.graph.nodes.size(); ++i) {
    const auto& node = context.graph.nodes[i];
    if (!on_documents(node)) continue;
    if (node.native()) all[i] = evaluator_counters(context, manifests, i);
    else if (const auto recorder = manifests.recorder(i)) all[i] = graph::Counters::from_manifest(manifests.at(*recorder).at("nodes").at(context.plan.node_keys[i]));
  }
  return all;
}

nlohmann::json compose_funnel(const RunContext& context, const NodeCounters& all) {
  graph::Counters total;
  nlohmann::json nodes = nlohmann::json::object();
  for (const auto& [i, counters] : all) {
    const auto& node = context.graph.nodes[i];
    auto object = counters.to_json();
    object["plugin"] = node.plugin->id;
    object["stage"] = context.plan.stage_of[i];
    nodes[node.name] = std::move(object);
    if (node.descriptor().kind == "source") total.in += counters.in;
    for (const auto& [reason, tally] : counters.dropped) total.dropped[reason] += tally;
    for (const auto& [code, tally] : counters.errors) total.errors[code] += tally;
  }
  total.in += Copies(context, all).total();
  const auto dropped = total.dropped_total(), errors = total.errors_total();
  total.out = {total.in.documents - dropped.documents - errors.documents, total.in.bytes - dropped.bytes - errors.bytes, 0};
  return {{"version", 1}, {"nodes", std::move(nodes)}, {"total", total.to_json()}};
}

void write_dropped(const RunContext& context, const std::string& path) {
  const Manifests manifests(context);
  io::StagedFile file(path);
  ZstdWriter writer([&](const void* data, std::size_t bytes) { file.write(data, bytes); });
  for (const auto& stage : context.plan.stages)
    for (const std::size_t i : stage.nodes) {
      if (context.graph.nodes[i].native()) continue;
      const auto recorder = manifests.recorder(i);
      if (!recorder) continue;
      const std::string log = fmt::format("{}/drops/{}.zst", context.store.folder(context.plan.artifacts[*recorder].key), context.plan.node_keys[i]);
      if (!std::filesystem::exists(log)) continue;
      const std::string name = json::quote(context.graph.nodes[i].name);
      std::string carry;
      zstd_read_file(log, [&](std::string_view piece) {
        carry += piece;
        std::string out;
        std::size_t begin = 0;
        for (std::size_t end; (end = carry.find('\n', begin)) != std::string::npos; begin = end + 1) {
          const std::string_view line = std::string_view(carry).substr(begin, end - begin);
          const auto tab = line.find('\t');
          ((((out += "{\"id\":") += line.substr(0, tab)) += ",\"node\":") += name) += ",";
          (out += line.substr(tab + 1)) += "}\n";
        }
        carry.erase(0, begin);
        writer.write(out);
      });
    }
  writer.finish();
  file.commit();
}

}  // namespace flowrun::run
