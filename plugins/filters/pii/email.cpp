#include "email.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <string>

#include "ascii.hpp"
#include "common/text/python_text.hpp"

namespace flowrun::filters::pii {
namespace {

constexpr std::size_t kMaxLocal = 64, kMaxLabel = 63, kMaxDomain = 253;  // RFC 5321, 4.5.3.1; RFC 1035, 2.3.4

/// Calls `use` with each '@' that may stand in a match, given the end of the last one; `use` appends what it finds.
template <class Match>
void for_each_at_sign(std::string_view text, Matches& out, Match match) {
  std::size_t end = 0;  // of the last match: no other begins before it
  for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', std::max(at + 1, end))) {
    std::size_t begin = 0, domain_end = 0;
    if (!match(text, at, end, begin, domain_end)) continue;
    out.push_back({begin, domain_end, Kind::kEmail});
    end = domain_end;
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view lower) noexcept {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x | 0x20 : x) == y; });
}

/// Domains that are reserved for examples and tests (RFC 2606), and endings of files.
bool belongs_to_nobody(std::string_view domain) noexcept {
  static constexpr std::string_view kLast[] = {"example", "test", "invalid", "localhost",
                                                "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "bmp", "css", "js", "json", "html", "htm", "xml", "pdf"};
  const std::size_t dot = domain.rfind('.');
  const std::string_view last = domain.substr(dot + 1);
  for (const std::string_view name : kLast)
    if (equal_ignoring_case(last, name)) return true;
  const std::size_t second = domain.substr(0, dot).rfind('.') + 1;  // npos + 1 is 0
  return equal_ignoring_case(domain.substr(second, dot - second), "example") &&
         (equal_ignoring_case(last, "com") || equal_ignoring_case(last, "net") || equal_ignoring_case(last, "org"));
}

/// Returns the end of a top-level domain that begins at `at`, or kNoMatch.
std::size_t top_level_end(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at > 4 && equal_ignoring_case(text.substr(at, 4), "xn--")) {
    std::size_t end = at + 4;
    while (is_at(text, end, kAlnum) || has_at(text, end, '-')) ++end;
    while (end > at + 4 && text[end - 1] == '-') --end;
    if (end > at + 4) return end;
  }
  const std::size_t end = run_end(text, at, kLetter);
  const bool goes_on = is_at(text, end, kAlnum) || (has_at(text, end, '-') && is_at(text, end + 1, kAlnum));
  return end < at + 2 || goes_on ? kNoMatch : end;
}

/// Returns the end of the longest domain that begins at `begin`, or kNoMatch.
std::size_t domain_end(std::string_view text, std::size_t begin) noexcept {
  std::size_t found = kNoMatch;
  for (std::size_t at = begin, labels = 0; is_at(text, at, kAlnum); ++labels) {
    if (const std::size_t end = labels > 0 ? top_level_end(text, at) : kNoMatch; end != kNoMatch) found = end;
    std::size_t end = at;
    while (is_at(text, end, kAlnum) || has_at(text, end, '-')) ++end;
    if (!has_at(text, end, '.') || text[end - 1] == '-') break;
    at = end + 1;
  }
  return found;
}

bool fits_lengths(std::string_view domain) noexcept {
  if (domain.size() > kMaxDomain) return false;
  for (std::size_t at = 0; at <= domain.size();) {
    const std::size_t end = std::min(domain.find('.', at), domain.size());
    if (end - at > kMaxLabel) return false;
    at = end + 1;
  }
  return true;
}

/// Finds where the local part begins that ends before the '@' at `at`: as far left as the expression allows, but no more than 64 characters and not before `from`.
bool find_local(std::string_view text, std::size_t at, std::size_t from, std::size_t& begin) noexcept {
  if (at == from || !(is(text[at - 1], kWord) || text[at - 1] == '+' || text[at - 1] == '-')) return false;
  std::size_t run = at;
  while (run > from && at - run < kMaxLocal && is(text[run - 1], kLocal)) --run;
  for (begin = run; begin < at; ++begin)
    if (is(text[begin], kWord) && !is_before(text, begin, kWord)) return true;
  return false;
}

bool match_email(std::string_view text, std::size_t at, std::size_t from, std::size_t& begin, std::size_t& end) noexcept {
  if (!is_at(text, at + 1, kAlnum) || !find_local(text, at, from, begin)) return false;
  end = domain_end(text, at + 1);
  if (end == kNoMatch) return false;
  const std::string_view domain = text.substr(at + 1, end - at - 1);
  return fits_lengths(domain) && !belongs_to_nobody(domain);
}

// ------------------------------------------------------------------------------------------------------------------ datatrove's expression

/// \w of Python's re for the character that ends before `at`: str.isalnum() or '_'.
bool is_word_before(std::string_view text, std::size_t at) noexcept {
  if (at == 0) return false;
  if (static_cast<unsigned char>(text[at - 1]) < 0x80) return is(text[at - 1], kWord);
  std::size_t begin = at - 1;
  while ((static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(text::code_point_at(text, begin).value));
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) || (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/// `\b[atext]+(?:\.[atext]+)*` that ends before the '@' at `at`: the leftmost begin that is not before `from`.
bool find_dot_atom(std::string_view text, std::size_t at, std::size_t from, std::size_t& begin) noexcept {
  if (at == from || !is(text[at - 1], kAtom)) return false;
  std::size_t run = at;
  while (run > from && (is(text[run - 1], kAtom) || (text[run - 1] == '.' && text[run] != '.'))) --run;
  for (begin = run; begin < at; ++begin)
    if (text[begin] != '.' && is(text[begin], kWord) != is_word_before(text, begin)) return true;
  return false;
}

/// `(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)` for a whole run of digits.
bool is_octet(std::string_view digits) noexcept {
  if (digits.empty() || digits.size() > 3) return false;
  return digits.size() < 3 || digits <= "255";
}

/// `\[(?:octet\.){3}(?:octet|[A-Za-z0-9-]*[A-Za-z0-9]:)]` at `at`: its end or kNoMatch.
std::size_t address_literal_end(std::string_view text, std::size_t at) noexcept {
  if (!has_at(text, at, '[')) return kNoMatch;
  ++at;
  for (int octet = 0; octet < 3; ++octet) {
    const std::size_t end = run_end(text, at, kDigit);
    if (!is_octet(text.substr(at, end - at)) || !has_at(text, end, '.')) return kNoMatch;
    at = end + 1;
  }
  if (const std::size_t end = run_end(text, at, kDigit); is_octet(text.substr(at, end - at)) && has_at(text, end, ']')) return end + 1;
  std::size_t end = at;
  while (is_at(text, end, kAlnum) || has_at(text, end, '-')) ++end;
  return end > at && text[end - 1] != '-' && has_at(text, end, ':') && has_at(text, end + 1, ']') ? end + 2 : kNoMatch;
}

/// `(?:label\.)+label` at `at`, as long as the expression takes it: its end or kNoMatch.
std::size_t labels_end(std::string_view text, std::size_t at) noexcept {
  std::size_t found = kNoMatch;
  for (int labels = 0; is_at(text, at, kAlnum); ++labels) {
    std::size_t end = at;
    while (is_at(text, end, kAlnum) || has_at(text, end, '-')) ++end;
    const bool ends_with_hyphen = text[end - 1] == '-';
    std::size_t label = end;
    while (text[label - 1] == '-') --label;
    if (labels > 0) found = label;
    if (ends_with_hyphen || !has_at(text, end, '.')) break;
    at = end + 1;
  }
  return found;
}

bool match_datatrove_email(std::string_view text, std::size_t at, std::size_t from, std::size_t& begin, std::size_t& end) noexcept {
  if (!find_dot_atom(text, at, from, begin)) return false;
  end = has_at(text, at + 1, '[') ? address_literal_end(text, at + 1) : labels_end(text, at + 1);
  return end != kNoMatch;
}

}  // namespace

void find_emails(std::string_view text, Matches& out) { for_each_at_sign(text, out, match_email); }
void find_datatrove_emails(std::string_view text, Matches& out) { for_each_at_sign(text, out, match_datatrove_email); }

}  // namespace flowrun::filters::pii
