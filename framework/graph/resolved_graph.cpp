#include "graph/resolved_graph.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <flowrun/nearest.hpp>
#include <flowrun/philox.hpp>

#include "base/sha256.hpp"
#include "graph/domains.hpp"
#include "graph/parameters.hpp"

namespace flowrun::graph {
namespace {

using config::Diagnostic;
using config::Severity;
using plugin::EdgeKind;

/// Memory above which declared state spills, unless the node says otherwise.
constexpr std::int64_t kDefaultStateBytes = std::int64_t{256} << 20;

const std::set<std::string> kBaseColumns[] = {{"id", "text", "domain", "source"}, {"id", "domain", "bytes", "input_ids"}};

bool is_by_key(const plugin::PortInfo& port) { return port.edge == EdgeKind::kArtifact || port.edge == EdgeKind::kModel; }

class Resolver {
 public:
  Resolver(config::GraphSpec& spec, plugin::Registry& registry, config::Diagnostics& diagnostics) : spec_(spec), registry_(registry), diagnostics_(diagnostics) {}

  ResolvedGraph run() {
    graph_.run = spec_.run;
    graph_.nodes.resize(spec_.nodes.size());
    for (std::size_t i = 0; i < spec_.nodes.size(); ++i) {
      index_.emplace(spec_.nodes[i].name, i);
      find_plugin(i);
    }
    // References in keys must be rewritten before their nodes are looked up; only ports' keys are references.
    config::resolve_references(spec_, [&](const config::NodeSpec& node, const config::Entry& entry) {
      const auto* port = input_port(index_.at(node.name), entry.key);
      return port != nullptr && is_by_key(*port);
    });
    for (std::size_t i = 0; i < spec_.nodes.size(); ++i)
      if (known(i)) check_keys(i);
    for (std::size_t i = 0; i < spec_.nodes.size(); ++i)
      if (known(i)) check_inputs(i);
    sort();
    check_columns();
    check_regions();
    check_output_paths();
    if (!diagnostics_.has_errors()) {  // of a graph with mistakes nothing sure can be said
      check_domains(graph_, spec_, diagnostics_);
      warn_unused();
    }
    graph_.huggingface = spec_.huggingface;
    return std::move(graph_);
  }

 private:
  bool known(std::size_t i) const { return graph_.nodes[i].plugin != nullptr && graph_.nodes[i].plugin->descriptor.has_value(); }

  const plugin::PortInfo* input_port(std::size_t i, const std::string& name) const { return known(i) ? graph_.nodes[i].descriptor().input(name) : nullptr; }

  Diagnostic finding(std::size_t i, const config::SourceLocation& where, const char* code, std::string message) const {
    Diagnostic diagnostic;
    diagnostic.where = where;
    diagnostic.code = code;
    diagnostic.message = std::move(message);
    diagnostic.node = spec_.nodes[i].name;
    if (!spec_.nodes[i].plugin.empty()) diagnostic.plugin = spec_.nodes[i].plugin;
    return diagnostic;
  }

  void find_plugin(std::size_t i) {
    const config::NodeSpec& node = spec_.nodes[i];
    ResolvedNode& resolved = graph_.nodes[i];
    resolved.name = node.name;
    resolved.where = node.where;
    if (node.plugin.empty()) return;  // already reported
    resolved.plugin = registry_.find(node.plugin);
    if (resolved.plugin == nullptr) {
      auto diagnostic = finding(i, node.plugin_where, "unknown_plugin", fmt::format("no plugin '{}' in the search folders", node.plugin));
      diagnostic.found = node.plugin;
      diagnostic.suggestion = nearest(node.plugin, registry_.ids());
      diagnostics_.add(std::move(diagnostic));
    } else if (resolved.plugin->refused) {
      graph_.refusals.push_back({node.name, node.plugin, resolved.plugin->reason});
    }
  }

  void check_keys(std::size_t i) {
    config::NodeSpec& node = spec_.nodes[i];
    ResolvedNode& resolved = graph_.nodes[i];
    const auto& descriptor = resolved.descriptor();
    const NodePlace place{node.name, node.plugin};
    for (const auto& parameter : descriptor.parameters)
      if (!parameter.default_value.is_null()) resolved.parameters[parameter.name] = parameter.default_value;
    for (auto& entry : node.keys) {
      if (const auto* parameter = descriptor.parameter(entry.key)) {
        auto value = parameter_value(*parameter, entry.value, spec_.run.base, place, diagnostics_);
        resolved.parameters[entry.key] = std::move(value);
      } else if (const auto* port = descriptor.input(entry.key); port == nullptr || !is_by_key(*port)) {
        unknown_key(i, entry);
      }
    }
    for (const auto& parameter : descriptor.parameters)
      if (parameter.required && !resolved.parameters.contains(parameter.name)) {
        auto diagnostic = finding(i, node.where, "missing_key", fmt::format("'{}' is missing: {}", parameter.name, parameter.description));
        diagnostic.expected = parameter.name;
        diagnostics_.add(std::move(diagnostic));
      }
    take_reserved(i);
    std::vector<std::string> connected;
    for (const auto& entry : node.keys)
      if (descriptor.input(entry.key)) connected.push_back(entry.key);
    check_constraints(descriptor, resolved.parameters, connected, node.keys, node.where, place, diagnostics_);
    for (auto it = resolved.parameters.begin(); it != resolved.parameters.end();) it = it->is_null() ? resolved.parameters.erase(it) : std::next(it);
  }

  void unknown_key(std::size_t i, const config::Entry& entry) {
    std::vector<std::string> names{"plugin", "in", "threads", "on_error", "cache", "seed"};
    for (const auto& parameter : graph_.nodes[i].descriptor().parameters) names.push_back(parameter.name);
    for (const auto& port : graph_.nodes[i].descriptor().inputs)
      if (is_by_key(port)) names.push_back(port.name);
    auto diagnostic = finding(i, entry.where, "unknown_key", fmt::format("{} has no parameter '{}'", spec_.nodes[i].plugin, entry.key));
    diagnostic.found = entry.key;
    diagnostic.suggestion = nearest(entry.key, names);
    diagnostics_.add(std::move(diagnostic));
  }

  void take_reserved(std::size_t i) {
    ResolvedNode& resolved = graph_.nodes[i];
    const auto& reserved = spec_.nodes[i].reserved;
    const auto whole = [&](const char* key) -> std::optional<std::int64_t> {
      const auto it = reserved.find(key);
      if (it == reserved.end()) return std::nullopt;
      const auto* value = std::get_if<std::int64_t>(&it->second.data);
      return value ? std::optional(*value) : std::nullopt;
    };
    const auto text = [&](const char* key) -> std::string {
      const auto it = reserved.find(key);
      const auto* value = it == reserved.end() ? nullptr : std::get_if<std::string>(&it->second.data);
      return value ? *value : "";
    };
    resolved.threads = whole("threads").value_or(0);
    if (const auto seed = whole("seed")) resolved.seed = static_cast<std::uint64_t>(*seed);
    resolved.skip_errors = text("on_error") == "skip";
    resolved.prefix = text("prefix");
    resolved.tie = text("tie");
    if (const auto it = reserved.find("cache"); it != reserved.end())
      if (const bool* flag = std::get_if<bool>(&it->second.data)) resolved.cache = *flag;
    if (resolved.descriptor().declares_state) resolved.memory_bytes = whole("memory_bytes").value_or(kDefaultStateBytes);
    else if (const auto it = reserved.find("memory_bytes"); it != reserved.end())
      diagnostics_.add(finding(i, it->second.where, "unknown_key", fmt::format("{} declares no state, so 'memory_bytes' has no meaning for it", spec_.nodes[i].plugin)));
  }

  // ------------------------------------------------------------------------------------------------------------------------ edges

  void check_inputs(std::size_t i) {
    const config::NodeSpec& node = spec_.nodes[i];
    ResolvedNode& resolved = graph_.nodes[i];
    const auto& ports = resolved.descriptor().inputs;
    resolved.inputs.resize(ports.size());
    if (node.in) connect_in(i, *node.in);
    for (const auto& entry : node.keys) {
      const auto* port = resolved.descriptor().input(entry.key);
      if (port == nullptr || !is_by_key(*port)) continue;
      const auto* text = std::get_if<std::string>(&entry.value.data);
      if (text == nullptr) {
        auto diagnostic = finding(i, entry.value.where, "wrong_type", fmt::format("'{}' is {}, expected the name of a node", entry.key, entry.value.type_name()));
        diagnostic.found = entry.value.type_name();
        diagnostic.expected = "the name of a node";
        diagnostics_.add(std::move(diagnostic));
        failed_inputs_.insert({i, static_cast<std::size_t>(port - ports.data())});
        continue;
      }
      connect(i, static_cast<std::size_t>(port - ports.data()), *text, entry.value.where);
    }
    for (std::size_t p = 0; p < ports.size(); ++p)
      if (resolved.inputs[p].empty() && !ports[p].optional && !failed_inputs_.contains({i, p})) {
        const std::string key = is_by_key(ports[p]) ? ports[p].name : "in";
        auto diagnostic = finding(i, node.where, "missing_key", fmt::format("'{}' is missing: input port '{}' needs {}", key, ports[p].name, ports[p].type));
        diagnostic.expected = key;
        diagnostics_.add(std::move(diagnostic));
      }
  }

  void connect_in(std::size_t i, const config::Value& in) {
    const auto& ports = graph_.nodes[i].descriptor().inputs;
    std::vector<std::string> names;
    for (const auto& port : ports)
      if (!is_by_key(port)) names.push_back(port.name);
    if (const auto* table = std::get_if<config::Table>(&in.data)) {
      for (const auto& entry : *table) {
        const auto* port = graph_.nodes[i].descriptor().input(entry.key);
        if (port == nullptr || is_by_key(*port)) {
          auto diagnostic = finding(i, entry.where, "unknown_port", fmt::format("{} has no input port '{}'", spec_.nodes[i].plugin, entry.key));
          diagnostic.found = entry.key;
          diagnostic.suggestion = nearest(entry.key, names);
          diagnostics_.add(std::move(diagnostic));
          // Whatever port was meant is not missing as well.
          for (std::size_t p = 0; p < ports.size(); ++p)
            if (!is_by_key(ports[p])) failed_inputs_.insert({i, p});
          continue;
        }
        connect_list(i, static_cast<std::size_t>(port - ports.data()), entry.value);
      }
      return;
    }
    const auto first = std::find_if(ports.begin(), ports.end(), [](const auto& port) { return !is_by_key(port); });
    if (first == ports.end()) {
      diagnostics_.add(finding(i, in.where, "unknown_port", fmt::format("{} has no stream input, so 'in' has no meaning for it", spec_.nodes[i].plugin)));
      return;
    }
    connect_list(i, static_cast<std::size_t>(first - ports.begin()), in);
  }

  void connect_list(std::size_t i, std::size_t port, const config::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data)) connect(i, port, *text, value.where);
    else if (const auto* array = std::get_if<config::Array>(&value.data))
      for (const auto& item : *array)
        if (const auto* name = std::get_if<std::string>(&item.data)) connect(i, port, *name, item.where);
  }

  void connect(std::size_t i, std::size_t port_index, const std::string& reference, const config::SourceLocation& where) {
    const plugin::PortInfo& port = graph_.nodes[i].descriptor().inputs[port_index];
    std::string node_name = reference, output_name;
    auto it = index_.find(node_name);
    if (it == index_.end()) {
      const auto dot = reference.rfind('.');
      if (dot != std::string::npos) {
        node_name = reference.substr(0, dot);
        output_name = reference.substr(dot + 1);
        it = index_.find(node_name);
      }
    }
    failed_inputs_.insert({i, port_index});
    if (it == index_.end()) {
      if (!is_by_key(port)) return;  // framework/config has reported it
      std::vector<std::string> names;
      for (const auto& node : spec_.nodes) names.push_back(node.name);
      for (const auto& [alias, target] : spec_.aliases) names.push_back(alias);
      auto diagnostic = finding(i, where, "unknown_node", fmt::format("no node '{}'", node_name));
      diagnostic.found = reference;
      diagnostic.suggestion = nearest(node_name, names);
      diagnostics_.add(std::move(diagnostic));
      return;
    }
    const std::size_t producer = it->second;
    if (!known(producer)) return;  // its plugin has been reported
    const auto output = find_output(i, producer, output_name, reference, where);
    if (!output) return;
    if (!check_types(i, port, producer, *output, reference, where)) return;
    auto& connections = graph_.nodes[i].inputs[port_index];
    if (is_by_key(port) && !connections.empty()) {
      diagnostics_.add(finding(i, where, "type_mismatch", fmt::format("port '{}' takes one {}, found a second", port.name, port.type)));
      return;
    }
    connections.push_back({producer, *output});
    failed_inputs_.erase({i, port_index});
  }

  std::optional<std::size_t> find_output(std::size_t i, std::size_t producer, const std::string& name, const std::string& reference, const config::SourceLocation& where) {
    const auto& outputs = graph_.nodes[producer].descriptor().outputs;
    std::vector<std::string> names;
    for (const auto& output : outputs) names.push_back(output.name);
    const auto add = [&](const std::string& message) {
      auto diagnostic = finding(i, where, "unknown_port", message);
      diagnostic.found = reference;
      if (!names.empty()) diagnostic.expected = fmt::format("one of {}", fmt::join(names, ", "));
      if (!name.empty()) diagnostic.suggestion = nearest(name, names);
      diagnostics_.add(std::move(diagnostic));
    };
    if (name.empty()) {
      if (outputs.size() == 1) return 0;
      add(outputs.empty() ? fmt::format("'{}' ({}) has no output", spec_.nodes[producer].name, spec_.nodes[producer].plugin)
                          : fmt::format("'{}' has several outputs; write '{}.{}'", reference, reference, fmt::join(names, fmt::format("' or '{}.", reference))));
      return std::nullopt;
    }
    const auto it = std::find(names.begin(), names.end(), name);
    if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
    add(fmt::format("'{}' ({}) has no output port '{}'", spec_.nodes[producer].name, spec_.nodes[producer].plugin, name));
    return std::nullopt;
  }

  bool check_types(std::size_t i, const plugin::PortInfo& port, std::size_t producer, std::size_t output_index, const std::string& reference, const config::SourceLocation& where) {
    const plugin::PortInfo& output = graph_.nodes[producer].descriptor().outputs[output_index];
    const auto mismatch = [&](const std::string& found, const std::string& expected) {
      auto diagnostic = finding(i, where, "type_mismatch", fmt::format("'{}' gives {}, port '{}' expects {}", reference, found, port.name, expected));
      diagnostic.found = found;
      diagnostic.expected = expected;
      diagnostics_.add(std::move(diagnostic));
      return false;
    };
    if (port.edge == EdgeKind::kModel) return output.type == "logits" || mismatch(output.type, "a model (a node that gives logits)");
    const bool artifact = output.edge == EdgeKind::kArtifact;
    if ((port.edge == EdgeKind::kArtifact) != artifact)
      return mismatch(artifact ? fmt::format("the artifact '{}'", output.type) : fmt::format("a stream of {}", output.type),
                      artifact ? fmt::format("a stream of {}", port.type) : fmt::format("the artifact '{}'", port.type));
    if (port.type != output.type) return mismatch(output.type, port.type);
    return check_end(i, port, producer, output, where);
  }

  /// What is read to its end must have one.
  bool check_end(std::size_t i, const plugin::PortInfo& port, std::size_t producer, const plugin::PortInfo& output, const config::SourceLocation& where) {
    const auto& parameters = graph_.nodes[producer].parameters;
    const bool endless = !output.endless_without.empty() && std::none_of(output.endless_without.begin(), output.endless_without.end(), [&](const auto& name) { return parameters.contains(name); });
    if (!endless || !(port.needs_end || port.edge == EdgeKind::kStream)) return true;
    const std::string expected = fmt::format("'{}' in node '{}'", fmt::join(output.endless_without, "' or '"), spec_.nodes[producer].name);
    auto diagnostic = finding(i, where, "constraint", fmt::format("'{}' gives rows without end, and '{}' reads them to the end; write {}", spec_.nodes[producer].name, spec_.nodes[i].name, expected));
    diagnostic.found = "rows without end";
    diagnostic.expected = expected;
    diagnostics_.add(std::move(diagnostic));
    return false;
  }

  // ------------------------------------------------------------------------------------------------------------------ whole graph

  void sort() {
    std::vector<int> state(graph_.nodes.size(), 0);  // 0 new, 1 open, 2 done
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) visit(i, state);
  }

  /// Depth-first with an explicit stack: a chain of 100,000 nodes must not exhaust the thread's.
  void visit(std::size_t root, std::vector<int>& state) {
    if (state[root] != 0) return;
    std::vector<std::pair<std::size_t, std::vector<std::size_t>>> stack;
    const auto open = [&](std::size_t i) {
      state[i] = 1;
      std::vector<std::size_t> producers;
      for (const auto& port : graph_.nodes[i].inputs)
        for (const auto& connection : port) producers.push_back(connection.node);
      std::reverse(producers.begin(), producers.end());
      stack.push_back({i, std::move(producers)});
    };
    open(root);
    while (!stack.empty()) {
      auto& [i, producers] = stack.back();
      if (producers.empty()) {
        state[i] = 2;
        graph_.order.push_back(i);
        stack.pop_back();
        continue;
      }
      const std::size_t next = producers.back();
      producers.pop_back();
      if (state[next] == 0) {
        open(next);
      } else if (state[next] == 1) {
        std::string path;
        bool inside = false;
        for (const auto& entry : stack) {
          inside = inside || entry.first == next;
          if (inside) path += spec_.nodes[entry.first].name + " <- ";
        }
        diagnostics_.add(finding(next, spec_.nodes[next].where, "cycle", fmt::format("the edges form a cycle: {}{}", path, spec_.nodes[next].name)));
      }
    }
  }

  /// Follows the columns along the streams: what a port needs, each of its streams must give. Where streams join, the columns of all go on.
  void check_columns() {
    std::vector<std::set<std::string>> extra(graph_.nodes.size());
    for (const std::size_t i : graph_.order) {
      if (!known(i)) continue;
      const auto& descriptor = graph_.nodes[i].descriptor();
      for (std::size_t p = 0; p < graph_.nodes[i].inputs.size(); ++p) {
        const auto& port = descriptor.inputs[p];
        if (port.type != "documents" && port.type != "tokens") continue;
        for (const auto& connection : graph_.nodes[i].inputs[p]) {
          for (const auto& column : port.columns)
            if (!extra[connection.node].contains(column) && !kBaseColumns[port.type == "tokens"].contains(column))
              diagnostics_.add(finding(i, spec_.nodes[i].where, "type_mismatch", fmt::format("port '{}' needs column '{}', which '{}' does not give", port.name, column, graph_.nodes[connection.node].name)));
          extra[i].insert(extra[connection.node].begin(), extra[connection.node].end());
        }
      }
      for (const auto& output : descriptor.outputs) extra[i].insert(output.columns.begin(), output.columns.end());
    }
  }

  /// All nodes that refer to one model form one region, with at most one objective and one optimizer.
  void check_regions() {
    std::map<Connection, std::size_t, bool (*)(const Connection&, const Connection&)> objectives([](const Connection& a, const Connection& b) { return a.node < b.node; });
    std::map<std::size_t, std::size_t> optimizers;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!known(i) || graph_.nodes[i].family() == "evaluators") continue;
      const auto& ports = graph_.nodes[i].descriptor().inputs;
      for (std::size_t p = 0; p < ports.size() && p < graph_.nodes[i].inputs.size(); ++p) {
        if (graph_.nodes[i].inputs[p].empty()) continue;
        const Connection& from = graph_.nodes[i].inputs[p][0];
        if (ports[p].edge == EdgeKind::kModel) {
          const auto [first, added] = objectives.emplace(from, i);
          if (!added) diagnostics_.add(finding(i, spec_.nodes[i].where, "constraint", fmt::format("'{}' already trains this model; a region has one objective", graph_.nodes[first->second].name)));
        } else if (ports[p].type == "loss") {
          const auto [first, added] = optimizers.emplace(from.node, i);
          if (!added) diagnostics_.add(finding(i, spec_.nodes[i].where, "constraint", fmt::format("'{}' already is the optimizer of '{}'; a region has at most one", graph_.nodes[first->second].name, graph_.nodes[from.node].name)));
        }
      }
    }
  }

  /// Files that nodes write below the run's folder: none may be another's, nor stand where the run keeps its own.
  void check_output_paths() {
    static const std::set<std::string> kOwn{"artifacts", "checkpoints", "dropped.jsonl.zst", "funnel.json", "log.jsonl",    "manifest.json", "metrics.jsonl", "model",
                                            "progress.json", "quarantine", "run.lock",      "run.toml",    "summary.json", "tensorboard",   "timing.jsonl"};
    std::map<std::string, std::size_t> taken;  // every path, and the folders above it with a '/' at the end
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!known(i)) continue;
      for (const auto& parameter : graph_.nodes[i].descriptor().parameters) {
        if (parameter.type != "output_path" || !graph_.nodes[i].parameters.contains(parameter.name)) continue;
        const auto path = graph_.nodes[i].parameters[parameter.name].get<std::string>();
        const auto add = [&](std::string message) {
          auto diagnostic = finding(i, key_location(i, parameter.name), "constraint", std::move(message));
          diagnostic.found = path;
          diagnostics_.add(std::move(diagnostic));
        };
        std::string first = path.substr(0, path.find('/'));
        if (first.ends_with(".tmp")) first.resize(first.size() - 4);
        if (kOwn.contains(first)) {
          add(fmt::format("'{}' is '{}', but '{}' of the run's folder is flowrun's own", parameter.name, path, first));
          continue;
        }
        std::optional<std::size_t> other;
        if (const auto it = taken.find(path); it != taken.end()) other = it->second;
        if (const auto it = taken.find(path + "/"); it != taken.end()) other = it->second;
        for (auto slash = path.find('/'); slash != std::string::npos && !other; slash = path.find('/', slash + 1))
          if (const auto it = taken.find(path.substr(0, slash)); it != taken.end()) other = it->second;
        if (other) add(fmt::format("'{}' is '{}', where '{}' writes already", parameter.name, path, spec_.nodes[*other].name));
        taken.emplace(path, i);
        for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) taken.emplace(path.substr(0, slash + 1), i);
      }
    }
  }

  config::SourceLocation key_location(std::size_t i, const std::string& key) const {
    for (const auto& entry : spec_.nodes[i].keys)
      if (entry.key == key) return entry.value.where;
    return spec_.nodes[i].where;
  }

  void warn_unused() {
    std::vector<bool> used(graph_.nodes.size(), false);
    std::vector<std::size_t> stack;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const std::string family = spec_.nodes[i].plugin.substr(0, spec_.nodes[i].plugin.find('/'));
      const bool sink = known(i) && graph_.nodes[i].descriptor().outputs.empty();  // a writer, whatever its family is called
      if (sink || graph_.nodes[i].cache || family == "writers" || family == "evaluators" || family == "optimizers") stack.push_back(i);
    }
    while (!stack.empty()) {
      const std::size_t i = stack.back();
      stack.pop_back();
      if (used[i]) continue;
      used[i] = true;
      for (const auto& port : graph_.nodes[i].inputs)
        for (const auto& connection : port) stack.push_back(connection.node);
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (used[i] || !known(i)) continue;
      auto diagnostic = finding(i, spec_.nodes[i].where, "unused_node", fmt::format("nothing that is written, evaluated or optimized depends on '{}'", spec_.nodes[i].name));
      diagnostic.severity = Severity::kWarning;
      diagnostics_.add(std::move(diagnostic));
    }
  }

  config::GraphSpec& spec_;
  plugin::Registry& registry_;
  config::Diagnostics& diagnostics_;
  ResolvedGraph graph_;
  std::unordered_map<std::string, std::size_t> index_;
  std::set<std::pair<std::size_t, std::size_t>> failed_inputs_;  ///< already reported
};

}  // namespace

std::uint64_t ResolvedNode::effective_seed(std::uint64_t run_seed) const { return seed ? *seed : derive_seed(run_seed, name); }

std::optional<std::size_t> ResolvedGraph::find(const std::string& name) const {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].name == name) return i;
  return std::nullopt;
}

nlohmann::json to_json(const config::Value& value) {
  return std::visit(
      [](const auto& data) -> nlohmann::json {
        using T = std::decay_t<decltype(data)>;
        if constexpr (std::is_same_v<T, config::Array>) {
          nlohmann::json array = nlohmann::json::array();
          for (const auto& item : data) array.push_back(to_json(item));
          return array;
        } else if constexpr (std::is_same_v<T, config::Table>) {
          nlohmann::json object = nlohmann::json::object();
          for (const auto& entry : data) object[entry.key] = to_json(entry.value);
          return object;
        } else {
          return data;
        }
      },
      value.data);
}

nlohmann::json ResolvedGraph::canonical() const {
  nlohmann::json root;
  root["format"] = 1;
  root["run"] = {{"seed", run.seed}, {"device", run.device}, {"precision", run.precision}, {"max_error_fraction", run.max_error_fraction}, {"limit", run.limit}};
  root["nodes"] = nlohmann::json::object();
  for (const auto& node : nodes) {
    nlohmann::json object{{"plugin", node.plugin->id}, {"parameters", node.parameters}, {"inputs", nlohmann::json::object()}};
    for (std::size_t p = 0; p < node.inputs.size(); ++p)
      for (const auto& connection : node.inputs[p])
        object["inputs"][node.descriptor().inputs[p].name].push_back(nodes[connection.node].name + "." + nodes[connection.node].descriptor().outputs[connection.output].name);
    object["on_error"] = node.skip_errors ? "skip" : "stop";
    if (node.cache) object["cache"] = true;
    if (node.seed) object["seed"] = *node.seed;
    if (!node.prefix.empty()) object["prefix"] = node.prefix;
    if (!node.tie.empty()) object["tie"] = node.tie;
    root["nodes"][node.name] = std::move(object);
  }
  for (const auto& model : huggingface) {
    nlohmann::json keys = nlohmann::json::object();
    for (const auto& entry : model.keys) keys[entry.key] = to_json(entry.value);
    root["huggingface"][model.model] = {{"keys", std::move(keys)}, {"output", model.output}};
  }
  return root;
}

std::string ResolvedGraph::hash() const { return sha256_hex(canonical().dump()); }

ResolvedGraph resolve_graph(config::GraphSpec& spec, plugin::Registry& registry, config::Diagnostics& diagnostics) {
  return Resolver(spec, registry, diagnostics).run();
}

}  // namespace flowrun::graph
