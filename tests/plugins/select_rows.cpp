#include <flowrun/draft/selection.h>
#include <flowrun/node.hpp>

#include <charconv>
#include <stdexcept>

namespace flowrun::test {

/// Drops the rows that `rows` names, in that order: a blocking node whose stream is its input without some rows. Each is said to be kept in the place of the first document.
class SelectRows : public Blocking {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/select_rows", "1.0.0");
    descriptor.summary("Drops rows by number.").input(Port("in", "documents")).output(Port("out", "documents"));
    descriptor.parameter(strings("rows").about("Numbers of rows.")).threads("One call at a time.");
    return descriptor;
  }
  explicit SelectRows(const Params& params) {
    for (const std::string& text : params.strings("rows")) {
      std::int64_t row = 0;
      std::from_chars(text.data(), text.data() + text.size(), row);
      rows_.push_back(row);
    }
  }
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  OwnedArray sketch(const ArrowArray& in) const {
    const DocumentsView documents(in, schema_);
    StringBuilder sketches;
    for (std::int64_t row = 0; row < in.length; ++row) sketches.append("sketch of " + std::string(documents.id[row]));
    return sketches.finish();
  }
  void consume(const Call&, std::size_t, const ArrowArray& in) override {
    const DocumentsView documents(in, schema_);
    const StringColumn sketches(in, *in.children[in.n_children - 1]);
    for (std::int64_t row = 0; row < in.length; ++row) {
      if (sketches[row] != "sketch of " + std::string(documents.id[row])) throw std::runtime_error("another row's sketch");
      if (first_.empty()) first_ = documents.id[row];
    }
  }
  void finish(const Call&) override {}
  bool next_drop(flowrun_selection_drop& out) {
    if (next_ == rows_.size()) return false;
    out.row = rows_[next_++];
    out.reason = "named";
    out.value = static_cast<double>(out.row);
    out.threshold = std::numeric_limits<double>::quiet_NaN();
    out.kept = first_.data();
    out.kept_length = first_.size();
    return true;
  }
  static const void* extension(std::string_view id) { return id == FLOWRUN_SELECTION_DRAFT_1 ? &kSelection : nullptr; }

 private:
  static constexpr flowrun_selection kSelection = {
      sizeof(flowrun_selection),
      [](void* self, const flowrun_call* call, const ArrowArray* in, ArrowArray* out) {
        return guarded(call, [&] { static_cast<const SelectRows*>(self)->sketch(*in).move_to(out); });
      },
      [](void* self, const flowrun_call* call, flowrun_selection_drop* out, std::int32_t* end) {
        return guarded(call, [&] { *end = static_cast<SelectRows*>(self)->next_drop(*out) ? 0 : 1; });
      }};

  Field schema_;
  std::vector<std::int64_t> rows_;
  std::size_t next_ = 0;
  std::string first_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SelectRows)
