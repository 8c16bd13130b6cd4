// Phone numbers.

#include <algorithm>
#include <optional>

#include "ascii.hpp"
#include "numbers.hpp"
#include "tables.hpp"

namespace flowrun::filters::pii {
namespace {

constexpr std::size_t kMaxDigits = 15;   // E.164, without a national prefix in brackets
constexpr std::size_t kMinNational = 6;  // shorter ones are service numbers

std::optional<CallingCode> calling_code(std::string_view digits, std::size_t& size) noexcept {
  const auto codes = calling_codes();
  if (digits.starts_with('0')) return std::nullopt;
  for (std::uint32_t code = 0, i = 0; i < 3 && i < digits.size(); ++i) {
    code = code * 10 + static_cast<std::uint32_t>(digits[i] - '0');
    const auto it = std::lower_bound(codes.begin(), codes.end(), code, [](const CallingCode& entry, std::uint32_t wanted) { return entry.code < wanted; });
    if (it != codes.end() && it->code == code) {
      size = i + 1;
      return *it;
    }
  }
  return std::nullopt;
}

/// 555-0100 to 555-0199 in any area of the North American plan: kept free for films and books.
bool is_fictitious(std::string_view exchange, std::string_view line) noexcept { return exchange == "555" && line.starts_with("01"); }

bool joins(char c) noexcept { return c == ' ' || c == '.' || c == '-' || c == '/'; }

/// Returns where the next group of digits begins: behind nothing, one of " .-/", "(" or ")" with at most one of these before the one or behind the other.
std::size_t next_group(std::string_view text, std::size_t at, int& open) noexcept {
  std::size_t next = at;
  if (next < text.size() && joins(text[next])) ++next;
  if (has_at(text, next, '(')) {
    ++open;
    return next + 1;
  }
  if (next == at && has_at(text, at, ')')) {
    --open;
    ++next;
    if (next < text.size() && joins(text[next])) ++next;
  }
  return next;
}

/// Reads groups of digits behind a '+' as far as they may belong to one number, and returns the last end at which the country has a number of that length.
std::size_t international_end(std::string_view text, std::size_t first) noexcept {
  char digits[kMaxDigits + 1];
  std::size_t count = 0, code_size = 0, found = kNoMatch;
  std::optional<CallingCode> country;
  int open = 0;
  for (std::size_t at = first; at < text.size();) {
    const std::size_t end = run_end(text, at, kDigit);
    if (end == at || count + (end - at) > kMaxDigits || open < 0 || open > 1) break;
    const bool national_prefix = count > 0 && open == 1 && end == at + 1 && text[at] == '0' && text[at - 1] == '(' && has_at(text, end, ')');
    if (!national_prefix) count += text.copy(digits + count, end - at, at);
    if (!country) country = calling_code({digits, count}, code_size);
    const std::size_t national = country ? count - code_size : 0;
    const bool film = national == 10 && country->code == 1 && is_fictitious({digits + 4, 3}, {digits + 7, 4});
    if (open == 0 && national >= kMinNational && (country->lengths >> national & 1) != 0 && !film) found = end;
    at = next_group(text, end, open);
    if (at == end) break;
  }
  return found;
}

/// Three digits [2-9][0-9][0-9] that are no service code (211, 911, ...): an area code or an exchange.
bool is_code(std::string_view text, std::size_t at) noexcept {
  return is_at(text, at, kDigit) && text[at] >= '2' && run_end(text, at, kDigit) == at + 3 && !(text[at + 1] == '1' && text[at + 2] == '1');
}

/// Reads `[separator]exchange[separator]line` and returns its end, or kNoMatch.
std::size_t line_end(std::string_view text, std::size_t exchange, char separator) noexcept {
  const std::size_t line = exchange + 4, end = line + 4;
  if (!is_code(text, exchange) || !has_at(text, exchange + 3, separator) || run_end(text, line, kDigit) != end) return kNoMatch;
  if (is_at(text, end, kWord) || (end < text.size() && (text[end] == '.' || text[end] == '-') && is_at(text, end + 1, kDigit))) return kNoMatch;
  return is_fictitious(text.substr(exchange, 3), text.substr(line, 4)) ? kNoMatch : end;
}

bool may_begin(std::string_view text, std::size_t at) noexcept {
  if (is_before(text, at, kWord) || (at > 0 && text[at - 1] == '+')) return false;
  return !(at > 1 && (text[at - 1] == '.' || text[at - 1] == '-') && is(text[at - 2], kDigit));
}

/// (202) 456-1111, maybe with a 1 before it. `area` is behind the bracket.
Span bracketed_at(std::string_view text, std::size_t area, std::size_t from) noexcept {
  if (!is_code(text, area) || !has_at(text, area + 3, ')')) return {};
  std::size_t exchange = area + 4;
  if (has_at(text, exchange, ' ') || has_at(text, exchange, '-')) ++exchange;
  std::size_t end = kNoMatch;
  for (const char separator : {'-', '.', ' '})
    if (end == kNoMatch) end = line_end(text, exchange, separator);
  const std::size_t bracket = area - 1;
  const std::size_t one = bracket > 0 && (text[bracket - 1] == ' ' || text[bracket - 1] == '-' || text[bracket - 1] == '.') ? bracket - 1 : bracket;
  if (one > from && text[one - 1] == '1' && may_begin(text, one - 1)) return {one - 1, end};
  return may_begin(text, bracket) ? Span{bracket, end} : Span{};
}

/// 202-456-1111 or 202.456.1111, maybe with "1-" or "1." before it.
Span separated_at(std::string_view text, std::size_t area, std::size_t from) noexcept {
  if (!is_code(text, area) || area + 3 >= text.size() || (text[area + 3] != '-' && text[area + 3] != '.')) return {};
  const char separator = text[area + 3];
  const std::size_t end = line_end(text, area + 4, separator);
  if (area > from + 1 && text[area - 1] == separator && text[area - 2] == '1' && may_begin(text, area - 2)) return {area - 2, end};
  return may_begin(text, area) ? Span{area, end} : Span{};
}

}  // namespace

Span phone_at(std::string_view text, std::size_t digits, std::size_t from) noexcept {
  if (digits > 0 && text[digits - 1] == '+') {
    if (is_before(text, digits - 1, kWord) || (digits > 1 && text[digits - 2] == '+')) return {};
    return {digits - 1, international_end(text, digits)};
  }
  const Span bracketed = digits > 0 && text[digits - 1] == '(' ? bracketed_at(text, digits, from) : Span{};
  return bracketed.end != kNoMatch ? bracketed : separated_at(text, digits, from);
}

}  // namespace flowrun::filters::pii
