#pragma once

// Account, card and phone numbers in text. Each function is asked at the first digit of a run of digits and finds where the number around it begins; times are bounded
// by the longest number.

#include <string_view>

#include "match.hpp"

namespace flowrun::filters::pii {

/// A number that has been found; `end` is kNoMatch where there is none.
struct Span {
  std::size_t begin = 0, end = kNoMatch;
};

/// ISO 13616: a country's letters, two check digits and as many characters as that country has, in one piece or in groups of four with a space between. Its remainder
/// modulo 97 is 1 (ISO 7064).
Span iban_at(std::string_view text, std::size_t digits) noexcept;

/// ISO 7812: 13 to 19 digits of an issuer's range in one piece, or as they are printed (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4, with a space or hyphen), whose Luhn sum is a
/// multiple of ten.
Span card_at(std::string_view text, std::size_t digits) noexcept;

/// ITU E.164: '+', a country calling code and as many digits as national numbers of it may have (libphonenumber's lengths), in groups. Or, without '+', a number of the
/// North American plan with its area code: (202) 456-1111, 202-456-1111, 1.202.456.1111. Numbers for films (555-0100 to 555-0199) are nobody's. A match
/// does not begin before `from`.
Span phone_at(std::string_view text, std::size_t digits, std::size_t from) noexcept;

}  // namespace flowrun::filters::pii
