#pragma once

// The host's side of `flowrun_params`: a node's resolved parameters as C calls.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <flowrun/abi.h>

namespace flowrun::graph {

/// A file behind a "path" or "paths" parameter.
struct ResolvedFile {
  std::string path;     ///< absolute
  std::string display;  ///< relative to the graph's folder unless written absolute
};

/// Parameters and files of one node; must outlive what uses `table()`.
class ParamsTable {
 public:
  ParamsTable(nlohmann::json parameters, std::map<std::string, std::vector<ResolvedFile>> files);
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
  std::map<std::string, std::vector<ResolvedFile>> files_;
};

}  // namespace flowrun::graph
