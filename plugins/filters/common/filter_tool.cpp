// Runs one filter alone over documents; what bench/peers/compare_filters.py runs beside datatrove. Not installed.
//
//     flowrun_filter_tool PLUGIN.so PARAMETERS [MEMORY_BYTES] < documents.jsonl
//
// The plugin is a map or a serial node, PARAMETERS a JSON object. Each line of stdin is an object with `text` and maybe `url`, which becomes a column. Prints a line for each
// document, {"reason", "value", "text"}: reason and value are null where it is kept, text where it is dropped. Columns of text that the
// plugin adds are in "columns". A last line says how many seconds of the processor the filter took.

#include <flowrun/descriptor.hpp>
#include <flowrun/testing.hpp>

#include <dlfcn.h>

#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
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
  for (const Json& parameter : flowrun::testing::read_json(plugin.descriptor())["parameters"].items)
    is_file[parameter["name"].text] = parameter["type"].text == "path" || parameter["type"].text == "paths";
  std::vector<std::pair<std::string, Value>> parameters;
  for (const auto& [name, value] : flowrun::testing::read_json(text).members) parameters.emplace_back(name, value_of(value, is_file[name]));
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

/// What is kept of a document, and the columns of text that were added, as JSON.
struct Kept {
  std::string text, columns;
};

void take(const flowrun::testing::Batch& batch, const flowrun::Field& input, std::map<std::string, Kept>& kept) {
  const flowrun::BatchView view(batch.array.get(), batch.schema);
  for (std::int64_t row = 0; row < batch.size(); ++row) {
    std::string columns;
    for (const flowrun::Field& column : batch.schema.children)
      if (column.format == "u" && input.find(column.name) < 0)
        columns += (columns.empty() ? "" : ",") + flowrun::json::quote(column.name) + ":" + flowrun::json::quote(view.strings(column.name.c_str())[row]);
    kept[std::string(view.strings("id")[row])] = {std::string(view.strings("text")[row]), std::move(columns)};
  }
}

void print(std::size_t count, const std::map<std::string, Kept>& kept, const std::vector<flowrun::testing::Dropped>& drops) {
  std::map<std::string, const flowrun::testing::Dropped*> dropped;
  for (const auto& drop : drops) dropped[drop.id] = &drop;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = std::to_string(i);
    if (const auto it = dropped.find(id); it != dropped.end())
      std::printf("{\"reason\":%s,\"value\":%s,\"text\":null}\n", flowrun::json::quote(it->second->reason).c_str(), flowrun::json::number(it->second->value).c_str());
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
