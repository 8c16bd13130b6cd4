#include "word_merging.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/flat_map.hpp"
#include "tokenizers/common/training/neighbour_tally.hpp"
#include "tokenizers/common/training/spill_arena.hpp"

namespace flowrun::tokenizers {
namespace {

// The symbols of a word, which only get fewer.
struct Word {
  std::uint32_t begin, size;
  std::uint64_t count;
};

// A pair in the queue: the words where it stood when it was put there, with repetitions. As the library does it, merging an entry joins the
// pair in these words alone, and does not take its count off, which matters where a later merge makes the pair again.
struct Entry {
  std::uint32_t pair;
  const std::uint32_t* words;
  std::size_t word_count;
};

// Orders the heap: highest count first, then the smallest ids, then what got into the queue first.
struct Candidate {
  std::uint64_t count;
  std::uint64_t key;
  std::uint32_t entry;
  std::uint32_t turn;
  bool operator<(const Candidate& other) const noexcept {
    if (count != other.count) return count < other.count;
    return key != other.key ? key > other.key : turn > other.turn;
  }
};

class WordMerging {
 public:
  WordMerging(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options);
  void run(const MergeProgress& progress);

 private:
  void load(WordCounter& words, const Spelling& spelling);
  void count_pairs();
  std::uint32_t pair_of(std::uint32_t left, std::uint32_t right);
  void gain(std::uint32_t pair, std::uint64_t count, const std::uint32_t* words, std::size_t n);
  void offer(std::size_t first);
  void queue(std::uint32_t entry);
  void merge(const Entry& entry);
  void replace(std::uint32_t word, std::uint32_t left, std::uint32_t right, std::uint32_t result);
  void unite(std::size_t first, std::uint32_t pair);
  void touch_memory();

  MergeVocabulary& vocabulary_;
  const PairMergingOptions& options_;
  SpillArena corpus_memory_, entry_memory_;
  std::uint32_t* symbols_ = nullptr;
  Word* words_ = nullptr;
  std::uint32_t word_count_ = 0;
  std::size_t touched_ = 0;
  bpe::PairMap pair_index_;            // key -> index in keys_ and counts_
  std::vector<std::uint64_t> keys_;    // by pair
  std::vector<std::uint64_t> counts_;  // by pair
  std::vector<Entry> entries_;
  std::priority_queue<Candidate> candidates_;
  std::uint32_t turn_ = 0;  // of the next candidate; were it ever to run over, only ties of one pair would notice
  NeighbourTally<std::uint32_t> left_, right_;
};

// A quarter of the memory each for the words and for where their pairs stand.
WordMerging::WordMerging(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options)
    : vocabulary_(vocabulary),
      options_(options),
      corpus_memory_(options.memory_bytes / 4, options.folder),
      entry_memory_(options.memory_bytes / 4, options.folder),
      left_(options.memory_bytes / 16, options.folder),
      right_(options.memory_bytes / 16, options.folder) {
  load(words, spelling);
}

void WordMerging::load(WordCounter& words, const Spelling& spelling) {
  std::size_t symbols = 0, count = 0;
  for_each_spelled(words, spelling, [&](const std::vector<std::uint32_t>& spelled, std::uint64_t) {
    symbols += spelled.size();
    ++count;
  });
  if (symbols > std::numeric_limits<std::uint32_t>::max())
    throw Error(Code::kUnsupported, "the distinct words have " + std::to_string(symbols) + " symbols together, expected below 2^32");
  symbols_ = corpus_memory_.allocate<std::uint32_t>(symbols);
  words_ = corpus_memory_.allocate<Word>(count);
  std::uint32_t begin = 0;
  for_each_spelled(words, spelling, [&](const std::vector<std::uint32_t>& spelled, std::uint64_t times) {
    std::copy(spelled.begin(), spelled.end(), symbols_ + begin);
    words_[word_count_++] = {begin, static_cast<std::uint32_t>(spelled.size()), times};
    begin += static_cast<std::uint32_t>(spelled.size());
    touch_memory();
  });
}

/// Counts a place that was read or written, as in `merge_pairs`.
void WordMerging::touch_memory() {
  constexpr std::size_t kPlaces = 64;
  if (++touched_ % kPlaces != 0) return;
  corpus_memory_.trim();
  entry_memory_.trim();
}

std::uint32_t WordMerging::pair_of(std::uint32_t left, std::uint32_t right) {
  const std::uint64_t key = bpe::pair_key(left, right);
  const auto fresh = static_cast<std::uint32_t>(keys_.size());
  const std::uint32_t pair = pair_index_.insert(key, fresh);
  if (pair == fresh) {
    keys_.push_back(key);
    counts_.push_back(0);
  }
  return pair;
}

void WordMerging::gain(std::uint32_t pair, std::uint64_t count, const std::uint32_t* words, std::size_t n) {
  counts_[pair] += count;
  entries_.push_back({pair, words, n});
}

// Puts the entries from `first` on into the queue, with the counts of now.
void WordMerging::offer(std::size_t first) {
  for (std::size_t i = first; i < entries_.size(); ++i) {
    const std::uint32_t pair = entries_[i].pair;
    if (counts_[pair] > 0 && entries_[i].word_count > 0) queue(static_cast<std::uint32_t>(i));
  }
}

void WordMerging::queue(std::uint32_t entry) {
  const std::uint32_t pair = entries_[entry].pair;
  candidates_.push({counts_[pair], keys_[pair], entry, turn_++});
}

// One pass counts, one writes the words of each pair to its place in one block.
void WordMerging::count_pairs() {
  std::vector<std::uint64_t> sums;
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  const auto for_each_pair = [&](auto&& f) {
    for (std::uint32_t w = 0; w < word_count_; ++w) {
      touch_memory();
      for (std::size_t i = words_[w].begin, end = i + words_[w].size; i + 1 < end; ++i) f(pair_of(symbols_[i], symbols_[i + 1]), w);
    }
  };
  for_each_pair([&](std::uint32_t pair, std::uint32_t w) {
    if (pair == sums.size()) sums.push_back(0), sizes.push_back(0);
    sums[pair] += words_[w].count;
    ++sizes[pair];
    ++total;
  });
  std::uint32_t* const block = entry_memory_.allocate<std::uint32_t>(total);
  std::vector<std::size_t> next(sums.size());
  std::size_t first = 0;
  for (std::uint32_t pair = 0; pair < sums.size(); ++pair) {
    next[pair] = first;
    gain(pair, sums[pair], block + first, sizes[pair]);
    first += sizes[pair];
  }
  for_each_pair([&](std::uint32_t pair, std::uint32_t w) { block[next[pair]++] = w; });
  offer(0);
}

void WordMerging::run(const MergeProgress& progress) {
  count_pairs();
  const std::uint64_t threshold = std::max<std::uint64_t>(options_.min_frequency, 1);
  std::size_t merges = 0;
  std::uint64_t last_count = 0;
  while (vocabulary_.size() < options_.vocab_size && !candidates_.empty()) {
    const Candidate top = candidates_.top();
    candidates_.pop();
    const Entry entry = entries_[top.entry];
    const std::uint64_t count = counts_[entry.pair];
    if (top.count != count) {
      queue(top.entry);
      continue;
    }
    if (count < threshold) break;
    if (merges++ % 100 == 0) progress(merges - 1, last_count);
    last_count = count;
    merge(entry);
  }
  progress(merges, last_count);
}

void WordMerging::merge(const Entry& entry) {
  const std::uint64_t key = keys_[entry.pair];
  const auto left = static_cast<std::uint32_t>(key >> 32), right = static_cast<std::uint32_t>(key);
  const std::size_t tokens_before = vocabulary_.size();
  const std::uint32_t result = vocabulary_.merge(left, right);
  left_.clear();
  right_.clear();
  left_.resize(vocabulary_.size());
  right_.resize(vocabulary_.size());
  for (std::size_t i = 0; i < entry.word_count; ++i) replace(entry.words[i], left, right, result);

  const std::size_t first = entries_.size();
  std::uint32_t* const block = entry_memory_.allocate<std::uint32_t>(left_.size() + right_.size());
  // All that is made goes in before anything is lost: "abab" makes (ab, a) and loses it again.
  const auto touch = [this] { touch_memory(); };
  left_.group(
      block, 0, [&](std::uint32_t before, std::uint64_t count, const std::uint32_t* words, std::size_t n) { gain(pair_of(before, result), count, words, n); }, touch);
  right_.group(
      block + left_.size(), 0, [&](std::uint32_t after, std::uint64_t count, const std::uint32_t* words, std::size_t n) { gain(pair_of(result, after), count, words, n); },
      touch);
  left_.for_each([&](std::uint32_t before, std::uint64_t count) { counts_[pair_of(before, left)] -= count; });
  right_.for_each([&](std::uint32_t after, std::uint64_t count) { counts_[pair_of(right, after)] -= count; });
  if (result < tokens_before) unite(first, pair_of(result, result));
  offer(first);
}

void WordMerging::replace(std::uint32_t word_index, std::uint32_t left, std::uint32_t right, std::uint32_t result) {
  touch_memory();
  Word& word = words_[word_index];
  std::uint32_t* const symbols = symbols_ + word.begin;
  std::uint32_t written = 0;
  for (std::uint32_t read = 0; read < word.size;) {
    if (read + 1 == word.size || symbols[read] != left || symbols[read + 1] != right) {
      symbols[written++] = symbols[read++];
      continue;
    }
    if (written > 0) left_.meet(symbols[written - 1], word.count, word_index);
    read += 2;
    if (read < word.size) right_.meet(symbols[read], word.count, word_index);
    symbols[written++] = result;
  }
  word.size = written;
}

// Makes one entry of those of `pair` from `first` on. A result that was a token before may be met on both sides of itself, and the library
// queues the pair once.
void WordMerging::unite(std::size_t first, std::uint32_t pair) {
  std::vector<std::uint32_t> words;
  std::size_t found = 0;
  for (std::size_t i = first; i < entries_.size(); ++i)
    if (entries_[i].pair == pair) ++found;
  if (found < 2) return;
  for (std::size_t i = first; i < entries_.size(); ++i)
    if (Entry& entry = entries_[i]; entry.pair == pair) {
      words.insert(words.end(), entry.words, entry.words + entry.word_count);
      entry.word_count = 0;  // `offer` passes it over
    }
  std::uint32_t* const block = entry_memory_.allocate<std::uint32_t>(words.size());
  std::copy(words.begin(), words.end(), block);
  entries_.push_back({pair, block, words.size()});
}

}  // namespace

void merge_words(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options, const MergeProgress& progress) {
  WordMerging(words, spelling, vocabulary, options).run(progress);
}

}  // namespace flowrun::tokenizers
