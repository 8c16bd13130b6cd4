#include "graph/indexed_node.hpp"

#include "graph/spool.hpp"

namespace flowrun::graph {

IndexedNode::IndexedNode(std::unique_ptr<PluginNode> node, Field output) : node_(std::move(node)), table_(node_->interface<flowrun_indexed>(FLOWRUN_INDEXED_V1)) {
  dataset_.size = sizeof dataset_;
  dataset_.self = this;
  dataset_.count = [](void* self) { return static_cast<IndexedNode*>(self)->count(); };
  dataset_.index = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    const auto& indexed = *static_cast<IndexedNode*>(self);
    return indexed.table_->index_rows(indexed.node_->self(), call, first, n, out);
  };
  dataset_.read = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    const auto& indexed = *static_cast<IndexedNode*>(self);
    return indexed.table_->read_rows(indexed.node_->self(), call, first, n, out);
  };
  if (output.format.empty()) return;
  export_schema(output, &schema_);
  export_schema(index_schema(output), &index_schema_);
  dataset_.schema = &schema_;
  dataset_.index_schema = &index_schema_;
}

IndexedNode::~IndexedNode() {
  if (schema_.release) schema_.release(&schema_);
  if (index_schema_.release) index_schema_.release(&index_schema_);
}

void IndexedNode::prepare(std::span<const flowrun_dataset* const> inputs, const std::string& staging, const StageControl* control) {
  node_->invoke(control, [&](const flowrun_call* call) {
    return table_->prepare(node_->self(), call, inputs.data(), static_cast<std::uint32_t>(inputs.size()), staging.c_str());
  });
}

void IndexedNode::attach(std::span<const flowrun_dataset* const> inputs, const std::string& index, const StageControl* control) {
  node_->invoke(control, [&](const flowrun_call* call) {
    return table_->attach(node_->self(), call, inputs.data(), static_cast<std::uint32_t>(inputs.size()), index.c_str());
  });
}

void IndexedNode::read_batch(std::int64_t first, std::int64_t n, flowrun_batch* out) const {
  node_->invoke(nullptr, [&](const flowrun_call* call) { return table_->read_batch(node_->self(), call, first, n, out); });
}

}  // namespace flowrun::graph
