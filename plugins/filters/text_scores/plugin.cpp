// filters/text_scores: adds columns that say how hard a text is and how much it repeats itself. What they mean is in text_scores.hpp.

#include <flowrun/node.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text_scores.hpp"

namespace flowrun::filters {
namespace {

enum class Score { kCompressionRatio, kFlesch, kWords, kSentences, kSyllables };
constexpr std::array<std::pair<std::string_view, Score>, 5> kScores = {{{"compression_ratio", Score::kCompressionRatio},
                                                                       {"flesch", Score::kFlesch},
                                                                       {"words", Score::kWords},
                                                                       {"sentences", Score::kSentences},
                                                                       {"syllables", Score::kSyllables}}};

std::vector<Score> read_scores(const std::vector<std::string>& names) {
  if (names.empty()) throw Error(Code::kInvalidArgument, "'scores' is empty, expected at least one");
  std::vector<Score> scores;
  for (const std::string& name : names) {
    const auto it = std::find_if(kScores.begin(), kScores.end(), [&](const auto& known) { return known.first == name; });
    if (it == kScores.end()) throw Error(Code::kInvalidArgument, "'scores' names '" + name + "', expected compression_ratio, flesch, words, sentences or syllables");
    if (std::find(scores.begin(), scores.end(), it->second) != scores.end()) throw Error(Code::kInvalidArgument, "'scores' names '" + name + "' twice");
    scores.push_back(it->second);
  }
  return scores;
}

bool is_number(Score score) noexcept { return score == Score::kCompressionRatio || score == Score::kFlesch; }

class TextScores : public Map {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/text_scores", "0.1.0")
        .summary("Adds columns of difficulty and quality, such as `score.flesch`, for mixers to weigh and order documents by. Nothing is dropped.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(strings("scores").defaults({"compression_ratio", "flesch", "words"}).about(
            "The columns, each as `score.` and its name. compression_ratio (float64): zstd's bytes per byte at level 3, small for what repeats itself, 1 for no text. flesch "
            "(float64): Reading Ease for English, 0 (hard) to 121.22 (easy), 0 without words. words, sentences, syllables (int64): what it is made of. No value is ever null or not "
            "finite. Tokens have their `bytes` and `length` without this node."))
        .determinism("pure")
        .threads("Any number of calls at once; each takes zstd's context, 1.3 MB, and as much as the longest text where it is compressed.")
        .source(
            "Flesch 1948, A new readability yardstick: 206.835 - 1.015 words / sentences - 84.6 syllables / words, at least 0. Syllables: Lingua::EN::Syllable 0.31. Compression: "
            "Yin et al. 2024, arXiv:2407.06645 (theirs is raw / compressed). What a word and a sentence are: text_scores.hpp")
        .example("[node.scored]\nplugin = \"filters/text_scores\"\nin     = \"good\"\nscores = [\"flesch\", \"words\"]\n");
  }

  explicit TextScores(const Params& params) : names_(params.strings("scores")), scores_(read_scores(names_)) {
    const auto asks_for = [&](Score score) { return std::find(scores_.begin(), scores_.end(), score) != scores_.end(); };
    compresses_ = asks_for(Score::kCompressionRatio);
    counts_ = !compresses_ || scores_.size() > 1;
  }

  void open(Open& open) override {
    schema_ = open.input();
    Field output = schema_;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      const std::string name = "score." + names_[i];
      if (schema_.find(name) >= 0) throw Error(Code::kInvalidArgument, "the input has a column '" + name + "' already; leave '" + names_[i] + "' out of 'scores'");
      output.children.push_back(is_number(scores_[i]) ? fields::float64(name) : fields::int64(name));
    }
    open.set_output(0, output);
  }

  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    std::vector<TextCounts> counts;
    std::vector<double> ratios;
    measure(call, in, counts, ratios);
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
    for (const Score score : scores_) columns.push_back(column_of(score, counts, ratios));
    make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(call.retain(in))).move_to(&out[0]);
  }

 private:
  void measure(const Call& call, const ArrowArray& in, std::vector<TextCounts>& counts, std::vector<double>& ratios) const {
    const StringColumn text = BatchView(in, schema_).strings("text");
    std::optional<Compressor> compressor;
    if (compresses_) compressor.emplace();
    for (std::int64_t row = 0; row < in.length; ++row) {
      call.check_stop();
      if (compresses_) ratios.push_back(compressor->ratio(text[row]));
      if (counts_) counts.push_back(count_text(text[row], classes_));
    }
  }

  static OwnedArray column_of(Score score, const std::vector<TextCounts>& counts, const std::vector<double>& ratios) {
    const auto of_counts = [&](auto value_of) {
      std::vector<decltype(value_of(counts[0]))> values;
      for (const TextCounts& row : counts) values.push_back(value_of(row));
      return make_column(std::move(values));
    };
    switch (score) {
      case Score::kCompressionRatio: return make_column(ratios);
      case Score::kFlesch: return of_counts(flesch_reading_ease);
      case Score::kWords: return of_counts([](const TextCounts& row) { return row.words; });
      case Score::kSentences: return of_counts([](const TextCounts& row) { return row.sentences; });
      case Score::kSyllables: break;
    }
    return of_counts([](const TextCounts& row) { return row.syllables; });
  }

  const std::vector<std::string> names_;
  const std::vector<Score> scores_;
  bool compresses_ = false, counts_ = false;
  Field schema_;
  CodePointClasses classes_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::TextScores)
