// spaCy's URL_MATCH (3.8.18, lang/tokenizer_exceptions.py; after Diego Perini's, MIT licence) without a regular expression engine:
//
//     (scheme://)? (user@)? (IPv4 | host) (:port)? (/path)?
//
// Each part ends at a character that the part cannot have, so nothing is tried twice; only a user part may end at any '@'. An IPv4
// address is four numbers in ranges, private networks left out; a host is labels and periods, ended by two or more lower-case letters.
// \d is Unicode's, [0-9] is ASCII's, as in the expression.

#include "common/text/english/classes.hpp"

namespace flowrun::text::english {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Reads one candidate from left to right.
class UrlReader {
 public:
  UrlReader(const Chunk& chunk, std::size_t hi) noexcept : chunk_(chunk), hi_(hi) {}

  /// Returns the first character behind "scheme://", or kNone.
  std::size_t after_scheme(std::size_t lo) const noexcept {
    std::size_t at = lo;
    while (at < hi_ && (has(at, kWord) || is(at, '+') || is(at, '-') || is(at, '.'))) ++at;
    return at - lo >= 2 && is(at, ':') && is(at + 1, '/') && is(at + 2, '/') ? at + 3 : kNone;
  }

  bool is_address(std::size_t at) const noexcept {
    if (const std::size_t end = after_ip(at); end != kNone && ends(end)) return true;
    const std::size_t end = after_host(at);
    return end != kNone && ends(end);
  }

  bool is(std::size_t at, char c) const noexcept { return at < hi_ && chunk_.characters[at] == static_cast<std::uint32_t>(c); }

 private:
  bool has(std::size_t at, std::uint16_t bits) const noexcept { return at < hi_ && (chunk_.classes[at] & bits) != 0; }
  /// Returns whether the character is one of an ASCII range.
  bool in(std::size_t at, char first, char last) const noexcept {
    return at < hi_ && chunk_.characters[at] >= static_cast<std::uint32_t>(first) && chunk_.characters[at] <= static_cast<std::uint32_t>(last);
  }

  /// Nothing, a port, or a path may follow an address.
  bool ends(std::size_t at) const noexcept {
    if (is(at, ':')) {
      std::size_t digits = 0;
      while (digits <= 5 && has(at + 1 + digits, kDigit)) ++digits;
      if (digits < 2 || digits > 5) return false;
      at += 1 + digits;
    }
    return at == hi_ || is(at, '/') || is(at, '?') || is(at, '#');
  }

  std::size_t digits(std::size_t at) const noexcept {
    std::size_t count = 0;
    while (count < 4 && has(at + count, kDigit)) ++count;
    return count;
  }

  /// [1-9]\d?|1\d\d|2[01]\d|22[0-3]
  bool first_octet(std::size_t at, std::size_t count) const noexcept {
    if (count <= 2) return in(at, '1', '9');
    return is(at, '1') || (is(at, '2') && (in(at + 1, '0', '1') || (is(at + 1, '2') && in(at + 2, '0', '3'))));
  }
  /// 1?\d{1,2}|2[0-4]\d|25[0-5]
  bool middle_octet(std::size_t at, std::size_t count) const noexcept {
    return count <= 2 || is(at, '1') || (is(at, '2') && (in(at + 1, '0', '4') || (is(at + 1, '5') && in(at + 2, '0', '5'))));
  }
  /// [1-9]\d?|1\d\d|2[0-4]\d|25[0-4]
  bool last_octet(std::size_t at, std::size_t count) const noexcept {
    if (count <= 2) return in(at, '1', '9');
    return is(at, '1') || (is(at, '2') && (in(at + 1, '0', '4') || (is(at + 1, '5') && in(at + 2, '0', '4'))));
  }
  bool spells(std::size_t at, std::size_t count, std::string_view text) const noexcept {
    if (count != text.size()) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (!is(at + i, text[i])) return false;
    return true;
  }
  /// Loopback and private networks.
  bool excluded(std::size_t first, std::size_t first_count, std::size_t second, std::size_t second_count) const noexcept {
    if (spells(first, first_count, "10") || spells(first, first_count, "127")) return true;
    if (spells(first, first_count, "169")) return spells(second, second_count, "254");
    if (spells(first, first_count, "192")) return spells(second, second_count, "168");
    if (!spells(first, first_count, "172") || second_count != 2) return false;
    return (is(second, '1') && in(second + 1, '6', '9')) || is(second, '2') || (is(second, '3') && in(second + 1, '0', '1'));
  }

  std::size_t after_ip(std::size_t at) const noexcept {
    std::size_t begins[4], counts[4];
    for (int i = 0; i < 4; ++i) {
      if (i > 0 && !is(at++, '.')) return kNone;
      begins[i] = at;
      counts[i] = digits(at);
      if (counts[i] < 1 || counts[i] > 3) return kNone;
      at += counts[i];
    }
    const bool valid = first_octet(begins[0], counts[0]) && middle_octet(begins[1], counts[1]) && middle_octet(begins[2], counts[2]) && last_octet(begins[3], counts[3]);
    return valid && !excluded(begins[0], counts[0], begins[1], counts[1]) ? at : kNone;
  }

  /// Labels of 1 to 64 characters, '-' and '_' only inside, each with its period; then 2 to 63 lower-case letters up to what ends a host.
  std::size_t after_host(std::size_t at) const noexcept {
    for (bool any_label = false;; any_label = true) {
      const std::size_t begin = at;
      bool label = true, letters = true;
      for (; at < hi_ && !is(at, '.') && !is(at, ':') && !is(at, '/') && !is(at, '?') && !is(at, '#'); ++at) {
        label = label && (has(at, kHost) || is(at, '-') || is(at, '_'));
        letters = letters && has(at, kLower);
        if (!label && !letters) return kNone;
      }
      const std::size_t size = at - begin;
      if (is(at, '.')) {
        if (!label || size < 1 || size > 64 || !has(begin, kHost) || !has(at - 1, kHost)) return kNone;
        ++at;
      } else {
        return any_label && letters && size >= 2 && size <= 63 ? at : kNone;
      }
    }
  }

  const Chunk& chunk_;
  std::size_t hi_;
};

}  // namespace

bool is_url(const Chunk& chunk, std::size_t lo, std::size_t hi) noexcept {
  const UrlReader reader(chunk, hi);
  if (reader.is_address(lo)) return true;
  if (const std::size_t at = reader.after_scheme(lo); at != kNone && reader.is_address(at)) return true;
  for (std::size_t at = lo + 1; at < hi; ++at)
    if (reader.is(at, '@') && reader.is_address(at + 1)) return true;
  return false;
}

}  // namespace flowrun::text::english
