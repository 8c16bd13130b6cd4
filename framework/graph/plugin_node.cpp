#include "graph/plugin_node.hpp"

#include <array>

#include <fmt/format.h>

#include "graph/column_buffer.hpp"

namespace flowrun::graph {

PluginNode::PluginNode(NodeIdentity identity, const flowrun_plugin* plugin, std::unique_ptr<ParamsTable> params)
    : identity_(std::move(identity)), plugin_(plugin), params_(std::move(params)) {
  invoke(nullptr, [&](const flowrun_call* call) { return plugin_->create(call, params_->table(), &self_); });
}

PluginNode::~PluginNode() {
  if (opened_) plugin_->close(self_);
  if (self_) plugin_->destroy(self_);
}

std::vector<Field> PluginNode::open(const OpenSpec& spec) {
  std::vector<ArrowSchema> schemas(spec.inputs.size());
  std::vector<const ArrowSchema*> inputs;
  std::vector<flowrun_artifact> artifacts;
  std::array<ArrowSchema, FLOWRUN_MAX_PORTS> outputs{};
  // Schemas are released on every way out, whoever filled them.
  struct Release {
    std::vector<ArrowSchema>& in;
    std::array<ArrowSchema, FLOWRUN_MAX_PORTS>& out;
    ~Release() {
      for (auto& schema : in)
        if (schema.release) schema.release(&schema);
      for (auto& schema : out)
        if (schema.release) schema.release(&schema);
    }
  } release{schemas, outputs};
  for (std::size_t i = 0; i < spec.inputs.size(); ++i) {
    if (spec.inputs[i]) export_schema(*spec.inputs[i], &schemas[i]);
    inputs.push_back(spec.inputs[i] ? &schemas[i] : nullptr);
  }
  for (const auto& artifact : spec.artifacts) artifacts.push_back({sizeof(flowrun_artifact), artifact.port.c_str(), artifact.type.c_str(), artifact.path.c_str()});
  flowrun_open open{};
  open.size = sizeof open;
  open.input_count = static_cast<std::uint32_t>(inputs.size());
  open.input_schemas = inputs.data();
  open.artifact_count = static_cast<std::uint32_t>(artifacts.size());
  open.artifacts = artifacts.data();
  open.staging = spec.staging.empty() ? nullptr : spec.staging.c_str();
  open.seed = spec.seed;
  open.memory_bytes = spec.memory_bytes;
  open.batch_bytes = spec.batch_bytes;
  open.batch_documents = spec.batch_documents;
  open.output_count = static_cast<std::uint32_t>(spec.output_count);
  open.output_schemas = outputs.data();
  invoke(nullptr, [&](const flowrun_call* call) { return plugin_->open(self_, call, &open); });
  opened_ = true;
  std::vector<Field> fields(spec.output_count);
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (outputs[i].release) {
      fields[i] = import_schema(outputs[i]);
      ColumnBuffer checked(fields[i]);  // refuses column types that cannot travel
    }
  return fields;
}

const void* PluginNode::find_interface(const char* id) const {
  const void* table = plugin_->get_interface(id);
  if (table == nullptr) throw Error(Code::kUnavailable, fmt::format("node '{}': {} does not provide the interface '{}' that its kind needs", identity_.node, identity_.plugin, id));
  return table;
}

namespace {

class PluginUnit final : public UnitReader {
 public:
  PluginUnit(const flowrun_source* table, const flowrun_source_drops* drops, void* self, void* cursor) : table_(table), drops_(drops), self_(self), cursor_(cursor) {}
  ~PluginUnit() override { table_->close_unit(self_, cursor_); }
  bool next(const flowrun_call* call, OwnedArray& out) override {
    std::int32_t end = 0;
    const flowrun_status status = table_->next(self_, cursor_, call, out.address(), &end);
    static_cast<const NodeCall*>(call->host)->check(status);
    return end != 0;
  }
  bool take_drop(flowrun_source_drop& drop) override {
    drop = {};
    drop.size = sizeof drop;
    return drops_ != nullptr && drops_->take(self_, cursor_, &drop) != 0;
  }

 private:
  const flowrun_source* table_;
  const flowrun_source_drops* drops_;  // null: the plugin says nothing of what it leaves out
  void* self_;
  void* cursor_;
};

class PluginSource final : public SourceBody {
 public:
  explicit PluginSource(const PluginNode& node)
      : table_(node.interface<flowrun_source>(FLOWRUN_SOURCE_V1)), drops_(node.extension<flowrun_source_drops>(FLOWRUN_SOURCE_DROPS_DRAFT_1)), self_(node.self()) {}
  std::int64_t unit_count() override { return table_->unit_count(self_); }
  std::unique_ptr<UnitReader> open_unit(const flowrun_call* call, std::int64_t unit) override {
    void* cursor = nullptr;
    static_cast<const NodeCall*>(call->host)->check(table_->open_unit(self_, call, unit, &cursor));
    return std::make_unique<PluginUnit>(table_, drops_, self_, cursor);
  }

 private:
  const flowrun_source* table_;
  const flowrun_source_drops* drops_;
  void* self_;
};

class PluginSerial final : public OrderedBody {
 public:
  explicit PluginSerial(const PluginNode& node) : table_(node.interface<flowrun_serial>(FLOWRUN_SERIAL_V1)), self_(node.self()) {}
  flowrun_status process(const flowrun_call* call, std::uint32_t port, const Message& in, std::span<ArrowArray> out) override {
    return table_->process(self_, call, port, &in.array(), out.data());
  }
  flowrun_status finish(const flowrun_call* call, std::span<ArrowArray> out) override { return table_->finish(self_, call, out.data()); }

 private:
  const flowrun_serial* table_;
  void* self_;
};

class PluginBlocking final : public OrderedBody {
 public:
  PluginBlocking(const PluginNode& node, std::unique_ptr<OrderedBody> spool)
      : table_(node.interface<flowrun_blocking>(FLOWRUN_BLOCKING_V1)), self_(node.self()), spool_(std::move(spool)) {}
  flowrun_status process(const flowrun_call* call, std::uint32_t port, const Message& in, std::span<ArrowArray>) override {
    return table_->consume(self_, call, port, &in.array());
  }
  flowrun_status finish(const flowrun_call* call, std::span<ArrowArray> out) override {
    flowrun_status status = table_->finish(self_, call);
    std::int32_t end = spool_ ? 0 : 1;
    while (status == FLOWRUN_OK && end == 0) {
      OwnedArray batch;
      status = table_->produce(self_, call, batch.address(), &end);
      if (status == FLOWRUN_OK && batch && batch.get().length > 0) status = spool_->process(call, 0, Message::adopt(std::move(batch)), out);
    }
    return status == FLOWRUN_OK && spool_ ? spool_->finish(call, out) : status;
  }

 private:
  const flowrun_blocking* table_;
  void* self_;
  std::unique_ptr<OrderedBody> spool_;
};

}  // namespace

std::unique_ptr<SourceBody> source_body(const PluginNode& node) { return std::make_unique<PluginSource>(node); }
std::unique_ptr<OrderedBody> serial_body(const PluginNode& node) { return std::make_unique<PluginSerial>(node); }
std::unique_ptr<OrderedBody> blocking_body(const PluginNode& node, std::unique_ptr<OrderedBody> spool) { return std::make_unique<PluginBlocking>(node, std::move(spool)); }

}  // namespace flowrun::graph
