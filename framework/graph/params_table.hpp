#pragma once

// The host's side of `flowrun_params`: a node's resolved parameters as C calls.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <flowrun/abi.h>

#include "graph/file_list.hpp"

namespace flowrun::graph {

/// Files of a node's "path" and "paths" parameters, by parameter.
using NodeFiles = std::map<std::string, std::shared_ptr<const FileList>>;

/// Parameters and files of one node; must outlive what uses `table()`.
class ParamsTable {
 public:
  ParamsTable(nlohmann::json parameters, NodeFiles files);
  ParamsTable(const ParamsTable&) = delete;
  ParamsTable& operator=(const ParamsTable&) = delete;
  const flowrun_params* table() const noexcept { return &table_; }

 private:
  static const ParamsTable& self(const flowrun_params* params) { return *static_cast<const ParamsTable*>(params->host); }
  /// Finds a parameter, or what is inside one: "stages.0.weights".
  const nlohmann::json* find(std::string_view name) const;
  const nlohmann::json* item(const char* name, std::int64_t index) const;

  flowrun_params table_{};
  nlohmann::json parameters_;
  NodeFiles files_;
};

}  // namespace flowrun::graph
