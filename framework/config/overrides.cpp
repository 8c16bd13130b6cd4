#include "config/overrides.hpp"

#include <algorithm>
#include <filesystem>

#include "config/limits.hpp"
#include "config/parameters.hpp"
#include "config/toml_file.hpp"
#include "config/utf8.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

const std::vector<std::string> kFirstParts = {"node", "params", "run"};

/// Splits at the dots outside of double quotes: `node."a.b".key`. Empty if a part is.
std::vector<std::string> split_key(const std::string& key) {
  std::vector<std::string> parts(1);
  bool is_quoted = false;
  for (const char c : key) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == '.' && !is_quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const bool has_empty = std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
  return has_empty || is_quoted ? std::vector<std::string>() : parts;
}

/// Returns the text in which the caret of a finding is shown: one line, whatever the value holds.
std::string source_line(const Override& override) {
  std::string line = override.key + "=" + override.value;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + "\n";
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

Overrides::Overrides(const std::vector<Override>& overrides, std::map<std::string, std::string>& sources, Reporter& report)
    : report_(report) {
  const std::string base = overrides.empty() ? std::string() : std::filesystem::current_path().string();
  std::string text;
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    text += source_line(overrides[i]);
    read(overrides[i], {"--set", static_cast<std::uint32_t>(i + 1), 1}, base);
  }
  if (!overrides.empty()) sources["--set"] = std::move(text);
}

void Overrides::read(const Override& override, const SourceLocation& where, const std::string& base) {
  if (!is_utf8(override.key) || !is_utf8(override.value)) {
    report_.error(where, "toml_syntax", "text of --set is not valid UTF-8");
    return;
  }
  std::vector<std::string> path = split_key(override.key);
  const std::string first = path.empty() ? std::string() : path[0];
  if (std::find(kFirstParts.begin(), kFirstParts.end(), first) == kFirstParts.end()) {
    report_.error(where, "unknown_key", "unknown key '" + override.key + "' in --set, expected node.NAME.KEY, params.NAME or run.KEY",
                  {.found = override.key, .suggestion = first.empty() ? std::nullopt : report_.suggest(first, kFirstParts)});
    return;
  }
  if (path.size() < (first == "node" ? 3U : 2U)) {
    report_.error(where, "unknown_key", "key '" + override.key + "' in --set is too short, expected node.NAME.KEY, params.NAME or run.KEY",
                  {.found = override.key});
    return;
  }
  if (path.size() > kMaxDottedDepth) {
    report_.error(where, "too_large", "key in --set has more than " + std::to_string(kMaxDottedDepth) + " parts",
                  {.found = std::to_string(path.size()), .expected = "at most " + std::to_string(kMaxDottedDepth)});
    return;
  }
  Value value = parse_override_value(override.value, where, base, report_);
  const auto below = [&](std::ptrdiff_t count) { return std::vector<std::string>(path.begin() + count, path.end()); };
  if (first == "run") {
    run_.push_back({below(1), std::move(value)});
  } else if (first == "params") {
    params_.push_back({below(1), std::move(value)});
  } else {
    nodes_[path[1]].assignments.push_back({below(2), std::move(value)});
  }
}

void Overrides::assign_path(Table& table, const Assignment& assignment) const {
  Table* target = &table;
  const SourceLocation& where = assignment.value.where;
  for (std::size_t i = 0; i + 1 < assignment.path.size(); ++i) {
    const std::string& part = assignment.path[i];
    Entry* entry = find(*target, part);
    if (entry == nullptr) {
      target->push_back({part, where, {Table(), where, assignment.value.base}});
      entry = &target->back();
    }
    target = std::get_if<Table>(&entry->value.data);
    if (target == nullptr) {
      report_.error(
          where, "wrong_type",
          "'" + part + "' is " + with_article(entry->value.type_name()) + ", so '" + assignment.path[i + 1] + "' cannot be set in it",
          {.found = entry->value.type_name(), .expected = "table"});
      return;
    }
  }
  assign(*target, {assignment.path.back(), where, assignment.value});
}

void Overrides::apply_run(Table& run) const {
  for (const Assignment& assignment : run_) assign_path(run, assignment);
}

void Overrides::apply_params(Table& params) const {
  std::vector<std::string> names;
  for (const Entry& entry : params) names.push_back(entry.key);
  for (Assignment assignment : params_) {
    const std::string& name = assignment.path[0];
    const Entry* declared = find(params, name);
    if (declared == nullptr) {
      report_.error(assignment.value.where, "unknown_key", "unknown parameter '" + name + "' in --set",
                    {.found = name, .suggestion = report_.suggest(name, names)});
    } else if (assignment.path.size() == 1 && !fit_type(assignment.value, declared->value)) {
      report_.wrong_type(assignment.value, "parameter '" + name + "'", declared->value.type_name());
    } else {
      assign_path(params, assignment);
    }
  }
}

void Overrides::apply_node(const std::string& name, Table& keys) {
  const auto it = nodes_.find(name);
  if (it == nodes_.end()) return;
  it->second.used = true;
  for (const Assignment& assignment : it->second.assignments) {
    const std::string& key = assignment.path[0];
    // A node is made of a plugin or of a graph; the one that is set takes the place of the other.
    if (key == "plugin" || key == "graph") {
      std::erase_if(keys, [&](const Entry& entry) { return entry.key == (key == "plugin" ? "graph" : "plugin"); });
    }
    assign_path(keys, assignment);
  }
}

void Overrides::report_unused(const std::vector<std::string>& names) const {
  for (const auto& [name, node] : nodes_) {
    if (node.used) continue;
    for (const Assignment& assignment : node.assignments) {
      report_.error(assignment.value.where, "unknown_node", "no node '" + name + "' to set '" + assignment.path[0] + "' of",
                    {.found = name, .suggestion = report_.suggest(name, names)});
    }
  }
}

}  // namespace flowrun::config
