#include "config/expansion.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "config/limits.hpp"
#include "config/node_keys.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

/// What the subgraph nodes around a node say about it.
struct Surroundings {
  std::string prefix;                     ///< theirs, one after another
  std::map<std::string, Value> reserved;  ///< reserved keys that hold for nodes without their own
};

/// What the nodes of one file have in common: the file as a node of the graph around it.
struct Scope {
  std::string name;  ///< "" at the top, else the expanded name of the subgraph's instance
  const RawGraph& graph;
  Parameters& parameters;
  Surroundings around;
};

/// One instance that is about to be made of a node.
struct Instance {
  std::string name;   ///< in its scope: "layers/0"
  std::string chain;  ///< the name of the instance before it, whose output it takes; empty: none
  bool repeated = false;
};

/// Input of a subgraph -> what the outer node gives it.
using Bindings = std::unordered_map<std::string, std::vector<Reference>>;

/// Reserved keys of a subgraph node that stand for each node inside.
constexpr std::array kInherited = {"threads", "on_error", "seed"};

const Value* find_value(const Table& keys, std::string_view key) {
  const Entry* entry = find(keys, key);
  return entry != nullptr ? &entry->value : nullptr;
}

/// Returns the strings of an `in` that check_reserved_key() let pass, in order.
std::vector<const Value*> strings_of(const Value& in) {
  std::vector<const Value*> result;
  if (const auto* array = std::get_if<Array>(&in.data)) {
    for (const Value& value : *array) result.push_back(&value);
  } else if (const auto* table = std::get_if<Table>(&in.data)) {
    for (const Entry& port : *table) result.push_back(&port.value);
  } else {
    result.push_back(&in);
  }
  return result;
}

class Expander {
 public:
  Expander(RawGraph& top, GraphFiles& files, Overrides& overrides, Budget& budget, Reporter& report)
      : top_(top), files_(files), overrides_(overrides), budget_(budget), report_(report) {}

  /// Expands the top graph and takes its nodes' keys: no other scope uses them, and copies are what loading a large flat graph would cost.
  void expand_top(Parameters& parameters) {
    const Scope scope{"", top_, parameters, {}};
    result_.scopes.emplace(scope.name, &top_);
    for (RawNode& node : top_.nodes) expand_node(scope, node, std::move(node.keys));
  }

  /// Declares the inputs of the top file, which nothing can bind.
  void declare_top_inputs() {
    for (const Value& input : top_.inputs) declare_input(top_, "", *as_string(input), {}, input.where, "");
  }

  /// Reads `[huggingface.<model>]` of an expanded file: it names a model whose subgraph is no longer there.
  void read_top_huggingface(Parameters& parameters) {
    for (const Entry& written : top_.huggingface) {
      const Value value = parameters.substitute(written.value);
      const auto* keys = std::get_if<Table>(&value.data);
      if (keys == nullptr) {
        report_.error(written.where, "unknown_key",
                      "unknown key '" + written.key + "' in [huggingface], which at the top of a graph holds a table for each model",
                      {.found = written.key, .expected = "[huggingface.MODEL]"});
        continue;
      }
      const Value* output = find_value(*keys, "output");
      if (output == nullptr || as_string(*output) == nullptr) {
        report_.error(written.where, "missing_key",
                      "[huggingface." + key_to_toml(written.key) + "] has no 'output', expected the node that gives the model's output",
                      {.expected = "output"});
        continue;
      }
      const Reference reference{*as_string(*output), "", output->where, written.key};
      if (take_name(written.key, written.where)) {
        result_.symbols[written.key] = {Symbol::Kind::kSubgraph, {}, {{*as_string(*output), reference}}};
      }
      Table rest = *keys;
      std::erase_if(rest, [](const Entry& entry) { return entry.key == "output"; });
      result_.huggingface.push_back({{written.key, "", std::move(rest), value.where}, reference});
    }
  }

  Expansion take_result() {
    std::vector<std::string> known(names_.begin(), names_.end());
    std::sort(known.begin(), known.end());
    // After a cap was passed, nodes are missing that nobody left out.
    if (!budget_.spent()) overrides_.report_unused(known);
    return std::move(result_);
  }

 private:
  /// Notes an expanded name; reports one that is there already ("a/0" and instance 0 of "a").
  bool take_name(const std::string& name, const SourceLocation& where) {
    if (names_.insert(name).second) return true;
    report_.error(where, "duplicate_node", "node '" + name + "' is already defined", {.node = name});
    return false;
  }

  void declare_input(const RawGraph& graph, const std::string& scope, const std::string& input, std::vector<Reference> targets,
                     const SourceLocation& outer_where, const std::string& outer_node) {
    if (graph.find_node(input) != nullptr) return;  // an inner node hides an input of its name
    result_.symbols[join(scope, input)] = {Symbol::Kind::kInput, std::move(targets), {}, input, outer_where, outer_node};
  }

  /// Keeps a node that cannot be used, so that references to it are no errors of their own.
  void add_unusable(const Scope& scope, const std::string& name, const SourceLocation& where) {
    NodeSpec node;
    node.name = name;
    node.where = where;
    node.plugin_where = where;
    node.scope = scope.name;
    result_.nodes.push_back(std::move(node));
  }

  void expand_node(const Scope& scope, const RawNode& raw, Table keys) {
    if (budget_.spent()) return;
    const std::string full = join(scope.name, raw.name);
    overrides_.apply_node(full, keys);
    const Entry* repeat = find(keys, "repeat");
    if (repeat == nullptr) {
      expand_instance(scope, raw, std::move(keys), scope.parameters, {raw.name, "", false});
      return;
    }
    const Entry resolved{repeat->key, repeat->where, scope.parameters.substitute(repeat->value)};
    if (!check_reserved_key(resolved, NodeKind::kSubgraph, full, report_)) {
      if (take_name(full, raw.where)) add_unusable(scope, full, raw.where);
      return;
    }
    if (take_name(full, raw.where)) expand_repeated(scope, raw, keys, std::get<std::int64_t>(resolved.value.data));
  }

  void expand_repeated(const Scope& scope, const RawNode& raw, const Table& keys, std::int64_t count) {
    const std::string full = join(scope.name, raw.name);
    if (count == 0) {
      expand_vanished(scope, raw, keys, full);
      return;
    }
    const auto instance_name = [&](std::int64_t index) { return raw.name + "/" + std::to_string(index); };
    for (std::int64_t index = 0; index < count && !budget_.spent(); ++index) {
      Parameters parameters(scope.parameters, index);
      expand_instance(scope, raw, keys, parameters, {instance_name(index), index > 0 ? instance_name(index - 1) : "", true});
    }
    const Reference last{instance_name(count - 1), scope.name, raw.where, full};
    result_.symbols[full] = {Symbol::Kind::kRepeat, {last}, {}};
  }

  /// Makes references to a node of `repeat = 0` go to what its `in` names.
  void expand_vanished(const Scope& scope, const RawNode& raw, const Table& keys, const std::string& full) {
    const Entry* in = find(keys, "in");
    std::vector<Reference> targets;
    if (in != nullptr) {
      const Entry resolved{in->key, in->where, scope.parameters.substitute(in->value)};
      if (check_reserved_key(resolved, NodeKind::kPlugin, full, report_)) {
        for (const Value* value : strings_of(resolved.value)) targets.push_back({*as_string(*value), scope.name, value->where, full});
        const auto* ports = std::get_if<Table>(&resolved.value.data);
        // Of several ports only the first carries the chain.
        if (ports != nullptr) targets.resize(1);
      }
    } else {
      report_missing_in(raw.where, full);
    }
    if (targets.empty()) {
      add_unusable(scope, full, raw.where);
    } else {
      result_.symbols[full] = {Symbol::Kind::kVanished, std::move(targets), {}};
    }
  }

  void report_missing_in(const SourceLocation& where, const std::string& node) {
    report_.error(where, "missing_key", "node '" + node + "' has 'repeat' but no 'in': each instance takes the output of the one before it",
                  {.expected = "in", .node = node});
  }

  void expand_instance(const Scope& scope, const RawNode& raw, Table keys, Parameters& parameters, const Instance& instance) {
    const std::string full = join(scope.name, instance.name);
    if (!take_name(full, raw.where) || !budget_.take_node(raw.where)) return;
    if (instance.repeated) overrides_.apply_node(full, keys);
    parameters.substitute_in(keys);
    if (budget_.spent()) return;

    const Entry* plugin = find(keys, "plugin");
    const Entry* graph = find(keys, "graph");
    if ((plugin == nullptr) == (graph == nullptr)) {
      report_maker(raw, keys, full, plugin);
      add_unusable(scope, full, raw.where);
      return;
    }
    if (instance.repeated && find(keys, "in") == nullptr && (plugin != nullptr || !binds_first_input(*graph, keys))) {
      report_missing_in(raw.where, full);
    }
    if (plugin != nullptr) {
      add_node(scope, raw, std::move(keys), instance, full);
    } else {
      expand_subgraph(scope, raw, std::move(keys), parameters, instance, full);
    }
  }

  /// Reports a node that has neither `plugin` nor `graph`, or both.
  void report_maker(const RawNode& raw, const Table& keys, const std::string& full, const Entry* plugin) {
    if (plugin != nullptr) {
      report_.error(raw.where, "constraint", "node '" + full + "' has both 'plugin' and 'graph', expected one of them", {.node = full});
      return;
    }
    for (const Entry& entry : keys) {
      const std::optional<std::string> meant = is_reserved_key(entry.key) ? std::nullopt : report_.suggest(entry.key, {"plugin", "graph"});
      if (!meant) continue;
      report_.error(entry.where, "unknown_key", "unknown key '" + entry.key + "', and the node has neither 'plugin' nor 'graph'",
                    {.found = entry.key, .suggestion = meant, .node = full});
      return;
    }
    report_.error(raw.where, "missing_key", "node '" + full + "' has neither 'plugin' nor 'graph'",
                  {.expected = "plugin or graph", .node = full});
  }

  bool binds_first_input(const Entry& graph, const Table& keys) {
    if (as_string(graph.value) == nullptr) return true;  // reported where the key is checked
    const RawGraph* file = files_.load_subgraph(graph.value);
    return file == nullptr || (!file->inputs.empty() && find(keys, *as_string(file->inputs[0])) != nullptr);
  }

  void add_node(const Scope& scope, const RawNode& raw, Table keys, const Instance& instance, const std::string& full) {
    NodeSpec node;
    node.name = full;
    node.where = raw.where;
    node.scope = scope.name;
    node.reserved = scope.around.reserved;
    for (Entry& entry : keys) {
      if (!is_reserved_key(entry.key)) {
        node.keys.push_back(std::move(entry));
      } else if (entry.key != "repeat" && check_reserved_key(entry, NodeKind::kPlugin, full, report_)) {
        take_reserved(node, std::move(entry));
      }
    }
    if (node.plugin.empty()) node.plugin_where = raw.where;
    if (const auto tie = node.reserved.find("tie"); tie != node.reserved.end() && as_string(tie->second)->empty()) node.reserved.erase(tie);
    add_prefix(scope, node);
    if (!instance.chain.empty() && node.in) chain_node(node, instance.chain);
    result_.nodes.push_back(std::move(node));
  }

  static void take_reserved(NodeSpec& node, Entry entry) {
    if (entry.key == "plugin") {
      node.plugin_where = entry.value.where;
      node.plugin = std::get<std::string>(std::move(entry.value.data));
    } else if (entry.key == "in") {
      node.in = std::move(entry.value);
    } else {
      node.reserved.insert_or_assign(std::move(entry.key), std::move(entry.value));
    }
  }

  static void add_prefix(const Scope& scope, NodeSpec& node) {
    const std::string& outer = scope.around.prefix;
    if (outer.empty()) return;
    const auto [own, is_new] = node.reserved.try_emplace("prefix", Value{outer, node.where, {}});
    if (!is_new) own->second.data = outer + *as_string(own->second);
  }

  void chain_node(NodeSpec& node, const std::string& chain) {
    if (auto* ports = std::get_if<Table>(&node.in->data)) {
      if (ports->size() > 1) {
        report_.error(node.in->where, "constraint",
                      "'in' of a node with 'repeat' names " + std::to_string(ports->size()) + " ports, expected one: that of the chain",
                      {.node = node.name});
      }
      ports->front().value.data = chain;
    } else {
      node.in->data = chain;
    }
  }

  void expand_subgraph(const Scope& scope, const RawNode& raw, Table keys, Parameters& parameters, const Instance& instance,
                       const std::string& full) {
    const Entry& graph_entry = *find(keys, "graph");
    if (!check_reserved_key(graph_entry, NodeKind::kSubgraph, full, report_)) {
      add_unusable(scope, full, raw.where);
      return;
    }
    const SourceLocation graph_where = graph_entry.value.where;
    const RawGraph* file = files_.load_subgraph(graph_entry.value);
    if (file == nullptr || !check_subgraph(*file, graph_where, full)) {
      add_unusable(scope, full, raw.where);
      return;
    }

    Surroundings around = scope.around;
    std::unordered_map<std::string, Value> given;
    Bindings bound;
    for (Entry& entry : keys) read_outer_key(entry, *file, scope, full, around, given, bound);
    if (!instance.chain.empty() && !file->inputs.empty()) {
      const std::string& first = *as_string(file->inputs[0]);
      const SourceLocation where = bound.contains(first) ? bound[first].front().where : raw.where;
      bound[first] = {{instance.chain, scope.name, where, full}};
    }
    for (const Value& input : file->inputs) {
      const std::string& name = *as_string(input);
      declare_input(*file, full, name, std::move(bound[name]), raw.where, full);
    }

    Parameters inner(file->params, std::move(given), budget_, report_);
    inner.set_index(parameters.index());
    inner.resolve_all();
    const Scope inside{full, *file, inner, std::move(around)};
    result_.scopes.emplace(full, file);
    open_files_.push_back(file);
    for (const RawNode& node : file->nodes) expand_node(inside, node, node.keys);
    open_files_.pop_back();
    declare_outputs(*file, full, inner);
  }

  /// Reports what keeps a file from being a subgraph here.
  bool check_subgraph(const RawGraph& file, const SourceLocation& where, const std::string& node) {
    if (std::find(open_files_.begin(), open_files_.end(), &file) != open_files_.end() || file.path == top_.path) {
      report_.error(where, "cycle", "graph '" + file.file + "' contains itself", {.found = file.file, .node = node});
      return false;
    }
    if (open_files_.size() >= kMaxFileDepth) {
      report_.error(where, "too_large", "subgraphs are nested more than " + std::to_string(kMaxFileDepth) + " deep",
                    {.expected = "at most " + std::to_string(kMaxFileDepth), .node = node});
      return false;
    }
    if (const auto run = file.where.find("run"); run != file.where.end()) {
      report_.error(run->second, "unknown_key", "[run] in a subgraph, expected only in the graph that is run", {.found = "run"});
    }
    for (const Entry& parameter : file.params) {
      if (is_reserved_key(parameter.key)) {
        report_.error(parameter.where, "constraint",
                      "parameter '" + parameter.key + "' has the name of a reserved key, so no node could set it");
      }
    }
    if (!file.outputs.empty()) return true;
    if (file.parsed) {
      report_.error(where, "missing_key", "graph '" + file.file + "' has no [graph] outputs, so it cannot be a node",
                    {.expected = "outputs", .node = node});
    }
    return false;
  }

  /// Reads one key of a subgraph node: reserved, an input or a parameter.
  void read_outer_key(Entry& entry, const RawGraph& file, const Scope& outer, const std::string& full, Surroundings& around,
                      std::unordered_map<std::string, Value>& given, Bindings& bound) {
    if (is_reserved_key(entry.key)) {
      if (entry.key == "graph" || entry.key == "repeat" || !check_reserved_key(entry, NodeKind::kSubgraph, full, report_)) return;
      if (entry.key == "in") {
        bind_in(entry, file, outer, full, bound);
      } else if (entry.key == "prefix") {
        around.prefix += *as_string(entry.value);
      } else if (std::find(kInherited.begin(), kInherited.end(), entry.key) != kInherited.end()) {
        around.reserved.insert_or_assign(entry.key, std::move(entry.value));
      }
      return;
    }
    if (file.has_input(entry.key)) {
      bind_key(entry, outer, full, bound);
      return;
    }
    const Entry* declared = find(file.params, entry.key);
    if (declared == nullptr) {
      std::vector<std::string> known;
      for (const Entry& parameter : file.params) known.push_back(parameter.key);
      for (const Value& input : file.inputs) known.push_back(*as_string(input));
      report_.error(entry.where, "unknown_key",
                    "unknown key '" + entry.key + "', which is neither a parameter nor an input of '" + file.file + "'",
                    {.found = entry.key, .suggestion = report_.suggest(entry.key, known), .node = full});
    } else if (!fit_type(entry.value, declared->value)) {
      report_.wrong_type(entry.value, "'" + entry.key + "'", declared->value.type_name(), full);
    } else {
      given.insert_or_assign(entry.key, std::move(entry.value));
    }
  }

  void bind(const std::string& input, const Value& value, const Scope& outer, const std::string& full, Bindings& bound) {
    bound[input].push_back({*as_string(value), outer.name, value.where, full});
  }

  void bind_key(const Entry& entry, const Scope& outer, const std::string& full, Bindings& bound) {
    if (as_string(entry.value) == nullptr) {
      report_.wrong_type(entry.value, "input '" + entry.key + "'", "string", full);
    } else if (bound.contains(entry.key)) {
      report_bound_twice(entry.where, entry.key, full);
    } else {
      bind(entry.key, entry.value, outer, full, bound);
    }
  }

  void report_bound_twice(const SourceLocation& where, const std::string& input, const std::string& full) {
    report_.error(where, "constraint", "input '" + input + "' is bound twice, by 'in' and by its own key", {.found = input, .node = full});
  }

  void bind_in(const Entry& entry, const RawGraph& file, const Scope& outer, const std::string& full, Bindings& bound) {
    std::vector<std::string> inputs;
    for (const Value& input : file.inputs) inputs.push_back(*as_string(input));
    if (inputs.empty()) {
      report_.error(entry.where, "unknown_key", "'in' is given, but graph '" + file.file + "' has no inputs",
                    {.found = "in", .node = full});
      return;
    }
    const auto* ports = std::get_if<Table>(&entry.value.data);
    if (ports == nullptr) {
      if (bound.contains(inputs[0])) report_bound_twice(entry.where, inputs[0], full);
      for (const Value* value : strings_of(entry.value)) bind(inputs[0], *value, outer, full, bound);
      return;
    }
    for (const Entry& port : *ports) {
      if (!file.has_input(port.key)) {
        report_.error(port.where, "unknown_port", "graph '" + file.file + "' has no input '" + port.key + "'",
                      {.found = port.key, .suggestion = report_.suggest(port.key, inputs), .node = full});
      } else if (bound.contains(port.key)) {
        report_bound_twice(port.where, port.key, full);
      } else {
        bind(port.key, port.value, outer, full, bound);
      }
    }
  }

  /// Declares what the subgraph's own name and `name.output` stand for, and its `[huggingface]`.
  void declare_outputs(const RawGraph& file, const std::string& full, Parameters& inner) {
    WrittenSymbol symbol;
    for (const Value& written : file.outputs) {
      const Value output = inner.substitute(written);
      const std::string* text = as_string(output);
      if (text == nullptr) continue;
      // "parts.train" is the output "train": what it is called inside is not the outer graph's affair.
      const std::string name = text->substr(text->find('.') + 1);
      const bool is_taken =
          std::any_of(symbol.outputs.begin(), symbol.outputs.end(), [&](const auto& other) { return other.first == name; });
      if (is_taken) report_.error(output.where, "constraint", "two outputs of this graph have the name '" + name + "'", {.found = name});
      symbol.outputs.push_back({name, {*text, full, output.where, full}});
    }
    if (!symbol.outputs.empty() && !file.huggingface.empty()) {
      HuggingFaceSpec spec{full, "", inner.substitute(file.huggingface), file.where.at("huggingface")};
      if (const Entry* output = find(spec.keys, "output")) {
        report_.error(output->where, "unknown_key",
                      "key 'output' in [huggingface] of a subgraph: its output is the first of [graph] outputs", {.found = "output"});
      }
      result_.huggingface.push_back({std::move(spec), symbol.outputs[0].second});
    }
    result_.symbols[full] = std::move(symbol);
  }

  RawGraph& top_;
  GraphFiles& files_;
  Overrides& overrides_;
  Budget& budget_;
  Reporter& report_;
  Expansion result_;
  std::unordered_set<std::string> names_;
  std::vector<const RawGraph*> open_files_;  ///< subgraphs that are being expanded, outermost first
};

}  // namespace

Expansion expand(RawGraph& top, Parameters& parameters, GraphFiles& files, Overrides& overrides, Budget& budget, Reporter& report) {
  Expander expander(top, files, overrides, budget, report);
  expander.declare_top_inputs();
  expander.expand_top(parameters);
  expander.read_top_huggingface(parameters);
  return expander.take_result();
}

}  // namespace flowrun::config
