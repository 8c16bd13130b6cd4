#include "run/node_factory.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace flowrun::run {

using plugin::EdgeKind;

std::string plugin_label(const graph::ResolvedNode& node) { return node.plugin->id + " " + node.descriptor().version; }

graph::NodeCall::Log node_log(const RunContext& context, const std::string& node) {
  return [&reporter = context.reporter, node](int level, std::string_view message) { reporter.plugin_line(node, level, message); };
}

std::string staged_name(const std::string& parameter, const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  const auto dot = name.find('.');
  return (parameter == "path" ? "output" : parameter) + (dot == std::string::npos ? "" : name.substr(dot));
}

std::unique_ptr<graph::ParamsTable> make_params(const RunContext& context, std::size_t i) {
  const auto& node = context.graph.nodes[i];
  nlohmann::json parameters = node.parameters;
  for (const auto& parameter : node.descriptor().parameters)
    if (parameter.type == "output_path" && !node.native() && parameters.contains(parameter.name))
      parameters[parameter.name] = staged_name(parameter.name, parameters[parameter.name].get<std::string>());
  return std::make_unique<graph::ParamsTable>(std::move(parameters), context.files[i]);
}

namespace {

/// Returns a line for an error's context: "at graph.toml:3:1".
std::string place_of(const graph::ResolvedNode& node) { return fmt::format("at {}:{}:{}", node.where.file, node.where.line, node.where.column); }

}  // namespace

ExitError graph_error(const graph::ResolvedNode& node, const Error& error) {
  ExitError refused(kInvalidGraph, error.code(), error.message());
  for (const std::string& line : error.context()) refused.add_context(line);
  refused.add_context(place_of(node));
  return refused;
}

std::unique_ptr<graph::PluginNode> create_node(const RunContext& context, std::size_t i, graph::NodeCall::Log log) {
  const auto& node = context.graph.nodes[i];
  const flowrun_plugin* table = context.registry.load(*node.plugin, "");
  try {
    return std::make_unique<graph::PluginNode>(graph::NodeIdentity{node.name, plugin_label(node), std::move(log)}, table, make_params(context, i));
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    throw graph_error(node, error);
  }
}

std::vector<Field> open_node(const RunContext& context, std::size_t i, graph::PluginNode& made, const std::vector<const Field*>& inputs, const std::string& staging) {
  const auto& node = context.graph.nodes[i];
  graph::OpenSpec open;
  open.inputs = inputs;
  open.staging = staging;
  open.seed = node.effective_seed(context.graph.run.seed);
  open.memory_bytes = node.memory_bytes;
  open.batch_bytes = context.graph.run.batch_bytes;
  // With a limit a source gives one document at a time: then what it refuses behind the last one is never met, whatever the batch sizes.
  open.batch_documents = node.descriptor().kind == "source" && context.graph.run.limit >= 0 ? 1 : context.graph.run.batch_documents;
  open.output_count = node.descriptor().outputs.size();
  for (std::size_t p = 0; p < node.inputs.size(); ++p) {
    const auto& port = node.descriptor().inputs[p];
    if (port.edge != EdgeKind::kArtifact || node.inputs[p].empty()) continue;
    const auto& artifact = context.plan.artifacts[context.plan.artifact_behind(node.inputs[p][0])];
    open.artifacts.push_back({port.name, port.type, context.store.folder(artifact.key)});
  }
  return made.open(open);
}

MadeNode make_node(const RunContext& context, std::size_t i, const std::vector<const Field*>& inputs, const std::string& staging, graph::NodeCall::Log log) {
  MadeNode made;
  made.node = create_node(context, i, std::move(log));
  made.outputs = open_node(context, i, *made.node, inputs, staging);
  return made;
}

Field joined_schema(const RunContext& context, std::size_t i, std::size_t port, std::span<const Field> schemas) {
  const auto& node = context.graph.nodes[i];
  std::vector<std::string> givers;
  for (const auto& from : node.inputs[port]) givers.push_back(context.graph.nodes[from.node].name);
  try {
    return graph::join_schemas(schemas, givers);
  } catch (Error& error) {
    error.add_context(fmt::format("where they enter '{}'", node.name));
    throw graph_error(node, error);
  }
}

const flowrun_dataset* Datasets::rows(const graph::Connection& from) {
  const auto spool = context_.plan.spool_of(from);
  if (!spool) return attached(from.node).dataset();
  auto& dataset = spools_[*spool];
  if (!dataset) dataset = std::make_unique<graph::SpoolDataset>(context_.store.folder(context_.plan.artifacts[*spool].key));
  return dataset->table();
}

std::vector<const flowrun_dataset*> Datasets::inputs_of(std::size_t i) {
  std::vector<const flowrun_dataset*> inputs;
  const auto& node = context_.graph.nodes[i];
  for (std::size_t p = 0; p < node.inputs.size(); ++p)
    if (node.descriptor().inputs[p].edge == EdgeKind::kDataset)
      join(i, p, inputs);
  return inputs;
}

void Datasets::join(std::size_t i, std::size_t port, std::vector<const flowrun_dataset*>& inputs) {
  const std::size_t before = inputs.size();
  std::vector<Field> schemas;
  for (const auto& from : context_.graph.nodes[i].inputs[port]) {
    inputs.push_back(rows(from));
    schemas.push_back(import_schema(*inputs.back()->schema));
  }
  if (schemas.empty()) return;
  const Field joined = joined_schema(context_, i, port, schemas);
  for (std::size_t k = 0; k < schemas.size(); ++k) {
    if (schemas[k] == joined) continue;
    widened_.push_back(std::make_unique<graph::WidenedDataset>(*inputs[before + k], joined));
    inputs[before + k] = widened_.back()->table();
  }
}

std::unique_ptr<graph::IndexedNode> Datasets::make(std::size_t i, std::span<const flowrun_dataset* const> inputs, graph::NodeCall::Log log) {
  const Field schema = import_schema(*inputs.front()->schema);
  const auto& descriptor = context_.graph.nodes[i].descriptor();
  std::vector<const Field*> schemas(descriptor.inputs.size(), nullptr);
  for (std::size_t p = 0; p < schemas.size(); ++p)
    if (descriptor.inputs[p].edge == EdgeKind::kDataset) schemas[p] = &schema;
  MadeNode made = make_node(context_, i, schemas, "", std::move(log));
  const bool rows = descriptor.outputs.at(0).type == "tokens";
  return std::make_unique<graph::IndexedNode>(std::move(made.node), rows ? made.outputs.at(0) : Field{});
}

const graph::IndexedNode& Datasets::attached(std::size_t i) {
  auto& node = indexed_[i];
  if (!node) {
    const auto inputs = inputs_of(i);
    auto made = make(i, inputs, node_log(context_, context_.graph.nodes[i].name));
    const auto artifact = context_.plan.artifact_of(i);
    made->attach(inputs, context_.store.folder(context_.plan.artifacts[artifact.value()].key), nullptr);
    node = std::move(made);
  }
  return *node;
}

const flowrun_dataset* Datasets::finite_rows(const graph::Connection& from, std::size_t to) {
  const flowrun_dataset* dataset = rows(from);
  if (dataset->count(dataset->self) >= 0) return dataset;
  const auto &node = context_.graph.nodes[from.node], &reader = context_.graph.nodes[to];
  throw graph_error(node, Error(Code::kInvalidArgument, fmt::format("'{}' gives rows without end, and '{}' reads them to the end", node.name, reader.name)));
}

void Datasets::prepare(std::size_t i, const std::string& staging, const graph::StageControl& control, graph::NodeCall::Log log) {
  const auto inputs = inputs_of(i);
  const auto node = make(i, inputs, std::move(log));
  try {
    node->prepare(inputs, staging, &control);
  } catch (Error& error) {  // mostly about what the node's parameters say of its input
    error.add_context(place_of(context_.graph.nodes[i]));
    throw;
  }
}

}  // namespace flowrun::run
