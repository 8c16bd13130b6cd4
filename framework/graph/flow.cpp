#include "graph/flow.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_arena.h>

#include "graph/batch_meter.hpp"
#include "graph/column_buffer.hpp"
#include "graph/node_call.hpp"

namespace flowrun::graph {
namespace {

namespace tf = oneapi::tbb::flow;

using Outputs = std::array<ArrowArray, FLOWRUN_MAX_PORTS>;
using OutputMessages = std::array<Message, FLOWRUN_MAX_PORTS>;

/// Unset arrays for a plugin to fill; releases what is left.
struct OutputArrays : Outputs {
  OutputArrays() : Outputs{} {}
  OutputArrays(const OutputArrays&) = delete;
  OutputArrays& operator=(const OutputArrays&) = delete;
  ~OutputArrays() {
    for (auto& one : *this)
      if (one.release) one.release(&one);
  }
};

std::string describe(const flowrun_record_error& error) {
  std::string text;
  if (error.file) text += fmt::format("file '{}'", error.file);
  if (error.record >= 0) text += fmt::format("{}record {}", text.empty() ? "" : ", ", error.record);
  if (error.offset >= 0) text += fmt::format("{}byte {}", text.empty() ? "" : ", ", error.offset);
  return text;
}

/// Says for the end of a message how much of a file is given up, where that is known.
std::string describe_unread(const flowrun_record_error& error) { return error.file_bytes > 0 ? fmt::format("; {} bytes of the file are left unread", error.file_bytes) : ""; }

}  // namespace

// ------------------------------------------------------------------------------------------------------------------------- nodes

struct FlowNode;

/// Where an output goes: the `stream`th stream of a node.
struct Target {
  FlowNode* node;
  std::uint32_t stream;
};

/// One stream that enters a node. Streams are read one after another: `offset` is the number of batches of the earlier ones.
struct InStream {
  std::uint32_t port = 0;
  FlowNode* producer = nullptr;
  std::optional<std::uint64_t> offset;
  std::vector<Envelope> early;  ///< came before the earlier streams had ended
};

struct FlowNode {
  FlowNode(NodeContext node_context, std::vector<Field> input_schemas, std::vector<Field> output_schemas, StageControl& stage, CreditAccount& account)
      : context(std::move(node_context)), inputs(std::move(input_schemas)), outputs(std::move(output_schemas)), control(stage), credits(account), outlets(outputs.size()) {
    for (const auto& schema : inputs) in_meters.emplace_back(schema);
    for (const auto& schema : outputs) out_meters.emplace_back(schema);
  }
  virtual ~FlowNode() = default;

  /// Takes an envelope in the node's own order. Never blocks.
  virtual void deliver(Envelope envelope) = 0;
  /// Sources: begins to read.
  virtual void start() {}
  /// Returns whether all that the node waits for has come.
  virtual bool ended() const { return true; }

  /// Takes an envelope of one stream and gives it its place among all of the node's.
  void receive(Envelope envelope) {
    if (streams.size() == 1) return deliver(std::move(envelope));
    std::vector<Envelope> ready;
    FlowNode* next_producer = nullptr;
    {
      const std::lock_guard lock(stream_mutex);
      InStream& stream = streams[envelope.input];
      if (!stream.offset) {
        stream.early.push_back(std::move(envelope));
        return;
      }
      place(std::move(envelope), ready, next_producer);
    }
    for (auto& one : ready) deliver(std::move(one));
    if (next_producer) next_producer->activate();
  }

  /// Starts the sources that this node reads first. Idempotent.
  void activate() {
    if (activated.exchange(true)) return;
    if (streams.empty()) start();
    else streams[0].producer->activate();
  }

  void emit(std::size_t output, Envelope envelope) {
    const std::vector<Target>& targets = outlets[output];
    for (std::size_t i = 0; i < targets.size(); ++i) {
      Envelope one = i + 1 == targets.size() ? std::move(envelope) : envelope;
      one.input = targets[i].stream;
      targets[i].node->receive(std::move(one));
    }
  }

  /// Gives an output array its schema check, its credits and its message.
  Message adopt(ArrowArray& array, std::size_t output, const Message& parent) {
    if (array.release == nullptr) return {};
    OwnedArray owned(std::move(array));
    check_array(owned.get(), outputs[output]);
    const std::int64_t bytes = Message::is_retained(owned.get()) ? 0 : array_bytes(owned.get(), outputs[output]);
    if (bytes != 0) credits.charge(bytes);
    return Message::adopt(std::move(owned), &credits, bytes, parent);
  }

  void fail(Code code, std::string message, std::string where = {}) { control.fail({code, context.name, context.plugin, std::move(message), std::move(where)}); }

  /// Runs a node's body so that nothing leaves it but through the control.
  template <class Body>
  void guarded_body(Body&& body) noexcept {
    try {
      body();
    } catch (const Error& error) {
      if (error.code() != Code::kCancelled || !control.stopping()) fail(error.code(), error.what());
    } catch (const std::bad_alloc&) {
      fail(Code::kOutOfMemory, "out of memory");
    } catch (const std::exception& error) {
      fail(Code::kInternal, error.what());
    } catch (...) {
      fail(Code::kInternal, "an exception of unknown type");
    }
  }

  /// Turns what a plugin said about rows of `batch` into drops and errors. `first_row` is added for the log.
  void count_call(const NodeCall& call, const ArrowArray& batch, const BatchMeter& meter, std::int64_t first_row, Counters& counters, std::vector<DropRecord>& drops) {
    for (const auto& drop : call.drops) {
      if (drop.row < 0 || drop.row >= batch.length) throw Error(Code::kInternal, fmt::format("the plugin dropped row {} of a batch of {}", drop.row, batch.length));
      counters.dropped[drop.reason] += meter.row(batch, drop.row);
      drops.push_back({first_row + drop.row, std::string(meter.id(batch, drop.row)), drop.reason, drop.value, drop.threshold});
    }
    for (const auto& error : call.row_errors) {
      if (error.row < 0 || error.row >= batch.length) throw Error(Code::kInternal, fmt::format("the plugin refused row {} of a batch of {}", error.row, batch.length));
      refuse_row(error, batch, meter, counters);
    }
  }

  void refuse_row(const NodeCall::RowError& error, const ArrowArray& batch, const BatchMeter& meter, Counters& counters) {
    const std::string id(meter.id(batch, error.row));
    if (!context.skip_errors) throw_row(error, id);
    counters.errors[error.code] += meter.row(batch, error.row);
    if (context.log) context.log(FLOWRUN_LOG_WARNING, fmt::format("document '{}' refused ({}): {}", id, error.code, error.message));
  }

  [[noreturn]] static void throw_row(const NodeCall::RowError& error, const std::string& id) {
    Error thrown(error.status, error.message);
    thrown.add_context(fmt::format("document '{}' ({})", id, error.code));
    throw thrown;
  }

  NodeContext context;
  std::vector<Field> inputs, outputs;
  std::vector<BatchMeter> in_meters, out_meters;
  StageControl& control;
  CreditAccount& credits;
  std::vector<std::vector<Target>> outlets;
  std::vector<InStream> streams;
  std::mutex stream_mutex;  // protects offsets and early of `streams` where there are several

 private:
  /// Numbers an envelope of a stream whose offset is known; at its end opens the next stream.
  void place(Envelope envelope, std::vector<Envelope>& ready, FlowNode*& next_producer) {
    const std::uint32_t index = envelope.input;
    envelope.sequence += *streams[index].offset;
    if (!envelope.end || index + 1 == streams.size()) {
      ready.push_back(std::move(envelope));
      return;
    }
    InStream& next = streams[index + 1];
    next.offset = envelope.sequence;
    next_producer = next.producer;
    // An end among the early ones opens the stream after that in turn.
    for (auto& early : std::exchange(next.early, {})) place(std::move(early), ready, next_producer);
  }

  std::atomic<bool> activated{false};
};

namespace {

/// Reads units at once, emits their batches in order, and parks while credits are out.
class SourceNode final : public FlowNode {
 public:
  SourceNode(NodeContext node_context, std::unique_ptr<SourceBody> body, Field schema, std::int64_t limit, StageControl& stage, CreditAccount& account, tf::graph& graph, int threads)
      : FlowNode(std::move(node_context), {}, {std::move(schema)}, stage, account),
        body_(std::move(body)),
        limit_(limit),
        active_max_(static_cast<std::size_t>(threads)),
        reader_(graph, tf::unlimited, [this](Unit* unit) { guarded_body([&] { read(*unit); }); return tf::continue_msg(); }),
        waker_(graph, tf::unlimited, [this](int) {
          parked_ = false;
          request_pump();
          return tf::continue_msg();
        }) {}

  void deliver(Envelope) override {}
  void start() override {
    guarded_body([&] {
      unit_count_ = body_->unit_count();
      schedule_reads();
    });
    request_pump();
  }

 private:
  /// What was found and did not become a document.
  struct Aside {
    Counters counters;
    std::vector<DropRecord> drops;
    std::optional<NodeError> failure;
  };
  /// A batch that was read and what was refused and left out on the way to it.
  struct Ready {
    OwnedArray batch;
    std::int64_t bytes = 0;        ///< credits that the batch takes
    std::unique_ptr<Aside> aside;  ///< null: nothing, as nearly always
  };
  struct Unit {
    std::int64_t index = 0;
    std::unique_ptr<UnitReader> reader;
    std::deque<Ready> ready;
    bool reading = false, ended = false;
  };
  /// Batches read ahead in each unit: enough to keep a thread busy, small beside the credits.
  static constexpr std::size_t kReadAhead = 2;
  /// What one task reads: a task costs more than reading a small batch, while a large one is best handled at once, out of the cache.
  static constexpr int kBurst = 16;
  static constexpr std::int64_t kBurstBytes = std::int64_t{64} << 10;

  /// Gives every active unit with room a read; opens units up to the number of threads.
  void schedule_reads() {
    std::vector<Unit*> start;
    {
      const std::lock_guard lock(mutex_);
      while (units_.size() < active_max_ && next_unit_ < unit_count_) {
        units_.push_back(std::make_unique<Unit>());
        units_.back()->index = next_unit_++;
      }
      for (auto& unit : units_)
        if (!unit->reading && !unit->ended && unit->ready.size() < kReadAhead) {
          unit->reading = true;
          start.push_back(unit.get());
        }
    }
    for (Unit* unit : start) reader_.try_put(unit);
  }

  /// Reads batches of one unit until it is far enough ahead. One call at a time for each unit.
  void read(Unit& unit) {
    std::int64_t bytes = 0;
    bool more = true;
    for (int i = 1; more; ++i) {
      Ready ready;
      bool end = false;
      if (!read_batch(unit, ready, end)) return;
      bytes += ready.bytes;
      {
        const std::lock_guard lock(mutex_);
        unit.ready.push_back(std::move(ready));
        unit.ended = end;
        if (end) unit.reader.reset();
        more = !end && unit.ready.size() < kReadAhead && i < kBurst && bytes < kBurstBytes;
        unit.reading = more;
      }
      request_pump();  // which may remove an ended unit
    }
    schedule_reads();
  }

  static void count(const flowrun_record_error& error, Counters& counters) {
    const std::int64_t file_bytes = std::max<std::int64_t>(error.file_bytes, 0);
    counters.errors[error.code] += Tally{error.documents, error.bytes, file_bytes};
    counters.in += Tally{error.documents, error.bytes, 0};
    if (error.file != nullptr && error.file_bytes != 0) counters.unread[error.file] += UnreadFile{file_bytes, error.file_bytes < 0};
  }

  static void count(const flowrun_source_drop& drop, Aside& aside) {
    if (drop.id == nullptr || drop.reason == nullptr) throw Error(Code::kInternal, "the plugin leaves out a record without an id or a reason");
    const Tally tally{1, drop.bytes, 0};
    aside.counters.dropped[drop.reason] += tally;
    aside.counters.in += tally;
    aside.drops.push_back({static_cast<std::int64_t>(aside.drops.size()), std::string(drop.id, drop.id_length), drop.reason, drop.value, drop.threshold});
  }

  /// Returns false when the stage stops.
  bool read_batch(Unit& unit, Ready& ready, bool& end) {
    if (control.stopping()) return false;
    const auto aside = [&ready]() -> Aside& {
      if (!ready.aside) ready.aside = std::make_unique<Aside>();
      return *ready.aside;
    };
    const NodeCall::RecordError record_error = [&](const flowrun_record_error& error) -> flowrun_status {
      if (!context.skip_errors) {
        if (!aside().failure) aside().failure = NodeError{code_of(error.status), context.name, context.plugin, fmt::format("{}: {}", error.code, error.message ? error.message : "refused"), describe(error)};
        return FLOWRUN_CANCELLED;
      }
      count(error, aside().counters);
      if (context.log) context.log(FLOWRUN_LOG_WARNING, fmt::format("{}: {}: {}{}", describe(error), error.code, error.message ? error.message : "refused", describe_unread(error)));
      return FLOWRUN_OK;
    };
    const NodeCall call(&control, &context.log, &record_error);
    try {
      if (!unit.reader) unit.reader = body_->open_unit(call.table(), unit.index);
      end = unit.reader->next(call.table(), ready.batch);
      if (ready.batch) check_array(ready.batch.get(), outputs[0]);
      if (ready.batch && ready.batch.get().length > 0) ready.bytes = array_bytes(ready.batch.get(), outputs[0]);
      for (flowrun_source_drop drop; unit.reader->take_drop(drop);) count(drop, aside());
    } catch (const Error& error) {
      if (error.code() == Code::kCancelled && control.stopping()) return false;
      if (!aside().failure) aside().failure = NodeError{error.code(), context.name, context.plugin, error.what(), ""};
    }
    if (ready.aside && ready.aside->failure) end = true;
    return true;
  }

  /// Emits what is ready, here and now, or leaves it to the thread that is emitting already: that one then looks again.
  void request_pump() {
    if (pump_requests_.fetch_add(1) != 0) return;
    std::int64_t seen = 1;
    do guarded_body([&] { pump(); });
    while (!pump_requests_.compare_exchange_strong(seen, 0));
  }

  /// Emits what is ready in order. One call at a time.
  void pump() {
    for (;;) {
      if (finished_ || parked_ || control.stopping()) return;
      Ready ready;
      {
        const std::lock_guard lock(mutex_);
        while (!units_.empty() && units_.front()->ended && units_.front()->ready.empty()) units_.pop_front();
        if (units_.empty() && next_unit_ < unit_count_) break;
        if (!units_.empty()) {
          Unit& unit = *units_.front();
          if (unit.ready.empty()) break;
          if (!acquire(unit.ready.front().bytes)) return;
          ready = std::move(unit.ready.front());
          unit.ready.pop_front();
        } else {
          finished_ = true;
        }
      }
      if (finished_) return emit(0, {sequence_, 0, true, {}});
      emit_ready(std::move(ready));
    }
    schedule_reads();
  }

  /// A release that finds room wakes the source by a task; until then no thread waits.
  bool acquire(std::int64_t bytes) {
    if (bytes == 0) return true;
    parked_ = true;  // before the account keeps the waker, which may run at once
    if (!credits.acquire_or_park(bytes, [this] { waker_.try_put(0); })) return false;
    parked_ = false;
    return true;
  }

  void emit_ready(Ready ready) {
    Message message;
    if (ready.bytes > 0) message = Message::adopt(std::move(ready.batch), &credits, ready.bytes, {});
    if (ready.aside && ready.aside->failure) {
      control.fail(std::move(*ready.aside->failure));
      return;
    }
    Counters counters;
    if (ready.aside) counters = std::move(ready.aside->counters);
    if (ready.aside && context.records) context.records->drops.add(drops_sequence_++, std::move(ready.aside->drops));
    if (message) {
      if (limit_ >= 0 && emitted_ + message.rows() >= limit_) {
        message = message.slice(0, limit_ - emitted_);
        finished_ = true;
      }
      emitted_ += message.rows();
      counters.out = out_meters[0].measure(message.array());
      counters.in += counters.out;
      if (context.records) context.records->add(counters);
      if (message.rows() > 0) emit(0, {sequence_++, 0, false, std::move(message)});
      if (finished_) emit(0, {sequence_, 0, true, {}});
    } else if (context.records) {
      context.records->add(counters);
    }
  }

  std::unique_ptr<SourceBody> body_;
  const std::int64_t limit_;
  const std::size_t active_max_;
  std::mutex mutex_;  // protects units_ and next_unit_
  std::deque<std::unique_ptr<Unit>> units_;
  std::int64_t next_unit_ = 0, unit_count_ = 0;
  std::atomic<std::int64_t> pump_requests_{0};
  std::atomic<bool> parked_{false};  // the account keeps the waker: there is nothing to do before it runs
  // Used by the pump alone.
  std::uint64_t sequence_ = 0, drops_sequence_ = 0;
  std::int64_t emitted_ = 0;
  bool finished_ = false;
  tf::function_node<Unit*, tf::continue_msg, tf::queueing> reader_;
  tf::function_node<int, tf::continue_msg, tf::queueing> waker_;
};

/// Calls a plugin's pure function on many batches at once.
class MapNode final : public FlowNode {
 public:
  MapNode(NodeContext node_context, const flowrun_map* table, void* self, Field input, std::vector<Field> output_schemas, StageControl& stage, CreditAccount& account, tf::graph& graph)
      : FlowNode(std::move(node_context), {std::move(input)}, std::move(output_schemas), stage, account),
        table_(table),
        self_(self),
        node_(graph, context.threads > 0 ? static_cast<std::size_t>(context.threads) : std::size_t{tf::unlimited}, [this](const Envelope& envelope) {
          guarded_body([&] { process(envelope); });
          return tf::continue_msg();
        }) {}

  void deliver(Envelope envelope) override {
    if (envelope.end) {
      for (std::size_t output = 0; output < outputs.size(); ++output) emit(output, envelope);
      return;
    }
    node_.try_put(envelope);
  }

 private:
  void process(const Envelope& envelope) {
    if (control.stopping()) return;
    Counters counters;
    std::vector<DropRecord> drops;
    OutputMessages storage;
    const std::span<Message> messages(storage.data(), outputs.size());
    if (envelope.message.rows() > 0) {
      const ArrowArray& in = envelope.message.array();
      counters.in = in_meters[0].measure(in);
      NodeCall call(&control, &context.log);
      OutputArrays arrays;
      const flowrun_status status = table_->process(self_, call.table(), &in, arrays.data());
      if (status == FLOWRUN_CANCELLED && control.stopping()) return;
      if (status == FLOWRUN_OK) {
        count_call(call, in, in_meters[0], 0, counters, drops);
        for (std::size_t output = 0; output < outputs.size(); ++output) messages[output] = adopt(arrays[output], output, envelope.message);
      } else {
        process_rows(envelope.message, call, status, messages, counters, drops);
      }
      count_outputs(messages, counters);
    }
    if (context.records) {
      context.records->drops.add(envelope.sequence, std::move(drops));
      context.records->add(counters);
    }
    for (std::size_t output = 0; output < outputs.size(); ++output) emit(output, {envelope.sequence, 0, false, std::move(messages[output])});
  }

  /// Runs a failed batch again row by row: the rows that fail alone are the errors. A batch whose rows all pass alone has an error of its own.
  void process_rows(const Message& batch, const NodeCall& failed, flowrun_status status, std::span<Message> messages, Counters& counters, std::vector<DropRecord>& drops) {
    std::vector<ColumnBuffer> kept(outputs.begin(), outputs.end());
    bool found = false;
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      if (control.stopping()) return;
      const Message one = batch.slice(row, 1);
      NodeCall call(&control, &context.log);
      OutputArrays arrays;
      const flowrun_status row_status = table_->process(self_, call.table(), &one.array(), arrays.data());
      if (row_status != FLOWRUN_OK) {
        found = true;
        refuse_row({0, code_of(row_status), code_name(code_of(row_status)), call.failure()}, one.array(), in_meters[0], counters);
        continue;
      }
      count_call(call, one.array(), in_meters[0], row, counters, drops);
      for (std::size_t output = 0; output < outputs.size(); ++output)
        if (arrays[output].release) {
          check_array(arrays[output], outputs[output]);
          kept[output].append(arrays[output], 0, arrays[output].length);
        }
    }
    if (!found) failed.check(status);
    for (std::size_t output = 0; output < outputs.size(); ++output) {
      ArrowArray array;
      kept[output].take().move_to(&array);
      messages[output] = adopt(array, output, batch);
    }
  }

  /// Counts the documents that are in some output, each once, and checks that none got lost.
  void count_outputs(std::span<const Message> messages, Counters& counters) {
    for (std::size_t output = 0; output < messages.size(); ++output)
      if (messages[output]) counters.out += out_meters[output].measure(messages[output].array());
    const std::int64_t others = counters.dropped_total().documents + counters.errors_total().documents;
    if (messages.size() > 1 && counters.out.documents + others > counters.in.documents) count_distinct(messages, counters);
    if (counters.out.documents + others != counters.in.documents)
      throw Error(Code::kInternal, fmt::format("{} documents went in, {} came out, {} were dropped or refused: the plugin must account for every row", counters.in.documents,
                                               counters.out.documents, others));
  }

  void count_distinct(std::span<const Message> messages, Counters& counters) {
    std::unordered_set<std::string_view> seen;
    counters.out = {};
    for (std::size_t output = 0; output < messages.size(); ++output)
      for (std::int64_t row = 0; row < messages[output].rows(); ++row)
        if (seen.insert(out_meters[output].id(messages[output].array(), row)).second) counters.out += out_meters[output].row(messages[output].array(), row);
  }

  const flowrun_map* table_;
  void* self_;
  tf::function_node<Envelope, tf::continue_msg, tf::queueing> node_;
};

/// Puts envelopes in order: a ring in which each has its place by its sequence number, so that keeping and taking one allocates nothing.
class ReorderRing {
 public:
  /// Keeps an envelope whose turn has not passed. The ring grows to the largest gap.
  void put(Envelope envelope) {
    while (envelope.sequence - next_ >= places_.size()) grow();
    Place& place = at(envelope.sequence);
    place.taken = true;
    place.envelope = std::move(envelope);
  }
  /// Returns whether the envelope is there whose turn it is.
  bool ready() const { return places_[next_ & (places_.size() - 1)].taken; }
  Envelope take() {
    Place& place = at(next_++);
    place.taken = false;
    return std::move(place.envelope);
  }
  void clear() {
    for (Place& place : places_) place = {};
  }

 private:
  struct Place {
    Envelope envelope;
    bool taken = false;
  };
  Place& at(std::uint64_t sequence) { return places_[sequence & (places_.size() - 1)]; }
  void grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (Place& place : old)
      if (place.taken) at(place.envelope.sequence) = std::move(place);
  }

  std::vector<Place> places_{16};  // a power of two
  std::uint64_t next_ = 0;
};

/// Calls a body on its batches in order, one at a time.
class OrderedNode final : public FlowNode {
 public:
  OrderedNode(NodeContext node_context, std::unique_ptr<OrderedBody> body, std::vector<Field> input_schemas, std::vector<Field> output_schemas, StageControl& stage, CreditAccount& account, tf::graph& graph)
      : FlowNode(std::move(node_context), std::move(input_schemas), std::move(output_schemas), stage, account),
        body_(std::move(body)),
        out_sequence_(outputs.size(), 0),
        node_(graph, tf::unlimited, [this](int) {  // `scheduled_` lets one task run at a time, for less than oneTBB's queue would take
          guarded_body([&] { drain(); });
          return tf::continue_msg();
        }) {}

  bool ended() const override { return ended_; }
  /// A node without inputs, which makes its artifact from parameters alone: all that it waits for is there.
  void start() override { deliver({0, 0, true, {}}); }
  void deliver(Envelope envelope) override {
    if (control.stopping()) return;
    {
      const std::lock_guard lock(mutex_);
      waiting_.put(std::move(envelope));
      if (scheduled_ || !waiting_.ready()) return;
      scheduled_ = true;
    }
    node_.try_put(0);
  }

 private:
  /// Batches that one task handles before it lets others run.
  static constexpr int kBurst = 16;

  void drain() {
    std::array<Envelope, kBurst> burst;
    std::size_t count = 0;
    {
      const std::lock_guard lock(mutex_);
      while (count < kBurst && waiting_.ready()) burst[count++] = waiting_.take();
    }
    for (std::size_t i = 0; i < count && !control.stopping(); ++i) {
      const Envelope envelope = std::move(burst[i]);
      if (envelope.end) finish();
      else process(envelope);
    }
    report();
    {
      const std::lock_guard lock(mutex_);
      if (control.stopping()) waiting_.clear();
      scheduled_ = waiting_.ready();
      if (!scheduled_) return;
    }
    node_.try_put(0);
  }

  /// Hands over what a burst has counted.
  void report() {
    if (context.records) context.records->add(unreported_);
    unreported_ = {};
  }

  void process(const Envelope& envelope) {
    Counters counters;
    std::vector<DropRecord> drops;
    OutputArrays arrays;
    const std::uint32_t port = streams[stream_of(envelope.sequence)].port;
    if (envelope.message.rows() > 0) {
      const ArrowArray& in = envelope.message.array();
      const BatchMeter& meter = in_meters[port];
      NodeCall call(&control, &context.log);
      const flowrun_status status = body_->process(call.table(), port, envelope.message, arrays);
      if (status == FLOWRUN_CANCELLED && control.stopping()) return;
      call.check(status);
      counters.in = meter.measure(in);
      count_call(call, in, meter, 0, counters, drops);
    }
    if (context.records) context.records->drops.add(envelope.sequence, std::move(drops));
    emit_arrays(arrays, envelope.message, counters);
  }

  void finish() {
    if (control.stopping()) return;
    NodeCall call(&control, &context.log);
    OutputArrays arrays;
    const flowrun_status status = body_->finish(call.table(), arrays);
    if (status == FLOWRUN_CANCELLED && control.stopping()) return;
    call.check(status);
    Counters counters;
    emit_arrays(arrays, {}, counters);
    report();
    if (context.records && !outputs.empty()) check_totals();
    for (std::size_t output = 0; output < outputs.size(); ++output) emit(output, {out_sequence_[output], 0, true, {}});
    ended_ = true;
  }

  void emit_arrays(OutputArrays& arrays, const Message& parent, Counters& counters) {
    for (std::size_t output = 0; output < outputs.size(); ++output) {
      Message message = adopt(arrays[output], output, parent);
      if (message) counters.out += out_meters[output].measure(message.array());
      emit(output, {out_sequence_[output]++, 0, false, std::move(message)});
    }
    if (outputs.empty()) {  // a sink counts what it used
      const Tally dropped = counters.dropped_total(), errors = counters.errors_total();
      counters.out = {counters.in.documents - dropped.documents - errors.documents, counters.in.bytes - dropped.bytes - errors.bytes, 0};
    }
    unreported_.add(counters);
  }

  void check_totals() {
    const Counters total = context.records->counters();
    const std::int64_t accounted = total.out.documents + total.dropped_total().documents + total.errors_total().documents;
    if (accounted != total.in.documents)
      throw Error(Code::kInternal, fmt::format("{} documents went in, {} came out or were dropped or refused: the plugin must account for every row", total.in.documents, accounted));
  }

  std::size_t stream_of(std::uint64_t sequence) {
    if (streams.size() == 1) return 0;
    const std::lock_guard lock(stream_mutex);
    std::size_t index = 0;
    while (index + 1 < streams.size() && streams[index + 1].offset && *streams[index + 1].offset <= sequence) ++index;
    return index;
  }

  std::unique_ptr<OrderedBody> body_;
  std::mutex mutex_;  // protects waiting_ and scheduled_
  ReorderRing waiting_;
  bool scheduled_ = false;
  Counters unreported_;  // used by the serial drain alone
  std::vector<std::uint64_t> out_sequence_;  // used by the serial drain alone, as is ended_
  bool ended_ = false;
  tf::function_node<int, tf::continue_msg, tf::queueing> node_;
};

}  // namespace

// -------------------------------------------------------------------------------------------------------------------------- flow

struct Flow::Impl {
  StageControl& control;
  CreditAccount& credits;
  int threads;
  oneapi::tbb::task_arena arena;
  std::unique_ptr<tf::graph> graph;  // built inside the arena, which is then the one that its tasks run in
  std::vector<std::unique_ptr<FlowNode>> nodes;

  Impl(StageControl& stage, CreditAccount& account, int thread_count) : control(stage), credits(account), threads(thread_count), arena(thread_count, 1) {
    arena.execute([this] { graph = std::make_unique<tf::graph>(); });
  }
};

Flow::Flow(StageControl& control, CreditAccount& credits, int threads) : impl_(std::make_unique<Impl>(control, credits, threads)) {}

Flow::~Flow() {
  impl_->credits.forget_parked();
  impl_->nodes.clear();
}

Flow::NodeId Flow::add_source(NodeContext context, std::unique_ptr<SourceBody> body, Field schema, std::int64_t limit) {
  impl_->nodes.push_back(std::make_unique<SourceNode>(std::move(context), std::move(body), std::move(schema), limit, impl_->control, impl_->credits, *impl_->graph, impl_->threads));
  return impl_->nodes.size() - 1;
}

Flow::NodeId Flow::add_map(NodeContext context, const flowrun_map* table, void* self, Field input, std::vector<Field> outputs) {
  impl_->nodes.push_back(std::make_unique<MapNode>(std::move(context), table, self, std::move(input), std::move(outputs), impl_->control, impl_->credits, *impl_->graph));
  return impl_->nodes.size() - 1;
}

Flow::NodeId Flow::add_ordered(NodeContext context, std::unique_ptr<OrderedBody> body, std::vector<Field> inputs, std::vector<Field> outputs) {
  impl_->nodes.push_back(std::make_unique<OrderedNode>(std::move(context), std::move(body), std::move(inputs), std::move(outputs), impl_->control, impl_->credits, *impl_->graph));
  return impl_->nodes.size() - 1;
}

void Flow::connect(NodeId from, std::uint32_t output, NodeId to, std::uint32_t port) {
  FlowNode& consumer = *impl_->nodes.at(to);
  const auto stream = static_cast<std::uint32_t>(consumer.streams.size());
  consumer.streams.push_back({port, impl_->nodes.at(from).get(), stream == 0 ? std::optional<std::uint64_t>(0) : std::nullopt, {}});
  impl_->nodes[from]->outlets.at(output).push_back({&consumer, stream});
}

void Flow::run() {
  impl_->arena.execute([this] {
    for (auto& node : impl_->nodes)
      if (std::all_of(node->outlets.begin(), node->outlets.end(), [](const auto& outlet) { return outlet.empty(); })) node->activate();
    impl_->graph->wait_for_all();
    // At rest although a source waits: what it waits for is kept by a node. Such a node holds the memory anyway, so one more batch is let in.
    while (!impl_->control.stopping() && impl_->credits.overdraw()) impl_->graph->wait_for_all();
  });
  impl_->credits.forget_parked();
  // Never expected; but what a node has not read to its end must not be committed.
  if (impl_->control.stopping()) return;
  for (const auto& node : impl_->nodes)
    if (!node->ended()) node->fail(Code::kInternal, "the stage came to rest before this node had read all its input");
}

}  // namespace flowrun::graph
