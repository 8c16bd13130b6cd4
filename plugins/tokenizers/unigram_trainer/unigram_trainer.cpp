#include "unigram_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <flowrun/error.hpp>

#include "lattice.hpp"
#include "tokenizers/common/training/character_counts.hpp"
#include "tokenizers/common/training/free_memory.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr double kExpectedMin = 0.5;        // pieces expected less often go: sentencepiece's threshold
constexpr double kAddedScoreStep = 0.0001;  // keeps the scores of characters that lost their pieces apart
constexpr std::size_t kWordsPerInterrupt = 4096;

// The derivative of log gamma, by its recurrence up to 7 and an asymptotic series above.
double digamma(double x) {
  double result = 0;
  for (; x < 7; x += 1) result -= 1 / x;
  x -= 0.5;
  const double xx = 1 / (x * x);
  return result + std::log(x) + xx * (1.0 / 24 - xx * (7.0 / 960 - xx * (31.0 / 8064 - xx * 127.0 / 30720)));
}

void check(const UnigramTrainerOptions& options) {
  const auto invalid = [](const std::string& message) { throw Error(Code::kInvalidArgument, message); };
  if (options.n_sub_iterations == 0) invalid("'n_sub_iterations' is 0, expected at least 1");
  if (!(options.shrinking_factor > 0 && options.shrinking_factor < 1))
    invalid("'shrinking_factor' is " + std::to_string(options.shrinking_factor) + ", expected above 0 and below 1");
  if (options.max_piece_length == 0) invalid("'max_piece_length' is 0, expected at least 1");
  for (const char32_t c : options.initial_alphabet)
    if (!is_scalar_value(c)) invalid("a code point of 'initial_alphabet' is " + std::to_string(static_cast<std::uint32_t>(c)));
  const std::set<std::string> distinct(options.special_tokens.begin(), options.special_tokens.end());
  if (distinct.size() != options.special_tokens.size()) invalid("a special token is there twice");
}

CharacterCounts count_characters(WordCounter& words) {
  CharacterCounts counts;
  words.for_each([&](std::string_view word, std::uint64_t count) {
    if (const std::size_t error = find_malformed_utf8(word); error != std::string::npos)
      throw Error(Code::kInvalidArgument, "a word is not UTF-8 at byte " + std::to_string(error));
    for (std::size_t at = 0; at < word.size();) counts.add(next_code_point(word, at), count);
  });
  return counts;
}

// Every character of the words and of the alphabet, by code point.
std::set<std::string> required_characters(const CharacterCounts& counts, const std::vector<char32_t>& alphabet) {
  std::set<std::string> characters;
  const auto add = [&](char32_t code_point) {
    std::string character;
    append_utf8(code_point, character);
    characters.insert(std::move(character));
  };
  for (const CharacterCount& entry : counts.counts()) add(entry.character);
  for (const char32_t code_point : alphabet) add(code_point);
  return characters;
}

// One training; its functions are the steps in their order.
class Training {
 public:
  Training(WordCounter& words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt, const UnigramProgress& progress)
      : options_(options), interrupt_(interrupt), progress_(progress), words_(words) {}

  UnigramVocabulary run() {
    words_.settle();
    if (words_.memory_bytes() > words_.options().memory_bytes / 4) words_.release_memory();
    seed();
    do {
      progress_(pieces_.size() - 1, text_pieces_max());
      for (std::uint32_t i = 0; i < options_.n_sub_iterations; ++i) {
        const std::vector<double> expected = expect();
        give_back_memory();  // of the trie, which is as large as the pieces
        maximize(expected);
      }
    } while (pieces_.size() > desired_size() && prune());
    progress_(pieces_.size() - 1, text_pieces_max());
    return finish();
  }

 private:
  bool unk_is_added() const {
    const auto& specials = options_.special_tokens;
    return options_.unk_token && std::find(specials.begin(), specials.end(), *options_.unk_token) == specials.end();
  }

  // What the special tokens leave of the vocabulary.
  std::size_t text_pieces_max() const {
    const std::size_t specials = options_.special_tokens.size() + (unk_is_added() ? 1 : 0);
    if (options_.vocab_size < specials)
      throw Error(Code::kInvalidArgument,
                  "'vocab_size' is " + std::to_string(options_.vocab_size) + ", expected at least the " + std::to_string(specials) + " special tokens");
    return options_.vocab_size - specials;
  }

  void seed() {
    const CharacterCounts counts = count_characters(words_);
    characters_ = required_characters(counts, options_.initial_alphabet);
    const std::size_t size = text_pieces_max();
    if (characters_.size() > size)
      throw Error(Code::kInvalidArgument,
                  "the text has " + std::to_string(characters_.size()) + " different characters, and 'vocab_size' has room for " + std::to_string(size));
    pieces_.add("", 0);
    add_seed_pieces(words_, counts, options_.max_piece_length, options_.seed_size, interrupt_, pieces_);
    pieces_.sort();
    give_back_memory();  // of what did not become a piece
  }

  // Training stops a tenth above the size that was asked for; the last pieces go by their order.
  std::size_t desired_size() const { return std::size_t{options_.vocab_size} * 11 / 10; }

  template <class Use>
  void for_each_word(Lattice& lattice, Use&& use) {
    std::size_t i = 0;
    words_.for_each([&](std::string_view word, std::uint64_t count) {
      if (i++ % kWordsPerInterrupt == 0) interrupt_();
      lattice.set_word(word);
      use(static_cast<double>(count));
    });
  }

  // E step: how often each piece is to be expected in the text.
  std::vector<double> expect() {
    const TrainingModel model(pieces_, TrainingModel::Use::kSums);
    Lattice lattice(model);
    std::vector<double> expected(pieces_.size());
    for_each_word(lattice, [&](double count) { lattice.add_expected(count, expected); });
    return expected;
  }

  // M step, with the digamma function as a prior for few pieces (Liang and Klein, tutorial at ACL 2007).
  void maximize(const std::vector<double>& expected) {
    std::vector<std::uint32_t> kept = {0};
    double sum = 0;
    for (std::uint32_t id = 1; id < pieces_.size(); ++id) {
      if (expected[id] < kExpectedMin) continue;
      sum += expected[id];
      kept.push_back(id);
    }
    pieces_ = pieces_.select(kept);
    for (std::size_t i = 1; i < kept.size(); ++i) pieces_.set_score(i, digamma(expected[kept[i]]) - digamma(sum));
  }

  // How often each piece is in the best ways of all words.
  std::vector<double> count_best(const TrainingModel& model) {
    Lattice lattice(model);
    std::vector<double> counts(pieces_.size());
    std::vector<std::uint32_t> path;
    for_each_word(lattice, [&](double count) {
      lattice.best_path(path);
      for (const std::uint32_t id : path) counts[id] += count;
    });
    return counts;
  }

  // What the logarithm of the text's likelihood loses if `parts` stand for the piece `id`: approximately, from the counts alone.
  double loss_without(std::uint32_t id, const std::vector<std::uint32_t>& parts, const std::vector<double>& counts, double sum) const {
    // The number of all pieces, where one would expect that of the parts: so it is in sentencepiece and tokenizers, and it changes what is dropped.
    const double log_sum_without = std::log(sum + counts[id] * static_cast<double>(pieces_.size() - 1));
    double parts_score = 0;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) parts_score += std::log(counts[*part] + counts[id]) - log_sum_without;
    return counts[id] * (std::log(counts[id]) - std::log(sum) - parts_score);
  }

  struct Candidate {
    double loss;
    std::uint32_t id;
  };

  // Divides the pieces into those that stay and those whose loss decides; the others are in no best way.
  void judge(std::vector<std::uint32_t>& staying, std::vector<Candidate>& candidates) {
    const TrainingModel model(pieces_, TrainingModel::Use::kBestWays);
    const std::vector<double> counts = count_best(model);
    const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
    Lattice lattice(model);
    std::vector<std::uint32_t> path;
    for (std::uint32_t id = 1; id < pieces_.size(); ++id) {
      const std::string_view piece = pieces_[id].piece;
      if (utf8_bytes(piece, 0) == piece.size()) {
        staying.push_back(id);  // nothing can stand for a character
        continue;
      }
      if (counts[id] == 0) continue;
      lattice.set_word(piece);
      lattice.best_path(path);
      if (path.size() > 1) {
        staying.push_back(id);  // it is used, though its parts are better than itself: no loss can be told
        continue;
      }
      lattice.best_path(path, true);
      candidates.push_back({loss_without(id, path, counts, sum), id});
    }
  }

  // Drops the pieces without which the text loses least, were each of them written with its second best way. Returns false if none is dropped.
  bool prune() {
    std::vector<std::uint32_t> staying;
    std::vector<Candidate> candidates;
    judge(staying, candidates);
    give_back_memory();
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.loss > b.loss; });
    const std::size_t before = pieces_.size();
    const std::size_t size = std::max(desired_size(), static_cast<std::size_t>(static_cast<double>(before) * options_.shrinking_factor));
    for (std::size_t i = 0; i < candidates.size() && staying.size() + 1 < size; ++i) staying.push_back(candidates[i].id);
    staying.insert(staying.begin(), 0);
    pieces_ = pieces_.select(staying);
    return pieces_.size() < before;
  }

  // Special tokens, then the characters of the text and the first pieces of the last step by falling score.
  UnigramVocabulary finish() const {
    const TrainingModel model(pieces_, TrainingModel::Use::kBestWays);
    std::unordered_set<std::string_view> taken(options_.special_tokens.begin(), options_.special_tokens.end());
    if (options_.unk_token) taken.insert(*options_.unk_token);
    std::vector<std::pair<std::string, double>> pieces;
    const auto add = [&](std::string_view piece, double score) {
      if (taken.insert(piece).second) pieces.emplace_back(piece, score);
    };
    double added = 0;
    for (const std::string& character : characters_) {
      const auto id = model.trie().find(character);
      add(character, id ? model.score(*id) : model.min_score() + added);
      if (!id) added += kAddedScoreStep;
    }
    const std::size_t size = text_pieces_max();
    for (std::size_t id = 1; id < pieces_.size() && pieces.size() < size; ++id) add(pieces_[id].piece, model.score(static_cast<std::uint32_t>(id)));
    std::stable_sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a.second > b.second; });

    UnigramVocabulary vocabulary;
    if (unk_is_added()) vocabulary.pieces.emplace_back(*options_.unk_token, 0);
    for (const std::string& special : options_.special_tokens) vocabulary.pieces.emplace_back(special, 0);
    for (std::uint32_t id = 0; options_.unk_token && id < vocabulary.pieces.size(); ++id)
      if (vocabulary.pieces[id].first == *options_.unk_token) vocabulary.unk_id = id;
    std::move(pieces.begin(), pieces.end(), std::back_inserter(vocabulary.pieces));
    return vocabulary;
  }

  const UnigramTrainerOptions& options_;
  const std::function<void()>& interrupt_;
  const UnigramProgress& progress_;
  WordCounter& words_;
  std::set<std::string> characters_;  // of the text and of the initial alphabet
  PieceList pieces_;                  // the first stands for unknown characters
};

}  // namespace

UnigramVocabulary train_unigram(WordCounter& words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt, const UnigramProgress& progress) {
  check(options);
  return Training(words, options, interrupt, progress).run();
}

}  // namespace flowrun::tokenizers
