// IBANs and card numbers.

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "ascii.hpp"
#include "numbers.hpp"
#include "tables.hpp"

namespace flowrun::filters::pii {
namespace {

constexpr std::size_t kMaxCardDigits = 19;

/// Returns the characters of an IBAN of the country, 0 where it has none.
std::size_t iban_length(std::string_view country) noexcept {
  const auto lengths = iban_lengths();
  const auto it = std::lower_bound(lengths.begin(), lengths.end(), country, [](const IbanLength& entry, std::string_view name) { return entry.country < name; });
  return it != lengths.end() && it->country == country ? it->length : 0;
}

/// Copies `length` characters from `at` on, which may stand in groups of `group`, to `out`. Returns their end, or kNoMatch.
std::size_t read_groups(std::string_view text, std::size_t at, std::size_t length, std::size_t group, char* out) noexcept {
  for (std::size_t i = 0; i < length; ++i) {
    if (i > 0 && group > 0 && i % group == 0 && !has_at(text, at++, ' ')) return kNoMatch;
    if (!is_at(text, at, kDigit | kUpper)) return kNoMatch;
    out[i] = text[at++];
  }
  return at;
}

/// ISO 7064, MOD 97-10: the first four characters go behind the others, letters are 10 to 35.
int remainder_97(std::string_view iban) noexcept {
  int remainder = 0;
  const auto take = [&](char c) { remainder = (is(c, kDigit) ? remainder * 10 + (c - '0') : remainder * 100 + (c - 'A' + 10)) % 97; };
  for (const char c : iban.substr(4)) take(c);
  for (const char c : iban.substr(0, 4)) take(c);
  return remainder;
}

/// Luhn's sum of decimal digits: every second one from the right counts double, its digits added up.
bool passes_luhn(std::string_view digits) noexcept {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    sum += i % 2 == 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0);
  }
  return sum % 10 == 0;
}

/// First six digits and lengths that issuers use.
struct IssuerRange {
  std::uint32_t first, last;
  std::size_t shortest, longest;
};
constexpr IssuerRange kIssuers[] = {
    {222100, 272099, 16, 16}, {510000, 559999, 16, 16},                                                      // Mastercard
    {300000, 305999, 14, 19}, {309500, 309599, 14, 19}, {360000, 369999, 14, 19}, {380000, 399999, 14, 19},  // Diners Club
    {340000, 349999, 15, 15}, {370000, 379999, 15, 15},                                                      // American Express
    {352800, 358999, 16, 19},                                                                                // JCB
    {400000, 499999, 13, 13}, {400000, 499999, 16, 16}, {400000, 499999, 19, 19},                            // Visa
    {501800, 501899, 13, 19}, {502000, 502099, 13, 19}, {503800, 503899, 13, 19}, {589300, 589399, 13, 19},  // Maestro
    {630400, 630499, 13, 19}, {675900, 675999, 13, 19}, {676100, 676399, 13, 19},
    {601100, 601199, 16, 19}, {644000, 659999, 16, 19},                                                      // Discover
    {620000, 629999, 16, 19}, {810000, 817199, 16, 19},                                                      // UnionPay
};

bool is_card(std::string_view digits) noexcept {
  std::uint32_t first = 0;
  for (const char c : digits.substr(0, 6)) first = first * 10 + static_cast<std::uint32_t>(c - '0');
  const bool issued = std::any_of(std::begin(kIssuers), std::end(kIssuers), [&](const IssuerRange& range) {
    return first >= range.first && first <= range.last && digits.size() >= range.shortest && digits.size() <= range.longest;
  });
  return issued && passes_luhn(digits);
}

bool separates(char c) noexcept { return c == ' ' || c == '-' || c == '.'; }

/// Reads groups of these sizes with one separator between them, a space or a hyphen. Returns their end, or kNoMatch.
std::size_t read_card(std::string_view text, std::size_t at, std::initializer_list<std::size_t> sizes, std::array<char, kMaxCardDigits>& digits, std::size_t& count) noexcept {
  char separator = 0;
  count = 0;
  for (const std::size_t size : sizes) {
    if (count > 0) {
      if (at >= text.size() || (text[at] != ' ' && text[at] != '-') || (separator != 0 && text[at] != separator)) return kNoMatch;
      separator = text[at++];
    }
    if (run_end(text, at, kDigit) != at + size) return kNoMatch;
    std::copy_n(text.data() + at, size, digits.data() + count);
    count += size;
    at += size;
  }
  return at;
}

}  // namespace

Span iban_at(std::string_view text, std::size_t digits) noexcept {
  if (digits < 2 || !is_at(text, digits + 1, kDigit)) return {};
  const std::size_t begin = digits - 2;
  if (!is(text[begin], kUpper) || !is(text[begin + 1], kUpper) || is_before(text, begin, kAlnum)) return {};
  const std::size_t length = iban_length(text.substr(begin, 2));
  if (length == 0) return {};
  std::array<char, kMaxIbanLength> characters;
  for (const std::size_t group : {0, 4}) {
    const std::size_t end = read_groups(text, begin, length, group, characters.data());
    if (end != kNoMatch && !is_at(text, end, kAlnum) && remainder_97({characters.data(), length}) == 1) return {begin, end};
  }
  return {};
}

Span card_at(std::string_view text, std::size_t begin) noexcept {
  if (is_before(text, begin, kWord) || (begin > 0 && text[begin - 1] == '+') || (begin > 1 && separates(text[begin - 1]) && is(text[begin - 2], kDigit))) return {};
  const std::size_t run = run_end(text, begin, kDigit) - begin;
  const auto ends = [&](std::size_t end) { return !is_at(text, end, kWord) && !(end < text.size() && separates(text[end]) && is_at(text, end + 1, kDigit)); };
  if (run >= 13 && run <= kMaxCardDigits) return ends(begin + run) && is_card(text.substr(begin, run)) ? Span{begin, begin + run} : Span{};
  if (run != 4) return {};
  std::array<char, kMaxCardDigits> digits;
  std::size_t count = 0;
  for (const std::initializer_list<std::size_t> sizes : {std::initializer_list<std::size_t>{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}}) {
    const std::size_t end = read_card(text, begin, sizes, digits, count);
    if (end != kNoMatch && ends(end) && is_card({digits.data(), count})) return {begin, end};
  }
  return {};
}

}  // namespace flowrun::filters::pii
