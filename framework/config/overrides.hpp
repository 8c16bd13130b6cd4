#pragma once

// `--set K=V`: values from the command line, put over those of the files.

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/graph_files.hpp"
#include "config/report.hpp"

namespace flowrun::config {

/// All `--set` of one load. The order of the command line is kept, so the last wins.
class Overrides {
 public:
  /// Reads keys and values. `sources` receives the text "--set", a line for each.
  Overrides(const std::vector<Override>& overrides, std::map<std::string, std::string>& sources, Reporter& report);

  /// Puts those of `run.k` and `params.p` over the top graph's tables.
  void apply_run(Table& run) const;
  void apply_params(Table& params) const;

  /// Puts those of `node.<name>.key` over a node's keys. `name` is the expanded name.
  void apply_node(const std::string& name, Table& keys);
  /// Reports those whose node never came; `names` are all that there are.
  void report_unused(const std::vector<std::string>& names) const;

 private:
  struct Assignment {
    std::vector<std::string> path;  ///< below the table that it is for
    Value value;
  };
  struct NodeAssignments {
    std::vector<Assignment> assignments;
    bool used = false;
  };

  void read(const Override& override, const SourceLocation& where, const std::string& base);
  void assign_path(Table& table, const Assignment& assignment) const;

  Reporter& report_;
  std::vector<Assignment> run_;
  std::vector<Assignment> params_;
  std::unordered_map<std::string, NodeAssignments> nodes_;
};

}  // namespace flowrun::config
