#pragma once

// A text of Project Gutenberg without what Project Gutenberg has put around it, and what its header says of it.
//
// The header ends at its last mark before the text: "*** START OF THE/THIS PROJECT GUTENBERG EBOOK ... ***" or, until 2003, the end of the small
// print ("*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*"). The footer begins at "*** END OF ...", with an "End of the Project
// Gutenberg EBook" right above, else at the last line that says so in one of the older forms. Checked against the package gutenberg 0.8.2,
// whose lists of lines are the widest that are published.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// What is left in a text beside the book itself.
struct GutenbergOptions {
  bool keep_credits = false;  ///< paragraphs at the text's start that say who made it: "Produced by ...", "E-text prepared by ..."
  bool keep_notes = false;    ///< paragraphs that are a transcriber's note
};

/// A text as found. Without marks it is whole.
struct GutenbergText {
  std::string text;  ///< lines end with '\n'; no blank lines around it where something was cut
  bool has_start = false, has_end = false;
  std::optional<std::string> title, author, language, release_date;
  std::optional<std::int64_t> number;  ///< of the ebook
};

/// Reads a text of UTF-8. Time and memory: linear in it.
GutenbergText read_gutenberg(std::string_view text, const GutenbergOptions& options);

/// Returns the encoding that the header of a text names, whose bytes keep ASCII.
std::optional<std::string> declared_encoding(std::string_view text);

}  // namespace flowrun::readers
