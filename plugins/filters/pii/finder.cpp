#include "finder.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "ascii.hpp"
#include "email.hpp"
#include "ip_address.hpp"
#include "numbers.hpp"

namespace flowrun::filters::pii {
namespace {

/// Puts the matches of a kind among those that go before it, without the ones that overlap these. Both are in the order of the text.
Matches merge(const Matches& kept, std::span<const Match> added) {
  Matches merged;
  merged.reserve(kept.size() + added.size());
  auto next = kept.begin();
  for (const Match& match : added) {
    while (next != kept.end() && next->end <= match.begin) merged.push_back(*next++);
    if (next == kept.end() || next->begin >= match.end) merged.push_back(match);
  }
  merged.insert(merged.end(), next, kept.end());
  return merged;
}

void resolve_overlaps(Matches& matches) {
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.kind < b.kind; });
  Matches kept;
  for (auto begin = matches.begin(); begin != matches.end();) {
    const auto end = std::find_if(begin, matches.end(), [&](const Match& match) { return match.kind != begin->kind; });
    kept = merge(kept, {begin, end});
    begin = end;
  }
  matches = std::move(kept);
}

}  // namespace

void Finder::find(std::string_view text, Matches& out) const {
  out.clear();
  if (options_.dialect == Dialect::kDatatrove) return find_datatrove(text, out);
  if (wants(Kind::kEmail)) find_emails(text, out);
  if (wants(Kind::kIpv6)) find_ipv6(text, options_.only_public_ips, out);
  if (wants(Kind::kIban) || wants(Kind::kCard) || wants(Kind::kIpv4) || wants(Kind::kPhone)) find_numbers(text, out);
  if (out.size() > 1) resolve_overlaps(out);
}

/// datatrove replaces e-mail addresses and then looks for IP addresses in what it has. Its replacements of the former hold none of the latter, nor a part of one at their
/// ends, so that is as if it looked between the e-mail addresses.
void Finder::find_datatrove(std::string_view text, Matches& out) const {
  Matches emails;
  if (wants(Kind::kEmail)) find_datatrove_emails(text, emails);
  std::size_t from = 0;
  for (const Match& email : emails) {
    if (wants(Kind::kIpv4)) find_datatrove_ips(text, from, email.begin, options_.only_public_ips, out);
    out.push_back(email);
    from = email.end;
  }
  if (wants(Kind::kIpv4)) find_datatrove_ips(text, from, text.size(), options_.only_public_ips, out);
}

void Finder::find_numbers(std::string_view text, Matches& out) const {
  std::array<std::size_t, kKindCount> ends{};  // of the last match of each kind
  const auto add = [&](Kind kind, Span span) {
    std::size_t& end = ends[static_cast<std::size_t>(kind)];
    if (span.end == kNoMatch || span.begin < end) return;
    out.push_back({span.begin, span.end, kind});
    end = span.end;
  };
  for (std::size_t at = find_digit(text, 0); at < text.size(); at = find_digit(text, run_end(text, at, kDigit))) {
    if (wants(Kind::kIban)) add(Kind::kIban, iban_at(text, at));
    if (wants(Kind::kCard)) add(Kind::kCard, card_at(text, at));
    if (wants(Kind::kIpv4)) add(Kind::kIpv4, {at, ipv4_end(text, at, options_.only_public_ips)});
    if (wants(Kind::kPhone)) add(Kind::kPhone, phone_at(text, at, ends[static_cast<std::size_t>(Kind::kPhone)]));
  }
}

}  // namespace flowrun::filters::pii
