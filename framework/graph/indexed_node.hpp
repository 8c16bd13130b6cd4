#pragma once

// An indexed plugin's node: its index prepared once as an artifact, then read by position, by other indexed nodes or by a training region.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/plugin_node.hpp"

namespace flowrun::graph {

class IndexedNode {
 public:
  /// Takes an opened node; `output` is the schema of its rows, empty for a node that gives batches.
  IndexedNode(std::unique_ptr<PluginNode> node, Field output);
  ~IndexedNode();
  IndexedNode(const IndexedNode&) = delete;
  IndexedNode& operator=(const IndexedNode&) = delete;

  /// Writes the index below `staging`. Inputs are lent until the node is destroyed.
  void prepare(std::span<const flowrun_dataset* const> inputs, const std::string& staging, const StageControl* control);
  void attach(std::span<const flowrun_dataset* const> inputs, const std::string& index, const StageControl* control);
  std::int64_t count() const { return table_->count(node_->self()); }
  /// Gives sequences [first, first + n); throws Error with the node named. [any thread]
  void read_batch(std::int64_t first, std::int64_t n, flowrun_batch* out) const;
  /// Returns its rows as a dataset for the next node; only for a node that gives rows.
  const flowrun_dataset* dataset() const noexcept { return &dataset_; }

 private:
  std::unique_ptr<PluginNode> node_;
  const flowrun_indexed* table_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset dataset_{};
};

}  // namespace flowrun::graph
