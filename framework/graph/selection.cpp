#include "graph/selection.hpp"

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <flowrun/node.hpp>

#include "graph/batch_meter.hpp"
#include "graph/spool.hpp"

namespace flowrun::graph {
namespace {

/// Passes on a failure that was explained through the call.
void pass_on(flowrun_status status, const char* what) {
  if (status != FLOWRUN_OK) throw detail::ExplainedError(static_cast<Code>(status), what);
}

/// The rows that a node drops, read beside the rows that it has seen.
class Drops {
 public:
  Drops(const flowrun_selection* table, void* self, const flowrun_call* call) : table_(table), self_(self), call_(call) { advance(); }

  /// Returns the drop of row `row`, or null where it stays. Rows are asked for in order.
  const flowrun_selection_drop* at(std::int64_t row) const noexcept { return !ended_ && drop_.row == row ? &drop_ : nullptr; }
  bool ended() const noexcept { return ended_; }
  std::int64_t row() const noexcept { return drop_.row; }

  void advance() {
    const std::int64_t before = drop_.row;
    drop_ = {};
    drop_.size = sizeof drop_;
    std::int32_t end = 0;
    pass_on(table_->next_drop(self_, call_, &drop_, &end), "next_drop");
    ended_ = end != 0;
    if (!ended_ && drop_.row <= before) throw Error(Code::kInternal, fmt::format("the plugin drops row {} after row {}", drop_.row, before));
  }

 private:
  const flowrun_selection* table_;
  void* self_;
  const flowrun_call* call_;
  flowrun_selection_drop drop_{.size = 0, .row = -1, .reason = nullptr, .value = 0, .threshold = 0, .kept = nullptr, .kept_length = 0};
  bool ended_ = false;
};

class SelectionBody final : public OrderedBody {
 public:
  SelectionBody(const PluginNode& node, const flowrun_selection* table, const Field& input, const std::string& folder, std::unique_ptr<OrderedBody> spool,
                NodeRecords& records)
      : blocking_(node.interface<flowrun_blocking>(FLOWRUN_BLOCKING_V1)),
        table_(table),
        self_(node.self()),
        schema_(input),
        meter_(input),
        path_(folder + "/seen.spool"),
        spool_(std::move(spool)),
        records_(records) {
    seen_.emplace(path_, schema_, 1);  // read once, and gone then
  }
  ~SelectionBody() override {
    std::error_code ignored;  // where the stage has failed, its folder goes anyway
    std::filesystem::remove(path_, ignored);
  }

  flowrun_status process(const flowrun_call* call, std::uint32_t port, const Message& in, std::span<ArrowArray>) override {
    return guarded(call, [&] {
      seen_->append(in.array());  // without its last column, which the schema does not have
      pass_on(blocking_->consume(self_, call, port, &in.array()), "consume");
    });
  }

  flowrun_status finish(const flowrun_call* call, std::span<ArrowArray> out) override {
    const flowrun_status status = guarded(call, [&] {
      seen_->finish();
      seen_.reset();
      pass_on(blocking_->finish(self_, call), "finish");
      give_kept(call, out);
      std::filesystem::remove(path_);
    });
    return status == FLOWRUN_OK ? spool_->finish(call, out) : status;
  }

 private:
  void give_kept(const flowrun_call* call, std::span<ArrowArray> out) {
    const SpoolReader reader(path_);
    Drops drops(table_, self_, call);
    std::int64_t first = 0;
    for (std::int64_t block = 0; block < reader.block_count(); ++block) {
      Call(call).check_stop();
      OwnedArray rows = reader.load_block(block);
      const std::int64_t count = rows.get().length;
      const auto kept = take_drops(rows.get(), first, drops);
      if (static_cast<std::int64_t>(kept.size()) < count) rows = select_rows(rows.get(), schema_, kept);
      pass_on(spool_->process(call, 0, Message::adopt(std::move(rows)), out), "spool");
      first += count;
    }
    if (!drops.ended()) throw Error(Code::kInternal, fmt::format("the plugin drops row {} of {}", drops.row(), first));
  }

  /// Reports the drops among rows from `first` on, and returns the rows that stay, counted from the first.
  std::vector<std::int64_t> take_drops(const ArrowArray& rows, std::int64_t first, Drops& drops) {
    std::vector<std::int64_t> kept;
    std::vector<DropRecord> dropped;
    Counters counters;
    for (std::int64_t row = 0; row < rows.length; ++row) {
      const flowrun_selection_drop* const drop = drops.at(first + row);
      if (drop == nullptr) {
        kept.push_back(row);
        continue;
      }
      const Tally tally = meter_.row(rows, row);
      counters.dropped[drop->reason] += tally;
      counters.out += Tally{-tally.documents, -tally.bytes, 0};  // it was counted as used when it came
      const std::string stays = drop->kept ? std::string(drop->kept, drop->kept_length) : std::string();
      dropped.push_back({first + row, std::string(meter_.id(rows, row)), drop->reason, drop->value, drop->threshold, stays});
      drops.advance();
    }
    records_.drops.append(std::move(dropped));
    records_.add(counters);
    return kept;
  }

  const flowrun_blocking* blocking_;
  const flowrun_selection* table_;
  void* self_;
  const Field schema_;
  const BatchMeter meter_;
  const std::string path_;
  std::optional<SpoolWriter> seen_;  // none once all has been seen
  std::unique_ptr<OrderedBody> spool_;
  NodeRecords& records_;
};

}  // namespace

Sketching::Sketching(const PluginNode& node, const flowrun_selection* table, const Field& input) : table_(table), self_(node.self()), schema_(input) {
  schema_.children.push_back({FLOWRUN_SELECTION_SKETCH, "z", false, {}});
}

OwnedArray Sketching::apply(const flowrun_call* call, const ArrowArray& in) const {
  OwnedArray sketch;
  pass_on(table_->sketch(self_, call, &in, sketch.address()), "sketch");
  if (!sketch || sketch.get().length != in.length) throw Error(Code::kInternal, "the plugin does not give a sketch for each row");
  std::vector<OwnedArray> columns;
  for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
  columns.push_back(std::move(sketch));
  return make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(Call(call).retain(in)));
}

const flowrun_map Sketching::kMap = {sizeof(flowrun_map), [](void* self, const flowrun_call* call, const ArrowArray* in, ArrowArray* outputs) {
                                       return guarded(call, [&] { static_cast<const Sketching*>(self)->apply(call, *in).move_to(&outputs[0]); });
                                     }};

std::unique_ptr<OrderedBody> selection_body(const PluginNode& node, const flowrun_selection* table, const Field& input, const std::string& folder, std::unique_ptr<OrderedBody> spool,
                                            NodeRecords& records) {
  return std::make_unique<SelectionBody>(node, table, input, folder, std::move(spool), records);
}

}  // namespace flowrun::graph
