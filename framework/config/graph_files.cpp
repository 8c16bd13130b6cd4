#include "config/graph_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include <flowrun/error.hpp>

#include <fmt/core.h>

#include "config/limits.hpp"
#include "config/toml_file.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTopLevelKeys = {"run", "params", "include", "node", "graph", "huggingface"};
const std::vector<std::string> kGraphKeys = {"inputs", "outputs"};

/// Returns the file's text without a byte order mark; at most one byte more than the cap, which scan() then refuses.
std::string read_text(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw Error(Code::kNotFound, "cannot open graph '" + path + "': " + std::strerror(errno));
  std::string text;
  std::array<char, 1U << 16U> buffer;
  while (text.size() <= kMaxFileBytes) {
    const std::size_t count = std::fread(buffer.data(), 1, std::min(buffer.size(), kMaxFileBytes + 1 - text.size()), file.get());
    text.append(buffer.data(), count);
    if (count == 0) break;
  }
  if (std::ferror(file.get()) != 0) throw Error(Code::kIo, "cannot read graph '" + path + "': " + std::strerror(errno));
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

std::string absolute_path(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

/// Returns the path that a string in a file names, in the words of that file: "graphs/models/llama.toml" for "models/llama.toml".
std::string printed_path(const Value& value, const std::string& text) {
  if (fs::path(text).is_absolute()) return text;
  const fs::path beside = (fs::path(value.where.file).parent_path() / text).lexically_normal();
  return absolute_path(beside.string()) == absolute_path(value.base + "/" + text)
             ? beside.string()
             : (fs::path(value.base) / text).lexically_normal().string();
}

bool is_node_name(std::string_view name) {
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    const bool valid = !segment.empty() && std::all_of(segment.begin(), segment.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (!valid) return false;
    // Names of digits are those of the instances of a repeated node, which stand behind its name.
    if (begin == 0 && segment.find_first_not_of("0123456789") == std::string_view::npos) return false;
    if (end == name.size()) return true;
    begin = end + 1;
  }
}

void read_nodes(RawGraph& graph, Table nodes, Reporter& report) {
  for (Entry& entry : nodes) {
    auto* keys = std::get_if<Table>(&entry.value.data);
    if (keys == nullptr) {
      report.wrong_type(entry.value, "node '" + entry.key + "'", "table");
    } else if (!is_node_name(entry.key)) {
      report.error(entry.where, "out_of_range",
                   "node name '" + entry.key + "' is not allowed, expected letters, digits, '_', '-', not digits alone ('/' between parts)",
                   {.found = entry.key, .expected = "letters, digits, '_' and '-'"});
    } else {
      graph.node_index.emplace(entry.key, graph.nodes.size());
      graph.nodes.push_back({entry.key, entry.value.where, std::move(*keys)});
    }
  }
}

/// Takes a file's own tables into `graph`; `include` has been seen to.
void read_tables(RawGraph& graph, Table table, Reporter& report) {
  for (Entry& entry : table) {
    if (entry.key == "include") continue;
    auto* entries = std::get_if<Table>(&entry.value.data);
    if (std::find(kTopLevelKeys.begin(), kTopLevelKeys.end(), entry.key) == kTopLevelKeys.end()) {
      report.error(entry.where, "unknown_key",
                   entries != nullptr ? "unknown table [" + entry.key + "]" : "unknown key '" + entry.key + "' outside of tables",
                   {.found = entry.key, .suggestion = report.suggest(entry.key, kTopLevelKeys)});
    } else if (entries == nullptr) {
      report.wrong_type(entry.value, "'" + entry.key + "'", "table");
    } else if (entry.key == "node") {
      read_nodes(graph, std::move(*entries), report);
    } else {
      graph.where[entry.key] = entry.value.where;
      Table& target = entry.key == "run"      ? graph.run
                      : entry.key == "params" ? graph.params
                      : entry.key == "graph"  ? graph.graph
                                              : graph.huggingface;
      target = std::move(*entries);
    }
  }
}

void merge_table(Table& target, Table source) {
  for (Entry& entry : source) assign(target, std::move(entry));
}

/// Merges a node's later keys over its earlier ones. One that says what the node is made of takes the place of the other such key.
void merge_node(RawNode& target, RawNode source) {
  for (const auto& [given, displaced] : {std::pair("plugin", "graph"), std::pair("graph", "plugin")}) {
    if (find(source.keys, given) != nullptr && find(source.keys, displaced) == nullptr) {
      std::erase_if(target.keys, [name = displaced](const Entry& entry) { return entry.key == name; });
    }
  }
  merge_table(target.keys, std::move(source.keys));
}

/// Merges `source` over `target`. `beside`: both are included by one file, so neither may redefine the other's nodes.
void merge(RawGraph& target, RawGraph source, bool beside, Reporter& report) {
  merge_table(target.run, std::move(source.run));
  merge_table(target.params, std::move(source.params));
  merge_table(target.graph, std::move(source.graph));
  merge_table(target.huggingface, std::move(source.huggingface));
  for (auto& [name, where] : source.where) target.where[name] = std::move(where);
  for (RawNode& node : source.nodes) {
    const auto [index, is_new] = target.node_index.emplace(node.name, target.nodes.size());
    if (is_new) {
      target.nodes.push_back(std::move(node));
      continue;
    }
    RawNode& existing = target.nodes[index->second];
    const bool same_place = existing.where.file == node.where.file && existing.where.line == node.where.line;
    if (beside && !same_place) {
      report.error(node.where, "duplicate_node",
                   "node '" + node.name + "' is already defined in another included file, at " + existing.where.file + ":" +
                       std::to_string(existing.where.line),
                   {.node = node.name});
      continue;
    }
    merge_node(existing, std::move(node));
  }
}

Array read_names(const Table& graph, std::string_view key, Reporter& report) {
  const Entry* entry = find(graph, key);
  if (entry == nullptr) return {};
  const auto* values = std::get_if<Array>(&entry->value.data);
  if (values == nullptr) {
    report.wrong_type(entry->value, fmt::format("'{}'", key), "array");
    return {};
  }
  Array names;
  for (const Value& value : *values) {
    const std::string* name = as_string(value);
    if (name == nullptr) {
      report.wrong_type(value, fmt::format("an element of '{}'", key), "string");
    } else if (std::any_of(names.begin(), names.end(), [&](const Value& other) { return *as_string(other) == *name; })) {
      report.error(value.where, "constraint", fmt::format("'{}' stands twice in '{}'", *name, key), {.found = *name});
    } else {
      names.push_back(value);
    }
  }
  return names;
}

/// Checks `[graph]` and `[params]` of a file with all that it includes.
void check_interface(RawGraph& graph, Reporter& report) {
  for (const Entry& entry : graph.graph) {
    if (std::find(kGraphKeys.begin(), kGraphKeys.end(), entry.key) != kGraphKeys.end()) continue;
    report.error(entry.where, "unknown_key", "unknown key '" + entry.key + "' in [graph]",
                 {.found = entry.key, .suggestion = report.suggest(entry.key, kGraphKeys)});
  }
  graph.inputs = read_names(graph.graph, "inputs", report);
  graph.outputs = read_names(graph.graph, "outputs", report);
  for (const Entry& entry : graph.params) {
    if (entry.key == "index") {
      report.error(entry.where, "constraint", "parameter 'index' is taken: it is the number of an instance of 'repeat'");
    } else if (graph.has_input(entry.key)) {
      report.error(entry.where, "constraint", "'" + entry.key + "' is both an input and a parameter of this graph");
    }
  }
}

}  // namespace

const RawNode* RawGraph::find_node(const std::string& name) const {
  const auto it = node_index.find(name);
  return it != node_index.end() ? &nodes[it->second] : nullptr;
}

bool RawGraph::has_input(const std::string& name) const {
  return std::any_of(inputs.begin(), inputs.end(), [&](const Value& input) { return *as_string(input) == name; });
}

std::vector<std::string> RawGraph::names() const {
  std::vector<std::string> result;
  result.reserve(nodes.size() + inputs.size());
  for (const RawNode& node : nodes) result.push_back(node.name);
  for (const Value& input : inputs) result.push_back(*as_string(input));
  return result;
}

std::string base_of(const std::string& path) { return fs::absolute(path).lexically_normal().parent_path().string(); }

RawGraph GraphFiles::load_top(const std::string& path) {
  const std::string text = read_text(path);
  take_budget(text, {path, 1, 1});
  return parse(absolute_path(path), path, text);
}

const RawGraph* GraphFiles::load_subgraph(const Value& reference) {
  const std::string& name = *as_string(reference);
  const std::string file = printed_path(reference, name);
  const std::string path = absolute_path(file);
  if (const auto known = subgraphs_.find(path); known != subgraphs_.end()) return known->second.get();
  if (const auto failure = failures_.find(path); failure != failures_.end()) {
    report_.error(reference.where, "constraint", failure->second);
    return nullptr;
  }
  const std::optional<std::string> text = read_named(file, reference.where);
  if (!text) return nullptr;
  return subgraphs_.emplace(path, std::make_unique<const RawGraph>(parse(path, file, *text))).first->second.get();
}

/// Reads a file that another one names; reports what is in the way at that place.
std::optional<std::string> GraphFiles::read_named(const std::string& path, const SourceLocation& where) {
  try {
    std::string text = read_text(path);
    if (!take_budget(text, where)) return std::nullopt;
    return text;
  } catch (const Error& error) {
    failures_.emplace(absolute_path(path), error.message());
    report_.error(where, "constraint", error.message());
    return std::nullopt;
  }
}

bool GraphFiles::take_budget(const std::string& text, const SourceLocation& where) {
  ++file_count_;
  total_bytes_ += text.size();
  if (file_count_ <= kMaxFiles && total_bytes_ <= kMaxTotalFileBytes) return true;
  report_.error(where, "too_large", "graph includes too many files",
                {.found = std::to_string(file_count_) + " files, " + std::to_string(total_bytes_) + " bytes",
                 .expected = "at most " + std::to_string(kMaxFiles) + " files, " + std::to_string(kMaxTotalFileBytes) + " bytes"});
  return false;
}

RawGraph GraphFiles::parse(const std::string& path, const std::string& file, const std::string& text) {
  RawGraph graph;
  graph.file = file;
  graph.path = path;
  sources_.emplace(file, text);
  std::optional<Table> table = parse_toml(text, file, base_of(path), report_);
  if (!table) return graph;
  graph.parsed = true;
  including_.push_back(path);
  include_files(graph, *table);
  including_.pop_back();
  RawGraph own;
  read_tables(own, std::move(*table), report_);
  merge(graph, std::move(own), false, report_);
  check_interface(graph, report_);
  return graph;
}

void GraphFiles::include_files(RawGraph& graph, const Table& table) {
  const Entry* include = find(table, "include");
  if (include == nullptr) return;
  const auto* paths = std::get_if<Array>(&include->value.data);
  if (paths == nullptr) {
    report_.wrong_type(include->value, "'include'", "array");
    return;
  }
  for (const Value& value : *paths) {
    const std::string* name = as_string(value);
    if (name == nullptr) {
      report_.wrong_type(value, "an element of 'include'", "string");
      continue;
    }
    const std::string file = printed_path(value, *name);
    const std::string path = absolute_path(file);
    if (const auto cycle = std::find(including_.begin(), including_.end(), path); cycle != including_.end()) {
      report_.error(value.where, "cycle", "file '" + file + "' includes itself", {.found = *name});
      continue;
    }
    if (including_.size() >= kMaxFileDepth) {
      report_.error(value.where, "too_large", "files include one another more than " + std::to_string(kMaxFileDepth) + " deep",
                    {.expected = "at most " + std::to_string(kMaxFileDepth)});
      continue;
    }
    if (file_count_ > kMaxFiles || total_bytes_ > kMaxTotalFileBytes) return;
    const std::optional<std::string> text = read_named(file, value.where);
    if (text) merge(graph, parse(path, file, *text), true, report_);
  }
}

}  // namespace flowrun::config
