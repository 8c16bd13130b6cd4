#include <flowrun/node.hpp>
#include <flowrun/philox.hpp>

namespace flowrun::test {

/// Drops a share of the documents, chosen by a hash of the id.
class DropShare : public RowFilter {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("test/drop_share", "1.0.0");
    descriptor.summary("Drops about a given share of the documents, by a hash of the id.")
        .input(Port("in", "documents"))
        .output(Port("out", "documents"))
        .parameter(number("share").required().range(0, 1).about("Share that is dropped; 0 drops none, 1 all."))
        .determinism("seeded");
    return descriptor;
  }
  explicit DropShare(const Params& params) : share_(params.number("share")) {}
  void open(Open& open) override {
    seed_ = open.seed();
    RowFilter::open(open);
  }
  std::optional<Drop> decide(const DocumentsView& documents, std::int64_t row) override {
    const double draw = philox_uniform(derive_seed(seed_, documents.id[row]), 0);
    if (draw < share_) return Drop{"test_share", draw, share_};
    return std::nullopt;
  }

 private:
  double share_;
  std::uint64_t seed_ = 0;
};

}  // namespace flowrun::test

FLOWRUN_PLUGIN(flowrun::test::DropShare)
