#include "pair_merging.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <queue>

#include <flowrun/error.hpp>

#include "neighbour_tally.hpp"
#include "spill_arena.hpp"
#include "tokenizers/common/flat_map.hpp"

namespace flowrun::tokenizers {
namespace {

using bpe::pair_key;
using bpe::PairMap;

constexpr std::uint32_t kBoundary = std::numeric_limits<std::uint32_t>::max();      // stands between words
constexpr std::uint32_t kInterior = std::numeric_limits<std::uint32_t>::max() - 1;  // neither first nor last symbol of its token

// Where a pair stands: the first symbol of its left token, and the word, for its count.
struct Occurrence {
  std::uint32_t position;
  std::uint32_t word;
};

// The distinct words as tokens so far. A token takes as many symbols as it has been merged from; its id stands at the first and at the last of them, so that both
// neighbours of a position are found in one step; tokens only grow, so a position that is no longer a token's first symbol never becomes one again.
struct Corpus {
  std::uint32_t* symbols = nullptr;
  std::size_t size = 0;
  std::uint64_t* counts = nullptr;  // by word
};

struct Pair {
  std::uint64_t key;
  std::uint64_t count;
  // The occurrences in ascending order, complete since the pair's younger token was made; those merged away since are found to be stale.
  const Occurrence* occurrences;
  std::size_t occurrence_count;
};

// Orders the heap: highest count first, then the smallest ids.
struct Candidate {
  std::uint64_t count;
  std::uint64_t key;
  std::uint32_t pair;
  bool operator<(const Candidate& other) const noexcept { return count != other.count ? count < other.count : key > other.key; }
};

using Side = NeighbourTally<Occurrence>;

// A pair is followed only if it occurs `threshold_` times: a pair's count is complete with the merge that made its younger token, and then only falls, so a
// rarer one cannot be merged before those that are followed. When none of them is left, the threshold falls and the pairs are counted anew. Most pairs
// of a text are rare, so that most of the memory and of the time is saved.
class PairMerging {
 public:
  PairMerging(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options);
  bool run(const MergeProgress& progress);

 private:
  void load(WordCounter& words, const Spelling& spelling);
  void follow_pairs(std::uint64_t threshold);
  void follow_part(std::uint64_t part, std::uint64_t parts);
  template <class F>
  void for_each_pair(F&& f) const;
  void add_pair(std::uint64_t key, std::uint64_t count, const Occurrence* occurrences, std::size_t n);
  std::optional<Pair> next_pair();
  bool merge(const Pair& pair);
  void replace(std::uint32_t left, std::uint32_t right, std::uint32_t result, Occurrence at);
  void lose(std::uint32_t left, std::uint32_t right, std::uint64_t count);
  void touch_memory();

  MergeVocabulary& vocabulary_;
  const PairMergingOptions& options_;
  std::uint64_t least_count_;  // of a pair that may be merged
  std::uint64_t threshold_ = 0;
  std::vector<std::uint32_t> token_symbols_;  // by id; 0: stands nowhere in the words

  SpillArena corpus_memory_, occurrence_memory_;
  Corpus corpus_;
  std::vector<Pair> pairs_;
  PairMap pair_index_;  // key -> index in pairs_
  std::priority_queue<Candidate> candidates_;
  std::size_t offered_ = 0;  // of pairs_ to candidates_
  std::size_t touched_ = 0;  // places in the text
  Side left_, right_;
};

// A quarter of the memory each for the text, for where its pairs stand, for counting them, and for the pairs themselves.
PairMerging::PairMerging(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options)
    : vocabulary_(vocabulary),
      options_(options),
      least_count_(std::max<std::uint64_t>(options.min_frequency, 1)),
      token_symbols_(vocabulary.size()),
      corpus_memory_(options.memory_bytes / 4, options.folder),
      occurrence_memory_(options.memory_bytes / 4, options.folder),
      left_(options.memory_bytes / 16, options.folder),
      right_(options.memory_bytes / 16, options.folder) {
  load(words, spelling);
  // By Zipf's law the last merges of a usual vocabulary occur two to ten times as often as this.
  const std::uint64_t guess = words.words() / (32 * std::max<std::uint64_t>(options.vocab_size, 1));
  follow_pairs(options.first_threshold > 0 ? options.first_threshold : guess);
}

void PairMerging::load(WordCounter& words, const Spelling& spelling) {
  if (words.memory_bytes() > options_.memory_bytes / 4) words.release_memory();
  std::size_t symbols = 1, count = 0;
  for_each_spelled(words, spelling, [&](const std::vector<std::uint32_t>& spelled, std::uint64_t) {
    symbols += spelled.size() + 1;
    ++count;
  });
  if (symbols >= kInterior)
    throw Error(Code::kUnsupported, "the distinct words have " + std::to_string(symbols) + " symbols together, with an end for each, expected below 2^32 - 2");
  corpus_.symbols = corpus_memory_.allocate<std::uint32_t>(symbols);
  corpus_.counts = corpus_memory_.allocate<std::uint64_t>(count);
  corpus_.symbols[corpus_.size++] = kBoundary;
  count = 0;
  for_each_spelled(words, spelling, [&](const std::vector<std::uint32_t>& spelled, std::uint64_t times) {
    for (const std::uint32_t id : spelled) {
      corpus_.symbols[corpus_.size++] = id;
      token_symbols_[id] = 1;
    }
    corpus_.symbols[corpus_.size++] = kBoundary;
    corpus_.counts[count++] = times;
    touch_memory();
  });
}

/// Calls f(key, occurrence) for every two neighbours in the text.
template <class F>
void PairMerging::for_each_pair(F&& f) const {
  std::uint32_t word = 0;
  for (std::uint32_t at = 1; at < corpus_.size;) {
    const std::uint32_t left = corpus_.symbols[at];
    if (left == kBoundary) {
      ++word;
      ++at;
      continue;
    }
    const std::uint32_t next = at + token_symbols_[left], right = corpus_.symbols[next];
    if (right != kBoundary) f(pair_key(left, right), Occurrence{at, word});
    at = next;
  }
}

/// Counts all pairs and follows those that occur `threshold` times.
void PairMerging::follow_pairs(std::uint64_t threshold) {
  threshold_ = std::max(threshold, least_count_);
  pairs_.clear();
  pair_index_ = PairMap();
  candidates_ = {};
  offered_ = 0;
  occurrence_memory_ = SpillArena(options_.memory_bytes / 4, options_.folder);
  // The pairs are counted in so many parts that their counts fit into memory, however many they are.
  constexpr std::size_t kBytesAPair = 64, kMemoryMin = std::size_t{1} << 16;
  const std::size_t ids = vocabulary_.size(), pairs_max = std::min(corpus_.size, ids * ids);
  const std::uint64_t parts = 1 + pairs_max * kBytesAPair / std::max(options_.memory_bytes / 4, kMemoryMin);
  for (std::uint64_t part = 0; part < parts; ++part) follow_part(part, parts);
}

void PairMerging::follow_part(std::uint64_t part, std::uint64_t parts) {
  struct Tally {
    std::uint64_t key;
    std::uint64_t count;
    std::size_t occurrences;
    Occurrence* to;
  };
  PairMap index;  // key -> index in tallies
  std::vector<Tally> tallies;
  // By the tokens' numbers, mixed: neighbouring keys must not fall into one part.
  const auto mine = [&](std::uint64_t key) { return parts == 1 || (key * 0x9E3779B97F4A7C15u >> 40) % parts == part; };
  for_each_pair([&](std::uint64_t key, Occurrence at) {
    if (!mine(key)) return;
    const std::uint32_t pair = index.insert(key, static_cast<std::uint32_t>(tallies.size()));
    if (pair == tallies.size()) tallies.push_back({key, 0, 0, nullptr});
    tallies[pair].count += corpus_.counts[at.word];
    ++tallies[pair].occurrences;
    touch_memory();
  });
  for (Tally& tally : tallies) {
    if (tally.count < threshold_) continue;
    tally.to = occurrence_memory_.allocate<Occurrence>(tally.occurrences);
    add_pair(tally.key, tally.count, tally.to, tally.occurrences);
  }
  for_each_pair([&](std::uint64_t key, Occurrence at) {
    if (!mine(key)) return;
    Tally& tally = tallies[index.find(key)];
    if (tally.to != nullptr) *tally.to++ = at;
    touch_memory();
  });
}

/// Counts a place that was read or written, and now and then looks whether what is mapped should leave memory.
void PairMerging::touch_memory() {
  constexpr std::size_t kPlaces = 64;  // each brings in pages of two tables, with the fifteen around each: 8 MiB at most
  if (++touched_ % kPlaces != 0) return;
  corpus_memory_.trim();
  occurrence_memory_.trim();
}

void PairMerging::add_pair(std::uint64_t key, std::uint64_t count, const Occurrence* occurrences, std::size_t n) {
  pair_index_.insert(key, static_cast<std::uint32_t>(pairs_.size()));
  pairs_.push_back({key, count, occurrences, n});
}

bool PairMerging::run(const MergeProgress& progress) {
  std::uint64_t count = 0;
  std::size_t merges = 0;
  while (vocabulary_.size() < options_.vocab_size) {
    if (merges % 100 == 0) progress(merges, count);
    if (const auto pair = next_pair()) {
      count = pair->count;
      if (!merge(*pair)) return false;
      ++merges;
    } else {
      if (threshold_ <= least_count_) break;
      follow_pairs(threshold_ / 8);
    }
  }
  progress(merges, count);
  return true;
}

/// Returns the pair to merge next and forgets its count; nothing if none that is followed occurs often enough.
std::optional<Pair> PairMerging::next_pair() {
  // Offered only now, after `merge` has taken off what the same merge made and lost again.
  for (; offered_ < pairs_.size(); ++offered_)
    if (const Pair& pair = pairs_[offered_]; pair.count >= threshold_) candidates_.push({pair.count, pair.key, static_cast<std::uint32_t>(offered_)});
  while (!candidates_.empty()) {
    const Candidate top = candidates_.top();
    candidates_.pop();
    Pair& pair = pairs_[top.pair];
    if (top.count == pair.count) {
      const Pair result = pair;
      pair.count = 0;
      return result;
    }
    if (pair.count >= threshold_) candidates_.push({pair.count, pair.key, top.pair});
  }
  return std::nullopt;
}

/// Returns false if what the pair becomes stands in the words already.
bool PairMerging::merge(const Pair& pair) {
  const auto left = static_cast<std::uint32_t>(pair.key >> 32), right = static_cast<std::uint32_t>(pair.key);
  const std::uint32_t result = vocabulary_.merge(left, right);
  token_symbols_.resize(vocabulary_.size());
  if (token_symbols_[result] != 0) return false;
  token_symbols_[result] = token_symbols_[left] + token_symbols_[right];

  for (Side* const side : {&left_, &right_}) {
    side->clear();
    side->resize(vocabulary_.size());
  }
  for (std::size_t i = 0; i < pair.occurrence_count; ++i) replace(left, right, result, pair.occurrences[i]);

  // All that is made goes in before anything is lost: "abab" makes (ab, a) and loses it again.
  const auto touch = [this] { touch_memory(); };
  left_.group(
      occurrence_memory_.allocate<Occurrence>(left_.size(threshold_)), threshold_,
      [&](std::uint32_t before, std::uint64_t count, const Occurrence* first, std::size_t n) { add_pair(pair_key(before, result), count, first, n); }, touch);
  right_.group(
      occurrence_memory_.allocate<Occurrence>(right_.size(threshold_)), threshold_,
      [&](std::uint32_t after, std::uint64_t count, const Occurrence* first, std::size_t n) { add_pair(pair_key(result, after), count, first, n); }, touch);
  left_.for_each([&](std::uint32_t before, std::uint64_t count) { lose(before, left, count); });
  right_.for_each([&](std::uint32_t after, std::uint64_t count) { lose(right, after, count); });
  return true;
}

// Joins the pair at `at` unless one of its tokens has gone, and notes its neighbours: each is in a pair that is lost and in one that is made.
void PairMerging::replace(std::uint32_t left, std::uint32_t right, std::uint32_t result, Occurrence at) {
  std::uint32_t* const symbols = corpus_.symbols;
  const std::uint32_t begin = at.position, middle = begin + token_symbols_[left];
  touch_memory();
  if (symbols[begin] != left || symbols[middle] != right) return;
  const std::uint32_t end = middle + token_symbols_[right];
  const std::uint64_t count = corpus_.counts[at.word];
  if (const std::uint32_t before = symbols[begin - 1]; before != kBoundary)
    left_.meet(before, count, {begin - token_symbols_[before], at.word});
  if (const std::uint32_t after = symbols[end]; after != kBoundary) right_.meet(after, count, at);
  symbols[middle - 1] = symbols[middle] = kInterior;
  symbols[begin] = symbols[end - 1] = result;
}

void PairMerging::lose(std::uint32_t left, std::uint32_t right, std::uint64_t count) {
  const std::uint32_t index = pair_index_.find(pair_key(left, right));
  if (index == PairMap::kAbsent) return;
  // The pair that is being merged has 0 already; "aaa" loses its second "aa" here.
  std::uint64_t& have = pairs_[index].count;
  have -= std::min(have, count);
}

}  // namespace

bool merge_pairs(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options, const MergeProgress& progress) {
  return PairMerging(words, spelling, vocabulary, options).run(progress);
}

}  // namespace flowrun::tokenizers
