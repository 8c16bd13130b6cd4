#include "bpe_trainer.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <queue>
#include <utility>

#include <flowrun/error.hpp>

#include "spill_arena.hpp"
#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/flat_map.hpp"
#include "tokenizers/common/neighbour_tally.hpp"

namespace flowrun::bpe {
namespace {

using tokenizers::WordCounter;

constexpr std::uint32_t kBoundary = std::numeric_limits<std::uint32_t>::max();      // stands between pre-tokens
constexpr std::uint32_t kInterior = std::numeric_limits<std::uint32_t>::max() - 1;  // neither first nor last byte of its token

// Where a pair stands: the first byte of its left token, and the pre-token, for its count.
struct Occurrence {
  std::uint32_t position;
  std::uint32_t pretoken;
};

// The distinct pre-tokens as tokens so far, a symbol a byte. A token's id stands at its first and at its last byte, so that both neighbours of
// a position are found in one step; tokens only grow, so a position that is no longer a token's first byte never becomes one again.
struct Corpus {
  std::uint32_t* symbols = nullptr;
  std::size_t size = 0;
  std::uint64_t* counts = nullptr;  // by pre-token
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
class Training {
 public:
  Training(WordCounter& pretokens, const BpeTrainerOptions& options);
  BpeModel run(const BpeProgress& progress) &&;

 private:
  void load(WordCounter& pretokens);
  void follow_pairs(std::uint64_t threshold);
  void follow_part(std::uint64_t part, std::uint64_t parts);
  template <class F>
  void for_each_pair(F&& f) const;
  void add_pair(std::uint64_t key, std::uint64_t count, const Occurrence* occurrences, std::size_t n);
  std::optional<Pair> next_pair();
  void merge(const Pair& pair);
  void replace(std::uint32_t left, std::uint32_t right, std::uint32_t result, Occurrence at);
  void lose(std::uint32_t left, std::uint32_t right, std::uint64_t count);
  void touch_memory();

  const BpeTrainerOptions& options_;
  std::uint64_t least_count_;  // of a pair that may be merged
  std::uint64_t threshold_ = 0;
  BpeModel model_;
  std::vector<std::uint32_t> token_bytes_;  // by id
  std::uint32_t byte_ids_[256];

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
Training::Training(WordCounter& pretokens, const BpeTrainerOptions& options)
    : options_(options),
      least_count_(std::max<std::uint64_t>(options.min_frequency, 1)),
      corpus_memory_(options.memory_bytes / 4, options.folder),
      occurrence_memory_(options.memory_bytes / 4, options.folder),
      left_(options.vocab_size),
      right_(options.vocab_size) {
  for (const std::string& special : options.specials) {
    model_.specials.push_back({static_cast<std::uint32_t>(model_.tokens.size()), special});
    model_.tokens.push_back(special);
  }
  for (const std::uint8_t byte : byte_level_order()) {
    byte_ids_[byte] = static_cast<std::uint32_t>(model_.tokens.size());
    model_.tokens.emplace_back(1, static_cast<char>(byte));
  }
  for (const std::string& token : model_.tokens) token_bytes_.push_back(static_cast<std::uint32_t>(token.size()));
  load(pretokens);
  // By Zipf's law the last merges of a usual vocabulary occur two to ten times as often as this.
  const std::uint64_t guess = pretokens.words() / (32 * std::uint64_t{options.vocab_size});
  follow_pairs(options.first_threshold > 0 ? options.first_threshold : guess);
}

void Training::load(WordCounter& pretokens) {
  if (pretokens.memory_bytes() > options_.memory_bytes / 4) pretokens.release_memory();
  std::size_t symbols = 1, count = 0;
  pretokens.for_each([&](std::string_view pretoken, std::uint64_t) {
    if (pretoken.size() < 2) return;  // has no pair
    symbols += pretoken.size() + 1;
    ++count;
  });
  if (symbols >= kInterior)
    throw Error(Code::kUnsupported, "the distinct pre-tokens have " + std::to_string(symbols) + " bytes together, expected below 4 GiB");
  corpus_.symbols = corpus_memory_.allocate<std::uint32_t>(symbols);
  corpus_.counts = corpus_memory_.allocate<std::uint64_t>(count);
  corpus_.symbols[corpus_.size++] = kBoundary;
  count = 0;
  pretokens.for_each([&](std::string_view pretoken, std::uint64_t times) {
    if (pretoken.size() < 2) return;
    for (const char c : pretoken) corpus_.symbols[corpus_.size++] = byte_ids_[static_cast<unsigned char>(c)];
    corpus_.symbols[corpus_.size++] = kBoundary;
    corpus_.counts[count++] = times;
    touch_memory();
  });
}

/// Calls f(key, occurrence) for every two neighbours in the text.
template <class F>
void Training::for_each_pair(F&& f) const {
  std::uint32_t pretoken = 0;
  for (std::uint32_t at = 1; at < corpus_.size;) {
    const std::uint32_t left = corpus_.symbols[at];
    if (left == kBoundary) {
      ++pretoken;
      ++at;
      continue;
    }
    const std::uint32_t next = at + token_bytes_[left], right = corpus_.symbols[next];
    if (right != kBoundary) f(pair_key(left, right), Occurrence{at, pretoken});
    at = next;
  }
}

/// Counts all pairs and follows those that occur `threshold` times.
void Training::follow_pairs(std::uint64_t threshold) {
  threshold_ = std::max(threshold, least_count_);
  pairs_.clear();
  pair_index_ = PairMap();
  candidates_ = {};
  offered_ = 0;
  occurrence_memory_ = SpillArena(options_.memory_bytes / 4, options_.folder);
  // The pairs are counted in so many parts that their counts fit into memory, however many they are.
  constexpr std::size_t kBytesAPair = 64, kMemoryMin = std::size_t{1} << 16;
  const std::size_t ids = model_.tokens.size(), pairs_max = std::min(corpus_.size, ids * ids);
  const std::uint64_t parts = 1 + pairs_max * kBytesAPair / std::max(options_.memory_bytes / 4, kMemoryMin);
  for (std::uint64_t part = 0; part < parts; ++part) follow_part(part, parts);
}

void Training::follow_part(std::uint64_t part, std::uint64_t parts) {
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
    tallies[pair].count += corpus_.counts[at.pretoken];
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
void Training::touch_memory() {
  constexpr std::size_t kPlaces = 64;  // each brings in pages of two tables, with the fifteen around each: 8 MiB at most
  if (++touched_ % kPlaces != 0) return;
  corpus_memory_.trim();
  occurrence_memory_.trim();
}

void Training::add_pair(std::uint64_t key, std::uint64_t count, const Occurrence* occurrences, std::size_t n) {
  pair_index_.insert(key, static_cast<std::uint32_t>(pairs_.size()));
  pairs_.push_back({key, count, occurrences, n});
}

BpeModel Training::run(const BpeProgress& progress) && {
  std::uint64_t count = 0;
  while (model_.tokens.size() < options_.vocab_size) {
    if (model_.merges.size() % 100 == 0) progress(model_.merges.size(), count);
    if (const auto pair = next_pair()) {
      count = pair->count;
      merge(*pair);
    } else {
      if (threshold_ <= least_count_) break;
      follow_pairs(threshold_ / 8);
    }
  }
  progress(model_.merges.size(), count);
  return std::move(model_);
}

/// Returns the pair to merge next and forgets its count; nothing if none that is followed occurs often enough.
std::optional<Pair> Training::next_pair() {
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

void Training::merge(const Pair& pair) {
  const auto left = static_cast<std::uint32_t>(pair.key >> 32), right = static_cast<std::uint32_t>(pair.key);
  const auto result = static_cast<std::uint32_t>(model_.tokens.size());
  model_.merges.push_back({left, right, result});
  model_.tokens.push_back(model_.tokens[left] + model_.tokens[right]);
  token_bytes_.push_back(token_bytes_[left] + token_bytes_[right]);

  left_.clear();
  right_.clear();
  for (std::size_t i = 0; i < pair.occurrence_count; ++i) replace(left, right, result, pair.occurrences[i]);

  // All that is made goes in before anything is lost: "abab" makes (ab, a) and loses it again.
  left_.group(occurrence_memory_.allocate<Occurrence>(left_.size(threshold_)), threshold_,
              [&](std::uint32_t before, std::uint64_t count, const Occurrence* first, std::size_t n) { add_pair(pair_key(before, result), count, first, n); });
  right_.group(occurrence_memory_.allocate<Occurrence>(right_.size(threshold_)), threshold_,
               [&](std::uint32_t after, std::uint64_t count, const Occurrence* first, std::size_t n) { add_pair(pair_key(result, after), count, first, n); });
  left_.for_each([&](std::uint32_t before, std::uint64_t count) { lose(before, left, count); });
  right_.for_each([&](std::uint32_t after, std::uint64_t count) { lose(right, after, count); });
}

// Joins the pair at `at` unless one of its tokens has gone, and notes its neighbours: each is in a pair that is lost and in one that is made.
void Training::replace(std::uint32_t left, std::uint32_t right, std::uint32_t result, Occurrence at) {
  std::uint32_t* const symbols = corpus_.symbols;
  const std::uint32_t begin = at.position, middle = begin + token_bytes_[left];
  touch_memory();
  if (symbols[begin] != left || symbols[middle] != right) return;
  const std::uint32_t end = middle + token_bytes_[right];
  const std::uint64_t count = corpus_.counts[at.pretoken];
  if (const std::uint32_t before = symbols[begin - 1]; before != kBoundary)
    left_.meet(before, count, {begin - token_bytes_[before], at.pretoken});
  if (const std::uint32_t after = symbols[end]; after != kBoundary) right_.meet(after, count, at);
  symbols[middle - 1] = symbols[middle] = kInterior;
  symbols[begin] = symbols[end - 1] = result;
}

void Training::lose(std::uint32_t left, std::uint32_t right, std::uint64_t count) {
  const std::uint32_t index = pair_index_.find(pair_key(left, right));
  if (index == PairMap::kAbsent) return;
  // The pair that is being merged has 0 already; "aaa" loses its second "aa" here.
  std::uint64_t& have = pairs_[index].count;
  have -= std::min(have, count);
}

}  // namespace

void count_pretokens(std::string_view text, tokenizers::Scanner scanner, WordCounter& pretokens) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = scanner(text, begin);
    pretokens.add(text, begin, end);
    begin = end;
  }
}

BpeModel train_bpe(WordCounter& pretokens, const BpeTrainerOptions& options, const BpeProgress& progress) {
  const std::size_t least = 256 + options.specials.size();
  if (options.vocab_size < least)
    throw Error(Code::kInvalidArgument, "'vocab_size' is " + std::to_string(options.vocab_size) + ", expected at least " + std::to_string(least) +
                                            ": the bytes and the special tokens");
  return Training(pretokens, options).run(progress);
}

}  // namespace flowrun::bpe
