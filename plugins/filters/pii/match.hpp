#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace flowrun::filters::pii {

/// Kinds of personal data, the one that goes before the others first: where two matches overlap, it stays.
enum class Kind { kEmail, kIban, kCard, kIpv6, kIpv4, kPhone };
inline constexpr std::array<std::string_view, 6> kKindNames = {"email", "iban", "card", "ipv6", "ipv4", "phone"};
inline constexpr std::size_t kKindCount = kKindNames.size();

/// Bytes [begin, end) of a text.
struct Match {
  std::size_t begin, end;
  Kind kind;
  bool operator==(const Match&) const = default;
};

/// Matches in the order of the text, none of which overlap.
using Matches = std::vector<Match>;

inline constexpr std::size_t kNoMatch = static_cast<std::size_t>(-1);

}  // namespace flowrun::filters::pii
