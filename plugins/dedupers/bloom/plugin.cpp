// dedupers/bloom: as dedupers/exact, in memory that does not grow, with a known rate of wrong answers.

#include <optional>
#include <string>

#include "dedupers/common/unit_deduper.hpp"
#include "filter_file.hpp"

namespace flowrun::dedupers {
namespace {

class Bloom : public UnitDeduper, public Stateful {
 public:
  static Descriptor descriptor() {
    Descriptor descriptor("dedupers/bloom", "0.1.0");
    descriptor
        .summary("Drops documents, or leaves out parts of them, that are equal to one that came before, by a Bloom filter: memory does not grow, a few new ones are taken for seen.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(integer("capacity").required().min_value(1).about(
            "How many different documents (or paragraphs, ...) there will be at most. One more ends the run, as the rate below could not be held."))
        .parameter(number("false_positive_rate").range(1e-9, 0.5).defaults(0.001).about(
            "At most this share of new ones is taken for seen and lost when the filter is full; fewer before. At 0.001 the filter takes 2 bytes for each of `capacity`."));
    return add_parameters(descriptor)
        .determinism("seeded")
        .declares_state()
        .threads("One call at a time; documents in the order of 'in', so the source named first is preferred.")
        .source("Bloom 1970; blocked by cache lines: Putze, Sanders and Singler 2007, Cache-, Hash- and Space-Efficient Bloom Filters. XXH3, 128 bits, with the node's seed")
        .example("[node.unique]\nplugin   = \"dedupers/bloom\"\nin       = \"web\"\nby       = \"line\"\ncapacity = 100_000_000\n");
  }

  explicit Bloom(const Params& params) : UnitDeduper(params), capacity_(params.integer("capacity")), rate_(params.number("false_positive_rate")) {}

  void open(Open& open) override {
    UnitDeduper::open(open);
    seed_ = open.seed();
    const BloomShape shape = BloomShape::for_elements(static_cast<double>(capacity_), rate_);
    const std::int64_t bound = open.memory_bytes();
    if (bound > 0 && shape.bytes() > static_cast<std::uint64_t>(bound)) throw Error(Code::kInvalidArgument, too_large(shape, static_cast<std::uint64_t>(bound)));
    filter_.emplace(shape);
    size_ = 0;
  }
  void snapshot(const Call&, const std::string& folder) override { save_filter(folder + "/filter", *filter_, size_); }
  void restore(const Call&, const std::string& folder) override { size_ = load_filter(folder + "/filter", *filter_); }
  std::int64_t memory_bytes() override { return static_cast<std::int64_t>(filter_->shape().bytes()); }

 private:
  std::string too_large(const BloomShape& shape, std::uint64_t bound) const {
    const std::uint64_t fitting = BloomShape::elements_in(bound, rate_);
    const double reached = BloomShape::best_for(static_cast<double>(capacity_), bound / BloomShape::kBlockBytes).false_positive_rate(static_cast<double>(capacity_));
    return "a filter for 'capacity' = " + std::to_string(capacity_) + " at 'false_positive_rate' = " + json::number(rate_) + " takes " + std::to_string(shape.bytes()) +
           " bytes, have 'memory_bytes' = " + std::to_string(bound) + ": that is enough for a capacity of " + std::to_string(fitting) + ", or for a rate of " + json::number(reached);
  }

  bool insert(Hash128 hash) override {
    if (!filter_->insert(hash)) return false;
    if (++size_ > capacity_)
      throw Error(Code::kOutOfMemory, "more than 'capacity' = " + std::to_string(capacity_) + " different ones have come, so that 'false_positive_rate' = " + json::number(rate_) +
                                          " no longer holds; a capacity of " + std::to_string(2 * capacity_) + " takes " +
                                          std::to_string(BloomShape::for_elements(2.0 * static_cast<double>(capacity_), rate_).bytes()) + " bytes");
    return true;
  }

  const std::int64_t capacity_;
  const double rate_;
  std::optional<BlockedBloom> filter_;  ///< made by `open`, which knows the bound
  std::int64_t size_ = 0;
};

}  // namespace
}  // namespace flowrun::dedupers

FLOWRUN_PLUGIN(flowrun::dedupers::Bloom)
