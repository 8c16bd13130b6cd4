#include "bpe_trainer.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <queue>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/neighbour_tally.hpp"
#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/flat_map.hpp"

namespace flowrun::bpe {
namespace {

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
  std::vector<std::uint32_t> symbols{kBoundary};
  std::vector<std::uint64_t> counts;
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

class Training {
 public:
  Training(const PretokenCounter& counter, const BpeTrainer::Options& options);
  BpeModel run(const std::function<void()>& interrupt) &&;

 private:
  void load(const PretokenCounter& counter);
  void count_byte_pairs();
  void add_pair(std::uint32_t left, std::uint32_t right, std::uint64_t count, const Occurrence* occurrences, std::size_t n);
  void merge(const Pair& pair);
  void replace(std::uint32_t left, std::uint32_t right, std::uint32_t result, Occurrence at);
  void lose(std::uint32_t left, std::uint32_t right, std::uint64_t count);

  std::uint32_t vocab_size_;
  std::uint64_t threshold_;
  BpeModel model_;
  std::vector<std::uint32_t> token_bytes_;  // by id
  std::uint32_t byte_ids_[256];

  Corpus corpus_;
  std::vector<Pair> pairs_;
  PairMap pair_index_;  // key -> index in pairs_
  std::priority_queue<Candidate> candidates_;
  std::vector<std::unique_ptr<Occurrence[]>> occurrence_blocks_;
  Side left_, right_;
};

Training::Training(const PretokenCounter& counter, const BpeTrainer::Options& options)
    : vocab_size_(options.vocab_size), threshold_(std::max<std::uint64_t>(options.min_frequency, 1)), left_(vocab_size_), right_(vocab_size_) {
  for (const std::string& special : options.specials) {
    model_.specials.push_back({static_cast<std::uint32_t>(model_.tokens.size()), special});
    model_.tokens.push_back(special);
  }
  for (const std::uint8_t byte : byte_level_order()) {
    byte_ids_[byte] = static_cast<std::uint32_t>(model_.tokens.size());
    model_.tokens.emplace_back(1, static_cast<char>(byte));
  }
  for (const std::string& token : model_.tokens) token_bytes_.push_back(static_cast<std::uint32_t>(token.size()));
  load(counter);
  count_byte_pairs();
}

void Training::load(const PretokenCounter& counter) {
  std::size_t symbols = 1, pretokens = 0;
  counter.for_each([&](std::string_view pretoken, std::uint64_t) {
    symbols += pretoken.size() + 1;
    ++pretokens;
  });
  if (symbols >= kInterior)
    throw Error(Code::kUnsupported, "the distinct pre-tokens have " + std::to_string(symbols) + " bytes together, expected below 4 GiB");
  corpus_.symbols.reserve(symbols);
  corpus_.counts.reserve(pretokens);
  counter.for_each([&](std::string_view pretoken, std::uint64_t count) {
    if (pretoken.size() < 2) return;  // has no pair
    for (const char c : pretoken) corpus_.symbols.push_back(byte_ids_[static_cast<unsigned char>(c)]);
    corpus_.symbols.push_back(kBoundary);
    corpus_.counts.push_back(count);
  });
}

// There are so few pairs of bytes that arrays hold them: one pass counts, one writes the occurrences.
void Training::count_byte_pairs() {
  const std::size_t ids = model_.tokens.size();
  struct Tally {
    std::uint64_t count = 0;
    std::size_t occurrences = 0;
  };
  std::vector<Tally> tallies(ids * ids);
  const auto for_each_pair = [&](auto&& f) {
    std::uint32_t pretoken = 0;
    for (std::uint32_t i = 1; i + 1 < corpus_.symbols.size(); ++i) {
      const std::uint32_t left = corpus_.symbols[i], right = corpus_.symbols[i + 1];
      if (left == kBoundary) ++pretoken;
      else if (right != kBoundary) f(left * ids + right, Occurrence{i, pretoken});
    }
  };
  std::size_t total = 0;
  for_each_pair([&](std::size_t pair, Occurrence at) {
    tallies[pair].count += corpus_.counts[at.pretoken];
    ++tallies[pair].occurrences;
    ++total;
  });
  Occurrence* const block = occurrence_blocks_.emplace_back(new Occurrence[total]).get();
  std::vector<std::size_t> next(tallies.size());
  std::size_t first = 0;
  for (std::size_t pair = 0; pair < tallies.size(); ++pair) {
    const auto [count, occurrences] = tallies[pair];
    next[pair] = first;
    add_pair(static_cast<std::uint32_t>(pair / ids), static_cast<std::uint32_t>(pair % ids), count, block + first, occurrences);
    first += occurrences;
  }
  for_each_pair([&](std::size_t pair, Occurrence at) { block[next[pair]++] = at; });
}

// Counts of a pair only fall once it is there, so one below the threshold need not be known at all.
void Training::add_pair(std::uint32_t left, std::uint32_t right, std::uint64_t count, const Occurrence* occurrences, std::size_t n) {
  if (count < threshold_) return;
  const auto index = static_cast<std::uint32_t>(pairs_.size());
  pairs_.push_back({pair_key(left, right), count, occurrences, n});
  pair_index_.insert(pair_key(left, right), index);
}

BpeModel Training::run(const std::function<void()>& interrupt) && {
  std::size_t offered = 0;
  while (model_.tokens.size() < vocab_size_) {
    // Offered only now, after `merge` has taken off what the same merge made and lost again.
    for (; offered < pairs_.size(); ++offered)
      if (const Pair& pair = pairs_[offered]; pair.count >= threshold_) candidates_.push({pair.count, pair.key, static_cast<std::uint32_t>(offered)});
    if (candidates_.empty()) break;
    if (model_.merges.size() % 100 == 0) interrupt();
    const Candidate top = candidates_.top();
    candidates_.pop();
    const Pair pair = pairs_[top.pair];
    if (top.count == pair.count) {
      pairs_[top.pair].count = 0;
      merge(pair);
    } else if (pair.count >= threshold_) {
      candidates_.push({pair.count, pair.key, top.pair});
    }
  }
  return std::move(model_);
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

  Occurrence* const block = occurrence_blocks_.emplace_back(new Occurrence[left_.size() + right_.size()]).get();
  // All that is made goes in before anything is lost: "abab" makes (ab, a) and loses it again.
  left_.group(block, [&](std::uint32_t before, std::uint64_t count, const Occurrence* first, std::size_t n) {
    add_pair(before, result, count, first, n);
  });
  right_.group(block + left_.size(), [&](std::uint32_t after, std::uint64_t count, const Occurrence* first, std::size_t n) {
    add_pair(result, after, count, first, n);
  });
  left_.for_each([&](std::uint32_t before, std::uint64_t count) { lose(before, left, count); });
  right_.for_each([&](std::uint32_t after, std::uint64_t count) { lose(right, after, count); });
}

// Joins the pair at `at` unless one of its tokens has gone, and notes its neighbours: each is in a pair that is lost and in one that is made.
void Training::replace(std::uint32_t left, std::uint32_t right, std::uint32_t result, Occurrence at) {
  std::uint32_t* const symbols = corpus_.symbols.data();
  const std::uint32_t begin = at.position, middle = begin + token_bytes_[left];
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

BpeModel BpeTrainer::train(const Options& options, const std::function<void()>& interrupt) const {
  const std::size_t least = 256 + options.specials.size();
  if (options.vocab_size < least)
    throw Error(Code::kInvalidArgument, "'vocab_size' is " + std::to_string(options.vocab_size) + ", expected at least " + std::to_string(least) +
                                            ": the bytes and the special tokens");
  return Training(counter_, options).run(interrupt);
}

}  // namespace flowrun::bpe
