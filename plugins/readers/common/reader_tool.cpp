// Runs one reader alone, for comparisons with independent readers and for its speed on one core:
//
//     flowrun_reader_tool PLUGIN.so documents [KEY=VALUE ...] -- FILE ...   prints each document, then each error, as a JSON line
//     flowrun_reader_tool PLUGIN.so speed [KEY=VALUE ...] -- FILE ...       prints documents, text bytes and CPU seconds as one JSON line
//
// A key that stands more than once is a list.

#include <flowrun/testing.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using flowrun::Code;
using flowrun::Error;
using flowrun::testing::Batch;
using flowrun::testing::Json;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::Value;

const flowrun_plugin& load(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  void* plugin = library == nullptr ? nullptr : dlsym(library, "flowrun_plugin_v1");
  if (plugin == nullptr) throw Error(Code::kNotFound, dlerror());
  return *static_cast<const flowrun_plugin*>(plugin);
}

std::string type_of(const Json& descriptor, const std::string& name) {
  for (const Json& parameter : descriptor["parameters"].items)
    if (parameter["name"].text == name) return parameter["type"].text;
  throw Error(Code::kInvalidArgument, "the plugin has no parameter '" + name + "'");
}

Value value_of(const std::string& type, const std::vector<std::string>& texts) {
  if (type == "list<string>") return texts;
  if (type == "boolean") return texts.back() == "true";
  if (type == "integer") return std::int64_t{std::stoll(texts.back())};
  if (type == "float") return std::stod(texts.back());
  return texts.back();
}

std::vector<std::pair<std::string, Value>> parameters_of(const Json& descriptor, const std::vector<std::string>& words) {
  std::map<std::string, std::vector<std::string>> given;
  std::size_t i = 0;
  for (; i < words.size() && words[i] != "--"; ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string::npos) throw Error(Code::kInvalidArgument, "'" + words[i] + "' is no KEY=VALUE; files stand behind '--'");
    given[words[i].substr(0, equals)].push_back(words[i].substr(equals + 1));
  }
  std::vector<std::pair<std::string, Value>> parameters;
  for (const auto& [name, texts] : given) parameters.emplace_back(name, value_of(type_of(descriptor, name), texts));
  std::vector<std::string> files(words.begin() + static_cast<std::ptrdiff_t>(std::min(i + 1, words.size())), words.end());
  parameters.emplace_back("paths", Paths(files));
  return parameters;
}

std::string json_value(const flowrun::Field& field, const ArrowArray& column, std::int64_t row) {
  if (flowrun::detail::may_be_null(column) && !flowrun::detail::bit(column.buffers[0], column.offset + row)) return "null";
  if (field.format == "l") return std::to_string(static_cast<const std::int64_t*>(column.buffers[1])[column.offset + row]);
  if (field.format == "g") return flowrun::json::number(static_cast<const double*>(column.buffers[1])[column.offset + row]);
  if (field.format == "b") return flowrun::detail::bit(column.buffers[1], column.offset + row) ? "true" : "false";
  const auto* ends = static_cast<const std::int32_t*>(column.buffers[1]) + column.offset + row;
  if (field.format == "+l") {
    std::string items;
    for (std::int64_t i = ends[0]; i < ends[1]; ++i) items += (i == ends[0] ? "" : ",") + std::to_string(static_cast<const std::uint32_t*>(column.children[0]->buffers[1])[column.children[0]->offset + i]);
    return "[" + items + "]";
  }
  return flowrun::json::quote({static_cast<const char*>(column.buffers[2]) + ends[0], static_cast<std::size_t>(ends[1] - ends[0])});
}

void print_documents(Runner& node) {
  for (std::int64_t unit = 0; unit < node.unit_count(); ++unit) {
    for (const Batch& batch : node.read_unit(unit)) {
      for (std::int64_t row = 0; row < batch.size(); ++row) {
        std::string line;
        for (std::size_t i = 0; i < batch.schema.children.size(); ++i) {
          const flowrun::Field& field = batch.schema.children[i];
          line += (i == 0 ? "{" : ",") + flowrun::json::quote(field.name) + ":" + json_value(field, *batch.array.get().children[i], row);
        }
        std::puts((line + "}").c_str());
      }
    }
  }
  for (const auto& error : node.record_errors())
    std::printf("{\"error\":%s,\"message\":%s,\"file\":%s,\"record\":%lld,\"offset\":%lld,\"file_bytes\":%lld}\n", flowrun::json::quote(error.code).c_str(),
                flowrun::json::quote(error.message).c_str(), flowrun::json::quote(error.file).c_str(), static_cast<long long>(error.record), static_cast<long long>(error.offset),
                static_cast<long long>(error.file_bytes));
}

void print_speed(Runner& node) {
  std::int64_t documents = 0, bytes = 0;
  const std::clock_t before = std::clock();
  for (std::int64_t unit = 0; unit < node.unit_count(); ++unit) {
    for (const Batch& batch : node.read_unit(unit)) {
      documents += batch.size();
      bytes += flowrun::BatchView(batch.array.get(), batch.schema).strings("text").byte_count(batch.size());
    }
  }
  const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  std::printf("{\"documents\":%lld,\"bytes\":%lld,\"errors\":%zu,\"cpu_seconds\":%.4f}\n", static_cast<long long>(documents), static_cast<long long>(bytes), node.record_errors().size(), seconds);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4 || (argv[2] != std::string_view("documents") && argv[2] != std::string_view("speed")))
    throw Error(Code::kInvalidArgument, "usage: flowrun_reader_tool PLUGIN.so {documents|speed} [KEY=VALUE ...] -- FILE ...");
  const flowrun_plugin& plugin = load(argv[1]);
  Runner node(plugin, parameters_of(flowrun::testing::read_json(plugin.descriptor()), {argv + 3, argv + argc}));
  node.open();
  argv[2] == std::string_view("documents") ? print_documents(node) : print_speed(node);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "flowrun_reader_tool: %s\n", error.what());
  return 1;
}
