#pragma once

// What dedupers by equal parts share: `by`, and how documents go on without the parts that were seen before.

#include <flowrun/node.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dedupers/common/hash128.hpp"
#include "dedupers/common/sentence_spans.hpp"

namespace flowrun::dedupers {

/// A serial node that asks of each part of a document whether it is new, in input order, and leaves out what is not. Derive, and answer.
class UnitDeduper : public Serial {
 public:
  void open(Open& open) override;
  void process(const Call& call, std::size_t port, const ArrowArray& in, std::span<ArrowArray> out) final;

 protected:
  explicit UnitDeduper(const Params& params);
  /// Adds the parameters of all such nodes to a descriptor, in their order.
  static Descriptor& add_parameters(Descriptor& descriptor);
  /// Remembers a part and returns whether it was not there.
  virtual bool insert(Hash128 hash) = 0;
  /// Of hashes; of the node where that is seeded.
  std::uint64_t seed_ = 0;

 private:
  enum class By { kDocument, kUrl, kParagraph, kLine, kSentences };
  struct Outcome {
    const char* reason = nullptr;  ///< why it is dropped
    double value = kNone, threshold = kNone;
    std::optional<std::string> text{};  ///< where it goes on changed
  };
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  bool is_new(std::string_view part) { return insert(hash_text(part, seed_)); }
  Outcome look_at(std::string_view text, std::string_view url);
  Outcome look_at_units(std::string_view text);
  Outcome look_at_sentences(std::string_view text);
  OwnedArray go_on(const Call& call, const ArrowArray& in, const std::vector<Outcome>& outcomes) const;

  By by_;
  std::string url_column_;
  std::size_t min_bytes_;
  std::optional<SentenceSpans> sentences_;
  Field schema_;
};

}  // namespace flowrun::dedupers
