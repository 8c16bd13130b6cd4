#include "config/diagnostics_json.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "config/utf8.hpp"

namespace flowrun::config {
namespace {

nlohmann::ordered_json text_or_null(const std::optional<std::string>& text) {
  return text ? nlohmann::ordered_json(replace_invalid_utf8(*text)) : nlohmann::ordered_json();
}

}  // namespace

nlohmann::ordered_json to_json(const Diagnostic& diagnostic) {
  return {
      {"file", replace_invalid_utf8(diagnostic.where.file)},
      {"line", diagnostic.where.line},
      {"column", diagnostic.where.column},
      {"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
      {"code", diagnostic.code},
      {"message", replace_invalid_utf8(diagnostic.message)},
      {"found", text_or_null(diagnostic.found)},
      {"expected", text_or_null(diagnostic.expected)},
      {"suggestion", text_or_null(diagnostic.suggestion)},
      {"node", text_or_null(diagnostic.node)},
      {"plugin", text_or_null(diagnostic.plugin)},
  };
}

nlohmann::ordered_json validation_report(const std::string& graph, const std::vector<Diagnostic>& diagnostics) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Diagnostic& diagnostic : diagnostics) list.push_back(to_json(diagnostic));
  const bool ok = std::none_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return d.severity == Severity::kError; });
  return {{"version", 1}, {"ok", ok}, {"graph", replace_invalid_utf8(graph)}, {"diagnostics", std::move(list)}};
}

}  // namespace flowrun::config
