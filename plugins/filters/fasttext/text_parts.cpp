#include "text_parts.hpp"

namespace flowrun::filters {

std::vector<std::string> paragraphs_of(std::string_view text, const CodePointClasses& classes) {
  std::vector<std::string> paragraphs;
  LineSplitter splitter(text);
  std::string_view line;
  for (bool first = true; splitter.next(line); first = false) {
    if (!first) paragraphs.back() += '\n';
    if (first || !strip(line, classes).empty()) paragraphs.emplace_back();
    paragraphs.back() += line;
  }
  return paragraphs;
}

}  // namespace flowrun::filters
