#include "wordpiece_trainer.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <queue>
#include <utility>

#include <flowrun/error.hpp>

#include "alphabet.hpp"
#include "tokenizers/common/neighbour_tally.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::uint32_t kAbsent = bpe::PairMap::kAbsent;

// The symbols of a word, which only get fewer. A list of words has fewer than 2^32 bytes, so fewer symbols.
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

class Training {
 public:
  Training(const WordList& words, const WordPieceTrainerOptions& options);
  std::vector<std::string> run(const WordPieceProgress& progress) &&;

 private:
  void load(const WordList& words, const InitialPieces& pieces);
  void count_pairs();
  std::uint32_t pair_of(std::uint32_t left, std::uint32_t right);
  void gain(std::uint32_t pair, std::uint64_t count, const std::uint32_t* words, std::size_t n);
  void offer(std::size_t first);
  void queue(std::uint32_t entry);
  void merge(const Entry& entry);
  void replace(std::uint32_t word, std::uint32_t left, std::uint32_t right, std::uint32_t result);
  void unite(std::size_t first, std::uint32_t pair);
  std::string joined(std::uint32_t left, std::uint32_t right) const;

  const WordPieceTrainerOptions& options_;
  TokenList tokens_;
  std::vector<std::uint32_t> symbols_;
  std::vector<Word> words_;
  bpe::PairMap pair_index_;            // key -> index in keys_ and counts_
  std::vector<std::uint64_t> keys_;    // by pair
  std::vector<std::uint64_t> counts_;  // by pair
  std::vector<Entry> entries_;
  std::priority_queue<Candidate> candidates_;
  std::uint32_t turn_ = 0;  // of the next candidate; were it ever to run over, only ties of one pair would notice
  std::vector<std::unique_ptr<std::uint32_t[]>> blocks_;  // own what entries point to
  bpe::NeighbourTally<std::uint32_t> left_, right_;
};

Training::Training(const WordList& words, const WordPieceTrainerOptions& options) : options_(options) {
  for (const std::string& special : options.specials) tokens_.id_of(special);
  for (const char32_t c : make_alphabet(words, options)) tokens_.id_of(to_utf8(c));
  load(words, InitialPieces(words, options, tokens_));
}

void Training::load(const WordList& words, const InitialPieces& pieces) {
  // Of characters there are at most as many as bytes; what is not written to takes no memory.
  symbols_.reserve(words.text().size());
  words_.reserve(words.size());
  std::uint64_t room = std::numeric_limits<std::int64_t>::max();  // so that no sum of counts overflows
  for (const WordCount word : words) {
    const std::size_t begin = symbols_.size();
    std::size_t characters = 0;
    for (std::size_t at = 0; at < word.word.size(); ++characters) {
      const bool first = at == 0;
      const char32_t c = next_char(word.word, at);
      const std::uint32_t id = pieces.id_of(c, first, at == word.word.size());
      if (id != InitialPieces::kDropped) symbols_.push_back(id);
    }
    if (word.count > room / characters) throw Error(Code::kUnsupported, "the words have 2^63 characters or more, repetitions counted");
    room -= word.count * characters;
    const std::size_t size = symbols_.size() - begin;
    if (size < 2) symbols_.resize(begin);  // has no pair
    else words_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size), word.count});
  }
}

std::uint32_t Training::pair_of(std::uint32_t left, std::uint32_t right) {
  const std::uint64_t key = bpe::pair_key(left, right);
  const auto fresh = static_cast<std::uint32_t>(keys_.size());
  const std::uint32_t pair = pair_index_.insert(key, fresh);
  if (pair == fresh) {
    keys_.push_back(key);
    counts_.push_back(0);
  }
  return pair;
}

void Training::gain(std::uint32_t pair, std::uint64_t count, const std::uint32_t* words, std::size_t n) {
  counts_[pair] += count;
  entries_.push_back({pair, words, n});
}

// Puts the entries from `first` on into the queue, with the counts of now.
void Training::offer(std::size_t first) {
  for (std::size_t i = first; i < entries_.size(); ++i) {
    const std::uint32_t pair = entries_[i].pair;
    if (counts_[pair] > 0 && entries_[i].word_count > 0) queue(static_cast<std::uint32_t>(i));
  }
}

void Training::queue(std::uint32_t entry) {
  const std::uint32_t pair = entries_[entry].pair;
  candidates_.push({counts_[pair], keys_[pair], entry, turn_++});
}

// One pass counts, one writes the words of each pair to its place in one block.
void Training::count_pairs() {
  std::vector<std::uint64_t> sums;
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  const auto for_each_pair = [&](auto&& f) {
    for (std::uint32_t w = 0; w < words_.size(); ++w)
      for (std::size_t i = words_[w].begin, end = i + words_[w].size; i + 1 < end; ++i) f(pair_of(symbols_[i], symbols_[i + 1]), w);
  };
  for_each_pair([&](std::uint32_t pair, std::uint32_t w) {
    if (pair == sums.size()) sums.push_back(0), sizes.push_back(0);
    sums[pair] += words_[w].count;
    ++sizes[pair];
    ++total;
  });
  std::uint32_t* const block = blocks_.emplace_back(new std::uint32_t[total]).get();
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

std::vector<std::string> Training::run(const WordPieceProgress& progress) && {
  count_pairs();
  const std::uint64_t threshold = std::max<std::uint64_t>(options_.min_frequency, 1);
  for (std::size_t merges = 0; tokens_.size() < options_.vocab_size && !candidates_.empty();) {
    const Candidate top = candidates_.top();
    candidates_.pop();
    const Entry entry = entries_[top.entry];
    const std::uint64_t count = counts_[entry.pair];
    if (top.count != count) {
      queue(top.entry);
      continue;
    }
    if (count < threshold) break;
    if (merges++ % 100 == 0) progress(tokens_.size(), count);
    merge(entry);
  }
  return std::move(tokens_).take();
}

std::string Training::joined(std::uint32_t left, std::uint32_t right) const {
  std::string_view rest = tokens_[right];
  if (rest.starts_with(options_.continuing_subword_prefix)) rest.remove_prefix(options_.continuing_subword_prefix.size());
  return tokens_[left] + std::string(rest);
}

void Training::merge(const Entry& entry) {
  const std::uint64_t key = keys_[entry.pair];
  const auto left = static_cast<std::uint32_t>(key >> 32), right = static_cast<std::uint32_t>(key);
  const std::size_t tokens_before = tokens_.size();
  const std::uint32_t result = tokens_.id_of(joined(left, right));
  left_.clear();
  right_.clear();
  left_.resize(tokens_.size());
  right_.resize(tokens_.size());
  for (std::size_t i = 0; i < entry.word_count; ++i) replace(entry.words[i], left, right, result);

  const std::size_t first = entries_.size();
  std::uint32_t* const block = blocks_.emplace_back(new std::uint32_t[left_.size() + right_.size()]).get();
  // All that is made goes in before anything is lost: "abab" makes (ab, a) and loses it again.
  left_.group(block, [&](std::uint32_t before, std::uint64_t count, const std::uint32_t* words, std::size_t n) {
    gain(pair_of(before, result), count, words, n);
  });
  right_.group(block + left_.size(), [&](std::uint32_t after, std::uint64_t count, const std::uint32_t* words, std::size_t n) {
    gain(pair_of(result, after), count, words, n);
  });
  left_.for_each([&](std::uint32_t before, std::uint64_t count) { counts_[pair_of(before, left)] -= count; });
  right_.for_each([&](std::uint32_t after, std::uint64_t count) { counts_[pair_of(right, after)] -= count; });
  if (result < tokens_before) unite(first, pair_of(result, result));
  offer(first);
}

void Training::replace(std::uint32_t word_index, std::uint32_t left, std::uint32_t right, std::uint32_t result) {
  Word& word = words_[word_index];
  std::uint32_t* const symbols = symbols_.data() + word.begin;
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
void Training::unite(std::size_t first, std::uint32_t pair) {
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
  std::uint32_t* const block = blocks_.emplace_back(new std::uint32_t[words.size()]).get();
  std::copy(words.begin(), words.end(), block);
  entries_.push_back({pair, block, words.size()});
}

}  // namespace

std::vector<std::string> train_word_piece(WordList words, const WordPieceTrainerOptions& options, const WordPieceProgress& progress) {
  Training training(words, options);
  words = {};  // from here on symbols stand for them
  return std::move(training).run(progress);
}

}  // namespace flowrun::tokenizers
