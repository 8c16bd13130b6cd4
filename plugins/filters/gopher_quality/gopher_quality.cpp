#include "gopher_quality.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::filters {
namespace {

constexpr std::string_view kEllipsis = "…", kBullet = "•";

double ratio(std::int64_t part, std::int64_t whole) noexcept { return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

struct GopherQuality::Words {
  std::int64_t all = 0;
  std::int64_t with_letter = 0;
  std::int64_t non_symbol = 0;             ///< with a character that is not punctuation
  std::int64_t non_symbol_characters = 0;  ///< code points in those
  std::int64_t stop_words = 0;             ///< different ones
};

struct GopherQuality::Lines {
  std::int64_t all = 0, bullet = 0, ellipsis = 0;
};

GopherQuality::GopherQuality(GopherLimits limits) : limits_(std::move(limits)) {
  auto& words = limits_.stop_words;  // a set: a word that is listed twice counts once
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  for (const auto& word : words) longest_stop_word_ = std::max(longest_stop_word_, word.size());
}

/// Returns the stop word's place in the list, or -1.
int GopherQuality::stop_word_index(std::string_view word) const noexcept {
  if (word.size() > longest_stop_word_) return -1;
  const auto it = std::lower_bound(limits_.stop_words.begin(), limits_.stop_words.end(), word);
  return it != limits_.stop_words.end() && *it == word ? static_cast<int>(it - limits_.stop_words.begin()) : -1;
}

GopherQuality::Words GopherQuality::count_words(std::span<const std::string_view> all_words) const {
  Words words;
  words.all = static_cast<std::int64_t>(all_words.size());
  std::vector<bool> seen(limits_.stop_words.size());
  for (const std::string_view word : all_words) {
    std::uint8_t any = 0, all = 0xFF;
    std::int64_t characters = 0;
    for (std::size_t at = 0; at < word.size(); ++characters) {
      const CodePoint c = code_point_at(word, at);
      any = static_cast<std::uint8_t>(any | classes_[c.value]);
      all = static_cast<std::uint8_t>(all & classes_[c.value]);
      at = c.end;
    }
    words.with_letter += (any & kAlpha) != 0;
    if (!(all & kPunctuation)) {
      ++words.non_symbol;
      words.non_symbol_characters += characters;
    }
    if (words.stop_words < limits_.min_stop_words)  // more than enough are not counted
      if (const int index = stop_word_index(word); index >= 0 && !seen[static_cast<std::size_t>(index)]) {
        seen[static_cast<std::size_t>(index)] = true;
        ++words.stop_words;
      }
  }
  return words;
}

GopherQuality::Lines GopherQuality::count_lines(std::string_view text) const {
  Lines lines;
  LineSplitter splitter(text);
  for (std::string_view line; splitter.next(line); ++lines.all) {
    const std::string_view left = strip_left(line, classes_), right = strip_right(line, classes_);
    lines.bullet += left.starts_with(kBullet) || left.starts_with('-');
    lines.ellipsis += right.ends_with("...") || right.ends_with(kEllipsis);
  }
  return lines;
}

std::optional<Verdict> GopherQuality::check(std::string_view text, std::span<const std::string_view> all_words) const {
  const GopherLimits& limit = limits_;
  // A threshold of 0 is off, as None and 0 are in datatrove.
  const auto below = [](double value, double threshold) { return threshold != 0 && value < threshold; };
  const auto above = [](double value, double threshold) { return threshold != 0 && value > threshold; };

  const Words words = count_words(all_words);
  const auto count = static_cast<double>(words.non_symbol);
  const auto min_words = static_cast<double>(limit.min_doc_words), max_words = static_cast<double>(limit.max_doc_words);
  if (below(count, min_words)) return Verdict{"gopher_short_doc", count, min_words};
  if (above(count, max_words)) return Verdict{"gopher_long_doc", count, max_words};

  if (words.non_symbol > 0) {
    const double mean = ratio(words.non_symbol_characters, words.non_symbol);
    if (below(mean, limit.min_avg_word_length)) return Verdict{"gopher_below_avg_threshold", mean, limit.min_avg_word_length};
    if (above(mean, limit.max_avg_word_length)) return Verdict{"gopher_above_avg_threshold", mean, limit.max_avg_word_length};
  }

  const double hashes = ratio(std::count(text.begin(), text.end(), '#'), words.all);
  if (above(hashes, limit.max_symbol_word_ratio)) return Verdict{"gopher_too_many_hashes", hashes, limit.max_symbol_word_ratio};
  const double ellipses = ratio(count_of(text, "...") + count_of(text, kEllipsis), words.all);
  if (above(ellipses, limit.max_symbol_word_ratio)) return Verdict{"gopher_too_many_ellipsis", ellipses, limit.max_symbol_word_ratio};

  const Lines lines = count_lines(text);
  const double bullet = ratio(lines.bullet, lines.all), ellipsis = ratio(lines.ellipsis, lines.all);
  if (above(bullet, limit.max_bullet_lines_ratio)) return Verdict{"gopher_too_many_bullets", bullet, limit.max_bullet_lines_ratio};
  if (above(ellipsis, limit.max_ellipsis_lines_ratio)) return Verdict{"gopher_too_many_end_ellipsis", ellipsis, limit.max_ellipsis_lines_ratio};

  const double alpha = ratio(words.with_letter, words.all);
  if (below(alpha, limit.max_non_alpha_words_ratio)) return Verdict{"gopher_below_alpha_threshold", alpha, limit.max_non_alpha_words_ratio};

  const auto stop_words = static_cast<double>(words.stop_words), min_stop_words = static_cast<double>(limit.min_stop_words);
  if (below(stop_words, min_stop_words)) return Verdict{"gopher_enough_stop_words", stop_words, min_stop_words};
  return std::nullopt;
}

}  // namespace flowrun::filters
