#include "replacements.hpp"

#include <flowrun/error.hpp>
#include <xxhash.h>

#include <utility>

namespace flowrun::filters::pii {

Replacements::Replacements(Lists lists) : lists_(std::move(lists)) {
  for (std::size_t kind = 0; kind < kKindCount; ++kind)
    if (lists_[kind].empty()) throw Error(Code::kInvalidArgument, "'" + std::string(kKindNames[kind]) + "_replacement' is empty, expected at least one text");
}

Replacements::Lists Replacements::defaults(Dialect dialect) {
  Lists lists;
  const auto of = [&](Kind kind) -> std::vector<std::string>& { return lists[static_cast<std::size_t>(kind)]; };
  of(Kind::kEmail) = {"email@example.com", "firstname.lastname@example.org"};
  of(Kind::kIban) = {"GB00 EXAM 0000 0000 0000 00"};
  of(Kind::kCard) = {"4000 0000 0000 0000"};
  of(Kind::kIpv6) = {"2001:db8::1", "2001:db8::2", "2001:db8::3"};  // RFC 3849
  of(Kind::kIpv4) = {"192.0.2.1", "198.51.100.1", "203.0.113.1"};   // RFC 5737
  of(Kind::kPhone) = {"+1 202-555-0100", "+1 202-555-0142", "+1 202-555-0199"};
  if (dialect == Dialect::kDatatrove) of(Kind::kIpv4) = {"22.214.171.124", "126.96.36.199", "188.8.131.52", "184.108.40.206", "220.127.116.11", "18.104.22.168"};
  return lists;
}

Replacements::Lists Replacements::tags() { return {{{"<EMAIL>"}, {"<IBAN>"}, {"<CARD>"}, {"<IP_ADDRESS>"}, {"<IP_ADDRESS>"}, {"<PHONE>"}}}; }

std::string_view Replacements::choose(Kind kind, std::string_view match) const noexcept {
  const auto& list = lists_[static_cast<std::size_t>(kind)];
  return list[list.size() == 1 ? 0 : XXH3_64bits(match.data(), match.size()) % list.size()];
}

std::string Replacements::replace(std::string_view text, const Matches& matches) const {
  std::string out;
  out.reserve(text.size());
  std::size_t from = 0;
  for (const Match& match : matches) {
    out += text.substr(from, match.begin - from);
    out += choose(match.kind, text.substr(match.begin, match.end - match.begin));
    from = match.end;
  }
  return out += text.substr(from);
}

}  // namespace flowrun::filters::pii
