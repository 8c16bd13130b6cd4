#include "expression_parameter.hpp"

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {

TextPattern expression_parameter(const std::string& name, const std::string& expression) {
  try {
    return TextPattern::expression(expression);
  } catch (const Error& error) {
    throw Error(Code::kInvalidArgument, "'" + name + "' cannot be used: " + error.message() +
                                            "; supported is the syntax of Oniguruma 6.9, but for back-references, calls of groups, conditionals, absent operators, callouts, "
                                            "\\G, \\K, \\N, \\O, \\X and \\y");
  }
}

}  // namespace flowrun::tokenizers
