#pragma once

// What must hold of the extraction for any bytes. libFuzzer runs it with pages of its own making (libfuzzer_entry.cpp, `make fuzz`), corpus_test.cpp with those of
// corpus/, in every build.

#include <string_view>

namespace flowrun::filters::html {

/// Reads the bytes as a page, with limits that small pages can meet. Blocks must lie in the text one behind the other, sections add up to their parents, each head take
/// blocks that are there, the union what either takes, and the text of a page of valid UTF-8 be valid UTF-8. Throws std::logic_error where that does not hold.
void fuzz_extract_html(std::string_view bytes);

}  // namespace flowrun::filters::html
