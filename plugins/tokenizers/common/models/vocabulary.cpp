#include "vocabulary.hpp"

#include <functional>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {
namespace {

constexpr std::uint32_t kAbsent = bpe::PairMap::kAbsent;

std::uint64_t hash_of(std::string_view token) noexcept { return std::hash<std::string_view>{}(token); }

std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

Vocabulary::Vocabulary(const std::vector<VocabularyEntry>& entries) : by_id_(entries.size()) {
  if (entries.size() > std::size_t{1} << 31)
    throw Error(Code::kUnsupported, "the vocabulary has " + std::to_string(entries.size()) + " tokens, expected at most 2^31");
  std::size_t capacity = 16, bytes = 0;
  while (capacity < entries.size() * 2) capacity *= 2;
  slots_.assign(capacity, {0, kAbsent});
  for (const VocabularyEntry& entry : entries) bytes += entry.token.size();
  text_.reserve(bytes);
  places_.reserve(entries.size());
  for (const VocabularyEntry& entry : entries) {
    if (entry.id == kAbsent) throw Error(Code::kUnsupported, "token '" + entry.token + "' has the id 4294967295, expected a smaller one");
    const std::uint64_t hash = hash_of(entry.token);
    Slot& slot = slots_[slot_of(entry.token, hash)];
    if (slot.place == kAbsent) {
      slot = {tag_of(hash), static_cast<std::uint32_t>(places_.size())};
      places_.push_back({text_.size(), entry.token.size(), entry.id});
      text_ += entry.token;
    } else {
      places_[slot.place].id = entry.id;
    }
  }
  for (std::uint32_t place = 0; place < places_.size(); ++place) by_id_.insert(places_[place].id, place);
}

// Returns where the token is, or the free slot where it would be.
std::size_t Vocabulary::slot_of(std::string_view token, std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.place == kAbsent || (slot.tag == tag_of(hash) && text_of(places_[slot.place]) == token)) return i;
  }
}

std::optional<std::uint32_t> Vocabulary::id(std::string_view token) const noexcept {
  const Slot& slot = slots_[slot_of(token, hash_of(token))];
  if (slot.place == kAbsent) return std::nullopt;
  return places_[slot.place].id;
}

std::optional<std::string_view> Vocabulary::token(std::uint32_t id) const noexcept {
  const std::uint32_t place = by_id_.find(id);
  if (place == kAbsent) return std::nullopt;
  return text_of(places_[place]);
}

}  // namespace flowrun::tokenizers
