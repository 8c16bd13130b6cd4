#include "config/report.hpp"

#include <flowrun/nearest.hpp>

#include "config/value.hpp"

namespace flowrun::config {

void Reporter::error(const SourceLocation& where, std::string code, std::string message, Details details) {
  if (!seen_.emplace(where.file, where.line, where.column, code + " " + message).second) return;
  Diagnostic diagnostic;
  diagnostic.where = where;
  diagnostic.code = std::move(code);
  diagnostic.message = std::move(message);
  diagnostic.found = std::move(details.found);
  diagnostic.expected = std::move(details.expected);
  diagnostic.suggestion = std::move(details.suggestion);
  diagnostic.node = std::move(details.node);
  diagnostics_.add(std::move(diagnostic));
}

void Reporter::wrong_type(const Value& value, std::string_view name, std::string_view expected, const std::optional<std::string>& node) {
  const std::string found = value.type_name();
  error(value.where, "wrong_type", std::string(name) + " is " + with_article(found) + ", expected " + with_article(expected),
        {.found = found, .expected = std::string(expected), .node = node});
}

void Reporter::out_of_range(const Value& value, std::string_view name, std::string_view expected, const std::optional<std::string>& node) {
  const std::string found = describe(value);
  error(value.where, "out_of_range", std::string(name) + " is " + found + ", expected " + std::string(expected),
        {.found = found, .expected = std::string(expected), .node = node});
}

std::optional<std::string> Reporter::suggest(std::string_view word, const std::vector<std::string>& candidates) {
  if (candidates.size() > comparisons_left_) return std::nullopt;
  comparisons_left_ -= candidates.size();
  return nearest(word, candidates);
}

std::string with_article(std::string_view type_name) {
  const bool vowel = !type_name.empty() && std::string_view("aeiou").find(type_name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(type_name);
}

}  // namespace flowrun::config
