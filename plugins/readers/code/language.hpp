#pragma once

// The language of a file, by the names that github-linguist gives (as The Stack does): by modeline, file name, #! line and suffix, and where
// languages share a suffix by what stands in the text. Checked against Pygments' lexers on real trees.

#include <string_view>

namespace flowrun::readers {

/// See generate_languages.py; ends with a null.
extern const char* const kLanguageTable[];

/// Returns the language of a file, "" where it is not known. `path` has '/' between folders; of `text` the first 64 KiB and the last lines are looked at.
std::string_view find_language(std::string_view path, std::string_view text);

}  // namespace flowrun::readers
