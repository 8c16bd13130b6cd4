#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// Writes a Jupyter notebook (nbformat 3 or 4) as Markdown: text cells as they are, code cells between ```language and ```, as nbconvert does; outputs are left out.
/// Returns why it is refused, or nothing.
std::optional<std::string> notebook_to_text(std::string_view json, std::string& out);

}  // namespace flowrun::readers
