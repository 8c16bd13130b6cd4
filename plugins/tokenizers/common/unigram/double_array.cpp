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

  DoubleArrayBuilder(std::vector<Unit>& units, const DoubleArray::KeyAt& key_at) : units_(units), key_at_(key_at) {}

  void build(std::size_t count) {
    add_block();
    take(0);
    slot(0).base_taken = true;
    std::vector<Range> open = {{0, 0, count, 0}};
    while (!open.empty()) {
      const Range range = open.back();
      open.pop_back();
      place_children(range, open);
    }
  }

 private:
  // The keys [begin, end) share the `depth` bytes that lead to `node`.
  struct Range {
    std::uint32_t node;
    std::size_t begin, end, depth;
  };

  // What is known of a unit while its block is open; the blocks take turns.
  struct Slot {
    bool free = false, base_taken = false;
    std::uint32_t next = kNoSlot, previous = kNoSlot;  // the free slots of the open blocks, ascending
  };
  Slot& slot(std::uint32_t unit) { return slots_[unit % slots_.size()]; }

  void place_children(Range range, std::vector<Range>& open) {
    if (range.begin < range.end) {
      if (const auto [key, value] = key_at_(range.begin); key.size() == range.depth) {
        units_[range.node].tag |= (value + 1) << DoubleArray::kValueShift;
        ++range.begin;
      }
    }
    if (range.begin == range.end) return;
    const std::size_t first_child = open.size();
    labels_.clear();
    for (std::size_t i = range.begin; i < range.end; ++i) {
      const auto label = static_cast<unsigned char>(key_at_(i).first[range.depth]);
      if (labels_.empty() || labels_.back() != label) {
        labels_.push_back(label);
        open.push_back({0, i, i, range.depth + 1});
      }
      open.back().end = i + 1;
    }
    const std::uint32_t base = find_base();
    slot(base).base_taken = true;
    units_[range.node].base = base;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const std::uint32_t child = base ^ labels_[i];
      take(child);
      units_[child].tag = DoubleArray::kUsed | labels_[i];
      open[first_child + i].node = child;
    }
  }

  std::uint32_t find_base() {
    for (std::uint32_t unit = head_; unit != kNoSlot; unit = slot(unit).next) {
      const std::uint32_t base = unit ^ labels_[0];
      if (slot(base).base_taken) continue;
      if (std::all_of(labels_.begin(), labels_.end(), [&](unsigned char label) { return slot(base ^ label).free; })) return base;
    }
    const std::size_t base = units_.size();
    add_block();
    return static_cast<std::uint32_t>(base);
  }

  void add_block() {
    if (units_.size() > kNoSlot - 2 * kBlock) throw Error(Code::kUnsupported, "a trie of 2^32 units, expected a smaller vocabulary");
    const auto first = static_cast<std::uint32_t>(units_.size()), size = first + kBlock;
    units_.resize(size);
    while (head_ != kNoSlot && std::uint64_t{head_} + slots_.size() < size) remove_from_list(head_);
    for (std::uint32_t unit = first; unit < size; ++unit) {
      slot(unit) = {true, false, kNoSlot, tail_};
      (tail_ == kNoSlot ? head_ : slot(tail_).next) = unit;
      tail_ = unit;
    }
  }

  void take(std::uint32_t unit) {
    slot(unit).free = false;
    remove_from_list(unit);
  }

  void remove_from_list(std::uint32_t unit) {
    const Slot taken = slot(unit);
    (taken.previous == kNoSlot ? head_ : slot(taken.previous).next) = taken.next;
    (taken.next == kNoSlot ? tail_ : slot(taken.next).previous) = taken.previous;
  }

  std::vector<Unit>& units_;
  const DoubleArray::KeyAt& key_at_;
  std::vector<Slot> slots_ = std::vector<Slot>(kOpenBlocks * kBlock);
  std::uint32_t head_ = kNoSlot, tail_ = kNoSlot;
  std::vector<unsigned char> labels_;
};

DoubleArray::DoubleArray(std::size_t count, const KeyAt& key_at) {
  std::size_t nodes = 1;
  std::string_view before;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [key, value] = key_at(i);
    if (i > 0 && before >= key) throw Error(Code::kInvalidArgument, "key " + std::to_string(i) + " of a trie is not above the one before it");
    if (value > kValueMax) throw Error(Code::kUnsupported, "value " + std::to_string(value) + " in a trie, expected at most " + std::to_string(kValueMax));
    nodes += static_cast<std::size_t>(key.end() - std::mismatch(before.begin(), before.end(), key.begin(), key.end()).second);
    before = key;
  }
  units_.reserve(nodes + nodes / 8 + kBlock);  // an array that grew would be there twice
  DoubleArrayBuilder(units_, key_at).build(count);
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
