// Runs one filter alone over documents; what bench/peers/compare_filters.py runs beside datatrove. Not installed.
//
//     flowrun_filter_tool PLUGIN.so PARAMETERS [MEMORY_BYTES] < documents.jsonl
//
// The plugin is a map or a serial node, PARAMETERS a JSON object. Each line of stdin is an object with `text` and maybe `url`, which becomes a column. Prints a line for each
// document, {"reason", "value", "text", "columns"}: reason and value are null where it is kept, text and columns where it is dropped; columns are those of text and
// of fractions that the plugin adds. A last line says how many seconds of the processor the filter took.

#include <flowrun/descriptor.hpp>
#include <flowrun/testing.hpp>

#include <dlfcn.h>

#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using flowrun::testing::Json;
using flowrun::testing::Value;

constexpr std::size_t kBatchBytes = 512 << 10;

const flowrun_plugin& load_plugin(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  void* plugin = library == nullptr ? nullptr : dlsym(library, "flowrun_plugin_v1");
  if (plugin == nullptr) throw flowrun::Error(flowrun::Code::kUnavailable, dlerror());
  return *static_cast<const flowrun_plugin*>(plugin);
}

Value value_of(const Json& json, bool is_file) {
  switch (json.kind) {
    case Json::Kind::kBool: return json.boolean;
    case Json::Kind::kNumber: return json.text.find_first_of(".eE") == std::string::npos ? Value(static_cast<std::int64_t>(std::stoll(json.text))) : Value(json.number());
    case Json::Kind::kString: return is_file ? Value(flowrun::testing::Paths({{json.text, json.text}})) : Value(json.text);
    case Json::Kind::kObject: {
      Value::Table table;
      for (const auto& [key, number] : json.members) table[key] = number.number();
      return table;
    }
    default: {
      std::vector<std::string> texts;
      for (const Json& item : json.items) texts.push_back(item.text);
      if (is_file) return flowrun::testing::Paths(texts);
      return texts;
    }
  }
}

std::vector<std::pair<std::string, Value>> parameters_of(const flowrun_plugin& plugin, const char* text) {
  std::map<std::string, bool> is_file;
  const Json descriptor = flowrun::testing::read_json(plugin.descriptor());
  for (const Json& parameter : descriptor["parameters"].items)
    is_file[parameter["name"].text] = parameter["type"].text == "path" || parameter["type"].text == "paths";
  std::vector<std::pair<std::string, Value>> parameters;
  const Json given = flowrun::testing::read_json(text);
  for (const auto& [name, value] : given.members) parameters.emplace_back(name, value_of(value, is_file[name]));
  return parameters;
}

/// Documents that one call of the filter sees; ids are their places in the input.
struct Documents {
  std::vector<flowrun::testing::Document> rows;
  flowrun::StringBuilder urls;
  std::size_t bytes = 0;
};

/// Reads the next batch; empty at the end.
Documents read_documents(std::size_t& count, bool& has_url) {
  Documents documents;
  for (std::string line; documents.bytes < kBatchBytes && std::getline(std::cin, line);) {
    const Json json = flowrun::testing::read_json(line);
    has_url = has_url || !json["url"].is_null();
    documents.rows.push_back({std::to_string(count++), json["text"].text, "", ""});
    documents.urls.append(json["url"].text);
    documents.bytes += line.size();
  }
  return documents;
}

/// One column of a batch as JSON, row by row.
class JsonColumn {
 public:
  JsonColumn(const flowrun::BatchView& batch, const flowrun::Field& field) : name_(flowrun::json::quote(field.name)) {
    if (field.format == "u") texts_.emplace(batch.strings(field.name));
    else numbers_ = batch.values<double>(field.name, "g");
  }
  static bool can_show(const flowrun::Field& field) { return field.format == "u" || field.format == "g"; }
  std::string member(std::int64_t row) const { return name_ + ":" + (texts_ ? flowrun::json::quote((*texts_)[row]) : flowrun::json::number(numbers_[row])); }

 private:
  std::string name_;
  std::optional<flowrun::StringColumn> texts_;
  const double* numbers_ = nullptr;
};

/// What is kept of a document, and the columns that were added, as members of a JSON object.
struct Kept {
  std::string text, columns;
};

void take(const flowrun::testing::Batch& out, const flowrun::Field& input, std::map<std::string, Kept>& kept) {
  if (out.size() == 0) return;
  const flowrun::DocumentsView documents(out.array.get(), out.schema);
  std::vector<JsonColumn> columns;
  for (const flowrun::Field& column : out.schema.children)
    if (input.find(column.name) < 0 && JsonColumn::can_show(column)) columns.emplace_back(documents, column);
  for (std::int64_t row = 0; row < documents.size(); ++row) {
    std::string members;
    for (const JsonColumn& column : columns) members += (members.empty() ? "" : ",") + column.member(row);
    kept[std::string(documents.id[row])] = {std::string(documents.text[row]), std::move(members)};
  }
}

void print(std::size_t count, const std::map<std::string, Kept>& kept, const std::vector<flowrun::testing::Dropped>& drops) {
  std::map<std::string, const flowrun::testing::Dropped*> dropped;
  for (const auto& drop : drops) dropped[drop.id] = &drop;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = std::to_string(i);
    if (const auto it = dropped.find(id); it != dropped.end())
      std::printf("{\"reason\":%s,\"value\":%s,\"text\":null,\"columns\":null}\n", flowrun::json::quote(it->second->reason).c_str(), flowrun::json::number(it->second->value).c_str());
    else
      std::printf("{\"reason\":null,\"value\":null,\"text\":%s,\"columns\":{%s}}\n", flowrun::json::quote(kept.at(id).text).c_str(), kept.at(id).columns.c_str());
  }
}

void run(const char* file, const char* parameters, std::int64_t memory_bytes) {
  const flowrun_plugin& plugin = load_plugin(file);
  flowrun::testing::Runner node(plugin, parameters_of(plugin, parameters));
  flowrun::testing::OpenOptions options;
  options.memory_bytes = memory_bytes;
  std::map<std::string, Kept> kept;
  std::size_t count = 0;
  double seconds = 0;
  bool has_url = false;
  for (Documents documents = read_documents(count, has_url); !documents.rows.empty(); documents = read_documents(count, has_url)) {
    auto batch = flowrun::testing::documents_batch(documents.rows);
    if (has_url) batch = flowrun::testing::with_column(std::move(batch), flowrun::fields::utf8("url"), documents.urls.finish());
    if (kept.empty() && node.drops().empty()) node.open({batch.schema}, options);
    const flowrun::Field input = batch.schema;
    const std::clock_t start = std::clock();
    const auto out = node.process(std::move(batch));
    seconds += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    take(out[0], input, kept);
  }
  print(count, kept, node.drops());
  std::printf("{\"seconds\":%.6f}\n", seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fputs("usage: flowrun_filter_tool PLUGIN.so PARAMETERS [MEMORY_BYTES] < documents.jsonl\n", stderr);
    return 2;
  }
  try {
    run(argv[1], argv[2], argc == 4 ? std::stoll(argv[3]) : 0);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flowrun_filter_tool: %s\n", error.what());
    return 1;
  }
}
