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

// The words in the order of their bytes, those that are there twice added up. A counter gives them so, and then nothing is copied.
WordList in_order(WordList words) {
  bool ordered = true;
  for (std::size_t i = 0; i < words.size() && ordered; ++i) ordered = words[i].count > 0 && (i == 0 || words[i - 1].word < words[i].word);
  if (ordered) return words;
  std::vector<WordCount> sorted(words.begin(), words.end());
  std::sort(sorted.begin(), sorted.end(), [](const WordCount& a, const WordCount& b) { return a.word < b.word; });
  WordList result;
  for (std::size_t i = 0; i < sorted.size();) {
    const std::string_view word = sorted[i].word;
    std::uint64_t count = 0;
    for (; i < sorted.size() && sorted[i].word == word; ++i) count += sorted[i].count;
    if (count > 0) result.add(word, count);
  }
  return result;
}

// Every character of the words and of the alphabet, by code point.
std::set<std::string> required_characters(const WordList& words, const std::vector<char32_t>& alphabet) {
  std::unordered_set<std::string_view> seen;
  for (const auto [word, count] : words) {
    for (std::size_t i = 0; i < word.size();) {
      const std::size_t bytes = utf8_bytes(word, i);
      seen.insert(word.substr(i, bytes));
      i += bytes;
    }
  }
  std::set<std::string> characters(seen.begin(), seen.end());
  for (const char32_t code_point : alphabet) {
    std::string character;
    append_utf8(code_point, character);
    characters.insert(std::move(character));
  }
  return characters;
}

// One training; its functions are the steps in their order.
class Training {
 public:
  Training(WordList words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt, const UnigramProgress& progress)
      : options_(options), interrupt_(interrupt), progress_(progress), words_(std::move(words)), characters_(required_characters(words_, options.initial_alphabet)) {}

  UnigramVocabulary run() {
    const std::size_t size = text_pieces_max();
    if (characters_.size() > size)
      throw Error(Code::kInvalidArgument,
                  "the text has " + std::to_string(characters_.size()) + " different characters, and 'vocab_size' has room for " + std::to_string(size));
    pieces_ = {{"", 0}};
    for (ScoredPiece& seed : make_seed_pieces(words_, options_.max_piece_length, options_.seed_size)) pieces_.push_back(std::move(seed));
    give_back_memory();  // of the suffix array
    do {
      progress_(pieces_.size() - 1, text_pieces_max());
      for (std::uint32_t i = 0; i < options_.n_sub_iterations; ++i) maximize(expect());
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

  // Training stops a tenth above the size that was asked for; the last pieces go by their order.
  std::size_t desired_size() const { return std::size_t{options_.vocab_size} * 11 / 10; }

  template <class Use>
  void for_each_word(Lattice& lattice, Use&& use) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if (i % kWordsPerInterrupt == 0) interrupt_();
      const auto [word, count] = words_[i];
      lattice.set_word(word);
      use(static_cast<double>(count));
    }
  }

  // E step: how often each piece is to be expected in the text.
  std::vector<double> expect() const {
    const TrainingModel model(pieces_);
    Lattice lattice(model);
    std::vector<double> expected(pieces_.size());
    for_each_word(lattice, [&](double count) { lattice.add_expected(count, expected); });
    return expected;
  }

  // M step, with the digamma function as a prior for few pieces (Liang and Klein, tutorial at ACL 2007).
  void maximize(const std::vector<double>& expected) {
    std::size_t kept = 1;
    double sum = 0;
    for (std::size_t id = 1; id < pieces_.size(); ++id) {
      if (expected[id] < kExpectedMin) continue;
      sum += expected[id];
      if (kept != id) pieces_[kept].piece = std::move(pieces_[id].piece);
      pieces_[kept++].score = expected[id];
    }
    pieces_.resize(kept);
    for (std::size_t id = 1; id < kept; ++id) pieces_[id].score = digamma(pieces_[id].score) - digamma(sum);
  }

  // How often each piece is in the best ways of all words.
  std::vector<double> count_best(const TrainingModel& model) const {
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
  void judge(std::vector<std::uint32_t>& staying, std::vector<Candidate>& candidates) const {
    const TrainingModel model(pieces_);
    const std::vector<double> counts = count_best(model);
    const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
    Lattice lattice(model);
    std::vector<std::uint32_t> path;
    for (std::uint32_t id = 1; id < pieces_.size(); ++id) {
      const std::string& piece = pieces_[id].piece;
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
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) { return a.loss > b.loss; });
    const std::size_t before = pieces_.size();
    const std::size_t size = std::max(desired_size(), static_cast<std::size_t>(static_cast<double>(before) * options_.shrinking_factor));
    for (std::size_t i = 0; i < candidates.size() && staying.size() + 1 < size; ++i) staying.push_back(candidates[i].id);
    std::vector<ScoredPiece> pieces = {pieces_[0]};
    for (const std::uint32_t id : staying) pieces.push_back(std::move(pieces_[id]));
    pieces_ = std::move(pieces);
    return pieces_.size() < before;
  }

  // Special tokens, then the characters of the text and the first pieces of the last step by falling score.
  UnigramVocabulary finish() const {
    const TrainingModel model(pieces_);
    std::unordered_set<std::string_view> taken(options_.special_tokens.begin(), options_.special_tokens.end());
    if (options_.unk_token) taken.insert(*options_.unk_token);
    std::vector<std::pair<std::string, double>> pieces;
    const auto add = [&](const std::string& piece, double score) {
      if (taken.insert(piece).second) pieces.emplace_back(piece, score);
    };
    double added = 0;
    for (const std::string& character : characters_) {
      const auto id = model.trie().find(character);
      add(character, id ? pieces_[*id].score : model.min_score() + added);
      if (!id) added += kAddedScoreStep;
    }
    const std::size_t size = text_pieces_max();
    for (std::size_t id = 1; id < pieces_.size() && pieces.size() < size; ++id) add(pieces_[id].piece, pieces_[id].score);
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
  const WordList words_;
  const std::set<std::string> characters_;
  std::vector<ScoredPiece> pieces_;  // the first stands for unknown characters
};

}  // namespace

UnigramVocabulary train_unigram(WordList words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt, const UnigramProgress& progress) {
  check(options);
  for (const auto [word, count] : words)
    if (const std::size_t error = find_malformed_utf8(word); error != std::string::npos)
      throw Error(Code::kInvalidArgument, "a word is not UTF-8 at byte " + std::to_string(error));
  return Training(in_order(std::move(words)), options, interrupt, progress).run();
}

}  // namespace flowrun::tokenizers
