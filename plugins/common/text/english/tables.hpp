#pragma once

// What make_tables.py has taken out of spaCy.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace flowrun::text::english {

/// Code points [first, last] and their bits of Class.
struct ClassRange {
  std::uint32_t first, last;
  std::uint16_t classes;
};

std::span<const ClassRange> class_ranges() noexcept;
/// Units and currencies, cut off behind a digit.
std::span<const std::string_view> units() noexcept;
/// Returns how many characters the longest of them has.
std::size_t longest_unit() noexcept;
/// Exceptions as up to three pieces.
std::span<const std::array<std::string_view, 3>> exception_table() noexcept;

}  // namespace flowrun::text::english
