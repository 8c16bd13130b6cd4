#include "plugin/loader.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <set>

#include <boost/dll/shared_library.hpp>
#include <flowrun/error.hpp>
#include <fmt/format.h>

namespace flowrun::plugin {
namespace {

namespace dll = boost::dll;

constexpr const char* kSymbol = "flowrun_plugin_v1";

[[noreturn]] void refuse(const std::string& file, const std::string& reason) {
  throw Error(Code::kUnavailable, fmt::format("plugin refused: '{}': {}", file, reason));
}

/// Every library that was opened. Leaked on purpose: destroying a shared_library closes it.
dll::shared_library& keep_open(const std::string& file) {
  static std::mutex mutex;
  static auto& libraries = *new std::map<std::string, dll::shared_library>;
  const std::lock_guard lock(mutex);
  dll::shared_library& library = libraries[file];
  if (!library.is_loaded()) library.load(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  return library;
}

/// Returns what the linker said, without the wrapping of Boost.DLL.
std::string linker_text(std::string text) {
  static constexpr std::string_view kMark = "(dlerror system message: ";
  if (const auto mark = text.find(kMark); mark != text.npos) {
    text.erase(0, mark + kMark.size());
    if (const auto end = text.rfind(')'); end != text.npos) text.erase(end);
  }
  return text;
}

void check_table(const std::string& file, const flowrun_plugin& table) {
  if (table.size < offsetof(flowrun_plugin, abi_minor) + sizeof table.abi_minor) refuse(file, fmt::format("its table says that it has {} bytes", table.size));
  // The major version first: another one may have another layout, even another size.
  if (table.abi_major != FLOWRUN_ABI_MAJOR)
    refuse(file, fmt::format("its table is of plugin ABI {}.{}, expected {}.x; rebuild it with the SDK of this flowrun", table.abi_major, table.abi_minor,
                             FLOWRUN_ABI_MAJOR));
  if (table.size < sizeof(flowrun_plugin)) refuse(file, fmt::format("its table has {} bytes, expected at least {}", table.size, sizeof(flowrun_plugin)));
  if (!table.descriptor || !table.create || !table.open || !table.close || !table.destroy || !table.get_interface)
    refuse(file, "its table lacks a function, expected all of 'descriptor', 'create', 'open', 'close', 'destroy', 'get_interface'");
}

/// Returns the table of an interface after a check of its size; each begins with a uint32_t size.
template <class Table>
const Table* find_interface(const std::string& file, const flowrun_plugin& table, const char* id) {
  const auto* found = static_cast<const Table*>(table.get_interface(id));
  if (found && found->size < sizeof(Table)) refuse(file, fmt::format("its interface '{}' has {} bytes, expected at least {}", id, found->size, sizeof(Table)));
  return found;
}

bool gives_stream(const DescriptorInfo& descriptor) { return !descriptor.outputs.empty() && descriptor.outputs[0].edge == EdgeKind::kStream; }

/// Returns whether the interface of the kind is there and complete.
bool serves_kind(const std::string& file, const flowrun_plugin& table, const DescriptorInfo& descriptor) {
  if (descriptor.kind == "source") {
    const auto* source = find_interface<flowrun_source>(file, table, FLOWRUN_SOURCE_V1);
    return source && source->unit_count && source->open_unit && source->next && source->close_unit;
  }
  if (descriptor.kind == "map") {
    const auto* map = find_interface<flowrun_map>(file, table, FLOWRUN_MAP_V1);
    return map && map->process;
  }
  if (descriptor.kind == "serial") {
    const auto* serial = find_interface<flowrun_serial>(file, table, FLOWRUN_SERIAL_V1);
    return serial && serial->process && serial->finish;
  }
  if (descriptor.kind == "blocking") {
    const auto* blocking = find_interface<flowrun_blocking>(file, table, FLOWRUN_BLOCKING_V1);
    return blocking && blocking->consume && blocking->finish && (blocking->produce || !gives_stream(descriptor));
  }
  if (descriptor.kind == "indexed") {
    const auto* indexed = find_interface<flowrun_indexed>(file, table, FLOWRUN_INDEXED_V1);
    const bool rows = indexed && indexed->index_rows && indexed->read_rows;
    return indexed && indexed->prepare && indexed->attach && indexed->count && (rows || indexed->read_batch);
  }
  return table.get_interface(FLOWRUN_NATIVE_V1) != nullptr;  // its table is C++ and belongs to the native runtime
}

/// Returns a field of a fingerprint, "(none)" where it is missing.
std::string field(const nlohmann::json& fingerprint, const std::string& name) {
  const auto found = fingerprint.find(name);
  if (found == fingerprint.end()) return "(none)";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

const flowrun_plugin& open_library(const std::string& file) try {
  dll::shared_library& library = keep_open(file);
  if (!library.has(kSymbol)) refuse(file, fmt::format("it exports no symbol '{}'", kSymbol));
  const flowrun_plugin& table = library.get<const flowrun_plugin>(kSymbol);
  check_table(file, table);
  return table;
} catch (const Error&) {
  throw;
} catch (const std::exception& error) {
  refuse(file, fmt::format("the dynamic linker cannot load it: {}", linker_text(error.what())));
}

void check_interface(const std::string& file, const flowrun_plugin& table, const DescriptorInfo& descriptor) {
  if (!serves_kind(file, table, descriptor))
    refuse(file, fmt::format("its descriptor says kind '{}', but it gives no complete interface 'flowrun.{}/1'", descriptor.kind, descriptor.kind));
  const auto* state = find_interface<flowrun_state>(file, table, FLOWRUN_STATE_V1);
  if (state && !(state->snapshot && state->restore && state->memory_bytes))
    refuse(file, "its interface 'flowrun.state/1' lacks a function, expected 'snapshot', 'restore' and 'memory_bytes'");
  if (descriptor.declares_state && !state) refuse(file, "its descriptor declares state, but it gives no interface 'flowrun.state/1'");
}

void check_fingerprint(const std::string& file, std::string_view of_plugin, std::string_view of_host, std::string_view rebuild) {
  const auto plugin = nlohmann::json::parse(of_plugin, nullptr, false), host = nlohmann::json::parse(of_host, nullptr, false);
  if (!plugin.is_object() || !host.is_object()) refuse(file, "its fingerprint or the host's is not a JSON object");
  if (plugin == host) return;
  std::set<std::string> names;
  for (const auto* fingerprint : {&plugin, &host})
    for (const auto& [name, value] : fingerprint->items()) names.insert(name);

  std::string table = fmt::format("\n  {:<18} {:<44} {}", "", "plugin", "this flowrun");
  for (const std::string& name : names) {
    const std::string left = field(plugin, name), right = field(host, name);
    table += fmt::format("\n{} {:<18} {:<44} {}", left == right ? " " : "*", name, left, right);
  }
  refuse(file, fmt::format("it was built for another LibTorch or compiler set-up than this flowrun; fields that differ are marked with *{}\n  rebuild it: {}",
                           table, rebuild));
}

}  // namespace flowrun::plugin
