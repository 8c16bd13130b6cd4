#include "graph/domains.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <flowrun/nearest.hpp>

#include "config/value.hpp"

namespace flowrun::graph {
namespace {

/// The domains that documents can have; nothing where they bring their own.
using Domains = std::optional<std::set<std::string>>;

bool has_documents(const plugin::PortInfo& port) { return port.type == "documents" || port.type == "tokens"; }

class DomainCheck {
 public:
  DomainCheck(const ResolvedGraph& graph, const config::GraphSpec& spec, config::Diagnostics& diagnostics)
      : graph_(graph), spec_(spec), diagnostics_(diagnostics), given_(graph.nodes.size()) {}

  void run() {
    for (const std::size_t i : graph_.order) {
      if (!graph_.nodes[i].plugin->descriptor) continue;  // refused, which is reported elsewhere
      const Domains arriving = arriving_at(i);
      given_[i] = given_by(i, arriving);
      for (const auto& parameter : graph_.nodes[i].descriptor().parameters)
        if (const auto* entry = config::find(spec_.nodes[i].keys, parameter.name)) check(i, parameter, parameter.name, entry->value, arriving);
    }
  }

 private:
  Domains arriving_at(std::size_t i) const {
    const ResolvedNode& node = graph_.nodes[i];
    std::set<std::string> all;
    for (std::size_t p = 0; p < node.inputs.size(); ++p) {
      if (!has_documents(node.descriptor().inputs[p])) continue;
      for (const Connection& from : node.inputs[p]) {
        if (!given_[from.node]) return std::nullopt;
        all.insert(given_[from.node]->begin(), given_[from.node]->end());
      }
    }
    return all.empty() ? std::nullopt : Domains(all);
  }

  Domains given_by(std::size_t i, const Domains& arriving) const {
    const ResolvedNode& node = graph_.nodes[i];
    const auto& outputs = node.descriptor().outputs;
    if (node.descriptor().kind != "source") {
      const bool sets_domain = std::any_of(outputs.begin(), outputs.end(), [](const auto& port) { return std::find(port.columns.begin(), port.columns.end(), "domain") != port.columns.end(); });
      return sets_domain ? std::nullopt : arriving;
    }
    const plugin::PortInfo& out = outputs.at(0);
    const auto is_given = [&](const std::string& parameter) { return node.parameters.contains(parameter); };
    if (out.domain_from.empty() || !is_given(out.domain_from) || std::any_of(out.domain_unless.begin(), out.domain_unless.end(), is_given)) return std::nullopt;
    return std::set<std::string>{node.parameters[out.domain_from].get<std::string>()};
  }

  /// Checks a parameter, which messages call `name`, or what the tables of a list hold.
  void check(std::size_t i, const plugin::ParameterInfo& parameter, const std::string& name, const config::Value& value, const Domains& domains) {
    if (const auto* tables = std::get_if<config::Array>(&value.data)) {
      for (std::size_t t = 0; t < tables->size(); ++t)
        for (const auto& field : parameter.fields)
          if (const auto* table = std::get_if<config::Table>(&(*tables)[t].data))
            if (const auto* entry = config::find(*table, field.name)) check(i, field, fmt::format("{}[{}].{}", name, t, field.name), entry->value, domains);
      return;
    }
    const auto* table = std::get_if<config::Table>(&value.data);
    if (parameter.names != plugin::Names::kDomains || table == nullptr || table->empty()) return;
    if (leaves_all_out(*table, parameter.otherwise, domains)) {
      add(i, config::Severity::kError, value.where, fmt::format("'{}' leaves every domain out, expected one above 0", name), {}, domains);
      return;
    }
    if (!domains) return;
    for (const auto& entry : *table)
      if (!domains->contains(entry.key))
        add(i, config::Severity::kWarning, entry.where, fmt::format("'{}' names the domain '{}', which no reader before it gives; they give '{}'", name, entry.key, fmt::join(*domains, "', '")), entry.key, domains);
    if (parameter.otherwise > 0) return;
    for (const std::string& domain : *domains)
      if (config::find(*table, domain) == nullptr) add(i, config::Severity::kWarning, value.where, fmt::format("'{}' does not name the domain '{}': it is left out", name, domain), {}, {});
  }

  /// Returns whether every domain that can arrive has 0. Where these are not known, a table that leaves out what it does not name must name one that stays.
  static bool leaves_all_out(const config::Table& table, double otherwise, const Domains& domains) {
    const auto is_zero = [](const config::Entry& entry) { return config::as_number(entry.value).value_or(0) <= 0; };
    if (!domains) return otherwise <= 0 && std::all_of(table.begin(), table.end(), is_zero);
    return std::all_of(domains->begin(), domains->end(), [&](const std::string& domain) {
      const auto* entry = config::find(table, domain);
      return entry == nullptr ? otherwise <= 0 : is_zero(*entry);
    });
  }

  void add(std::size_t i, config::Severity severity, const config::SourceLocation& where, std::string message, std::optional<std::string> found, const Domains& domains) {
    config::Diagnostic diagnostic;
    diagnostic.where = where;
    diagnostic.severity = severity;
    diagnostic.code = "constraint";
    diagnostic.message = std::move(message);
    diagnostic.found = found;
    if (domains) {
      const std::vector<std::string> names(domains->begin(), domains->end());
      diagnostic.expected = fmt::format("one of '{}'", fmt::join(names, "', '"));
      if (found) diagnostic.suggestion = nearest(*found, names);
    }
    diagnostic.node = graph_.nodes[i].name;
    diagnostic.plugin = graph_.nodes[i].plugin->id;
    diagnostics_.add(std::move(diagnostic));
  }

  const ResolvedGraph& graph_;
  const config::GraphSpec& spec_;
  config::Diagnostics& diagnostics_;
  std::vector<Domains> given_;  ///< by node
};

}  // namespace

void check_domains(const ResolvedGraph& graph, const config::GraphSpec& spec, config::Diagnostics& diagnostics) { DomainCheck(graph, spec, diagnostics).run(); }

}  // namespace flowrun::graph
