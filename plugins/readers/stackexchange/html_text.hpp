#pragma once

// The HTML of posts to plain text, in one pass: what a browser shows, in lines. The HTML of Stack Exchange is made by its server from Markdown and
// holds few kinds of elements; others are taken for inline ones, and what is no tag is text.

#include <string>
#include <string_view>

namespace flowrun::readers {

/// Appends the text of `html` to `out`. Paragraphs, headings and blocks are parted by a blank line, items begin with "- " or their number; code in
/// <pre> is kept as it is, other white space is one space. Of links the label stays, images go. Time: linear. Valid UTF-8 stays valid.
void append_html_text(std::string_view html, std::string& out);

}  // namespace flowrun::readers
