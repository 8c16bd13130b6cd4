#pragma once

// One node made by a plugin: created, opened, closed and destroyed through its C table.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <flowrun/abi.h>
#include <flowrun/message.hpp>

#include "graph/flow.hpp"
#include "graph/node_call.hpp"
#include "graph/params_table.hpp"

namespace flowrun::graph {

/// What a node is opened with.
struct OpenSpec {
  std::vector<const Field*> inputs;  ///< by input port; null: not a connected stream
  struct Artifact {
    std::string port, type, path;
  };
  std::vector<Artifact> artifacts;
  std::string staging;  ///< "" for a node that writes nothing
  std::uint64_t seed = 0;
  std::int64_t memory_bytes = 0, batch_bytes = 0, batch_documents = 0;
  std::size_t output_count = 0;
};

/// Names a node in errors and carries what its plugin logs.
struct NodeIdentity {
  std::string node, plugin;  ///< "unique", "dedupers/exact 0.1.0"
  NodeCall::Log log;
};

/// Owns a node. Not copied: batches and calls refer to `self`.
class PluginNode {
 public:
  /// Creates the node. Throws what the plugin says, with the node named.
  PluginNode(NodeIdentity identity, const flowrun_plugin* plugin, std::unique_ptr<ParamsTable> params);
  ~PluginNode();
  PluginNode(const PluginNode&) = delete;
  PluginNode& operator=(const PluginNode&) = delete;

  /// Opens the node and returns the schemas of its outputs; a port that is no stream has an empty format.
  std::vector<Field> open(const OpenSpec& spec);
  void* self() const noexcept { return self_; }
  const NodeIdentity& identity() const noexcept { return identity_; }
  /// Returns an interface's table. Throws Error(kUnavailable) if the plugin does not have it.
  template <class Table>
  const Table* interface(const char* id) const {
    return static_cast<const Table*>(find_interface(id));
  }
  /// Returns the table of an extension, or nullptr.
  template <class Table>
  const Table* extension(const char* id) const {
    return static_cast<const Table*>(plugin_->get_interface(id));
  }
  /// Runs `call` and throws what the plugin says, with the node named.
  template <class Body>
  void invoke(const StageControl* control, Body&& body) const {
    NodeCall call(control, &identity_.log);
    const flowrun_status status = body(call.table());
    try {
      call.check(status);
    } catch (Error& error) {
      error.add_context("in node '" + identity_.node + "' (" + identity_.plugin + ")");
      throw;
    }
  }

 private:
  const void* find_interface(const char* id) const;

  NodeIdentity identity_;
  const flowrun_plugin* plugin_;
  std::unique_ptr<ParamsTable> params_;  // lives as long: the plugin may keep nothing of it, but a careless one shall not crash
  void* self_ = nullptr;
  bool opened_ = false;
};

/// Bodies of a flow over a plugin's node, which must outlive them.
std::unique_ptr<SourceBody> source_body(const PluginNode& node);
std::unique_ptr<OrderedBody> serial_body(const PluginNode& node);
/// `spool` takes the stream that the node produces at its end; null for a node that makes an artifact.
std::unique_ptr<OrderedBody> blocking_body(const PluginNode& node, std::unique_ptr<OrderedBody> spool);

}  // namespace flowrun::graph
