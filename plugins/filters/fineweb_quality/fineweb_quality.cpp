#include "fineweb_quality.hpp"

#include <algorithm>

#include "filters/common/duplicates.hpp"

namespace flowrun::filters {

/// Lines between '\n' that are not all white space.
std::vector<std::string_view> FineWebQuality::lines_of(std::string_view text) const {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (!strip_left(line, classes_).empty()) lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

bool FineWebQuality::ends_well(std::string_view line) const {
  if (limits_.stop_chars.empty()) return (classes_[code_point_at(line, last_code_point(line)).value] & kTerminal) != 0;
  return std::any_of(limits_.stop_chars.begin(), limits_.stop_chars.end(), [&](const std::string& end) { return line.ends_with(end); });
}

/// Counts the words only where it matters: what stands between white space is at least one word each, unless characters are taken out.
double FineWebQuality::new_lines_per_word(std::string_view text, const WordSplitter& splitter) const {
  const auto new_lines = static_cast<double>(std::count(text.begin(), text.end(), '\n'));
  if (!EnglishWords::may_lose_words(text))
    if (const double most = new_lines / static_cast<double>(count_chunks(text, classes_)); most <= limits_.new_line_ratio) return most;
  WordList words;
  splitter.split(text, words);
  return words.words.empty() ? 0 : new_lines / static_cast<double>(words.words.size());
}

std::optional<Verdict> FineWebQuality::check(std::string_view text, const WordSplitter& splitter) const {
  const std::vector<std::string_view> lines = lines_of(text);
  if (lines.empty()) return Verdict{"empty"};
  const auto share_of = [&](auto matches) { return static_cast<double>(std::count_if(lines.begin(), lines.end(), matches)) / static_cast<double>(lines.size()); };

  const double ended = share_of([&](std::string_view line) { return ends_well(line); });
  if (ended < limits_.line_punct_thr && !(ended == 0 && limits_.line_punct_exclude_zero)) return Verdict{"line_punct_ratio", ended, limits_.line_punct_thr};

  const double short_lines = share_of([&](std::string_view line) { return character_count(line) <= limits_.short_line_length; });
  if (short_lines > limits_.short_line_thr) return Verdict{"short_line_ratio", short_lines, limits_.short_line_thr};

  const auto characters = static_cast<double>(character_count(text) - std::count(text.begin(), text.end(), '\n'));
  const double repeated = static_cast<double>(find_duplicates(lines).characters) / characters;
  if (repeated > limits_.char_duplicates_ratio) return Verdict{"char_dup_ratio", repeated, limits_.char_duplicates_ratio};

  if (const double lists = new_lines_per_word(text, splitter); lists > limits_.new_line_ratio) return Verdict{"list_ratio", lists, limits_.new_line_ratio};
  return std::nullopt;
}

}  // namespace flowrun::filters
