#include "numbers.hpp"

namespace flowrun::test {

/// Gives numbered documents.
class SourceNumbers : public Source {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/source_numbers", "1.0.0");
    descriptor.summary("Gives numbered documents whose text is known in advance.").example("[node.numbers]\nplugin = \"test/source_numbers\"\n");
    Numbers::describe(descriptor);
    return descriptor;
  }
  explicit SourceNumbers(const Params& params) : numbers_(params) {}
  void open(Open& open) override {
    batch_bytes_ = open.batch_bytes();
    batch_documents_ = open.batch_documents();
    open.set_output(0, fields::documents());
  }
  std::int64_t unit_count() override { return numbers_.units; }
  std::unique_ptr<Cursor> open_unit(const Call&, std::int64_t unit) override {
    return std::make_unique<NumbersCursor>(numbers_, unit, batch_bytes_, batch_documents_);
  }

 private:
  Numbers numbers_;
  std::int64_t batch_bytes_ = 0, batch_documents_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SourceNumbers)
