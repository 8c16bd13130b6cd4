#include "text_scores.hpp"

#include <flowrun/error.hpp>

#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>

#include "syllables.hpp"

namespace flowrun::filters {
namespace {

/// zstd's own default, as in mixers/quality_weights: fast, and near enough to its best to compare texts.
constexpr int kLevel = 3;

constexpr std::u32string_view kEnds = U".!?…", kClosing = U"\"')]}”’»", kOpening = U"\"'([{“‘«";
/// Titles whose point ends no sentence: a name follows.
constexpr std::array<std::u32string_view, 10> kTitles = {U"mr", U"mrs", U"ms", U"dr", U"prof", U"rev", U"capt", U"col", U"gen", U"st"};

bool contains(std::u32string_view set, char32_t value) noexcept { return set.find(value) != std::u32string_view::npos; }
bool is_apostrophe(char32_t value) noexcept { return value == U'\'' || value == U'’'; }
char32_t lower(char32_t value) noexcept { return value >= U'A' && value <= U'Z' ? value + (U'a' - U'A') : value; }

/// Takes a text's code points one after another, and remembers no more of a token than its current run of letters and its first few code points.
class Counter {
 public:
  explicit Counter(const CodePointClasses& classes) : classes_(&classes) {}

  void add(char32_t value) {
    const std::uint8_t bits = (*classes_)[value];
    if (bits & kSpace) {
      finish_token();
      if (value == U'\n' && ++newlines_ == 2) end_sentence();
      return;
    }
    in_token_ = true;
    if (length_ > 0 || !contains(kOpening, value)) add_to_token(value);
    if (is_apostrophe(value)) return;
    if (bits & kAlpha) run_ += lower(value);
    else if (!run_.empty()) finish_run();
  }
  TextCounts finish() {
    finish_token();
    end_sentence();
    return counts_;
  }

 private:
  static constexpr std::size_t kHeadSize = 5;  // of the longest title and its point

  void add_to_token(char32_t value) {
    if (length_++ == 0) decide_on_end(value);
    if (length_ <= kHeadSize) head_[length_ - 1] = lower(value);
    if (contains(kClosing, value)) return;
    core_length_ = length_;
    last_ = value;
  }

  /// Ends the sentence behind the token before if it may end there, and `first`, what this token begins with behind opening marks, is not one of a to z.
  void decide_on_end(char32_t first) noexcept {
    if (ends_ && !(first >= U'a' && first <= U'z')) end_sentence();
    ends_ = false;
  }

  void finish_token() {
    if (!in_token_) return;
    if (length_ == 0) decide_on_end(0);  // opening marks alone
    if (!run_.empty()) finish_run();
    counts_.words += syllables_ > 0;
    counts_.syllables += syllables_;
    in_sentence_ = in_sentence_ || syllables_ > 0;
    ends_ = may_end();
    in_token_ = false;
    newlines_ = 0;
    length_ = core_length_ = 0;
    syllables_ = 0;
  }

  void finish_run() {
    syllables_ += count_syllables(run_);
    run_.clear();
  }

  /// Returns whether a sentence may end behind the token; the next one decides.
  bool may_end() const noexcept {
    if (core_length_ == 0 || !contains(kEnds, last_)) return false;
    if (last_ != U'.' || core_length_ > kHeadSize) return true;
    const std::u32string_view name(head_.data(), core_length_ - 1);
    const bool is_initial = name.size() == 1 && ((*classes_)[name[0]] & kAlpha);
    return !is_initial && std::find(kTitles.begin(), kTitles.end(), name) == kTitles.end();
  }

  void end_sentence() noexcept {
    counts_.sentences += in_sentence_;
    in_sentence_ = ends_ = false;
  }

  const CodePointClasses* classes_;
  TextCounts counts_;
  bool in_sentence_ = false;  ///< there is a word since the last end
  bool ends_ = false;         ///< the last token may end a sentence
  int newlines_ = 0;          ///< since the last token
  bool in_token_ = false;
  // Of the token, marks that open a quotation or a bracket left out:
  std::size_t length_ = 0;                  ///< code points
  std::size_t core_length_ = 0;             ///< up to the last that closes nothing, which is last_
  char32_t last_ = 0;
  std::array<char32_t, kHeadSize> head_{};  ///< the first code points, a to z in lower case
  std::u32string run_;                      ///< of letters, a to z in lower case
  std::int64_t syllables_ = 0;
};

}  // namespace

TextCounts count_text(std::string_view text, const CodePointClasses& classes) {
  Counter counter(classes);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    counter.add(next.value);
    at = next.end;
  }
  return counter.finish();
}

double flesch_reading_ease(const TextCounts& counts) noexcept {
  if (counts.words == 0) return 0;
  const auto words = static_cast<double>(counts.words);
  return std::max(0.0, 206.835 - 1.015 * (words / static_cast<double>(counts.sentences)) - 84.6 * (static_cast<double>(counts.syllables) / words));
}

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const noexcept { ZSTD_freeCCtx(context); }

Compressor::Compressor() : context_(ZSTD_createCCtx()) {
  if (!context_) throw std::bad_alloc();
}

double Compressor::ratio(std::string_view text) {
  if (text.empty()) return 1;
  compressed_.resize(std::max(compressed_.size(), ZSTD_compressBound(text.size())));
  const std::size_t bytes = ZSTD_compressCCtx(context_.get(), compressed_.data(), compressed_.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(bytes)) throw Error(Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(bytes));
  return static_cast<double>(bytes) / static_cast<double>(text.size());
}

}  // namespace flowrun::filters
