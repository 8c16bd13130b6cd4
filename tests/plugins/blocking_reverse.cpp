#include <flowrun/node.hpp>

namespace flowrun::test {

/// Gives all documents in reverse order: a blocking node whose output is a stream.
class BlockingReverse : public Blocking {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/blocking_reverse", "1.0.0");
    descriptor.summary("Gives all documents in reverse order.").input(Port("in", "documents")).output(Port("out", "documents")).threads("One call at a time.");
    return descriptor;
  }
  explicit BlockingReverse(const Params&) {}
  void open(Open& open) override {
    schema_ = open.input();
    open.set_output(0, schema_);
  }
  void consume(const Call&, std::size_t, const ArrowArray& in) override {
    std::vector<std::int64_t> rows;
    for (std::int64_t row = in.length; row-- > 0;) rows.push_back(row);
    batches_.push_back(select_rows(in, schema_, rows));  // a copy: the host's batch is free again
  }
  void finish(const Call&) override {}
  bool produce(const Call&, OwnedArray& out) override {
    if (batches_.empty()) return true;  // no input at all: `out` stays unset, which is an empty batch
    out = std::move(batches_.back());
    batches_.pop_back();
    return batches_.empty();
  }

 private:
  Field schema_;
  std::vector<OwnedArray> batches_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::BlockingReverse)
