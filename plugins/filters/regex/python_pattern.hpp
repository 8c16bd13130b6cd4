#pragma once

#include <string>
#include <string_view>

namespace flowrun::filters {

/// Which characters \w, \d and \s stand for.
enum class CharacterClasses { kUnicode, kAscii };

/// Returns the RE2 pattern that is found in a text where Python's re.search finds `pattern`: \w, \d and \s as Python has them, `$` also before a new line at the end of
/// the text, \Z, \uXXXX, {,n}, and '[' inside a set for itself. What neither knows is left for RE2 to refuse. Throws kInvalidArgument for what RE2 would take for
/// something else: \b and \B where classes are Unicode's, and \W in a set.
std::string re2_pattern(std::string_view pattern, CharacterClasses classes);

}  // namespace flowrun::filters
