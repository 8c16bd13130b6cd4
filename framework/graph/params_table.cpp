#include "graph/params_table.hpp"

#include <charconv>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

namespace flowrun::graph {
namespace {

std::int32_t give_text(const std::string& text, const char** value, std::size_t* length) {
  *value = text.c_str();
  *length = text.size();
  return 1;
}

}  // namespace

const nlohmann::json* ParamsTable::find(std::string_view name) const {
  const nlohmann::json* value = &parameters_;
  while (true) {
    const std::string key(name.substr(0, name.find('.')));
    if (value->is_array()) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (error != std::errc() || end != key.data() + key.size() || index >= value->size()) return nullptr;
      value = &(*value)[index];
    } else {
      const auto it = value->find(key);
      if (it == value->end()) return nullptr;
      value = &*it;
    }
    if (key.size() == name.size()) return value;
    name.remove_prefix(key.size() + 1);
  }
}

const nlohmann::json* ParamsTable::item(const char* name, std::int64_t index) const {
  const auto* value = find(name);
  if (value == nullptr || !value->is_structured() || index < 0 || index >= static_cast<std::int64_t>(value->size())) return nullptr;
  return &*std::next(value->begin(), index);
}

ParamsTable::ParamsTable(nlohmann::json parameters, NodeFiles files) : parameters_(std::move(parameters)), files_(std::move(files)) {
  table_.size = sizeof table_;
  table_.host = this;
  table_.get_bool = [](const flowrun_params* params, const char* name, std::int32_t* out) -> std::int32_t {
    const auto* value = self(params).find(name);
    if (value == nullptr || !value->is_boolean()) return 0;
    *out = value->get<bool>() ? 1 : 0;
    return 1;
  };
  table_.get_int = [](const flowrun_params* params, const char* name, std::int64_t* out) -> std::int32_t {
    const auto* value = self(params).find(name);
    if (value == nullptr || !value->is_number_integer()) return 0;
    *out = value->get<std::int64_t>();
    return 1;
  };
  table_.get_float = [](const flowrun_params* params, const char* name, double* out) -> std::int32_t {
    const auto* value = self(params).find(name);
    if (value == nullptr || !value->is_number()) return 0;
    *out = value->get<double>();
    return 1;
  };
  table_.get_string = [](const flowrun_params* params, const char* name, const char** out, std::size_t* length) -> std::int32_t {
    const auto* value = self(params).find(name);
    return value != nullptr && value->is_string() ? give_text(value->get_ref<const std::string&>(), out, length) : 0;
  };
  table_.count = [](const flowrun_params* params, const char* name) -> std::int64_t {
    if (const auto it = self(params).files_.find(name); it != self(params).files_.end()) return static_cast<std::int64_t>(it->second->size());
    const auto* value = self(params).find(name);
    return value != nullptr && value->is_structured() ? static_cast<std::int64_t>(value->size()) : -1;
  };
  table_.get_item_string = [](const flowrun_params* params, const char* name, std::int64_t index, const char** out, std::size_t* length) -> std::int32_t {
    const auto* value = self(params).item(name, index);
    return value != nullptr && value->is_string() ? give_text(value->get_ref<const std::string&>(), out, length) : 0;
  };
  table_.get_item_float = [](const flowrun_params* params, const char* name, std::int64_t index, double* out) -> std::int32_t {
    const auto* value = self(params).item(name, index);
    if (value == nullptr || !value->is_number()) return 0;
    *out = value->get<double>();
    return 1;
  };
  table_.get_key = [](const flowrun_params* params, const char* name, std::int64_t index, const char** out, std::size_t* length) -> std::int32_t {
    const auto* value = self(params).find(name);
    if (value == nullptr || !value->is_object() || index < 0 || index >= static_cast<std::int64_t>(value->size())) return 0;
    return give_text(std::next(value->get_ref<const nlohmann::json::object_t&>().begin(), index)->first, out, length);
  };
  table_.get_path = [](const flowrun_params* params, const char* name, std::int64_t index, const char** absolute, const char** display) -> std::int32_t {
    const auto it = self(params).files_.find(name);
    if (it == self(params).files_.end() || index < 0 || index >= static_cast<std::int64_t>(it->second->size())) return 0;
    const ResolvedFile file = (*it->second)[static_cast<std::size_t>(index)];
    *absolute = file.path.data();
    *display = file.display.data();
    return 1;
  };
}

}  // namespace flowrun::graph
