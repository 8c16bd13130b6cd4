#pragma once

// Text as Python and spaCy see it, by its short names in filters.

#include "common/text/english/words.hpp"
#include "common/text/python_lower.hpp"
#include "common/text/python_text.hpp"

namespace flowrun::filters {
using namespace text;  // NOLINT(google-build-using-namespace): what a filter is about
}
