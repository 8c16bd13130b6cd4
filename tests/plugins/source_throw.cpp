#include <algorithm>

#include "numbers.hpp"
#include "thrower.hpp"

namespace flowrun::test {

/// Gives numbered documents in batches of one and throws where it is told: in `open_unit` by unit, in `next` by document.
class SourceThrow : public Source {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/source_throw", "1.0.0");
    descriptor.summary("Gives numbered documents, one a batch, and throws.");
    Numbers::describe(descriptor);
    Thrower::describe(descriptor, {"next", "create", "open", "open_unit"});
    return descriptor;
  }
  explicit SourceThrow(const Params& params) : numbers_(params), thrower_(params) {}
  void open(Open& open) override {
    thrower_.reach("open");
    open.set_output(0, fields::documents());
  }
  std::int64_t unit_count() override { return numbers_.units; }
  std::unique_ptr<Cursor> open_unit(const Call&, std::int64_t unit) override {
    thrower_.reach("open_unit", unit);
    return std::make_unique<ThrowingCursor>(*this, unit * numbers_.documents);
  }

 private:
  class ThrowingCursor : public Cursor {
   public:
    ThrowingCursor(const SourceThrow& source, std::int64_t first)
        : source_(source), numbers_(source.numbers_, first / std::max<std::int64_t>(source.numbers_.documents, 1), 1, 1), next_(first) {}
    bool next(const Call& call, OwnedArray& out) override {
      source_.thrower_.reach("next", next_++);
      return numbers_.next(call, out);
    }

   private:
    const SourceThrow& source_;
    NumbersCursor numbers_;
    std::int64_t next_;
  };

  Numbers numbers_;
  Thrower thrower_;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::SourceThrow)
