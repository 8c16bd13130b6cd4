#include "common/text/english/words.hpp"

#include <algorithm>
#include <map>

#include "common/text/english/affixes.hpp"
#include "common/text/english/classes.hpp"
#include "common/text/english/exceptions.hpp"
#include "common/text/english/tables.hpp"
#include "common/text/python_text.hpp"

namespace flowrun::text {
namespace {

using english::Chunk;

constexpr std::string_view kBreaksSpacy = "IS_ALPHA";

/// What a byte may be, for the walk over a text.
enum ByteKind : std::uint8_t { kLetter, kOther, kWhite, kHigh };

constexpr std::array<ByteKind, 256> kByteKinds = [] {
  std::array<ByteKind, 256> kinds{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool white = (c >= 0x9 && c <= 0xD) || (c >= 0x1C && c <= 0x20);
    kinds[static_cast<std::size_t>(c)] = c >= 0x80 ? kHigh : white ? kWhite : letter ? kLetter : kOther;
  }
  return kinds;
}();

std::string without(std::string_view text, std::string_view part) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(part, at);
    out += text.substr(at, found - at);
    if (found == std::string_view::npos) return out;
    at = found + part.size();
  }
}

/// A run of tokens that spells an exception.
struct Match {
  std::size_t begin, end;
};

/// Leaves the longest matches, of equal ones the first, that no longer one touches. As in spaCy, a match that is left out still keeps
/// shorter ones from its tokens, and only a match's first and last token are looked at.
std::vector<Match> filter_matches(std::vector<Match> matches, std::size_t token_count) {
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.end - a.begin > b.end - b.begin; });
  std::vector<bool> seen(token_count);
  std::vector<Match> kept;
  for (const Match& match : matches) {
    if (!seen[match.begin] && !seen[match.end - 1]) kept.push_back(match);
    std::fill(seen.begin() + static_cast<std::ptrdiff_t>(match.begin), seen.begin() + static_cast<std::ptrdiff_t>(match.end), true);
  }
  std::sort(kept.begin(), kept.end(), [](const Match& a, const Match& b) { return a.begin < b.begin; });
  return kept;
}

/// Returns the byte where the n-th code point begins.
std::size_t byte_of(std::string_view text, std::size_t n) noexcept {
  std::size_t at = 0;
  while (n-- > 0 && at < text.size()) at = code_point_at(text, at).end;
  return at;
}

}  // namespace

EnglishWords::EnglishWords() : page_of_(0x110000 >> 8), exceptions_(std::make_unique<english::Exceptions>()), phrases_(std::make_unique<english::Phrases>()) {
  std::vector<std::uint16_t> classes(0x110000);
  for (const auto& range : english::class_ranges()) std::fill(classes.begin() + range.first, classes.begin() + range.last + 1, range.classes);
  std::map<std::array<std::uint16_t, 256>, std::uint16_t> known;
  for (std::size_t i = 0; i < page_of_.size(); ++i) {
    std::array<std::uint16_t, 256> page;
    std::copy_n(classes.begin() + static_cast<std::ptrdiff_t>(i << 8), 256, page.begin());
    const auto [it, added] = known.emplace(page, static_cast<std::uint16_t>(pages_.size()));
    if (added) pages_.push_back(page);
    page_of_[i] = it->second;
  }

  // An exception that has no affix (spaCy's faster_heuristics) or is one token anyway cannot come about by joining.
  const auto& texts = exceptions_->texts();
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    std::vector<std::string_view> words;
    for (const Token& token : tokenize(texts[i], Specials::kOff)) words.push_back(texts[i].substr(token.begin, token.end - token.begin));
    if (words.size() > 1) phrases_->add(words);
  }
}

EnglishWords::~EnglishWords() = default;

void EnglishWords::split(std::string_view text, WordList& out) const {
  const auto tokens = tokenize_as_datatrove(text, out.changed);
  if (!out.changed.empty()) text = out.changed;
  out.words.clear();
  for (const Token& token : tokens)
    if (!token.space) out.words.push_back(text.substr(token.begin, token.end - token.begin));
}

bool EnglishWords::may_lose_words(std::string_view text) noexcept { return text.find(kBreaksSpacy) != std::string_view::npos; }

std::vector<EnglishWords::Token> EnglishWords::tokenize_as_datatrove(std::string_view text, std::string& changed) const {
  changed.clear();
  auto tokens = tokenize(text);
  if (!may_lose_words(text)) return tokens;
  const auto breaks = [&](const Token& token) { return text.substr(token.begin, token.end - token.begin) == kBreaksSpacy; };
  if (std::none_of(tokens.begin(), tokens.end(), breaks)) return tokens;
  changed = without(text, kBreaksSpacy);
  return tokenize(changed);
}

std::vector<EnglishWords::Token> EnglishWords::tokenize(std::string_view text, Specials specials) const {
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 4);
  cut_chunks(text, specials, tokens);
  if (specials == Specials::kOn) join_exceptions(text, tokens);
  return tokens;
}

void EnglishWords::cut_chunks(std::string_view text, Specials specials, std::vector<Token>& tokens) const {
  Chunk chunk;
  const auto is_space = [&](const CodePoint& c) { return (classes_of(c.value) & english::kSpace) != 0; };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    bool letters = true;
    while (at < text.size()) {
      const ByteKind kind = kByteKinds[static_cast<unsigned char>(text[at])];
      if (kind == kWhite) break;
      if (kind == kHigh) {
        const CodePoint c = code_point_at(text, at);
        if (is_space(c)) break;
        at = c.end;
      } else {
        ++at;
      }
      letters = letters && kind == kLetter;
    }
    if (at > begin) {
      const auto first = static_cast<std::uint32_t>(begin), last = static_cast<std::uint32_t>(at);
      if (!letters) cut_chunk(text, first, last, specials, chunk, tokens);
      else if (specials == Specials::kOff || !cut_exception(text, first, last, tokens)) tokens.push_back({first, last, false});  // no affix is a letter
    }

    // A single space between chunks is no token, and neither is the first of more white space behind a chunk.
    std::size_t space = at;
    while (at < text.size()) {
      const CodePoint c = code_point_at(text, at);
      if (!is_space(c)) break;
      at = c.end;
    }
    if (at > space && space > 0 && text[space] == ' ') ++space;
    if (at > space) tokens.push_back({static_cast<std::uint32_t>(space), static_cast<std::uint32_t>(at), true});
  }
}

bool EnglishWords::cut_exception(std::string_view text, std::uint32_t begin, std::uint32_t end, std::vector<Token>& tokens) const {
  const auto pieces = exceptions_->find(text.substr(begin, end - begin));
  for (const std::uint8_t size : pieces) {
    tokens.push_back({begin, begin + size, false});
    begin += size;
  }
  return !pieces.empty();
}

void EnglishWords::load(std::string_view text, std::uint32_t begin, std::uint32_t end, Chunk& chunk) const {
  chunk.characters.clear();
  chunk.classes.clear();
  chunk.at.clear();
  for (std::size_t at = begin; at < end;) {
    const CodePoint c = code_point_at(text, at);
    chunk.characters.push_back(c.value);
    chunk.classes.push_back(classes_of(c.value));
    chunk.at.push_back(static_cast<std::uint32_t>(at));
    at = c.end;
  }
  chunk.at.push_back(end);
}

// spaCy's Tokenizer._split_affixes and _attach_tokens.
void EnglishWords::cut_chunk(std::string_view text, std::uint32_t begin, std::uint32_t end, Specials specials, Chunk& chunk, std::vector<Token>& tokens) const {
  load(text, begin, end, chunk);
  const auto push = [&](std::size_t from, std::size_t to) { tokens.push_back({chunk.at[from], chunk.at[to], false}); };
  const auto is_exception = [&](std::size_t from, std::size_t to) {
    return specials == Specials::kOn && from < to && !exceptions_->find(text.substr(chunk.at[from], chunk.at[to] - chunk.at[from])).empty();
  };

  std::size_t lo = 0, hi = chunk.characters.size();
  std::vector<std::size_t> suffixes;  // where each begins
  while (lo < hi && !is_exception(lo, hi)) {
    const std::size_t prefix = english::prefix_size(chunk, lo, hi);
    if (prefix > 0 && is_exception(lo + prefix, hi)) {
      push(lo, lo + prefix);
      lo += prefix;
      break;
    }
    const std::size_t suffix = english::suffix_size(chunk, lo + prefix, hi, text);
    if (suffix > 0 && is_exception(lo, hi - suffix)) {
      suffixes.push_back(hi -= suffix);
      break;
    }
    if (prefix == 0 && suffix == 0) break;
    if (prefix > 0) push(lo, lo + prefix);
    lo += prefix;
    if (suffix > 0) suffixes.push_back(hi -= suffix);
  }

  if (lo < hi && !(is_exception(lo, hi) && cut_exception(text, chunk.at[lo], chunk.at[hi], tokens))) {
    std::size_t from = lo;
    if (!english::is_url(chunk, lo, hi))
      for (std::size_t at = lo; at < hi;) {
        const std::size_t size = english::infix_size(chunk, lo, hi, at);
        if (size > 0 && at > lo) {  // one at the very begin stays with what follows
          if (at > from) push(from, at);
          push(at, at + size);
          from = at + size;
        }
        at += size > 0 ? size : 1;
      }
    if (from < hi) push(from, hi);
  }
  for (std::size_t i = suffixes.size(); i-- > 0;) push(suffixes[i], i == 0 ? chunk.characters.size() : suffixes[i - 1]);
}

// spaCy's Tokenizer._apply_special_cases.
void EnglishWords::join_exceptions(std::string_view text, std::vector<Token>& tokens) const {
  const auto word = [&](std::size_t i) { return text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin); };
  std::vector<Match> matches;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (phrases_->later_token(word(i)) < 0) continue;
    std::int32_t node = 0;
    for (std::size_t end = i - 1; end < tokens.size(); ++end) {
      const std::int32_t token = phrases_->token(word(end));
      if (token < 0 || (node = phrases_->next(node, token)) < 0) break;
      if (phrases_->is_end(node)) matches.push_back({i - 1, end + 1});
    }
  }
  if (matches.empty()) return;

  std::vector<Token> joined;
  joined.reserve(tokens.size());
  std::size_t next = 0;
  for (const Match& match : filter_matches(std::move(matches), tokens.size())) {
    const std::uint32_t begin = tokens[match.begin].begin, end = tokens[match.end - 1].end;
    joined.insert(joined.end(), tokens.begin() + static_cast<std::ptrdiff_t>(next), tokens.begin() + static_cast<std::ptrdiff_t>(match.begin));
    next = match.begin;
    if (cut_exception(text, begin, end, joined)) next = match.end;  // not where the tokens are apart
  }
  joined.insert(joined.end(), tokens.begin() + static_cast<std::ptrdiff_t>(next), tokens.end());
  tokens = std::move(joined);
}

bool EnglishWords::is_punctuation(std::string_view word) const noexcept {
  for (std::size_t at = 0; at < word.size();) {
    const CodePoint c = code_point_at(word, at);
    if ((classes_of(c.value) & english::kCategoryP) == 0) return false;
    at = c.end;
  }
  return true;
}

// spaCy's Sentencizer.predict: a sentence begins behind a sentence's end at the first token that is not all punctuation.
std::vector<std::uint32_t> EnglishWords::sentence_ends(std::string_view text, const std::vector<Token>& tokens) const {
  std::vector<std::uint32_t> ends;
  bool seen_end = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const CodePoint first = code_point_at(text, tokens[i].begin);
    if (first.end == tokens[i].end && (classes_of(first.value) & english::kSentenceEnd) != 0) seen_end = true;
    else if (seen_end && !is_punctuation(text.substr(tokens[i].begin, tokens[i].end - tokens[i].begin))) {
      ends.push_back(tokens[i - 1].end);
      seen_end = false;
    }
  }
  ends.push_back(static_cast<std::uint32_t>(text.size()));
  return ends;
}

std::vector<std::string_view> EnglishWords::split_sentences(std::string_view text) const {
  std::string changed;
  const auto tokens = tokenize_as_datatrove(text, changed);
  std::vector<std::uint32_t> ends = sentence_ends(changed.empty() ? text : std::string_view(changed), tokens);
  if (!changed.empty())  // datatrove cuts the text where the changed one would be cut
    for (std::uint32_t& end : ends) {
      std::size_t characters = 0;
      for (std::size_t at = 0; at < end; ++characters) at = code_point_at(changed, at).end;
      end = static_cast<std::uint32_t>(byte_of(text, characters));
    }
  ends.back() = static_cast<std::uint32_t>(text.size());
  std::vector<std::string_view> sentences;
  std::size_t begin = 0;
  for (const std::uint32_t end : ends) {
    sentences.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return sentences;
}

}  // namespace flowrun::text
