#pragma once

// The templates that stand for words of the sentence around them; all others are dropped. A template is known by its name alone, so this is
// a list of names that the large Wikipedias share, not an expansion.

#include <span>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// One argument as written. Its text is plain already.
struct TemplateArgument {
  std::string_view name;  ///< "" where it has none
  std::string_view value;
};

/// Appends what the template stands for to `out`; false, with `out` as it was, for a template that is dropped. `name` may be a parser
/// function with its first argument ("formatnum:1234"). `title` is that of the page.
bool render_template(std::string_view name, std::span<const TemplateArgument> arguments, std::string_view title, std::string& out);

/// Returns `text` without the spaces, tabs and line ends around it.
std::string_view trim(std::string_view text) noexcept;

}  // namespace flowrun::readers
