#include "numbers.hpp"

namespace flowrun::test {

/// Gives numbered documents and refuses some records, as a reader does that meets damage.
class SourceErrors : public Source {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/source_errors", "1.0.0");
    descriptor.summary("Gives numbered documents and refuses every so many as a record error.")
        .parameter(integer("every").defaults(10).range(1, 1e9).unit("documents").about("Every so many, a document is refused with the code 'test_refused'."))
        .parameter(boolean("cut").defaults(false).about("Whether each unit ends in 1000 unreadable bytes, reported as 'test_cut'."));
    Numbers::describe(descriptor);
    return descriptor;
  }
  explicit SourceErrors(const Params& params) : numbers_(params), every_(params.integer("every")), cut_(params.boolean("cut")) {}
  void open(Open& open) override {
    batch_bytes_ = open.batch_bytes();
    batch_documents_ = open.batch_documents();
    open.set_output(0, fields::documents());
  }
  std::int64_t unit_count() override { return numbers_.units; }
  std::unique_ptr<Cursor> open_unit(const Call&, std::int64_t unit) override { return std::make_unique<RefusingCursor>(*this, unit); }

 private:
  class RefusingCursor : public Cursor {
   public:
    RefusingCursor(const SourceErrors& source, std::int64_t unit)
        : source_(source), next_(unit * source.numbers_.documents), end_(next_ + source.numbers_.documents),
          file_("unit-" + std::to_string(unit)), batch_(source.batch_bytes_, source.batch_documents_) {}
    bool next(const Call& call, OwnedArray& out) override {
      for (; next_ < end_ && !batch_.full(); ++next_) {
        const std::string text = source_.numbers_.text(next_);
        if (next_ % source_.every_ == 0) {
          refuse(call, "test_refused", next_, 1, static_cast<std::int64_t>(text.size()), 0);
          continue;
        }
        if (batch_.must_end_before(static_cast<std::int64_t>(text.size()))) break;
        batch_.append(source_.numbers_.id(next_), text, source_.numbers_.domain, "test");
      }
      if (next_ == end_ && source_.cut_) refuse(call, "test_cut", -1, 0, 0, 1000);
      out = batch_.finish();
      return next_ == end_;
    }

   private:
    void refuse(const Call& call, const char* code, std::int64_t record, std::int64_t documents, std::int64_t bytes, std::int64_t file_bytes) const {
      flowrun_record_error error{};
      error.status = FLOWRUN_CORRUPT_DATA;
      error.code = code;
      error.message = "refused by the test";
      error.file = file_.c_str();
      error.record = record;
      error.offset = record;
      error.documents = documents;
      error.bytes = bytes;
      error.file_bytes = file_bytes;
      call.record_error(error);
    }

    const SourceErrors& source_;
    std::int64_t next_, end_;
    std::string file_;
    DocumentsBuilder batch_;
  };

  Numbers numbers_;
  std::int64_t every_, batch_bytes_ = 0, batch_documents_ = 0;
  bool cut_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SourceErrors)
