#pragma once

// What a file is that is no dump of a wiki's pages: Wikimedia offers many kinds of dump side by side, and their names are easily taken for each other.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// How many bytes from a file's start are looked at: more than stands before the first page of any wiki.
inline constexpr std::size_t kDumpKindBytes = 64 << 10;

/// Returns what was found, expected and can be done, for a file that begins with `text` and is no dump of pages; nothing where it may be one, even a damaged one.
std::optional<std::string> describe_other_dump(std::string_view text);

}  // namespace flowrun::readers
