#include "config/references.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "config/limits.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

/// "node.port" in its two halves; no name of a node has a dot.
struct SplitName {
  explicit SplitName(std::string_view text)
      : node(text.substr(0, text.find('.'))), port(text.substr(std::min(node.size() + 1, text.size()))) {}
  std::string_view node;
  std::string_view port;
};

std::string with_port(std::string_view node, std::string_view port) {
  std::string name(node);
  if (!port.empty()) name.append(".").append(port);
  return name;
}

class Resolver {
 public:
  Resolver(Expansion expansion, GraphSpec& graph, Reporter& report) : expansion_(std::move(expansion)), graph_(graph), report_(report) {
    for (const NodeSpec& node : expansion_.nodes) nodes_.insert(node.name);
  }

  void run() {
    for (const auto& [name, symbol] : expansion_.symbols) settle(name);
    for (NodeSpec& node : expansion_.nodes) {
      resolve_in(node);
      resolve_tie(node);
    }
    for (auto& [spec, output] : expansion_.huggingface) {
      const Found found = follow(output, 0);
      if (!found.names.empty()) spec.output = found.names.front();
      graph_.huggingface.push_back(std::move(spec));
    }
    for (const auto& [name, symbol] : graph_.symbols) {
      if (symbol.kind != Symbol::Kind::kInput && !symbol.targets.empty()) graph_.aliases[name] = final_target(symbol);
    }
    // Views into the names end here, where the nodes move.
    nodes_.clear();
    graph_.nodes = std::move(expansion_.nodes);
  }

 private:
  enum class Outcome {
    kFound,
    kUnbound,   ///< an input that the outer node does not bind
    kUnknown,   ///< no such name
    kReported,  ///< behind it is an error that is reported where it stands
  };
  struct Found {
    Outcome outcome = Outcome::kFound;
    std::vector<std::string> names;
    const WrittenSymbol* unbound = nullptr;
  };
  /// How far settle() has come with a symbol.
  struct Settled {
    bool in_progress = false;
    Outcome outcome = Outcome::kFound;
    const WrittenSymbol* unbound = nullptr;
  };

  /// Returns the expanded names behind a reference.
  Found follow(const Reference& reference, std::size_t depth) {
    const SplitName split(reference.text);
    const std::string full = join(reference.scope, split.node);
    if (nodes_.contains(full)) return {Outcome::kFound, {with_port(full, split.port)}, nullptr};
    const auto written = expansion_.symbols.find(full);
    if (written == expansion_.symbols.end()) return {Outcome::kUnknown, {}, nullptr};
    if (depth > kMaxReferenceDepth) {
      report_.error(reference.where, "too_large",
                    "name '" + reference.text + "' leads through more than " + std::to_string(kMaxReferenceDepth) + " others",
                    {.expected = "at most " + std::to_string(kMaxReferenceDepth), .node = reference.node});
      return {Outcome::kReported, {}, nullptr};
    }
    if (written->second.kind == Symbol::Kind::kRepeat) {
      const Reference& last = written->second.targets.front();
      return follow({with_port(last.text, split.port), last.scope, reference.where, reference.node}, depth + 1);
    }
    if (written->second.kind == Symbol::Kind::kInput && !split.port.empty()) return {Outcome::kUnknown, {}, nullptr};

    const Settled settled = settle(full, depth + 1, &reference);
    if (settled.outcome != Outcome::kFound) return {settled.outcome, {}, settled.unbound};
    const Symbol& symbol = graph_.symbols.find(full)->second;
    if (symbol.kind != Symbol::Kind::kSubgraph || split.port.empty()) return {Outcome::kFound, symbol.targets, nullptr};
    const auto output = symbol.outputs.find(std::string(split.port));
    if (output != symbol.outputs.end()) return {Outcome::kFound, output->second, nullptr};
    std::vector<std::string> known;
    for (const auto& [name, targets] : symbol.outputs) known.push_back(name);
    report_.error(reference.where, "unknown_port",
                  "subgraph '" + std::string(split.node) + "' has no output '" + std::string(split.port) + "'",
                  {.found = std::string(split.port), .suggestion = report_.suggest(split.port, known), .node = reference.node});
    return {Outcome::kReported, {}, nullptr};
  }

  /// Fills graph_.symbols[name], once. `from` is what leads to it, for a cycle's place.
  Settled settle(const std::string& name, std::size_t depth = 0, const Reference* from = nullptr) {
    const auto [it, is_new] = settled_.try_emplace(name);
    if (!is_new) {
      if (!it->second.in_progress) return it->second;
      report_.error(from->where, "cycle", "name '" + from->text + "' stands for itself", {.found = from->text, .node = from->node});
      return {false, Outcome::kReported, nullptr};
    }
    it->second.in_progress = true;
    const WrittenSymbol& written = expansion_.symbols.at(name);
    Symbol symbol;
    symbol.kind = written.kind;
    Settled result;
    if (written.kind == Symbol::Kind::kRepeat) {
      const Reference& last = written.targets.front();
      symbol.targets = {join(last.scope, last.text)};
    } else {
      for (const Reference& target : written.targets) collect(target, depth, result, symbol.targets);
    }
    for (const auto& [output, target] : written.outputs) {
      std::vector<std::string>& names = symbol.outputs[output];
      collect(target, depth, result, names);
      if (symbol.targets.empty()) symbol.targets = names;
    }
    if (written.kind == Symbol::Kind::kInput && written.targets.empty()) {
      result.outcome = Outcome::kUnbound;
      result.unbound = &written;
    }
    if (result.outcome != Outcome::kFound) symbol.targets.clear();
    graph_.symbols.insert_or_assign(name, std::move(symbol));
    settled_[name] = result;
    return result;
  }

  /// Adds the names behind one target of a symbol, or notes why there are none.
  void collect(const Reference& target, std::size_t depth, Settled& result, std::vector<std::string>& names) {
    Found found = follow(target, depth);
    if (found.outcome == Outcome::kUnknown) {
      report_unknown(target);
      found.outcome = Outcome::kReported;
    }
    if (found.outcome != Outcome::kFound) {
      result.outcome = found.outcome;
      result.unbound = found.unbound;
    } else if (!take(found.names, target)) {
      result.outcome = Outcome::kReported;
    } else {
      names.insert(names.end(), found.names.begin(), found.names.end());
    }
  }

  bool take(const std::vector<std::string>& names, const Reference& reference) {
    reference_count_ += names.size();
    if (reference_count_ <= kMaxReferences) return true;
    report_.error(reference.where, "too_large", "graph has more than " + std::to_string(kMaxReferences) + " references after expansion",
                  {.expected = "at most " + std::to_string(kMaxReferences)});
    return false;
  }

  void report_unknown(const Reference& reference) {
    const SplitName split(reference.text);
    std::vector<std::string> names;
    if (const auto scope = expansion_.scopes.find(reference.scope); scope != expansion_.scopes.end()) names = scope->second->names();
    std::optional<std::string> suggestion = report_.suggest(split.node, names);
    if (suggestion) suggestion = with_port(*suggestion, split.port);
    report_.error(reference.where, "unknown_node", "no node '" + std::string(split.node) + "'",
                  {.found = reference.text, .suggestion = std::move(suggestion), .node = reference.node});
  }

  void report_unbound(const Reference& reference, const WrittenSymbol& input) {
    if (input.outer_node.empty()) {
      report_.error(reference.where, "missing_key",
                    "'" + input.input + "' is an input of this graph, which only a graph around it can bind",
                    {.found = input.input, .node = reference.node});
    } else {
      report_.error(input.outer_where, "missing_key",
                    "node '" + input.outer_node + "' leaves the input '" + input.input + "' of its graph unbound, which '" +
                        reference.node + "' reads",
                    {.expected = input.input, .node = input.outer_node});
    }
  }

  /// Returns the expanded names behind a reference of a node, or, after a report, the name that is missing.
  std::vector<std::string> resolve(const NodeSpec& node, const Value& value) {
    const Reference reference{*as_string(value), node.scope, value.where, node.name};
    Found found = follow(reference, 0);
    if (found.outcome == Outcome::kFound && take(found.names, reference)) return std::move(found.names);
    if (found.outcome == Outcome::kUnknown) report_unknown(reference);
    if (found.outcome == Outcome::kUnbound) report_unbound(reference, *found.unbound);
    return {join(node.scope, reference.text)};
  }

  void resolve_in(NodeSpec& node) {
    if (!node.in) return;
    if (auto* ports = std::get_if<Table>(&node.in->data)) {
      for (Entry& port : *ports) resolve_single(node, port.value, "port '" + port.key + "' of 'in'");
      return;
    }
    Array resolved;
    const auto add = [&](const Value& value) {
      for (std::string& name : resolve(node, value)) resolved.push_back({std::move(name), value.where, value.base});
    };
    if (const auto* array = std::get_if<Array>(&node.in->data)) {
      for (const Value& value : *array) add(value);
      node.in->data = std::move(resolved);
    } else {
      add(*node.in);
      if (resolved.size() == 1) {
        node.in->data = std::move(resolved.front().data);
      } else {
        node.in->data = std::move(resolved);
      }
    }
  }

  void resolve_tie(NodeSpec& node) {
    if (const auto tie = node.reserved.find("tie"); tie != node.reserved.end()) resolve_single(node, tie->second, "'tie'");
  }

  void resolve_single(const NodeSpec& node, Value& value, const std::string& what) {
    std::vector<std::string> names = resolve(node, value);
    if (names.size() != 1) {
      report_.error(value.where, "constraint",
                    what + " names " + std::to_string(names.size()) + " nodes through '" + *as_string(value) + "', expected one",
                    {.node = node.name});
    }
    value.data = std::move(names.front());
  }

  /// Returns what an alias is shown as: the node behind the last instance of a repeated subgraph, too.
  std::string final_target(const Symbol& symbol) const {
    const std::string& target = symbol.targets.front();
    const auto behind = symbol.kind == Symbol::Kind::kRepeat ? graph_.symbols.find(target) : graph_.symbols.end();
    return behind != graph_.symbols.end() && !behind->second.targets.empty() ? behind->second.targets.front() : target;
  }

  Expansion expansion_;
  GraphSpec& graph_;
  Reporter& report_;
  std::unordered_set<std::string_view> nodes_;
  std::unordered_map<std::string, Settled> settled_;
  std::size_t reference_count_ = 0;
};

}  // namespace

void resolve_names(Expansion expansion, GraphSpec& graph, Reporter& report) { Resolver(std::move(expansion), graph, report).run(); }

std::optional<std::string> GraphSpec::resolve(const NodeSpec& from, std::string_view reference) const {
  const SplitName split(reference);
  const std::string full = join(from.scope, split.node);
  const std::string missing = join(from.scope, reference);
  auto symbol = symbols.find(full);
  if (symbol == symbols.end()) return missing;  // a node, or nothing
  if (symbol->second.kind == Symbol::Kind::kRepeat) {
    const std::string& last = symbol->second.targets.front();
    symbol = symbols.find(last);
    if (symbol == symbols.end()) return with_port(last, split.port);
  }
  const Symbol& found = symbol->second;
  if (found.kind != Symbol::Kind::kSubgraph && found.targets.empty()) return std::nullopt;
  if (found.kind == Symbol::Kind::kInput && !split.port.empty()) return missing;
  const std::vector<std::string>* names = &found.targets;
  if (found.kind == Symbol::Kind::kSubgraph && !split.port.empty()) {
    const auto output = found.outputs.find(std::string(split.port));
    if (output == found.outputs.end()) return missing;
    names = &output->second;
  }
  return names->size() == 1 ? names->front() : missing;
}

void resolve_references(GraphSpec& graph, const std::function<bool(const NodeSpec&, const Entry&)>& is_reference) {
  for (NodeSpec& node : graph.nodes) {
    std::erase_if(node.keys, [&](Entry& entry) {
      const std::string* text = as_string(entry.value);
      if (text == nullptr || !is_reference(node, entry)) return false;
      std::optional<std::string> name = graph.resolve(node, *text);
      if (!name) return true;
      entry.value.data = std::move(*name);
      return false;
    });
  }
  for (NodeSpec& node : graph.nodes) node.scope.clear();
}

}  // namespace flowrun::config
