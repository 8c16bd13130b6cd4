#pragma once

// IP addresses in text. Which are public is IANA's special-purpose address registries, as Python's ipaddress has them (is_global).

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "match.hpp"

namespace flowrun::filters::pii {

using Ipv6 = std::array<std::uint16_t, 8>;  ///< groups from left to right

/// Four decimal numbers up to 255 without leading zeros.
std::optional<std::uint32_t> parse_ipv4(std::string_view text) noexcept;
/// RFC 4291, section 2.2, all three forms; no zone.
std::optional<Ipv6> parse_ipv6(std::string_view text) noexcept;
bool is_public(std::uint32_t address) noexcept;
/// Besides being globally reachable it must be in 2000::/3, of which alone addresses are given out: so that `abc::def` in a program is none.
bool is_public(const Ipv6& address) noexcept;

/// Returns the end of the IPv4 address that begins at the digit `at`, or kNoMatch: (?<![0-9A-Za-z_.])octet(\.octet){3}(?![0-9A-Za-z_]|\.[0-9]).
std::size_t ipv4_end(std::string_view text, std::size_t at, bool only_public) noexcept;

/// Appends IPv6 addresses: runs of hexadecimal digits, colons and periods that no letter, digit or '_' touches, without a sentence's period or colon at their ends.
void find_ipv6(std::string_view text, bool only_public, Matches& out);

/// Appends what datatrove 0.10.1 takes for an IP address (pipeline/formatters/pii.py, ip_replacer) in bytes [begin, end) of the text.
void find_datatrove_ips(std::string_view text, std::size_t begin, std::size_t end, bool only_public, Matches& out);

}  // namespace flowrun::filters::pii
