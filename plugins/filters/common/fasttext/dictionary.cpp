#include "filters/common/fasttext/dictionary.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace flowrun::filters::fasttext {
namespace {

constexpr bool divides_words(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f' || c == '\0'; }
constexpr bool continues_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Buckets are spread by hash modulo a number that need not be odd: mix before the top bits are taken.
std::size_t slot_of(std::uint32_t value, std::size_t size) noexcept {
  return static_cast<std::size_t>((value * std::uint64_t{0x9E3779B97F4A7C15}) >> (64 - std::countr_zero(size)));
}

/// At most half full, and never of one slot, which would shift by 64.
std::size_t slot_count(std::size_t entries) noexcept { return std::bit_ceil(std::max<std::size_t>(entries, 1) * 2); }

}  // namespace

/// Rows on their way to who uses them.
class Dictionary::RowSink {
 public:
  /// `use` outlives this.
  explicit RowSink(const std::function<void(std::span<const std::uint32_t>)>& use) : use_(use) { rows_.reserve(2 * kAtOnce); }
  void push(std::uint32_t row) {
    rows_.push_back(row);
    if (rows_.size() >= kAtOnce) flush();
  }
  void push_all(std::span<const std::uint32_t> rows) {
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    if (rows_.size() >= kAtOnce) flush();
  }
  void flush() {
    use_(rows_);
    rows_.clear();
  }
  std::string& marked() noexcept { return marked_; }

 private:
  static constexpr std::size_t kAtOnce = 8192;

  const std::function<void(std::span<const std::uint32_t>)>& use_;
  std::vector<std::uint32_t> rows_;
  std::string marked_;  ///< a word between its marks
};

bool WordReader::next(std::string_view& word) noexcept {
  std::size_t begin = 0;
  while (begin < rest_.size() && divides_words(rest_[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest_.size() && !divides_words(rest_[end])) ++end;
  word = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end);
  return !word.empty();
}

Dictionary::Dictionary(NgramOptions ngrams, std::vector<Entry> words, std::vector<Entry> labels, bool is_pruned, Pruned pruned)
    : ngrams_(ngrams), words_(std::move(words)), labels_(std::move(labels)), is_pruned_(is_pruned) {
  if (ngrams_.buckets > 0) bucket_factor_ = std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint32_t>(ngrams_.buckets) + 1;
  fill_slots();
  if (is_pruned_) fill_pruned_slots(pruned);
  keep_rows_of_words();
}

void Dictionary::fill_slots() {
  slots_.resize(slot_count(words_.size() + labels_.size()));
  std::uint32_t id = 0;
  for (const auto* entries : {&words_, &labels_})
    for (const Entry& entry : *entries) {
      const std::uint32_t hash = hash_word(entry.text);
      std::size_t at = slot_of(hash, slots_.size());
      while (slots_[at].id != kNone) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = {hash, id++};
    }
}

void Dictionary::fill_pruned_slots(const Pruned& pruned) {
  pruned_slots_.resize(slot_count(pruned.size()));
  kept_.resize(std::bit_ceil(pruned.size() / 2 + 1));  // 32 bits or more for each, so that few others pass
  for (const auto& [bucket, row] : pruned) {
    std::size_t at = slot_of(static_cast<std::uint32_t>(bucket), pruned_slots_.size());
    while (pruned_slots_[at].bucket != kNone && pruned_slots_[at].bucket != static_cast<std::uint32_t>(bucket)) at = (at + 1) & (pruned_slots_.size() - 1);
    pruned_slots_[at] = {static_cast<std::uint32_t>(bucket), static_cast<std::uint32_t>(row)};
    kept_[static_cast<std::size_t>(bucket) / 64 & (kept_.size() - 1)] |= std::uint64_t{1} << (bucket % 64);
  }
}

/// Words stand by falling count, so that those whose rows are kept are the frequent ones.
void Dictionary::keep_rows_of_words() {
  if (ngrams_.max_characters <= 0) return;
  const std::function<void(std::span<const std::uint32_t>)> keep = [&](std::span<const std::uint32_t> some) { word_rows_.insert(word_rows_.end(), some.begin(), some.end()); };
  RowSink rows(keep);
  for (std::size_t id = 0; id < words_.size() && word_rows_.size() < kMaxKeptRows; ++id) {
    if (words_[id].text != kEndOfLine) add_marked(words_[id].text, rows);
    rows.flush();
    word_row_ends_.push_back(static_cast<std::uint32_t>(word_rows_.size()));
  }
}

/// Returns the word's or label's number, kNone where it has none.
std::uint32_t Dictionary::find(std::string_view word, std::uint32_t hash) const noexcept {
  const auto text_of = [&](std::uint32_t id) -> std::string_view { return id < words_.size() ? words_[id].text : labels_[id - words_.size()].text; };
  for (std::size_t at = slot_of(hash, slots_.size());; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.id == kNone || (slot.hash == hash && text_of(slot.id) == word)) return slot.id;
  }
}

void Dictionary::add_ngram(std::uint32_t bucket, RowSink& rows) const {
  const auto words = static_cast<std::uint32_t>(words_.size());
  if (!is_pruned_) return rows.push(words + bucket);
  if (!may_be_kept(bucket)) return;
  for (std::size_t at = slot_of(bucket, pruned_slots_.size());; at = (at + 1) & (pruned_slots_.size() - 1)) {
    const PrunedSlot& slot = pruned_slots_[at];
    if (slot.bucket == bucket) return rows.push(words + slot.row);
    if (slot.bucket == kNone) return;
  }
}

/// Adds the character n-grams of a word between its marks; one that is a mark alone is none. Buckets are collected without branches on what is pruned, which
/// no processor can foresee.
template <bool kIsPruned>
void Dictionary::add_characters(std::string_view marked, RowSink& rows) const {
  constexpr std::size_t kCollected = 256;
  std::array<std::uint32_t, kCollected> buckets;
  std::size_t count = 0;
  const auto add_collected = [&] {
    for (std::size_t i = 0; i < count; ++i) add_ngram(buckets[i], rows);
    count = 0;
  };
  for (std::size_t begin = 0; begin < marked.size(); ++begin) {
    if (continues_character(marked[begin])) continue;
    std::uint32_t hash = kHashStart;
    std::int32_t characters = 1;
    for (std::size_t end = begin; end < marked.size() && characters <= ngrams_.max_characters; ++characters) {
      do hash = hash_byte(hash, marked[end++]);
      while (end < marked.size() && continues_character(marked[end]));
      if (characters < ngrams_.min_characters || (characters == 1 && (begin == 0 || end == marked.size()))) continue;
      const std::uint32_t bucket = bucket_of(hash);
      buckets[count] = bucket;
      count += !kIsPruned || may_be_kept(bucket);
      if (count == kCollected) add_collected();
    }
  }
  add_collected();
}

void Dictionary::add_marked(std::string_view word, RowSink& rows) const {
  std::string& marked = rows.marked();
  marked.assign(1, '<').append(word).push_back('>');
  is_pruned_ ? add_characters<true>(marked, rows) : add_characters<false>(marked, rows);
}

/// Adds a word that is no label; `id` is kNone where the dictionary has it not.
void Dictionary::add_word(std::string_view word, std::uint32_t id, RowSink& rows) const {
  if (id != kNone) rows.push(id);
  if (id < word_row_ends_.size()) {
    const std::uint32_t begin = id == 0 ? 0 : word_row_ends_[id - 1];
    rows.push_all(std::span(word_rows_).subspan(begin, word_row_ends_[id] - begin));
  } else if (ngrams_.max_characters > 0 && word != kEndOfLine) {
    add_marked(word, rows);
  }
}

/// Hashes are signed here and widen with their sign, as in fastText.
void Dictionary::add_word_ngrams(const std::vector<std::int32_t>& hashes, RowSink& rows) const {
  const auto longest = static_cast<std::size_t>(ngrams_.words);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    auto hash = static_cast<std::uint64_t>(std::int64_t{hashes[i]});
    for (std::size_t j = i + 1; j < hashes.size() && j < i + longest; ++j) {
      hash = hash * 116049371 + static_cast<std::uint64_t>(std::int64_t{hashes[j]});
      add_ngram(static_cast<std::uint32_t>(hash % static_cast<std::uint64_t>(ngrams_.buckets)), rows);
    }
  }
}

void Dictionary::for_each_rows(std::string_view line, const std::function<void(std::span<const std::uint32_t>)>& use) const {
  RowSink rows(use);
  std::vector<std::int32_t> hashes;
  WordReader reader(line);
  std::string_view word;
  do {
    if (!reader.next(word)) word = kEndOfLine;
    const std::uint32_t hash = hash_word(word), id = find(word, hash);
    if (id == kNone ? word.starts_with(kLabelPrefix) : id >= words_.size()) continue;
    add_word(word, id, rows);
    if (ngrams_.words > 1) hashes.push_back(static_cast<std::int32_t>(hash));
  } while (word != kEndOfLine);
  add_word_ngrams(hashes, rows);
  rows.flush();
}

void Dictionary::rows_of(std::string_view line, std::vector<std::uint32_t>& rows) const {
  rows.clear();
  for_each_rows(line, [&](std::span<const std::uint32_t> some) { rows.insert(rows.end(), some.begin(), some.end()); });
}

}  // namespace flowrun::filters::fasttext
