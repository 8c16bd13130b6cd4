// filters/split: parts documents into two streams by their ids.
//
// A document is held out where h / 2^53 < heldout_fraction, h being the upper 53 bits of XXH3-64 (seed 0) of its id. So a document's side
// depends on its id and the fraction alone: not on seed, order or the other documents; and a larger fraction keeps all that a smaller one
// held out.

#include <flowrun/node.hpp>

#include <xxhash.h>

#include <string_view>
#include <vector>

namespace flowrun::filters {
namespace {

double position_of(std::string_view id) noexcept { return static_cast<double>(XXH3_64bits(id.data(), id.size()) >> 11) * 0x1.0p-53; }

class Split : public Map {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/split", "0.1.0")
        .summary("Parts documents into 'train' and 'heldout' by a hash of their ids.")
        .input({"in", "documents"})
        .output({"train", "documents"})
        .output({"heldout", "documents"})
        .parameter(number("heldout_fraction").required().range(0, 1).about(
            "The expected share of documents that are held out: those whose id has XXH3-64 / 2^64 (by its upper 53 bits) below it."))
        .determinism("pure")
        .source("XXH3, 64 bits (xxHash 0.8, https://github.com/Cyan4973/xxHash)")
        .example("[node.parts]\nplugin = \"filters/split\"\nin     = \"good\"\nheldout_fraction = 0.02\n");
  }

  explicit Split(const Params& params) : heldout_fraction_(params.number("heldout_fraction")) {}

  void open(Open& open) override {
    schema_ = open.input();
    for (std::size_t port = 0; port < open.output_count(); ++port) open.set_output(port, schema_);
  }

  void process(const Call&, const ArrowArray& in, std::span<ArrowArray> out) override {
    const StringColumn id = BatchView(in, schema_).strings("id");
    std::vector<std::int64_t> rows[2];  // train, heldout
    for (std::int64_t row = 0; row < in.length; ++row) rows[position_of(id[row]) < heldout_fraction_].push_back(row);
    for (std::size_t port = 0; port < 2; ++port) select_rows(in, schema_, rows[port]).move_to(&out[port]);
  }

 private:
  double heldout_fraction_;
  Field schema_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::Split)
