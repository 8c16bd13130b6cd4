#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace flowrun::filters::pii {

/// How many characters IBANs of a country have.
struct IbanLength {
  std::string_view country;
  std::uint8_t length;
};
inline constexpr std::size_t kMaxIbanLength = 34;

/// A country calling code, and the lengths of national numbers that it has.
struct CallingCode {
  std::uint16_t code;
  std::uint32_t lengths;  ///< bit n: n digits
};

/// By country.
std::span<const IbanLength> iban_lengths() noexcept;
/// By code. No code begins another.
std::span<const CallingCode> calling_codes() noexcept;

}  // namespace flowrun::filters::pii
