#include "entry_set.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace flowrun::filters {
namespace {

constexpr std::size_t kFirstSlots = 64;

std::uint64_t hash_of(std::string_view text) noexcept { return std::hash<std::string_view>()(text); }

}  // namespace

/// Returns the text's slot, or the one where it belongs. Linear from where the lower half of the hash says; the upper half is compared before the text.
std::size_t EntrySet::find(std::string_view text, std::uint64_t hash) const noexcept {
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[i];
    if (slot.begin == kNone || (slot.tag == tag && at(slot.begin) == text)) return i;
  }
}

void EntrySet::grow() {
  std::vector<Slot> old(std::max(kFirstSlots, slots_.size() * 2));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.begin == kNone) continue;
    std::size_t i = hash_of(at(slot.begin)) & (slots_.size() - 1);
    while (slots_[i].begin != kNone) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

void EntrySet::insert(std::string_view text) {
  if ((count_ + 1) * 2 > slots_.size()) grow();
  const std::uint64_t hash = hash_of(text);
  Slot& slot = slots_[find(text, hash)];
  if (slot.begin != kNone) return;
  if (texts_.size() + text.size() + 1 >= kNone) throw Error(Code::kUnsupported, "a list has more than 4 GiB of entries");
  slot = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(texts_.size())};
  texts_.append(text).push_back('\0');
  ++count_;
}

bool EntrySet::contains(std::string_view text) const noexcept { return !slots_.empty() && slots_[find(text, hash_of(text))].begin != kNone; }

}  // namespace flowrun::filters
