#include "double_array.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {
namespace {

constexpr std::uint32_t kBlock = 256;  // base ^ byte stays within the block of base
// Only the newest blocks are searched for room: older ones are nearly full, and searching them would make building quadratic.
constexpr std::uint32_t kOpenBlocks = 16;
constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

}  // namespace

class DoubleArrayBuilder {
 public:
  using Unit = DoubleArray::Unit;
  using Key = DoubleArray::Key;

  explicit DoubleArrayBuilder(std::vector<Unit>& units) : units_(units) {}

  void build(std::span<const Key> keys) {
    add_block();
    take(0);
    base_taken_[0] = true;
    std::vector<Range> open = {{0, 0, keys.size(), 0}};
    while (!open.empty()) {
      const Range range = open.back();
      open.pop_back();
      place_children(keys, range, open);
    }
  }

 private:
  // The keys [begin, end) share the `depth` bytes that lead to `node`.
  struct Range {
    std::uint32_t node;
    std::size_t begin, end, depth;
  };

  void place_children(std::span<const Key> keys, Range range, std::vector<Range>& open) {
    if (range.begin < range.end && keys[range.begin].first.size() == range.depth) {
      units_[range.node].tag |= (keys[range.begin].second + 1) << DoubleArray::kValueShift;
      ++range.begin;
    }
    if (range.begin == range.end) return;
    const std::size_t first_child = open.size();
    labels_.clear();
    for (std::size_t i = range.begin; i < range.end; ++i) {
      const auto label = static_cast<unsigned char>(keys[i].first[range.depth]);
      if (labels_.empty() || labels_.back() != label) {
        labels_.push_back(label);
        open.push_back({0, i, i, range.depth + 1});
      }
      open.back().end = i + 1;
    }
    const std::uint32_t base = find_base();
    base_taken_[base] = true;
    units_[range.node].base = base;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const std::uint32_t child = base ^ labels_[i];
      take(child);
      units_[child].tag = DoubleArray::kUsed | labels_[i];
      open[first_child + i].node = child;
    }
  }

  std::uint32_t find_base() {
    for (std::uint32_t slot = head_; slot != kNoSlot; slot = next_[slot]) {
      const std::uint32_t base = slot ^ labels_[0];
      if (base_taken_[base]) continue;
      if (std::all_of(labels_.begin(), labels_.end(), [&](unsigned char label) { return free_[base ^ label]; })) return base;
    }
    const std::size_t base = units_.size();
    add_block();
    return static_cast<std::uint32_t>(base);
  }

  void add_block() {
    if (units_.size() > kNoSlot - 2 * kBlock) throw Error(Code::kUnsupported, "a trie of 2^32 units, expected a smaller vocabulary");
    const auto first = static_cast<std::uint32_t>(units_.size()), size = first + kBlock;
    units_.resize(size);
    free_.resize(size, true);
    base_taken_.resize(size, false);
    next_.resize(size, kNoSlot);
    previous_.resize(size, kNoSlot);
    for (std::uint32_t slot = first; slot < size; ++slot) {
      previous_[slot] = tail_;
      (tail_ == kNoSlot ? head_ : next_[tail_]) = slot;
      tail_ = slot;
    }
    while (std::uint64_t{head_} + kOpenBlocks * kBlock < size) remove_from_list(head_);
  }

  void take(std::uint32_t slot) {
    free_[slot] = false;
    remove_from_list(slot);
  }

  void remove_from_list(std::uint32_t slot) {
    (previous_[slot] == kNoSlot ? head_ : next_[previous_[slot]]) = next_[slot];
    (next_[slot] == kNoSlot ? tail_ : previous_[next_[slot]]) = previous_[slot];
  }

  std::vector<Unit>& units_;
  std::vector<bool> free_, base_taken_;
  std::vector<std::uint32_t> next_, previous_;  // the free slots of the open blocks, ascending
  std::uint32_t head_ = kNoSlot, tail_ = kNoSlot;
  std::vector<unsigned char> labels_;
};

DoubleArray::DoubleArray(std::span<const Key> sorted_keys) {
  for (std::size_t i = 0; i < sorted_keys.size(); ++i) {
    if (i > 0 && sorted_keys[i - 1].first >= sorted_keys[i].first)
      throw Error(Code::kInvalidArgument, "key " + std::to_string(i) + " of a trie is not above the one before it");
    if (sorted_keys[i].second > kValueMax)
      throw Error(Code::kUnsupported, "value " + std::to_string(sorted_keys[i].second) + " in a trie, expected at most " + std::to_string(kValueMax));
  }
  DoubleArrayBuilder(units_).build(sorted_keys);
  units_.shrink_to_fit();
}

std::optional<std::uint32_t> DoubleArray::find(std::string_view key) const noexcept {
  Unit unit = units_[0];
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    unit = units_[unit.base ^ byte];
    if ((unit.tag & kLabelMask) != (kUsed | byte)) return std::nullopt;
  }
  if (unit.tag >> kValueShift == 0) return std::nullopt;
  return (unit.tag >> kValueShift) - 1;
}

}  // namespace flowrun::tokenizers
