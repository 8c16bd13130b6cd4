#include "run/node_checks.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "run/node_factory.hpp"
#include "run/scratch_folder.hpp"

namespace flowrun::run {
namespace {

using plugin::EdgeKind;

/// The columns of each output of a node; none where they are not known yet.
using Schemas = std::vector<std::optional<Field>>;

bool carries_rows(const plugin::PortInfo& port) { return port.type == "documents" || port.type == "tokens"; }

/// Returns whether `values`, a node's parameters or a table of a list, name a column.
bool names_columns(const std::vector<plugin::ParameterInfo>& parameters, const nlohmann::json& values) {
  return std::any_of(parameters.begin(), parameters.end(), [&](const plugin::ParameterInfo& parameter) {
    const auto value = values.find(parameter.name);
    if (value == values.end()) return false;
    if (parameter.type == "list<table>") return std::any_of(value->begin(), value->end(), [&](const auto& table) { return names_columns(parameter.fields, table); });
    return parameter.names == plugin::Names::kColumns && *value != "" && !value->empty();
  });
}

class NodeChecks {
 public:
  explicit NodeChecks(const RunContext& context) : context_(context), created_(context.graph.nodes.size()) {}

  void run() {
    for (const Stage& stage : context_.plan.stages)
      for (const std::size_t i : stage.nodes)
        if (!node(i).native()) guarded([&] { created_[i] = create_node(context_, i, nullptr); });
    for (const std::size_t i : context_.graph.order) {
      const auto own = context_.plan.artifact_of(i);
      if (created_[i] && names_columns(node(i).descriptor().parameters, node(i).parameters) && !(own && has(*own))) outputs_of(i);
    }
    throw_refusals();
  }

 private:
  const graph::ResolvedNode& node(std::size_t i) const { return context_.graph.nodes[i]; }
  bool has(std::size_t artifact) const { return context_.store.has(context_.plan.artifacts[artifact].key); }

  /// Runs `body` and keeps what a plugin refuses. Other errors are no matter of the graph: the node's stage meets them again.
  template <class Body>
  void guarded(Body&& body) {
    try {
      body();
    } catch (const ExitError& error) {
      refusals_.emplace_back(error.what());
    } catch (const std::exception&) {
    }
  }

  void throw_refusals() const {
    if (refusals_.empty()) return;
    throw ExitError(kInvalidGraph, Code::kInvalidArgument, fmt::format("{}", fmt::join(refusals_, "\nerror: ")));
  }

  /// Returns the columns behind a connection: those of a spool that is there already, else those that its node says when it is opened.
  std::optional<Field> columns_of(const graph::Connection& from) {
    if (const auto spool = context_.plan.spool_of(from); spool && has(*spool)) {
      std::optional<Field> schema;
      guarded([&] { schema = graph::SpoolReader(context_.store.folder(context_.plan.artifacts[*spool].key) + "/data.spool").schema(); });
      return schema;
    }
    return outputs_of(from.node).at(from.output);
  }

  const Schemas& outputs_of(std::size_t i) {
    const auto known = outputs_.find(i);
    if (known != outputs_.end()) return known->second;
    Schemas inputs;
    for (std::size_t p = 0; p < node(i).inputs.size(); ++p) inputs.push_back(arriving_at(i, p));
    return outputs_.emplace(i, opened(i, inputs)).first->second;
  }

  /// Returns the columns that enter a port: of streams and datasets alone.
  std::optional<Field> arriving_at(std::size_t i, std::size_t port) {
    if (!carries_rows(node(i).descriptor().inputs[port]) || node(i).inputs[port].empty()) return std::nullopt;
    std::vector<Field> schemas;
    for (const auto& from : node(i).inputs[port]) {
      auto schema = columns_of(from);
      if (!schema) return std::nullopt;
      schemas.push_back(std::move(*schema));
    }
    std::optional<Field> joined;
    guarded([&] { joined = joined_schema(context_, i, port, schemas); });
    return joined;
  }

  /// Opens a node on what enters it and returns what leaves it.
  Schemas opened(std::size_t i, const Schemas& inputs) {
    Schemas outputs(node(i).descriptor().outputs.size());
    std::vector<const Field*> fields;
    for (std::size_t p = 0; p < inputs.size(); ++p) {
      const bool is_connected = carries_rows(node(i).descriptor().inputs[p]) && !node(i).inputs[p].empty();
      if (is_connected && !inputs[p]) return outputs;
      fields.push_back(inputs[p] ? &*inputs[p] : nullptr);
    }
    const bool has_artifacts = artifacts_are_there(i), names = names_columns(node(i).descriptor().parameters, node(i).parameters);
    if (!created_[i] || (!has_artifacts && !names)) return declared(i, inputs);
    guarded([&] {
      const auto made = open_or_refuse(i, fields);
      for (std::size_t o = 0; o < outputs.size(); ++o)
        if (!made[o].format.empty()) outputs[o] = made[o];
    });
    return outputs;
  }

  /// Opens a node. An argument that it refuses does not fit the columns that the graph gives it.
  std::vector<Field> open_or_refuse(std::size_t i, const std::vector<const Field*>& fields) {
    try {
      return open_node(context_, i, *created_[i], fields, staging_of(i));
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidArgument) throw;
      throw graph_error(node(i), error);
    }
  }

  bool artifacts_are_there(std::size_t i) const {
    for (std::size_t p = 0; p < node(i).inputs.size(); ++p)
      if (node(i).descriptor().inputs[p].edge == EdgeKind::kArtifact)
        for (const auto& from : node(i).inputs[p])
          if (!has(context_.plan.artifact_behind(from))) return false;
    return true;
  }

  /// Returns what leaves a node that cannot be opened yet: it passes on the columns that it does not know, as tokens those of documents without their text.
  Schemas declared(std::size_t i, const Schemas& inputs) const {
    const auto& descriptor = node(i).descriptor();
    Schemas outputs(descriptor.outputs.size());
    const auto in = std::find_if(inputs.begin(), inputs.end(), [](const auto& schema) { return schema.has_value(); });
    if (in == inputs.end()) return outputs;
    const std::string& from = descriptor.inputs[static_cast<std::size_t>(in - inputs.begin())].type;
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const plugin::PortInfo& port = descriptor.outputs[o];
      if (!port.columns.empty() || !carries_rows(port)) continue;  // of types that only the node knows
      if (port.type == from) outputs[o] = **in;
      else if (port.type == "tokens") outputs[o] = as_tokens(**in);
    }
    return outputs;
  }

  static Field as_tokens(const Field& documents) {
    Field tokens = fields::tokens();
    for (const Field& column : documents.children)
      if (column.name != "text" && tokens.find(column.name) < 0) tokens.children.push_back(column);
    return tokens;
  }

  /// Returns a folder to write into for nodes that have one when they run.
  std::string staging_of(std::size_t i) {
    if (!context_.plan.artifact_of(i)) return {};
    if (!scratch_) scratch_.emplace(context_.store.root());
    const std::string folder = fmt::format("{}/{}", scratch_->path(), i);
    std::filesystem::create_directories(folder);
    return folder;
  }

  const RunContext& context_;
  std::optional<ScratchFolder> scratch_;                       // outlives the nodes, which may have files there
  std::vector<std::unique_ptr<graph::PluginNode>> created_;    ///< by node
  std::map<std::size_t, Schemas> outputs_;                     ///< by node, those that were asked for
  std::vector<std::string> refusals_;
};

}  // namespace

void check_nodes(const RunContext& context) { NodeChecks(context).run(); }

}  // namespace flowrun::run
