#pragma once

// The state of one conversion from LaTeX to text, whose parts are: the loop over the source (latex_text.cpp), commands (latex_commands.cpp), what the paper defines and
// decides (latex_definitions.cpp), environments and what becomes a column (latex_environments.cpp), mathematics (latex_math.cpp).

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "latex_text.hpp"
#include "tex_input.hpp"
#include "tex_words.hpp"
#include "text_out.hpp"

namespace flowrun::readers {

using SharedText = std::shared_ptr<const std::string>;

inline SharedText shared(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

inline std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// A command that the paper defines.
struct LatexMacro {
  int arguments = 0;
  std::optional<std::string> first_default;  ///< of an optional first argument
  SharedText body;
};

/// An environment of the paper that is open.
struct OpenEnvironment {
  std::string name;
  Environment kind = Environment::kUnknown;
  SharedText end_body;       ///< what the paper's own environment ends with
  TextOut* outer = nullptr;  ///< where text goes after it, if it goes elsewhere inside
  std::unique_ptr<TextOut> inner;
  std::vector<std::string> captions;
  int item = 0;
};

class LatexConverter {
 public:
  LatexConverter(const std::string& main, const FindTex& find, const LatexOptions& options) : find_(find), options_(options), main_(main), in_(options.max_expanded_bytes) {}
  /// Converts the whole paper. Throws LatexFault.
  void run(LatexDocument& document);

 private:
  // the loop
  void convert();
  void special(std::string_view bytes);
  void comment();
  void blanks(std::string_view bytes);
  void quote(std::string_view bytes, char sign, std::string_view two, std::string_view one);
  void dash(std::string_view bytes);
  /// Ends a paragraph; its footnotes follow it.
  void end_paragraph();

  // commands
  void command();
  void unknown(const std::string& name);
  void run_word(const std::string& name, const WordInfo& info);
  void skip_arguments(std::string_view kinds);
  void keep_first();
  void line();
  /// Passes over "=12pt plus 1fil", "to 3cm", "3.5\baselineskip" as far as they are there.
  void dimension();
  void heading(int level);
  void run_in();
  void mark(std::string_view text, std::string_view arguments);
  void item();
  void verb(const std::string& name);
  /// \MakeShortVerb{\|}: |...| is then as \verb|...|.
  void short_verb();
  /// Takes the backslashes of an address away that only keep TeX from reading it.
  static std::string plain_url(const std::string& text);
  void xspace();
  void csname();

  // definitions
  void expand(const LatexMacro& macro);
  std::vector<std::string> read_arguments(const LatexMacro& macro);
  /// Reads the arguments and returns the body with them in their places.
  std::string substituted(const LatexMacro& macro);
  /// Reads "[n][default]{body}".
  LatexMacro read_definition();
  /// Returns the name in "{\name}" or "\name".
  std::string read_macro_name();
  void define();
  /// \def\name#1#2{body}. Where anything but #1, #2... stands between name and body, the command is not expanded.
  void define_primitive();
  void let();
  void define_operator();
  void define_environment();
  void define_theorem();

  // conditions
  void new_if();
  /// Returns what \nametrue and \namefalse set, for a name that \newif has made.
  std::optional<std::pair<std::string, bool>> flag_of(const std::string& name) const;
  /// Returns whether \fi ends what begins here: TeX's own conditions, those of engines, and what \newif makes. Others (\ifblank) take their branches as arguments.
  bool is_condition(std::string_view name) const;
  /// A condition that is not known is taken as false.
  void condition(const std::string& name);
  /// Passes over a branch: to its \fi, or to its \else where that ends it. A branch that nothing ends within this text is no branch: the rest is kept.
  void skip_branch(bool may_end_at_else);
  std::string_view name_at(std::string_view bytes, std::size_t at) const noexcept;
  void if_then_else();

  // files
  void input(int arguments);
  void open_file(const std::string& written);
  /// Ends the innermost file; that of the main file ends the paper.
  void leave();

  // environments
  static bool is_list(Environment kind) noexcept { return kind == Environment::kItemize || kind == Environment::kEnumerate || kind == Environment::kDescription; }
  OpenEnvironment* innermost_list() noexcept;
  OpenEnvironment* innermost_float() noexcept;
  bool in_tabular() const noexcept { return !open_.empty() && open_.back().kind == Environment::kTabular; }
  void begin();
  OpenEnvironment& open(std::string name, Environment kind);
  void redirect(OpenEnvironment& opened);
  void begin_document();
  void begin_own(const std::string& name, const LatexMacro& begins, const SharedText& ends);
  void begin_theorem(const std::string& name, const std::string& title);
  void end();
  /// A document within the document is a subfile, whose file ends here, or an example.
  void end_document();
  /// \bye and \end end plain TeX; in LaTeX they stand in examples.
  void end_plain();
  void close_environments(std::size_t size);
  void close(OpenEnvironment& closed);
  /// Returns where "\end{name}" stands in the text that is read; its size where it does not.
  static std::size_t find_end(std::string_view bytes, const std::string& ending) { return std::min(bytes.find(ending), bytes.size()); }
  void skip_environment(const std::string& name);
  void verbatim(const std::string& name);

  // what becomes a column or a note
  void take_title();
  /// An author is the first line of what stands between \and.
  void take_authors();
  void take_abstract();
  void caption(const std::string& name);
  void footnote();
  void bibliography();
  void bibitem();

  // mathematics
  void dollar();
  void ensure_math();
  /// Reads mathematics to its end (`end` is an environment's name where `environment`), expands the paper's commands in it and writes it.
  void math(const std::string& start, const std::string& end, bool display, bool environment = false);
  std::string read_math(const std::string& end, bool environment, bool& closed);
  /// Passes over blanks, writes one; returns whether there was a blank line.
  bool math_blanks(std::string& out);
  /// Reads a command in mathematics; returns whether it is the end of it.
  bool math_command(const std::string& end, bool environment, int& nested, std::string& out);
  static bool letter(int c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  /// Returns whether the text ends in a command of letters.
  static bool ends_in_word(const std::string& text) noexcept;

  // arguments
  /// Converts an argument by itself.
  std::string convert_argument(std::string argument);
  /// Makes one line of a text.
  static std::string flat(std::string text);

  static constexpr std::size_t kMaxFailedBytes = 64 << 20;  // of searches for an end that is not there, so that many of them stay linear
  static constexpr std::string_view kNextAuthor = "\x1E", kNextLine = "\x1F";  // no text has them: separators of records and units

  const FindTex& find_;
  const LatexOptions& options_;
  const std::string main_;
  LatexDocument* document_ = nullptr;
  TexInput in_;
  TextOut body_, nowhere_;
  TextOut* out_ = nullptr;
  std::unordered_map<std::string, LatexMacro> macros_;
  std::unordered_map<std::string, std::pair<LatexMacro, SharedText>> environments_;
  std::unordered_map<std::string, std::string> theorems_;
  std::unordered_map<std::string, bool> flags_;
  std::unordered_map<std::string, std::string> aliases_;  ///< of commands that LaTeX itself has
  std::vector<OpenEnvironment> open_;
  std::size_t open_floor_ = 0;  ///< environments below belong to what an argument stands in
  std::vector<std::string> notes_, authors_;
  std::string title_, abstract_, preamble_abstract_;
  std::string short_verbs_;  ///< signs that \MakeShortVerb has made
  std::size_t failed_bytes_ = 0;
  int argument_depth_ = 0, documents_ = 0;
  bool in_body_ = false, stopped_ = false, at_end_ = false, at_is_letter_ = false, in_authors_ = false;
};

}  // namespace flowrun::readers
