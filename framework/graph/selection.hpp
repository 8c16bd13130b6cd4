#pragma once

// The host's side of draft/selection.h: keeps the rows of a blocking node's input on disk, and gives those that the node does not drop.

#include <memory>
#include <string>

#include <flowrun/draft/selection.h>
#include <flowrun/message.hpp>

#include "graph/flow.hpp"
#include "graph/plugin_node.hpp"

namespace flowrun::graph {

/// Adds the column of sketches to batches. A map of its own before the node, so that it runs on many threads.
class Sketching {
 public:
  Sketching(const PluginNode& node, const flowrun_selection* table, const Field& input);
  const Field& schema() const noexcept { return schema_; }
  /// A map's function over a Sketching as `self`.
  static const flowrun_map kMap;

 private:
  OwnedArray apply(const flowrun_call* call, const ArrowArray& in) const;

  const flowrun_selection* table_;
  void* self_;
  Field schema_;  ///< with the sketches as its last column
};

/// The body of the node itself. `input` is the schema without sketches, `folder` takes the rows until the end, `spool` those that stay, `records` what is dropped.
std::unique_ptr<OrderedBody> selection_body(const PluginNode& node, const flowrun_selection* table, const Field& input, const std::string& folder, std::unique_ptr<OrderedBody> spool,
                                            NodeRecords& records);

}  // namespace flowrun::graph
