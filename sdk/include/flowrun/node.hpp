#pragma once

// What a plugin's author derives from, and the macro that exports it:
//
//     class Upper : public flowrun::Map {
//      public:
//       static flowrun::Descriptor descriptor();
//       explicit Upper(const flowrun::Params& params);
//       void process(const flowrun::Call& call, const ArrowArray& in, std::span<ArrowArray> out) override;
//     };
//     FLOWRUN_PLUGIN(Upper)
//
// Everything may throw flowrun::Error (or anything else): the adapter below catches inside the plugin's own library. The order of calls and
// the thread of each are those of abi.h.

#include <array>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "abi.h"
#include "descriptor.hpp"
#include "error.hpp"
#include "message.hpp"
#include "params.hpp"

namespace flowrun {

/// The host as seen from inside one call; valid until that call returns.
class Call {
 public:
  explicit Call(const flowrun_call* table) : table_(table) {}
  /// Drops row `row` of the input. NaN means that there is no value or threshold.
  void drop(std::int64_t row, const char* reason, double value = kNone, double threshold = kNone) const { table_->drop(table_, row, reason, value, threshold); }
  /// Refuses row `row` of the input as an error; leave it out of every output.
  void row_error(std::int64_t row, Code status, const char* code, std::string_view message) const {
    table_->row_error(table_, row, static_cast<flowrun_status>(status), code, message.data(), message.size());
  }
  /// Sources: refuses a record, or the rest of a file. Throws kCancelled where the run is to stop.
  void record_error(flowrun_record_error error) const {
    error.size = sizeof error;
    if (table_->record_error(table_, &error) != FLOWRUN_OK) throw Error(Code::kCancelled, "stopped by a record error");
  }
  bool stop_requested() const { return table_->stop_requested(table_) != 0; }
  /// Throws kCancelled once the run is stopping.
  void check_stop() const {
    if (stop_requested()) throw Error(Code::kCancelled, "the run is stopping");
  }
  void log(flowrun_log_level level, std::string_view message) const { table_->log(table_, level, message.data(), message.size()); }
  /// Becomes a second owner of a batch that was lent in this call.
  OwnedArray retain(const ArrowArray& borrowed) const {
    OwnedArray out;
    table_->retain(table_, &borrowed, out.address());
    return out;
  }
  const flowrun_call* table() const noexcept { return table_; }

 private:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const flowrun_call* table_;
};

/// What a node learns when it is opened.
class Open {
 public:
  explicit Open(flowrun_open* table) : table_(table) {
    for (std::uint32_t i = 0; i < table->input_count; ++i)
      inputs_.push_back(table->input_schemas[i] ? std::optional(import_schema(*table->input_schemas[i])) : std::nullopt);
  }
  /// Returns the schema of an input port, by the descriptor's order. Throws kInternal if it is not a connected stream.
  const Field& input(std::size_t port = 0) const {
    if (port >= inputs_.size() || !inputs_[port]) throw Error(Code::kInternal, "input port " + std::to_string(port) + " is not connected");
    return *inputs_[port];
  }
  bool has_input(std::size_t port) const noexcept { return port < inputs_.size() && inputs_[port].has_value(); }
  void set_output(std::size_t port, const Field& schema) {
    if (port >= table_->output_count) throw Error(Code::kInternal, "the node has no output port " + std::to_string(port));
    export_schema(schema, &table_->output_schemas[port]);
  }
  std::size_t output_count() const noexcept { return table_->output_count; }
  /// Returns the folder of the artifact at `port`, or "" where the port is not connected.
  std::string artifact(std::string_view port) const {
    for (std::uint32_t i = 0; i < table_->artifact_count; ++i)
      if (port == table_->artifacts[i].port) return table_->artifacts[i].path;
    return {};
  }
  /// Returns the folder to write into. Throws kInternal for a node that has none.
  std::string staging() const {
    if (table_->staging == nullptr) throw Error(Code::kInternal, "this node has no folder to write into");
    return table_->staging;
  }
  std::uint64_t seed() const noexcept { return table_->seed; }
  std::int64_t memory_bytes() const noexcept { return table_->memory_bytes; }
  std::int64_t batch_bytes() const noexcept { return table_->batch_bytes; }
  std::int64_t batch_documents() const noexcept { return table_->batch_documents; }

 private:
  flowrun_open* table_;
  std::vector<std::optional<Field>> inputs_;
};

/// What every node has.
class Node {
 public:
  virtual ~Node() = default;
  /// Learns schemas, artifacts and limits; sets the output schemas. By default every output has the schema of the first input.
  virtual void open(Open& open) {
    for (std::size_t port = 0; port < open.output_count(); ++port)
      if (open.has_input(0)) open.set_output(port, open.input(0));
  }
  /// Ends the node's work. Nothing here can fail; that belongs in `finish`.
  virtual void close() noexcept {}
};

/// One unit of a source being read.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// Gives the next batch (maybe empty) and returns whether the unit has ended with it.
  virtual bool next(const Call& call, OwnedArray& out) = 0;
};

/// Gives documents; see flowrun_source.
class Source : public Node {
 public:
  static constexpr const char* kKind = "source";
  virtual std::int64_t unit_count() = 0;
  virtual std::unique_ptr<Cursor> open_unit(const Call& call, std::int64_t unit) = 0;
};

/// Turns one batch into one for each output; see flowrun_map. `process` may run on many threads at once.
class Map : public Node {
 public:
  static constexpr const char* kKind = "map";
  virtual void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) = 0;
};

/// Sees batches in order; see flowrun_serial.
class Serial : public Node {
 public:
  static constexpr const char* kKind = "serial";
  virtual void process(const Call& call, std::size_t port, const ArrowArray& in, std::span<ArrowArray> out) = 0;
  virtual void finish(const Call& call, std::span<ArrowArray> out) { (void)call, (void)out; }
};

/// Reads its input to the end, then gives an artifact or a stream; see flowrun_blocking.
class Blocking : public Node {
 public:
  static constexpr const char* kKind = "blocking";
  virtual void consume(const Call& call, std::size_t port, const ArrowArray& in) = 0;
  virtual void finish(const Call& call) = 0;
  /// Gives the next batch of the stream and returns whether it was the last; only for a node with a stream output.
  virtual bool produce(const Call& call, OwnedArray& out) {
    (void)call, (void)out;
    throw Error(Code::kInternal, "this node gives no stream");
  }
};

namespace detail {

/// A failure that the host has explained through this very call: it passes on as a status and is not explained again.
class ExplainedError : public Error {
 public:
  using Error::Error;
};

}  // namespace detail

/// Rows by position, lent by the host.
class Dataset {
 public:
  explicit Dataset(const flowrun_dataset* table) : table_(table), schema_(import_schema(*table->schema)), index_schema_(import_schema(*table->index_schema)) {}
  /// Returns the number of rows, -1 if there is no end.
  std::int64_t count() const { return table_->count(table_->self); }
  /// Gives rows without `input_ids`, with `length`.
  OwnedArray index(const Call& call, std::int64_t first, std::int64_t n) const { return get(call, table_->index, first, n); }
  /// Gives rows whole.
  OwnedArray read(const Call& call, std::int64_t first, std::int64_t n) const { return get(call, table_->read, first, n); }
  const Field& schema() const noexcept { return schema_; }
  const Field& index_schema() const noexcept { return index_schema_; }

 private:
  OwnedArray get(const Call& call, decltype(flowrun_dataset::read) function, std::int64_t first, std::int64_t n) const {
    OwnedArray out;
    if (const flowrun_status status = function(table_->self, call.table(), first, n, out.address()); status != FLOWRUN_OK)
      throw detail::ExplainedError(static_cast<Code>(status), "rows " + std::to_string(first) + " to " + std::to_string(first + n) + " could not be read");
    return out;
  }

  const flowrun_dataset* table_;
  Field schema_, index_schema_;
};

/// The batch that an indexed node gives: named int32 or int64 tensors [n, T].
class BatchBuilder {
 public:
  /// Adds a tensor [rows, columns]; `values` is row-major.
  void add(std::string name, std::vector<std::int64_t> values, std::int64_t rows, std::int64_t columns) {
    tensors_.push_back({std::move(name), std::move(values), rows, columns});
  }
  void add_id(std::string id) { ids_.push_back(std::move(id)); }
  void move_to(flowrun_batch* out);

 private:
  struct Tensor {
    std::string name;
    std::vector<std::int64_t> values;
    std::int64_t rows, columns;
  };
  std::vector<Tensor> tensors_;
  std::vector<std::string> ids_;
};

/// Random access by position; see flowrun_indexed. The reading functions may run on many threads at once.
class Indexed : public Node {
 public:
  static constexpr const char* kKind = "indexed";
  virtual void prepare(const Call& call, std::span<const Dataset> inputs, const std::string& staging) = 0;
  /// `inputs` live as long as the node.
  virtual void attach(const Call& call, std::span<const Dataset> inputs, const std::string& index) = 0;
  virtual std::int64_t count() = 0;
  virtual OwnedArray index_rows(const Call&, std::int64_t, std::int64_t) { throw Error(Code::kInternal, "this node gives no rows"); }
  virtual OwnedArray read_rows(const Call&, std::int64_t, std::int64_t) { throw Error(Code::kInternal, "this node gives no rows"); }
  virtual void read_batch(const Call&, std::int64_t, std::int64_t, BatchBuilder&) { throw Error(Code::kInternal, "this node gives no batches"); }

 private:
  template <class T>
  friend struct Adapter;
  std::vector<Dataset> prepared_, attached_;
};

/// Beside Serial or Blocking: snapshot and restore; see flowrun_state.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual void snapshot(const Call& call, const std::string& folder) = 0;
  virtual void restore(const Call& call, const std::string& folder) = 0;
  virtual std::int64_t memory_bytes() = 0;
};

/// Why a document is dropped; what `RowFilter::decide` returns.
struct Drop {
  const char* reason;
  double value = std::numeric_limits<double>::quiet_NaN();
  double threshold = std::numeric_limits<double>::quiet_NaN();
};

/// A map that keeps or drops whole documents. Derive, and answer for one row.
class RowFilter : public Map {
 public:
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  /// Returns why row `row` is dropped, or nothing where it is kept. On many threads at once.
  virtual std::optional<Drop> decide(const DocumentsView& documents, std::int64_t row) = 0;

  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) final {
    const DocumentsView documents(in, schema_);
    std::vector<std::int64_t> kept;
    for (std::int64_t row = 0; row < in.length; ++row) {
      if (const auto drop = decide(documents, row)) call.drop(row, drop->reason, drop->value, drop->threshold);
      else kept.push_back(row);
    }
    (static_cast<std::int64_t>(kept.size()) == in.length ? call.retain(in) : select_rows(in, schema_, kept)).move_to(&out[0]);
  }

 private:
  Field schema_;
};

// ---------------------------------------------------------------------------------------------------------------- adapter to abi.h

inline void BatchBuilder::move_to(flowrun_batch* out) {
  struct Holder {
    std::vector<Tensor> tensors;
    std::vector<std::string> ids;
    std::vector<std::array<std::int64_t, 2>> shapes;
    std::vector<DLManagedTensor> managed;
    std::vector<DLManagedTensor*> managed_pointers;
    std::vector<const char*> names, id_pointers;
  };
  auto holder = std::make_unique<Holder>();
  holder->tensors = std::move(tensors_);
  holder->ids = std::move(ids_);
  for (const auto& tensor : holder->tensors) holder->shapes.push_back({tensor.rows, tensor.columns});
  for (std::size_t i = 0; i < holder->tensors.size(); ++i) {
    DLManagedTensor managed{};
    managed.dl_tensor.data = holder->tensors[i].values.data();
    managed.dl_tensor.device.device_type = kDLCPU;
    managed.dl_tensor.ndim = 2;
    managed.dl_tensor.dtype = {kDLInt, 64, 1};
    managed.dl_tensor.shape = holder->shapes[i].data();
    holder->managed.push_back(managed);
    holder->names.push_back(holder->tensors[i].name.c_str());
  }
  for (auto& managed : holder->managed) holder->managed_pointers.push_back(&managed);
  for (const auto& id : holder->ids) holder->id_pointers.push_back(id.c_str());
  *out = flowrun_batch{};
  out->size = sizeof(flowrun_batch);
  out->tensor_count = static_cast<std::uint32_t>(holder->names.size());
  out->names = holder->names.data();
  out->tensors = holder->managed_pointers.data();
  out->id_count = static_cast<std::int64_t>(holder->id_pointers.size());
  out->ids = holder->id_pointers.data();
  out->release = [](flowrun_batch* batch) {
    delete static_cast<Holder*>(batch->private_data);
    batch->release = nullptr;
  };
  out->private_data = holder.release();
}

/// Runs `body` and turns whatever it throws into a status, explained through `call`.
template <class Body>
flowrun_status guarded(const flowrun_call* call, Body&& body) noexcept {
  const auto fail = [&](flowrun_status status, const char* text) {
    call->fail(call, status, text, std::strlen(text));
    return status;
  };
  try {
    body();
    return FLOWRUN_OK;
  } catch (const detail::ExplainedError& error) {
    return static_cast<flowrun_status>(error.code());
  } catch (const Error& error) {
    return fail(static_cast<flowrun_status>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return fail(FLOWRUN_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(FLOWRUN_INTERNAL, error.what());
  } catch (...) {
    return fail(FLOWRUN_INTERNAL, "an exception of unknown type");
  }
}

/// Builds the C tables of node class T. An author uses FLOWRUN_PLUGIN.
template <class T>
struct Adapter {
  static T* node(void* self) noexcept { return static_cast<T*>(self); }
  static std::span<const Dataset> lend(std::vector<Dataset>& kept, const flowrun_dataset* const* inputs, std::uint32_t count) {
    kept.clear();
    for (std::uint32_t i = 0; i < count; ++i) kept.emplace_back(inputs[i]);
    return kept;
  }

  static const char* descriptor() {
    static const std::string text = T::descriptor().to_json("portable", T::kKind);
    return text.c_str();
  }
  static flowrun_status create(const flowrun_call* call, const flowrun_params* params, void** self) {
    return guarded(call, [&] { *self = new T(Params(*params)); });
  }
  static flowrun_status open(void* self, const flowrun_call* call, flowrun_open* open) {
    return guarded(call, [&] {
      Open view(open);
      node(self)->open(view);
    });
  }
  static void close(void* self) { node(self)->close(); }
  static void destroy(void* self) { delete node(self); }

  static const void* get_interface(const char* id) {
    const std::string_view name(id);
    if constexpr (std::is_base_of_v<Source, T>)
      if (name == FLOWRUN_SOURCE_V1) return &kSource;
    if constexpr (std::is_base_of_v<Map, T>)
      if (name == FLOWRUN_MAP_V1) return &kMap;
    if constexpr (std::is_base_of_v<Serial, T>)
      if (name == FLOWRUN_SERIAL_V1) return &kSerial;
    if constexpr (std::is_base_of_v<Blocking, T>)
      if (name == FLOWRUN_BLOCKING_V1) return &kBlocking;
    if constexpr (std::is_base_of_v<Indexed, T>)
      if (name == FLOWRUN_INDEXED_V1) return &kIndexed;
    if constexpr (std::is_base_of_v<Stateful, T>)
      if (name == FLOWRUN_STATE_V1) return &kState;
    // A class may give further extensions, also drafts, by `static const void* extension(std::string_view id)`.
    if constexpr (requires { T::extension(name); }) return T::extension(name);
    return nullptr;
  }

  static constexpr flowrun_source kSource = [] {
    flowrun_source table{};
    if constexpr (std::is_base_of_v<Source, T>) {
      table.size = sizeof table;
      table.unit_count = [](void* self) { return node(self)->unit_count(); };
      table.open_unit = [](void* self, const flowrun_call* call, std::int64_t unit, void** cursor) {
        return guarded(call, [&] { *cursor = node(self)->open_unit(Call(call), unit).release(); });
      };
      table.next = [](void*, void* cursor, const flowrun_call* call, ArrowArray* out, std::int32_t* end) {
        return guarded(call, [&] {
          OwnedArray batch;
          *end = static_cast<Cursor*>(cursor)->next(Call(call), batch) ? 1 : 0;
          batch.move_to(out);
        });
      };
      table.close_unit = [](void*, void* cursor) { delete static_cast<Cursor*>(cursor); };
    }
    return table;
  }();

  static constexpr flowrun_map kMap = [] {
    flowrun_map table{};
    if constexpr (std::is_base_of_v<Map, T>) {
      table.size = sizeof table;
      table.process = [](void* self, const flowrun_call* call, const ArrowArray* in, ArrowArray* outputs) {
        return guarded(call, [&] { node(self)->process(Call(call), *in, {outputs, std::size_t{FLOWRUN_MAX_PORTS}}); });
      };
    }
    return table;
  }();

  static constexpr flowrun_serial kSerial = [] {
    flowrun_serial table{};
    if constexpr (std::is_base_of_v<Serial, T>) {
      table.size = sizeof table;
      table.process = [](void* self, const flowrun_call* call, std::uint32_t port, const ArrowArray* in, ArrowArray* outputs) {
        return guarded(call, [&] { node(self)->process(Call(call), port, *in, {outputs, std::size_t{FLOWRUN_MAX_PORTS}}); });
      };
      table.finish = [](void* self, const flowrun_call* call, ArrowArray* outputs) {
        return guarded(call, [&] { node(self)->finish(Call(call), {outputs, std::size_t{FLOWRUN_MAX_PORTS}}); });
      };
    }
    return table;
  }();

  static constexpr flowrun_blocking kBlocking = [] {
    flowrun_blocking table{};
    if constexpr (std::is_base_of_v<Blocking, T>) {
      table.size = sizeof table;
      table.consume = [](void* self, const flowrun_call* call, std::uint32_t port, const ArrowArray* in) {
        return guarded(call, [&] { node(self)->consume(Call(call), port, *in); });
      };
      table.finish = [](void* self, const flowrun_call* call) { return guarded(call, [&] { node(self)->finish(Call(call)); }); };
      table.produce = [](void* self, const flowrun_call* call, ArrowArray* out, std::int32_t* end) {
        return guarded(call, [&] {
          OwnedArray batch;
          *end = node(self)->produce(Call(call), batch) ? 1 : 0;
          batch.move_to(out);
        });
      };
    }
    return table;
  }();

  static constexpr flowrun_indexed kIndexed = [] {
    flowrun_indexed table{};
    if constexpr (std::is_base_of_v<Indexed, T>) {
      table.size = sizeof table;
      table.prepare = [](void* self, const flowrun_call* call, const flowrun_dataset* const* inputs, std::uint32_t count, const char* staging) {
        return guarded(call, [&] { node(self)->prepare(Call(call), lend(node(self)->prepared_, inputs, count), staging); });
      };
      table.attach = [](void* self, const flowrun_call* call, const flowrun_dataset* const* inputs, std::uint32_t count, const char* index) {
        return guarded(call, [&] { node(self)->attach(Call(call), lend(node(self)->attached_, inputs, count), index); });
      };
      table.count = [](void* self) { return node(self)->count(); };
      table.index_rows = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
        return guarded(call, [&] { node(self)->index_rows(Call(call), first, n).move_to(out); });
      };
      table.read_rows = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
        return guarded(call, [&] { node(self)->read_rows(Call(call), first, n).move_to(out); });
      };
      table.read_batch = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, flowrun_batch* out) {
        return guarded(call, [&] {
          BatchBuilder batch;
          node(self)->read_batch(Call(call), first, n, batch);
          batch.move_to(out);
        });
      };
    }
    return table;
  }();

  static constexpr flowrun_state kState = [] {
    flowrun_state table{};
    if constexpr (std::is_base_of_v<Stateful, T>) {
      table.size = sizeof table;
      table.snapshot = [](void* self, const flowrun_call* call, const char* folder) {
        return guarded(call, [&] { node(self)->snapshot(Call(call), folder); });
      };
      table.restore = [](void* self, const flowrun_call* call, const char* folder) {
        return guarded(call, [&] { node(self)->restore(Call(call), folder); });
      };
      table.memory_bytes = [](void* self) { return node(self)->memory_bytes(); };
    }
    return table;
  }();

  static constexpr flowrun_plugin kPlugin = {sizeof(flowrun_plugin), FLOWRUN_ABI_MAJOR, FLOWRUN_ABI_MINOR, descriptor, create, open, close, destroy, get_interface};
};

}  // namespace flowrun

/// Exports node class T as this library's plugin. Once in a library, outside any namespace.
#define FLOWRUN_PLUGIN(T) extern "C" constinit const flowrun_plugin flowrun_plugin_v1 = flowrun::Adapter<T>::kPlugin;
