#pragma once

// Tags and attributes as the HTML standard's prescan reads them (13.2.3.2), of bytes whose encoding is not known yet or does not matter.

#include <cstddef>
#include <string_view>

namespace flowrun::readers {

inline constexpr std::string_view kBlanks = "\t\n\f\r ";

inline bool is_one_of(char c, std::string_view set) noexcept { return set.find(c) != std::string_view::npos; }
bool is_letter(char c) noexcept;
/// These compare ASCII letters in any case; `lower_case` has none in upper case.
bool equal_ignoring_case(std::string_view text, std::string_view lower_case) noexcept;
bool starts_ignoring_case(std::string_view text, std::string_view lower_case) noexcept;
std::size_t find_ignoring_case(std::string_view text, std::string_view lower_case) noexcept;
/// Takes characters of `set` off the start of `text`.
void drop(std::string_view& text, std::string_view set) noexcept;

struct Attribute {
  std::string_view name, value;
};

/// Takes an attribute off `text` ("get an attribute"); false at the end of the tag or of the text.
bool take_attribute(std::string_view& text, Attribute& attribute) noexcept;

/// Takes a tag off `text`, which begins with '<', with its attributes but without its '>'.
void take_tag(std::string_view& text) noexcept;

}  // namespace flowrun::readers
