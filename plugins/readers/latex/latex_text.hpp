#pragma once

// LaTeX to text: one pass over the source with the macros of the paper expanded, in memory and time bounded by the source and `max_expanded_bytes`.
//
// What TeX prints as words is kept, what it only draws or lays out is not. Headings are Markdown's; lists have "- " or a number; footnotes stand behind their
// paragraph; quotes, dashes and accents are the characters that TeX prints. Checked against pylatexenc's latex2text and untex by the words that they give.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tex_input.hpp"

namespace flowrun::readers {

struct LatexOptions {
  bool keep_math = true;         ///< as LaTeX, between its signs; else left out
  bool captions = true;          ///< of figures and tables; the rest of these is never kept
  bool bibliography = false;
  bool mark_citations = true;    ///< "[cite]" and "[ref]"; else left out
  std::size_t max_expanded_bytes = 64 << 20;  ///< of macros, arguments and inputs together
};

struct LatexDocument {
  std::string text, title;
  std::string authors;   ///< names, between "; "
  std::string abstract;
  std::vector<std::string> missing;  ///< inputs that are not there
};

/// Finds a file of the paper by its name; null where there is none.
using FindTex = std::function<std::shared_ptr<const std::string>(const std::string& name)>;

/// Converts the paper whose main file is `main`, which `find` must know. Returns why it is refused, or nothing.
std::optional<LatexFault> latex_to_text(const std::string& main, const FindTex& find, const LatexOptions& options, LatexDocument& out);

}  // namespace flowrun::readers
