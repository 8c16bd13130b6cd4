#include "ip_address.hpp"

#include <algorithm>

#include "ascii.hpp"

namespace flowrun::filters::pii {
namespace {

struct Ipv4Network {
  std::uint32_t address;
  int prefix;
};

struct Ipv6Network {
  Ipv6 address;
  int prefix;
};

constexpr std::uint32_t octets(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) { return a << 24 | b << 16 | c << 8 | d; }

// https://www.iana.org/assignments/iana-ipv4-special-registry, what is not globally reachable. Multicast is not in it.
constexpr Ipv4Network kPrivateIpv4[] = {
    {octets(0, 0, 0, 0), 8},      {octets(10, 0, 0, 0), 8},    {octets(100, 64, 0, 0), 10},  {octets(127, 0, 0, 0), 8},      {octets(169, 254, 0, 0), 16},  {octets(172, 16, 0, 0), 12},
    {octets(192, 0, 0, 0), 24},   {octets(192, 0, 2, 0), 24},  {octets(192, 168, 0, 0), 16}, {octets(198, 18, 0, 0), 15},    {octets(198, 51, 100, 0), 24}, {octets(203, 0, 113, 0), 24},
    {octets(240, 0, 0, 0), 4},
};
constexpr std::uint32_t kPublicIpv4[] = {octets(192, 0, 0, 9), octets(192, 0, 0, 10)};

// https://www.iana.org/assignments/iana-ipv6-special-registry, what is not globally reachable within 2000::/3, and 6to4.
constexpr Ipv6Network kPrivateIpv6[] = {{{0x2001}, 23}, {{0x2001, 0xDB8}, 32}, {{0x2002}, 16}};
constexpr Ipv6Network kPublicIpv6[] = {{{0x2001, 1, 0, 0, 0, 0, 0, 1}, 128}, {{0x2001, 1, 0, 0, 0, 0, 0, 2}, 128},
                                        {{0x2001, 3}, 32}, {{0x2001, 4, 0x112}, 48}, {{0x2001, 0x20}, 28}, {{0x2001, 0x30}, 28}};
constexpr std::size_t kMaxIpv6Text = 45;  // eight groups, of which the last two are four octets

bool contains(const Ipv6Network& network, const Ipv6& address) noexcept {
  for (int i = 0, left = network.prefix; left > 0; ++i, left -= 16) {
    const int shift = left >= 16 ? 0 : 16 - left;
    if ((address[static_cast<std::size_t>(i)] ^ network.address[static_cast<std::size_t>(i)]) >> shift != 0) return false;
  }
  return true;
}

bool any_contains(auto& networks, const Ipv6& address) noexcept {
  return std::any_of(std::begin(networks), std::end(networks), [&](const Ipv6Network& network) { return contains(network, address); });
}

/// Reads a number of at most three digits up to 255; `at` is moved behind it. Returns -1 where there is none, or a leading zero.
int read_octet(std::string_view text, std::size_t& at) noexcept {
  const std::size_t begin = at;
  int value = 0;
  for (; at < begin + 3 && is_at(text, at, kDigit); ++at) value = value * 10 + (text[at] - '0');
  return at == begin || is_at(text, at, kDigit) || value > 255 || (text[begin] == '0' && at > begin + 1) ? -1 : value;
}

/// Reads four octets from `at` on. Returns their end, or kNoMatch.
std::size_t read_ipv4(std::string_view text, std::size_t at, std::uint32_t& address) noexcept {
  address = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && !has_at(text, at++, '.')) return kNoMatch;
    const int octet = read_octet(text, at);
    if (octet < 0) return kNoMatch;
    address = address << 8 | static_cast<std::uint32_t>(octet);
  }
  return at;
}

int hex_value(char c) noexcept { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

/// Reads groups joined by ':' into `groups` from `count` on, the last maybe two groups as octets. Returns whether all of `text` is that and there are at most eight.
bool read_groups(std::string_view text, Ipv6& groups, std::size_t& count) noexcept {
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = run_end(text, at, kHex);
    if (count < 7 && has_at(text, end, '.')) {
      const auto octets = parse_ipv4(text.substr(at));
      if (!octets) return false;
      groups[count++] = static_cast<std::uint16_t>(*octets >> 16);
      groups[count++] = static_cast<std::uint16_t>(*octets);
      return true;
    }
    if (end == at || end - at > 4 || count == 8) return false;
    int value = 0;
    for (std::size_t i = at; i < end; ++i) value = value << 4 | hex_value(text[i]);
    groups[count++] = static_cast<std::uint16_t>(value);
    if (end == text.size()) return true;
    if (text[end] != ':') return false;
    at = end;
  }
}

/// Takes away what belongs to the sentence around an address, and tells whether it begins behind such a character.
std::string_view trim(std::string_view run, bool& trimmed) noexcept {
  const std::size_t size = run.size();
  while (!run.empty() && run.front() == '.') run.remove_prefix(1);
  if (run.size() > 1 && run[0] == ':' && run[1] != ':') run.remove_prefix(1);
  trimmed = run.size() < size;
  while (!run.empty() && run.back() == '.') run.remove_suffix(1);
  if (run.size() > 1 && run.back() == ':' && run[run.size() - 2] != ':') run.remove_suffix(1);
  return run;
}

/// The octet of datatrove's expression that ends the address, as long as the expression takes it; `at` is a digit.
std::size_t last_octet_end(std::string_view text, std::size_t at) noexcept {
  const std::size_t two = at + 1 + (is_at(text, at + 1, kDigit) ? 1 : 0);
  if (two == at + 1 || !is_at(text, two, kDigit)) return two;
  return text.substr(at, 3) <= "255" ? at + 3 : two;  // 25[0-5] | 2[0-4][0-9] | [01][0-9][0-9], else two digits
}

/// The octet of datatrove's expression that ends before the period at `dot`: its begin, not before `from`, or kNoMatch.
std::size_t octet_begin(std::string_view text, std::size_t dot, std::size_t from) noexcept {
  std::size_t begin = dot;
  while (begin > from && dot - begin < 3 && is(text[begin - 1], kDigit)) --begin;
  if (begin == dot) return kNoMatch;
  return dot - begin == 3 && text.substr(begin, 3) > "255" ? begin + 1 : begin;
}

/// Reads the address whose first period is at `dot`.
bool match_datatrove_ip(std::string_view text, std::size_t dot, std::size_t from, std::size_t& begin, std::size_t& end) noexcept {
  begin = octet_begin(text, dot, from);
  if (begin == kNoMatch) return false;
  std::size_t at = dot + 1;
  for (int octet = 1; octet < 3; ++octet) {
    end = run_end(text, at, kDigit);
    if (end == at || end - at > 3 || (end - at == 3 && text.substr(at, 3) > "255") || !has_at(text, end, '.')) return false;
    at = end + 1;
  }
  if (!is_at(text, at, kDigit)) return false;
  end = last_octet_end(text, at);
  return true;
}

}  // namespace

std::optional<std::uint32_t> parse_ipv4(std::string_view text) noexcept {
  std::uint32_t address;
  return read_ipv4(text, 0, address) == text.size() ? std::optional(address) : std::nullopt;
}

std::optional<Ipv6> parse_ipv6(std::string_view text) noexcept {
  if (text.size() > kMaxIpv6Text) return std::nullopt;
  Ipv6 left{}, right{};
  std::size_t left_count = 0, right_count = 0;
  const std::size_t gap = text.find("::");
  if (gap == text.npos) return read_groups(text, left, left_count) && left_count == 8 ? std::optional(left) : std::nullopt;
  const std::string_view before = text.substr(0, gap), after = text.substr(gap + 2);
  if (before.find('.') != before.npos || (!before.empty() && !read_groups(before, left, left_count))) return std::nullopt;
  if ((!after.empty() && !read_groups(after, right, right_count)) || left_count + right_count > 7) return std::nullopt;
  std::copy_n(right.begin(), right_count, left.end() - static_cast<std::ptrdiff_t>(right_count));
  return left;
}

bool is_public(std::uint32_t address) noexcept {
  if (std::find(std::begin(kPublicIpv4), std::end(kPublicIpv4), address) != std::end(kPublicIpv4)) return true;
  return std::none_of(std::begin(kPrivateIpv4), std::end(kPrivateIpv4), [&](const Ipv4Network& network) { return (address ^ network.address) >> (32 - network.prefix) == 0; });
}

bool is_public(const Ipv6& address) noexcept {
  static constexpr Ipv6Network kMapped = {{0, 0, 0, 0, 0, 0xFFFF}, 96}, kGivenOut = {{0x2000}, 3};
  if (contains(kMapped, address)) return is_public(static_cast<std::uint32_t>(address[6]) << 16 | address[7]);
  return contains(kGivenOut, address) && (any_contains(kPublicIpv6, address) || !any_contains(kPrivateIpv6, address));
}

std::size_t ipv4_end(std::string_view text, std::size_t at, bool only_public) noexcept {
  if (is_before(text, at, kWord) || (at > 0 && text[at - 1] == '.')) return kNoMatch;
  std::uint32_t address;
  const std::size_t end = read_ipv4(text, at, address);
  if (end == kNoMatch || is_at(text, end, kWord) || (has_at(text, end, '.') && is_at(text, end + 1, kDigit))) return kNoMatch;
  return only_public && !is_public(address) ? kNoMatch : end;
}

void find_ipv6(std::string_view text, bool only_public, Matches& out) {
  const auto in_run = [&](std::size_t at) { return at < text.size() && (is(text[at], kHex) || text[at] == ':' || text[at] == '.'); };
  std::size_t end = 0;
  for (std::size_t colon = text.find(':'); colon != text.npos; colon = text.find(':', end)) {
    std::size_t begin = colon;
    while (begin > end && in_run(begin - 1)) --begin;
    end = colon + 1;
    while (in_run(end)) ++end;
    bool trimmed = false;
    const std::string_view address = trim(text.substr(begin, end - begin), trimmed);
    if ((!trimmed && is_before(text, begin, kWord)) || is_at(text, end, kWord)) continue;
    const auto parsed = parse_ipv6(address);
    if (!parsed || (only_public && !is_public(*parsed))) continue;
    const auto at = static_cast<std::size_t>(address.data() - text.data());
    out.push_back({at, at + address.size(), Kind::kIpv6});
  }
}

void find_datatrove_ips(std::string_view whole, std::size_t begin, std::size_t end, bool only_public, Matches& out) {
  const std::string_view text = whole.substr(begin, end - begin);
  std::size_t from = 0;  // the expression goes on behind each match, also behind one that is no public address
  for (std::size_t dot = text.find('.'); dot != text.npos; dot = text.find('.', std::max(dot + 1, from))) {
    std::size_t first = 0, last = 0;
    if (!match_datatrove_ip(text, dot, from, first, last)) continue;
    from = last;
    const auto address = parse_ipv4(text.substr(first, last - first));
    if (address && (!only_public || is_public(*address))) out.push_back({begin + first, begin + last, Kind::kIpv4});
  }
}

}  // namespace flowrun::filters::pii
