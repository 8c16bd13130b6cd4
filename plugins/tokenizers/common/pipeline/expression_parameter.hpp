#pragma once

// A regular expression that somebody wrote as a node's parameter.

#include <string>

#include "pre_tokenizers.hpp"

namespace flowrun::tokenizers {

/// Returns what TextPattern::expression makes of the value of the parameter `name`. Throws kInvalidArgument for one that cannot be used; the message names the
/// parameter, the place in the expression and what is supported.
TextPattern expression_parameter(const std::string& name, const std::string& expression);

}  // namespace flowrun::tokenizers
