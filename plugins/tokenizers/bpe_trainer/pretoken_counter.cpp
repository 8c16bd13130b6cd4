#include "pretoken_counter.hpp"

#include "tokenizers/common/gpt2_pretokenizer.hpp"

namespace flowrun::bpe {

PretokenCounter::PretokenCounter() : short_(std::size_t{1} << 12), short_bits_(12) {}

void PretokenCounter::add(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = gpt2_pretoken_end(text, begin);
    const std::size_t size = end - begin;
    if (size <= Key::kBytesMax) {
      const Key key = Key::of(text, begin, size);
      Slot& slot = slot_of(key);
      slot.key = key;
      if (slot.count++ == 0 && ++short_size_ * 2 > short_.size()) grow();
    } else {
      const std::string_view pretoken = text.substr(begin, size);
      auto found = long_.find(pretoken);
      if (found == long_.end()) {
        found = long_.emplace(pretoken, 0).first;
        long_bytes_ += size;
      }
      ++found->second;
    }
    begin = end;
  }
}

PretokenCounter::Slot& PretokenCounter::slot_of(const Key& key) noexcept {
  for (std::size_t i = key.hash() >> (64 - short_bits_);; i = (i + 1) & (short_.size() - 1)) {
    Slot& slot = short_[i];
    if (slot.count == 0 || slot.key == key) return slot;
  }
}

void PretokenCounter::grow() {
  std::vector<Slot> old(short_.size() * 2);
  old.swap(short_);
  ++short_bits_;
  for (const Slot& slot : old)
    if (slot.count != 0) slot_of(slot.key) = slot;
}

std::size_t PretokenCounter::memory_bytes() const noexcept {
  constexpr std::size_t kNodeBytes = 100;  // string, count, hash, links, the allocator's share
  return short_.size() * sizeof(Slot) + long_.size() * kNodeBytes + long_bytes_;
}

}  // namespace flowrun::bpe
