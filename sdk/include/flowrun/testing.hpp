#pragma once

// Runs one node alone through its C table, without the framework:
//
//     flowrun::testing::Runner node(flowrun_plugin_v1, {{"min_doc_words", 3}});
//     node.open({flowrun::fields::documents()});
//     auto out = node.process(flowrun::testing::documents_batch({{"a", "one two three"}, {"b", "one"}}));
//     EXPECT_EQ(document_rows(out[0]).size(), 1u);
//     EXPECT_EQ(node.drops()[0].reason, "too_short");
//     EXPECT_THAT(node.close(), testing::IsEmpty());
//
// A test's executable is linked with the plugin's plugin.cpp. Any test framework will do. The runner checks the boundary's rules: a failure
// is explained once, every array is released exactly once, and each row of the input is in an output, dropped or refused.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "draft/selection.h"
#include "draft/source_drops.h"
#include "node.hpp"
#include "testing/dataset.hpp"
#include "testing/errors.hpp"
#include "testing/host.hpp"
#include "testing/json.hpp"
#include "testing/parameters.hpp"
#include "testing/rows.hpp"

namespace flowrun::testing {

/// A folder of its own, removed with all its content at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "flowrun-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error(Code::kIo, "no temporary folder can be made: " + name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;  // a destructor cannot report it
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(std::string_view name = {}) const { return name.empty() ? path_.string() : (path_ / name).string(); }
  /// Writes a file and returns its absolute path.
  std::string write(std::string_view name, std::string_view bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

/// Returns the content of a file. Throws kNotFound where it cannot be read.
inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, path + " cannot be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What a node is opened with besides its input schemas.
struct OpenOptions {
  std::string staging;                           ///< "": the node has no folder to write into
  std::map<std::string, std::string> artifacts;  ///< folder by port
  std::uint64_t seed = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t batch_bytes = 512 << 10;
  std::int64_t batch_documents = 4096;
};

/// One node: created by the constructor, closed and destroyed by `close` or the destructor. What the node reports as failed is thrown as
/// the Error that it explained. Map nodes may be called from several threads.
class Runner {
 public:
  explicit Runner(const flowrun_plugin& plugin, Parameters parameters = {}) : Runner(plugin, std::vector<std::pair<std::string, Value>>(parameters)) {}
  Runner(const flowrun_plugin& plugin, const std::vector<std::pair<std::string, Value>>& parameters)
      : plugin_(&plugin), descriptor_(read_json(plugin.descriptor())), book_(journal_) {
    const ParameterTable table(descriptor_, parameters);
    HostCall call(journal_, book_);
    call.check(plugin_->create(call.table(), table.table(), &self_), "create");
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  /// Aborts with the text of the violations that `close` has not returned: a test must not pass over them. Outputs are released before.
  ~Runner() {
    const std::size_t reported = self_ == nullptr ? journal_.violations.size() : 0;
    end();
    book_.check_all_released();
    if (journal_.violations.size() == reported) return;
    for (const auto& text : journal_.violations) std::fprintf(stderr, "flowrun::testing::Runner: %s\n", text.c_str());
    std::abort();
  }

  const Json& descriptor() const noexcept { return descriptor_; }

  /// Opens the node; a missing schema stands for a port that is not connected.
  void open(const std::vector<std::optional<Field>>& inputs = {}, const OpenOptions& options = {}) {
    std::vector<ArrowSchema> schemas(inputs.size());
    std::vector<const ArrowSchema*> pointers;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i]) export_schema(*inputs[i], &schemas[i]);
      pointers.push_back(inputs[i] ? &schemas[i] : nullptr);
    }
    std::vector<flowrun_artifact> artifacts;
    for (const auto& [port, path] : options.artifacts) artifacts.push_back({sizeof(flowrun_artifact), port.c_str(), "", path.c_str()});
    std::vector<ArrowSchema> outputs(descriptor_["outputs"].items.size());

    flowrun_open table{};
    table.size = sizeof table;
    table.input_count = static_cast<std::uint32_t>(pointers.size());
    table.input_schemas = pointers.data();
    table.artifact_count = static_cast<std::uint32_t>(artifacts.size());
    table.artifacts = artifacts.data();
    table.staging = options.staging.empty() ? nullptr : options.staging.c_str();
    table.seed = options.seed;
    table.memory_bytes = options.memory_bytes;
    table.batch_bytes = options.batch_bytes;
    table.batch_documents = options.batch_documents;
    table.output_count = static_cast<std::uint32_t>(outputs.size());
    table.output_schemas = outputs.data();
    HostCall call(journal_, book_);
    const flowrun_status status = plugin_->open(self_, call.table(), &table);
    input_schemas_ = inputs;
    output_schemas_.clear();
    for (auto& schema : outputs) {
      output_schemas_.push_back(schema.release ? std::optional(import_schema(schema)) : std::nullopt);
      if (schema.release) schema.release(&schema);
    }
    for (auto& schema : schemas)
      if (schema.release) schema.release(&schema);
    call.check(status, "open");
    opened_ = true;
  }
  /// Returns what the node says that it gives. Throws kInternal for a port without a stream.
  const Field& output_schema(std::size_t port = 0) const {
    if (port >= output_schemas_.size() || !output_schemas_[port]) throw Error(Code::kInternal, "output port " + std::to_string(port) + " has no schema");
    return *output_schemas_[port];
  }

  // ---- source
  std::int64_t unit_count() { return source().unit_count(self_); }
  /// Reads one unit to its end.
  std::vector<Batch> read_unit(std::int64_t unit) {
    HostCall opening(journal_, book_);
    void* cursor = nullptr;
    opening.check(source().open_unit(self_, opening.table(), unit, &cursor), "open_unit");
    const auto close = [this](void* opened) { source().close_unit(self_, opened); };
    const std::unique_ptr<void, decltype(close)> closing(cursor, close);
    std::vector<Batch> batches;
    for (std::int32_t end = 0; !end;) {
      HostCall call(journal_, book_);
      ArrowArray out{};
      const flowrun_status status = source().next(self_, cursor, call.table(), &out, &end);
      Batch batch = adopt(out, 0);
      call.check(status, "next");
      const bool any_dropped = take_drops(cursor);
      if (batch.size() > 0) batches.push_back(std::move(batch));
      else if (!end && !any_dropped) journal_.violation("next gives an empty batch that does not end the unit");
    }
    return batches;
  }
  /// Reads all units in order.
  std::vector<Batch> read_all() {
    std::vector<Batch> batches;
    for (std::int64_t unit = 0; unit < unit_count(); ++unit)
      for (Batch& batch : read_unit(unit)) batches.push_back(std::move(batch));
    return batches;
  }
  std::vector<Document> read_documents() {
    std::vector<Document> rows;
    for (const Batch& batch : read_all())
      for (Document& row : document_rows(batch)) rows.push_back(std::move(row));
    return rows;
  }

  // ---- map and serial
  /// Gives one batch to a map or serial node and returns one batch for each output port, empty where the node left it unset.
  std::vector<Batch> process(Batch input, std::size_t port = 0) {
    const OwnedArray lent = lend(std::move(input.array), "an input batch");
    HostCall call = call_for(lent.get(), input.schema);
    ArrowArray out[FLOWRUN_MAX_PORTS]{};
    const bool is_map = kind() == "map";
    const flowrun_status status =
        is_map ? interface<flowrun_map>(FLOWRUN_MAP_V1).process(self_, call.table(), &lent.get(), out)
               : interface<flowrun_serial>(FLOWRUN_SERIAL_V1).process(self_, call.table(), static_cast<std::uint32_t>(port), &lent.get(), out);
    std::vector<Batch> outputs = adopt_all(out);
    call.check(status, "process");
    account(lent.get(), input.schema, call, outputs);
    if (is_map) check_accounts();
    return outputs;
  }
  /// Ends a serial node's input; returns its last batches. Checks that no row was lost.
  std::vector<Batch> finish() {
    HostCall call(journal_, book_);
    if (kind() == "blocking") {
      call.check(interface<flowrun_blocking>(FLOWRUN_BLOCKING_V1).finish(self_, call.table()), "finish");
      return {};
    }
    ArrowArray out[FLOWRUN_MAX_PORTS]{};
    const flowrun_status status = interface<flowrun_serial>(FLOWRUN_SERIAL_V1).finish(self_, call.table(), out);
    std::vector<Batch> outputs = adopt_all(out);
    call.check(status, "finish");
    for (const Batch& batch : outputs) settle(batch);
    check_accounts();
    return outputs;
  }

  // ---- blocking (and `finish`)
  void consume(Batch input, std::size_t port = 0) {
    const OwnedArray lent = lend(std::move(input.array), "an input batch");
    HostCall call = call_for(lent.get(), input.schema);
    call.check(interface<flowrun_blocking>(FLOWRUN_BLOCKING_V1).consume(self_, call.table(), static_cast<std::uint32_t>(port), &lent.get()), "consume");
  }
  /// Reads the stream that a blocking node gives after `finish`.
  std::vector<Batch> produce_all() {
    const auto& table = interface<flowrun_blocking>(FLOWRUN_BLOCKING_V1);
    std::vector<Batch> batches;
    for (std::int32_t end = 0; !end;) {
      HostCall call(journal_, book_);
      ArrowArray out{};
      const flowrun_status status = table.produce(self_, call.table(), &out, &end);
      Batch batch = adopt(out, 0);
      call.check(status, "produce");
      if (batch.size() > 0) batches.push_back(std::move(batch));
    }
    return batches;
  }

  // ---- blocking nodes that select rows of their input (draft/selection.h)
  /// Returns the sketches of a batch's rows. From several threads, too.
  std::vector<std::string> sketch(Batch input) {
    const OwnedArray lent = lend(std::move(input.array), "an input batch");
    const OwnedArray sketches = sketch_of(lent.get(), input.schema);
    const StringColumn values(ArrowArray{}, sketches.get());
    std::vector<std::string> rows;
    for (std::int64_t row = 0; row < lent.get().length; ++row) rows.emplace_back(values[row]);
    return rows;
  }
  /// Gives a batch to such a node as the host does, with the sketches of its rows as the last column.
  void consume_sketched(Batch input, std::size_t port = 0) {
    const OwnedArray lent = lend(std::move(input.array), "an input batch");
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < lent.get().n_children; ++i) columns.push_back(borrow_column(*lent.get().children[i], lent.get().offset, lent.get().length));
    columns.push_back(sketch_of(lent.get(), input.schema));
    Batch sketched{input.schema, make_batch(std::move(columns), lent.get().length)};
    sketched.schema.children.push_back({FLOWRUN_SELECTION_SKETCH, "z", false, {}});
    check_shape(sketched.array.get(), sketched.schema, "a batch with sketches");
    consume(std::move(sketched), port);
  }
  /// A row that a node drops after `finish`.
  struct SelectionDrop {
    std::int64_t row = 0;
    std::string reason, kept;
    double value = NAN, threshold = NAN;
    bool operator==(const SelectionDrop&) const = default;
  };
  /// Reads the drops of such a node after `finish`.
  std::vector<SelectionDrop> take_selection() {
    const auto& table = interface<flowrun_selection>(FLOWRUN_SELECTION_DRAFT_1);
    std::vector<SelectionDrop> drops;
    for (std::int64_t last = -1;;) {
      HostCall call(journal_, book_);
      flowrun_selection_drop drop{};
      drop.size = sizeof drop;
      std::int32_t end = 0;
      call.check(table.next_drop(self_, call.table(), &drop, &end), "next_drop");
      if (end != 0) return drops;
      if (drop.row <= last) journal_.violation("next_drop gives row " + std::to_string(drop.row) + " after row " + std::to_string(last));
      last = drop.row;
      drops.push_back({drop.row, drop.reason, drop.kept == nullptr ? "" : std::string(drop.kept, drop.kept_length), drop.value, drop.threshold});
    }
  }

  // ---- indexed; datasets must outlive the runner
  void prepare(const std::vector<const MemoryDataset*>& datasets, const std::string& staging) { prepare(tables_of(datasets), staging); }
  void attach(const std::vector<const MemoryDataset*>& datasets, const std::string& index) { attach(tables_of(datasets), index); }
  /// For datasets of a test's own, with columns that MemoryDataset does not have.
  void prepare(std::span<const flowrun_dataset* const> tables, const std::string& staging) {
    HostCall call(journal_, book_);
    call.check(indexed().prepare(self_, call.table(), tables.data(), static_cast<std::uint32_t>(tables.size()), staging.c_str()), "prepare");
  }
  void attach(std::span<const flowrun_dataset* const> tables, const std::string& index) {
    HostCall call(journal_, book_);
    call.check(indexed().attach(self_, call.table(), tables.data(), static_cast<std::uint32_t>(tables.size()), index.c_str()), "attach");
  }
  std::int64_t count() { return indexed().count(self_); }
  Batch index_rows(std::int64_t first, std::int64_t n) { return rows_by(indexed().index_rows, index_schema(output_schema()), "index_rows", first, n); }
  Batch read_rows(std::int64_t first, std::int64_t n) { return rows_by(indexed().read_rows, output_schema(), "read_rows", first, n); }
  TensorBatch read_batch(std::int64_t first, std::int64_t n) {
    HostCall call(journal_, book_);
    flowrun_batch out{};
    call.check(indexed().read_batch(self_, call.table(), first, n, &out), "read_batch");
    return take_tensors(out);
  }

  // ---- state
  bool has_state() const { return plugin_->get_interface(FLOWRUN_STATE_V1) != nullptr; }
  void snapshot(const std::string& folder) {
    HostCall call(journal_, book_);
    call.check(interface<flowrun_state>(FLOWRUN_STATE_V1).snapshot(self_, call.table(), folder.c_str()), "snapshot");
  }
  void restore(const std::string& folder) {
    HostCall call(journal_, book_);
    call.check(interface<flowrun_state>(FLOWRUN_STATE_V1).restore(self_, call.table(), folder.c_str()), "restore");
  }
  std::int64_t memory_bytes() { return interface<flowrun_state>(FLOWRUN_STATE_V1).memory_bytes(self_); }

  // ---- what the node has said
  const std::vector<Dropped>& drops() const noexcept { return journal_.drops; }
  const std::vector<RowError>& row_errors() const noexcept { return journal_.row_errors; }
  const std::vector<RecordError>& record_errors() const noexcept { return journal_.record_errors; }
  const std::vector<LogLine>& logs() const noexcept { return journal_.logs; }
  /// From now on the node is told that the run is stopping.
  void request_stop() noexcept { journal_.stop = true; }
  /// From now on a refused record stops the run, as `on_error = "stop"` does.
  void stop_on_record_error() noexcept { journal_.stop_on_record_error = true; }

  /// Closes and destroys the node and returns the rules that it has broken, at best none. Arrays are allowed to outlive their node, so while
  /// the test still holds outputs, what was never released is found by the destructor.
  std::vector<std::string> close() {
    end();
    if (!book_.any_given_out()) book_.check_all_released();
    return journal_.violations;
  }

 private:
  void end() {
    if (self_ == nullptr) return;
    if (opened_) plugin_->close(self_);
    plugin_->destroy(self_);
    self_ = nullptr;
  }
  template <class Table>
  const Table& interface(const char* id) const {
    const void* table = plugin_->get_interface(id);
    if (table == nullptr) throw Error(Code::kUnsupported, "the plugin has no interface " + std::string(id));
    return *static_cast<const Table*>(table);
  }
  const flowrun_source& source() const { return interface<flowrun_source>(FLOWRUN_SOURCE_V1); }
  const flowrun_indexed& indexed() const { return interface<flowrun_indexed>(FLOWRUN_INDEXED_V1); }
  const std::string& kind() const { return descriptor_["kind"].text; }

  /// Notes what a source has left out, and returns whether it has.
  bool take_drops(void* cursor) {
    const auto* table = static_cast<const flowrun_source_drops*>(plugin_->get_interface(FLOWRUN_SOURCE_DROPS_DRAFT_1));
    bool any = false;
    for (flowrun_source_drop drop{}; table != nullptr && (drop.size = sizeof drop, table->take(self_, cursor, &drop) != 0); any = true) {
      const std::lock_guard lock(journal_.mutex);
      journal_.drops.push_back({-1, std::string(drop.id, drop.id_length), drop.reason, drop.value, drop.threshold, drop.bytes});
    }
    return any;
  }

  OwnedArray lend(OwnedArray array, const char* what) {
    auto kept = std::make_shared<OwnedArray>(std::move(array));
    OwnedArray lent;
    book_.lend(kept->get(), kept, what, lent.address());
    return lent;
  }
  OwnedArray sketch_of(const ArrowArray& input, const Field& schema) {
    HostCall call = call_for(input, schema);
    OwnedArray sketches;
    call.check(interface<flowrun_selection>(FLOWRUN_SELECTION_DRAFT_1).sketch(self_, call.table(), &input, sketches.address()), "sketch");
    if (sketches.get().length != input.length) journal_.violation("sketch gives " + std::to_string(sketches.get().length) + " values for " + std::to_string(input.length) + " rows");
    return book_.adopt(sketches.address(), "sketches");
  }
  HostCall call_for(const ArrowArray& input, const Field& schema) {
    const bool has_ids = schema.find("id") >= 0;
    return {journal_, book_, &input, has_ids ? BatchView(input, schema).strings("id") : StringColumn(), has_ids};
  }
  Batch adopt(ArrowArray& out, std::size_t port) {
    if (out.release == nullptr) return {};
    Batch batch{output_schema(port), book_.adopt(&out, "an output batch")};
    if (out.release != nullptr) out.release = nullptr;
    check_shape(batch.array.get(), batch.schema, "an output batch");
    return batch;
  }
  std::vector<Batch> adopt_all(ArrowArray* out) {
    std::vector<Batch> outputs;
    for (std::size_t port = 0; port < output_schemas_.size(); ++port) outputs.push_back(adopt(out[port], port));
    for (std::size_t port = output_schemas_.size(); port < FLOWRUN_MAX_PORTS; ++port)
      if (out[port].release != nullptr) {
        journal_.violation("the node gives a batch for output port " + std::to_string(port) + ", which it does not have");
        out[port].release(&out[port]);
      }
    return outputs;
  }
  void check_shape(const ArrowArray& array, const Field& schema, const std::string& what) {
    if (array.n_children != static_cast<std::int64_t>(schema.children.size())) {
      journal_.violation(what + " has " + std::to_string(array.n_children) + " columns, its schema " + std::to_string(schema.children.size()));
      return;
    }
    for (std::size_t i = 0; i < schema.children.size(); ++i)
      if (array.children[i]->length < array.offset + array.length) journal_.violation(what + ": column '" + schema.children[i].name + "' is too short");
  }
  /// Returns the columns of the index of rows: all but their tokens, of which it has the length.
  static Field index_schema(Field rows) {
    std::erase_if(rows.children, [](const Field& column) { return column.name == "input_ids"; });
    rows.children.push_back(fields::uint32("length"));
    return rows;
  }
  Batch rows_by(decltype(flowrun_indexed::read_rows) function, Field schema, const char* name, std::int64_t first, std::int64_t n) {
    HostCall call(journal_, book_);
    ArrowArray out{};
    const flowrun_status status = function(self_, call.table(), first, n, &out);
    Batch batch{std::move(schema), out.release ? book_.adopt(&out, "rows") : OwnedArray()};
    call.check(status, name);
    check_shape(batch.array.get(), batch.schema, "rows");
    return batch;
  }
  static std::vector<const flowrun_dataset*> tables_of(const std::vector<const MemoryDataset*>& datasets) {
    std::vector<const flowrun_dataset*> tables;
    for (const auto* dataset : datasets) tables.push_back(dataset->table());
    return tables;
  }

  /// Adds the input's rows to the account and takes off those that were refused or given out. Nodes without outputs keep what they see.
  void account(const ArrowArray& input, const Field& schema, const HostCall& call, const std::vector<Batch>& outputs) {
    if (output_schemas_.empty() || schema.find("id") < 0) return;
    const StringColumn ids = BatchView(input, schema).strings("id");
    const std::lock_guard lock(journal_.mutex);
    for (std::int64_t row = 0; row < input.length; ++row) ++owed_[std::string(ids[row])];
    for (const std::int64_t row : call.refused_rows()) --owed_[std::string(ids[row])];
    for (const Batch& batch : outputs) settle_locked(batch);
  }
  void settle(const Batch& batch) {
    const std::lock_guard lock(journal_.mutex);
    settle_locked(batch);
  }
  void settle_locked(const Batch& batch) {
    if (!batch.array || batch.schema.find("id") < 0) return;
    const StringColumn ids = BatchView(batch.array.get(), batch.schema).strings("id");
    for (std::int64_t row = 0; row < batch.size(); ++row) --owed_[std::string(ids[row])];
  }
  void check_accounts() {
    const std::lock_guard lock(journal_.mutex);
    for (const auto& [id, owed] : owed_) {
      if (owed > 0) journal_.violations.push_back("document '" + id + "' is neither in an output nor dropped nor refused");
      if (owed < 0) journal_.violations.push_back("document '" + id + "' leaves the node more often than it entered");
    }
    owed_.clear();
  }

  const flowrun_plugin* plugin_;
  Json descriptor_;
  Journal journal_;
  LeaseBook book_;
  void* self_ = nullptr;
  bool opened_ = false;
  std::vector<std::optional<Field>> input_schemas_, output_schemas_;
  std::map<std::string, std::int64_t> owed_;  ///< rows that entered and have not left yet, by id; guarded by journal_.mutex
};

}  // namespace flowrun::testing
