#pragma once

// Which blocks of a page are its text: two answers to one tree, and what either says.

#include <string>
#include <vector>

#include "page.hpp"

namespace flowrun::filters::html {

enum class Head { kArticle, kFull, kUnion };

/// Returns for each block whether the head takes it.
///
/// kFull: everything but what is marked or laid out as no content: elements of navigation and their roles, names of such parts in `class` and `id`, and clusters of links. A
/// section that holds more than half of what the page says outside links is never taken for such a part, whatever it is called. After the rules of Resiliparse's
/// `extract_plain_text(main_content=True)`.
///
/// kArticle: of the sections the one that has most of the prose, by Readability's scores (paragraphs score their parents by commas and length; names add or take 25; links take
/// their share), what stands beside it with a score near it, and of these no clusters of links and no headings without text. Where the section is looked for, names only
/// weigh, so that it may be one that kFull takes for something else. A page without such a section gives what kFull gives.
///
/// kUnion: what either takes.
std::vector<bool> select_blocks(const Page& page, Head head);

/// Returns the blocks that are taken, as lines: blank lines around paragraphs, headings and preformatted text; items of lists with a dash or number, two spaces for each list
/// around the first; cells of a row between bars.
std::string join_blocks(const Page& page, const std::vector<bool>& taken);

}  // namespace flowrun::filters::html
