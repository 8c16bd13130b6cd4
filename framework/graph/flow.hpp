#pragma once

// Runs one data stage as a oneTBB flow graph. oneTBB schedules; admission (credits), order, errors and the end of the stream are decided here,
// because a raw flow graph accepts without bound, loses order and swallows or forwards exceptions (docs/architecture.md, "Runtime").
//
// Nodes are added in topological order, connected, and run once.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/abi.h>
#include <flowrun/draft/source_drops.h>
#include <flowrun/message.hpp>

#include "graph/message.hpp"
#include "graph/records.hpp"
#include "graph/stage_control.hpp"

namespace flowrun::graph {

/// What every node in a flow has beside its body.
struct NodeContext {
  std::string name;                ///< in the graph
  std::string plugin;              ///< "filters/split 0.1.0"; "" for the runtime's own nodes
  bool skip_errors = false;        ///< on_error = "skip"
  NodeRecords* records = nullptr;  ///< null: not counted (spools)
  std::function<void(int level, std::string_view message)> log;
  int threads = 0;  ///< calls of a map at once; 0: as many as there are
};

/// Gives batches of one unit in order.
class UnitReader {
 public:
  virtual ~UnitReader() = default;
  /// Gives the next batch (maybe none) and returns whether the unit has ended. Throws Error.
  virtual bool next(const flowrun_call* call, OwnedArray& out) = 0;
  /// Gives what was found and left out on the way to the last batch, and returns whether there was (more of) it.
  virtual bool take_drop(flowrun_source_drop&) { return false; }
};

/// The body of a source: a plugin's, or a spool's.
class SourceBody {
 public:
  virtual ~SourceBody() = default;
  virtual std::int64_t unit_count() = 0;
  virtual std::unique_ptr<UnitReader> open_unit(const flowrun_call* call, std::int64_t unit) = 0;
};

/// The body of a node that sees batches in order: a plugin's serial or blocking node, or a spool's writer.
class OrderedBody {
 public:
  virtual ~OrderedBody() = default;
  /// `in` is never null. Returns a plugin's status.
  virtual flowrun_status process(const flowrun_call* call, std::uint32_t port, const Message& in, std::span<ArrowArray> out) = 0;
  virtual flowrun_status finish(const flowrun_call* call, std::span<ArrowArray> out) = 0;
};

/// One data stage. Built and run on one thread.
class Flow {
 public:
  using NodeId = std::size_t;

  /// `threads` run it; `credits` are those of the whole run.
  Flow(StageControl& control, CreditAccount& credits, int threads);
  ~Flow();
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// `limit`: documents that it gives at most; -1: all.
  NodeId add_source(NodeContext context, std::unique_ptr<SourceBody> body, Field schema, std::int64_t limit);
  NodeId add_map(NodeContext context, const flowrun_map* table, void* self, Field input, std::vector<Field> outputs);
  /// `ports`: for each of the streams that will be connected, in order, the body's port.
  NodeId add_ordered(NodeContext context, std::unique_ptr<OrderedBody> body, std::vector<Field> inputs, std::vector<Field> outputs);

  /// Appends a stream to `to`: streams are read one after another in the order of these calls, `port` by port. A source whose only way
  /// leads to a later stream starts when the earlier ones have ended.
  void connect(NodeId from, std::uint32_t output, NodeId to, std::uint32_t port);

  /// Runs to the end, or until the control stops it. Throws only for failures of the runtime itself; a node's error is in the control.
  void run();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowrun::graph
