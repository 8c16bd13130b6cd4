#include "c4_quality.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace flowrun::filters {
namespace {

constexpr std::array<std::string_view, 6> kPolicyPhrases = {"terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"};
constexpr std::array<std::string_view, 2> kWordCitations = {"[edit]", "[citation needed]"};
constexpr std::string_view kKelvin = "\xE2\x84\xAA";  // the only other character that str.lower() makes ASCII of, beside U+0130 with its dot

/// Lower case as far as a search for ASCII can tell: str.lower() of everything else gives no plain ASCII letter.
std::string ascii_lower(std::string_view line) {
  std::string lower(line);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  for (std::size_t at = lower.find(kKelvin); at != std::string::npos; at = lower.find(kKelvin, at)) {
    lower[at] = 'k';
    lower.erase(at + 1, kKelvin.size() - 1);
  }
  return lower;
}

bool ends_a_sentence(std::string_view line) noexcept {
  return !line.empty() && std::string_view(".?!\"'").find(line.back()) != std::string_view::npos && !line.ends_with("...");
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  LineSplitter splitter(text);
  for (std::string_view line; splitter.next(line);) lines.push_back(line);
  return lines;
}

}  // namespace

/// Counts the words between white space; false where one is too long.
bool C4Quality::words_fit(std::string_view line, std::int64_t& words) const {
  std::int64_t characters = 0;
  words = 0;
  for (std::size_t at = 0; at < line.size();) {
    const CodePoint c = code_point_at(line, at);
    at = c.end;
    if (classes_[c.value] & kSpace) {
      characters = 0;
      continue;
    }
    words += characters++ == 0;
    if (rules_.max_word_length != -1 && characters > rules_.max_word_length) return false;
  }
  return true;
}

/// Returns the size of what datatrove's CITATION_REGEX matches at a '[', 0 for nothing.
std::size_t C4Quality::citation_size(std::string_view text) const noexcept {
  for (const std::string_view word : kWordCitations)
    if (text.starts_with(word)) return word.size();
  std::size_t at = 1;
  while (at < text.size()) {
    const CodePoint c = code_point_at(text, at);
    if (c.value == ']') return c.end;
    if (!(classes_[c.value] & kDecimal)) break;
    at = c.end;
  }
  return 0;
}

/// Writes the line without citations; false where it has none.
bool C4Quality::remove_citations(std::string_view line, std::string& out) const {
  out.clear();
  std::size_t copied = 0;
  for (std::size_t at = line.find('['); at != std::string_view::npos;) {
    const std::size_t size = citation_size(line.substr(at));
    if (size > 0) {
      out += line.substr(copied, at - copied);
      copied = at + size;
    }
    at = line.find('[', at + std::max<std::size_t>(size, 1));
  }
  if (copied == 0) return false;
  out += line.substr(copied);
  return true;
}

/// `line` becomes what of it stays; it may then lie in `without_citations`.
C4Quality::LineFate C4Quality::judge(std::string_view& line, std::string& without_citations) const {
  line = strip(line, classes_);
  std::int64_t words = 0;
  if (!words_fit(line, words)) return LineFate::kLeftOut;
  if (rules_.remove_citations && remove_citations(line, without_citations)) line = without_citations;
  if (rules_.filter_no_terminal_punct && !ends_a_sentence(line)) return LineFate::kLeftOut;
  if (words < rules_.min_words_per_line) return LineFate::kLeftOut;

  const std::string lower = ascii_lower(line);
  const auto has = [&](std::string_view phrase) { return lower.find(phrase) != std::string::npos; };
  if (rules_.filter_lorem_ipsum && has("lorem ipsum")) return LineFate::kLoremIpsum;
  if (rules_.filter_javascript && has("javascript")) return LineFate::kLeftOut;
  if (rules_.filter_curly_bracket && line.find('{') != std::string_view::npos) return LineFate::kCurlyBracket;
  if (rules_.filter_policy && std::any_of(kPolicyPhrases.begin(), kPolicyPhrases.end(), has)) return LineFate::kLeftOut;
  return LineFate::kKept;
}

C4Quality::Result C4Quality::rewrite(std::string_view text) const {
  std::string kept, without_citations;
  std::int64_t sentences = 0;
  bool first = true;
  for (std::string_view line : rules_.split_paragraph ? lines_of(text) : english_.split_sentences(text)) {
    switch (judge(line, without_citations)) {
      case LineFate::kLoremIpsum: return {Verdict{"lorem_ipsum"}, {}};
      case LineFate::kCurlyBracket: return {Verdict{"curly_bracket"}, {}};
      case LineFate::kLeftOut: continue;
      case LineFate::kKept: break;
    }
    if (sentences < rules_.min_num_sentences)  // more than enough are not counted
      sentences += rules_.split_paragraph ? static_cast<std::int64_t>(english_.split_sentences(line).size()) : 1;
    if (!first) kept += rules_.split_paragraph ? '\n' : ' ';
    kept += line;
    first = false;
  }
  if (sentences < rules_.min_num_sentences) return {Verdict{"too_few_sentences", static_cast<double>(sentences), static_cast<double>(rules_.min_num_sentences)}, {}};
  return {std::nullopt, std::string(strip(kept, classes_))};
}

}  // namespace flowrun::filters
