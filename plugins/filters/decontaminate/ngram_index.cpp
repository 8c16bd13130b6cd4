#include "ngram_index.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace flowrun::filters {
namespace {

constexpr std::size_t kFirstSlots = 1024;

std::uint64_t hash_of(std::string_view ngram) noexcept { return std::max<std::uint64_t>(1, XXH3_64bits(ngram.data(), ngram.size())); }  // 0 marks a free slot

std::string join(const std::vector<std::string>& words, std::size_t begin, std::size_t end) {
  std::string joined;
  for (std::size_t i = begin; i < end; ++i) (joined += i > begin ? " " : "") += words[i];
  return joined;
}

}  // namespace

std::vector<std::string> NgramIndex::words_of(std::string_view text) const {
  std::string simplified;
  simplifier_.simplify(text, simplified);
  text::WordList list;
  english_.split(simplified, list);
  return {list.words.begin(), list.words.end()};
}

void NgramIndex::add(NgramOrigin origin, std::string_view label, const std::optional<std::string>& query) {
  const std::vector<std::string> answer = words_of(label);
  add_ngrams(origin, answer);
  if (!query) return;
  const std::vector<std::string> question = words_of(*query);
  if (rules_.find_query_ngrams) add_ngrams(origin, question);
  if (!rules_.find_overlap_ngrams) return;
  const auto n = static_cast<std::size_t>(rules_.n_grams);
  std::vector<std::string> around(question.end() - static_cast<std::ptrdiff_t>(std::min(question.size(), n - 1)), question.end());
  around.insert(around.end(), answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(std::min(answer.size(), n - 1)));
  add_ngrams(origin, around);
}

void NgramIndex::add_ngrams(NgramOrigin origin, const std::vector<std::string>& words) {
  const auto n = static_cast<std::size_t>(rules_.n_grams);
  for (std::size_t end = n; end <= words.size(); ++end) add_ngram(origin, join(words, end - n, end));
}

void NgramIndex::add_ngram(NgramOrigin origin, std::string_view ngram) {
  if ((size_ + 1) * 2 > slots_.size()) reserve(2 * slots_.size());
  const std::uint64_t hash = hash_of(ngram);
  Slot& slot = slots_[place_of(hash)];
  if (slot.hash == hash) return;
  slot = {hash, origin.set, origin.record};
  mark(hash);
  ++size_;
}

void NgramIndex::reserve(std::size_t count) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::bit_ceil(std::max(count, kFirstSlots))));
  filter_.assign(slots_.size() / 8, 0);  // 8 bits a slot
  for (const Slot& slot : old) {
    if (slot.hash == 0) continue;
    slots_[place_of(slot.hash)] = slot;
    mark(slot.hash);
  }
}

/// Returns the slot that holds `hash`, or the free one where it belongs.
std::size_t NgramIndex::place_of(std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = (hash >> 32) & mask;
  while (slots_[at].hash != 0 && slots_[at].hash != hash) at = (at + 1) & mask;
  return at;
}

std::optional<Contamination> NgramIndex::find(std::string_view text) const {
  std::string simplified, joined;
  simplifier_.simplify(text, simplified);
  text::WordList list;
  english_.split(simplified, list);
  const auto n = static_cast<std::size_t>(rules_.n_grams);
  if (list.words.size() < n) return std::nullopt;
  std::vector<std::size_t> begins;
  begins.reserve(list.words.size() + 1);
  joined.reserve(simplified.size() + list.words.size());
  for (const std::string_view word : list.words) {
    begins.push_back(joined.size());
    (joined += word) += ' ';
  }
  begins.push_back(joined.size());
  for (std::size_t i = 0; i + n < begins.size(); ++i) {
    const auto ngram = std::string_view(joined).substr(begins[i], begins[i + n] - 1 - begins[i]);
    const std::uint64_t hash = hash_of(ngram);
    if (!is_marked(hash)) continue;
    const Slot& slot = slots_[place_of(hash)];
    if (slot.hash == hash) return Contamination{{slot.set, slot.record}, std::string(ngram)};
  }
  return std::nullopt;
}

}  // namespace flowrun::filters
