#pragma once

// What the converter knows of LaTeX's commands and environments, as tables.

#include <string_view>

namespace flowrun::readers {

/// What a command stands for.
enum class Word {
  kUnknown,
  kSymbol,       ///< `text` stands for it
  kDrop,         ///< it and its arguments say nothing
  kKeep,         ///< its arguments but the last say nothing
  kKeepFirst,    ///< of two arguments the first
  kSpace,
  kNothing,
  kParagraph,
  kLine,
  kAccent,       ///< `text` is the combining character
  kHeading,      ///< `number`: level of the heading, from 1
  kRunIn,        ///< a heading in its paragraph
  kCite,
  kReference,
  kItem,
  kBegin,
  kEnd,
  kInput,        ///< `number`: arguments, the last is the name and one before it a folder
  kMacro,        ///< \newcommand and the like
  kDef,
  kLet,
  kOperator,     ///< \DeclareMathOperator
  kEnvironment,  ///< \newenvironment
  kTheorem,      ///< \newtheorem
  kNewIf,
  kTitle,
  kAuthor,
  kAbstract,
  kCaption,
  kFootnote,
  kBibliography,
  kBibitem,
  kVerb,
  kShortVerb,    ///< \MakeShortVerb
  kUrl,
  kHref,
  kEnsureMath,
  kXspace,
  kMath,         ///< \( and \[
  kElse,
  kFi,
  kIfThenElse,
  kAtLetter,     ///< `number`: whether @ is a letter from here
  kEndInput,
  kBye,
  kAnd,
  kCsname,
  kDimension,    ///< a length without braces follows
};

struct WordInfo {
  Word word = Word::kUnknown;
  std::string_view text = {};  ///< for kDrop and kKeep the arguments: '*' a star, 'o' optional ones, 'm' an argument, 'p' one in parentheses
  int number = 0;
};

/// Returns what a command (without its backslash) is.
WordInfo find_word(std::string_view name) noexcept;

/// How an environment is read.
enum class Environment {
  kUnknown,     ///< as if it were not there
  kDocument,
  kMath,
  kVerbatim,
  kSkipped,     ///< as it stands, to its end
  kFloat,
  kBibliography,
  kItemize,
  kEnumerate,
  kDescription,
  kTabular,
  kAbstract,
  kBlock,       ///< a paragraph by itself
  kProof,
};

struct EnvironmentInfo {
  Environment environment = Environment::kUnknown;
  std::string_view arguments = {};  ///< as in WordInfo
};

/// Returns what an environment is; a star behind its name is passed over.
EnvironmentInfo find_environment(std::string_view name) noexcept;

}  // namespace flowrun::readers
