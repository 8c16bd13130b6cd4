#pragma once

// The parts of a text that datatrove 0.10.1 decides on by themselves (utils/text.py, split_into_parts).

#include <string>
#include <string_view>
#include <vector>

#include "filters/common/text.hpp"

namespace flowrun::filters {

/// Gives lines joined by '\n', each with the lines of white space behind it. Whatever ended a line is '\n' then, and nothing stands behind the last one.
std::vector<std::string> paragraphs_of(std::string_view text, const CodePointClasses& classes);

}  // namespace flowrun::filters
