#include "language.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace flowrun::readers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
using ByName = std::unordered_map<std::string_view, std::string_view>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

/// The table, by what is looked for.
struct Table {
  std::unordered_map<std::string_view, std::vector<std::string_view>> by_suffix;
  ByName by_file, by_interpreter, by_alias;

  Table() {
    for (const char* const* line = kLanguageTable; *line; ++line) add(*line);
  }

 private:
  void add(std::string_view line) {
    std::string_view fields[5];
    for (auto& field : fields) {
      const std::size_t end = std::min(line.find('\t'), line.size());
      field = line.substr(0, end);
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    const std::string_view name = fields[0];
    each(fields[1], [&](std::string_view item) { by_suffix[item].push_back(name); });
    each(fields[2], [&](std::string_view item) { by_file.emplace(item, name); });
    each(fields[3], [&](std::string_view item) { by_interpreter.emplace(item, name); });
    each(fields[4], [&](std::string_view item) { by_alias.emplace(item, name); });
  }
  template <class Body>
  static void each(std::string_view items, const Body& body) {
    while (!items.empty()) {
      const std::size_t end = std::min(items.find('|'), items.size());
      body(items.substr(0, end));
      items.remove_prefix(std::min(end + 1, items.size()));
    }
  }
};

const Table& table() {
  static const Table kTable;
  return kTable;
}

// ---------------------------------------------------------------------------------------------------------------- shared suffixes

/// The first language whose expression is found is taken, the last one where none is. "": any text.
struct Rule {
  const char* language;
  const char* expression;
};

struct SuffixRules {
  std::initializer_list<const char*> suffixes;
  std::initializer_list<Rule> rules;
};

constexpr const char* kManual = R"(^[.'][ \t]*(TH|SH|Dd|Sh|so)\b)";
constexpr const char* kPhp = R"(<\?(php|=|\s))";

const SuffixRules kSuffixRules[] = {
    {{".h"}, {{"Objective-C", R"(^[ \t]*(@(interface|protocol|property|end|class|implementation)\b|#import\b))"},
              {"C++", R"(^[ \t]*(template[ \t]*<|class[ \t]+(\w+[ \t]+)?\w+[ \t]*(final[ \t]*)?([:{;]|$)|namespace\b[\w: \t]*\{?[ \t]*$|(inline[ \t]+)?namespace[ \t]+\w+|using[ \t]+(namespace[ \t]+)?[\w:]+[ \t]*[;=]|(public|private|protected)[ \t]*:|constexpr\b|#[ \t]*include[ \t]*<[a-z_]+>[ \t]*(//.*)?$)|\bstd::\w|\b(static_cast|reinterpret_cast|const_cast|dynamic_cast)<)"},
              {"C", ""}}},
    {{".hh"}, {{"Hack", R"(<\?hh)"}, {"C++", ""}}},
    {{".m"}, {{"Objective-C", R"(^[ \t]*(@(interface|implementation|import|protocol|property|end|class|selector|autoreleasepool)\b|#[ \t]*(import|include|pragma mark)))"},
              {"Mercury", R"(^:-[ \t]*(module|use_module|import_module)\b)"},
              {"Mathematica", R"(\(\*|^[ \t]*\w+\[.*\][ \t]*:?=|^[ \t]*(Begin)?Package\[)"},
              {"MATLAB", ""}}},
    {{".pl"}, {{"Prolog", R"(^[^#%'"\n]*:-|^[a-z]\w*\([^)\n]*\)\.[ \t]*$)"}, {"Raku", R"(^[ \t]*use[ \t]+v6)"}, {"Perl", ""}}},
    {{".pm"}, {{"X PixMap", R"(^/\* XPM)"}, {"Raku", R"(^[ \t]*(use[ \t]+v6|unit[ \t]+(module|class)))"}, {"Perl", ""}}},
    {{".t"}, {{"Raku", R"(^[ \t]*use[ \t]+v6)"}, {"Turing", R"(^[ \t]*(var|const)[ \t]+\w+[ \t]*:[ \t]*(int|string|real)\b)"}, {"Perl", ""}}},
    {{".pod"}, {{"Pod 6", R"(^=(begin|end)[ \t]+pod)"}, {"Pod", ""}}},
    {{".r"}, {{"Rebol", R"((?i)^[ \t]*rebol\b)"}, {"R", ""}}},
    {{".v"}, {{"Coq", R"(^[ \t]*(From[ \t]+\w+[ \t]+)?(Require|Theorem|Lemma|Proof|Definition|Inductive|Fixpoint|Section|Set|Notation|Ltac)\b.*[.:a-z]$)"},
              {"Verilog", R"(^[ \t]*(module|endmodule|primitive|`(timescale|define|include|ifdef|ifndef)|always|initial|assign)\b|^[ \t]*`\w+)"},
              {"V", R"(^[ \t]*(pub[ \t]+)?(fn|struct|enum|import|module)[ \t]+\w+)"},
              {"Verilog", ""}}},
    {{".d"}, {{"DTrace", R"(^#pragma[ \t]+D|^[\w:*-]+:::?[\w-]*[ \t]*$|^(BEGIN|END|dtrace:))"},
              {"D", R"(^[ \t]*(module[ \t]+[\w.]+|(public[ \t]+|static[ \t]+)?import[ \t]+[\w.]+.*);|^[ \t]*(unittest|version[ \t]*\())"},
              {"Makefile", R"(^[^\s:=]+[ \t]*:([ \t].*)?\\?$)"},
              {"D", ""}}},
    {{".cs"}, {{"Smalltalk", R"(![\w\s]+methodsFor: )"}, {"C#", ""}}},
    {{".fs"}, {{"Forth", R"(^(: |also |new-device|previous ))"}, {"GLSL", R"(^[ \t]*(#version|precision[ \t]|uniform[ \t]|varying[ \t]|void[ \t]+main))"}, {"Filterscript", R"(#pragma[ \t]+(rs|version))"}, {"F#", ""}}},
    {{".f", ".for"}, {{"Forth", R"(^: )"}, {"Filebench WML", R"(^[ \t]*flowop\b)"}, {"Fortran", ""}}},
    {{".frag"}, {{"JavaScript", R"(^\(function[ \t]*\()"}, {"GLSL", ""}}},
    {{".md"}, {{"GCC Machine Description", R"(^\(define_\w+)"}, {"Markdown", ""}}},
    {{".ts"}, {{"XML", R"(<TS\b)"}, {"TypeScript", ""}}},
    {{".tsx"}, {{"XML", R"(<tileset\b)"}, {"TSX", ""}}},
    {{".rs"}, {{"RenderScript", R"(#pragma[ \t]+(rs|version))"}, {"XML", R"(^\s*<\?xml)"}, {"Rust", ""}}},
    {{".php"}, {{"Hack", R"(<\?hh)"}, {"PHP", ""}}},
    {{".inc"}, {{"PHP", kPhp}, {"HTML", R"((?i)^\s*<(html|div|table|p|!--))"}, {"Pascal", R"((?i)^[ \t]*(\{\$\w+.*\}|(unit|procedure|function)[ \t]+\w+[^{]*;)[ \t]*$)"},
                {"Assembly", R"((?i)^[ \t]*(%(macro|define|ifdef|include)|[\w.$@]+:?[ \t]+(equ|db|dw|macro)\b|\.(macro|equ|set|globl|text|section)\b))"},
                {"SQL", R"((?i)^[ \t]*(select|insert|create|drop|let|--source|connect)\b.*;?$)"},
                {"C++", ""}}},
    {{".pp"}, {{"Puppet", R"(^[ \t]*(class|define|node)[ \t]+[\w:'"-]+[ \t]*(\(|\{|inherits)|=>)"}, {"Pascal", ""}}},
    {{".pro"}, {{"QMake", R"(^[ \t]*(HEADERS|SOURCES|TEMPLATE|TARGET|CONFIG|QT|FORMS|SUBDIRS)[ \t]*[+*-]?=)"}, {"Proguard", R"(^-(keep|dont|opti|assume)\w*)"}, {"Prolog", R"(^[^\[#\n]*:-)"}, {"IDL", ""}}},
    {{".ml"}, {{"Standard ML", R"(^[ \t]*(structure|signature|functor)[ \t]+\w+.*=|^[ \t]*fun[ \t]+\w+.*=)"}, {"OCaml", ""}}},
    {{".mm"}, {{"XML", R"(<map\b)"}, {"Objective-C++", ""}}},
    {{".l"}, {{"Roff", kManual}, {"Common Lisp", R"(^[ \t]*\((def|in-package|load|setq)\b)"}, {"PicoLisp", R"(^[ \t]*\((de|class|rel)[ \t])"}, {"Lex", ""}}},
    {{".yy"}, {{"JSON", R"(^\s*[{\[]")"}, {"Yacc", ""}}},
    {{".cl"}, {{"Common Lisp", R"(^[ \t]*\((def\w*|in-package)\b)"}, {"Cool", R"(^class[ \t]+\w+.*(inherits|\{)[^;]*$)"}, {"OpenCL", ""}}},
    {{".lisp", ".lsp"}, {{"NewLisp", R"(^[ \t]*\(define[ \t])"}, {"Common Lisp", ""}}},
    {{".cls"}, {{"TeX", R"(^[ \t]*(%|\\(NeedsTeXFormat|ProvidesClass|def|newcommand|input)\b))"}, {"VBA", R"(^(VERSION[ \t]|Attribute[ \t]+VB_))"}, {"ObjectScript", R"(^Class[ \t]+[\w.]+)"},
                {"OpenEdge ABL", R"((?i)^[ \t]*using[ \t]+[\w.]+)"}, {"Apex", ""}}},
    {{".bas"}, {{"VBA", R"(^Attribute[ \t]+VB_)"}, {"FreeBasic", R"((?i)^[ \t]*#(include|lang|define)\b|^[ \t]*(dim[ \t]+as|option[ \t]+explicit))"}, {"BASIC", ""}}},
    {{".mod"}, {{"XML", R"(^\s*<\?xml|<!ENTITY)"}, {"Modula-2", R"(^[ \t]*((IMPLEMENTATION|DEFINITION)[ \t]+)?MODULE[ \t])"}, {"AMPL", R"(^[ \t]*(param|var|set|minimize|maximize|subject to)\b.*)"}, {"Linux Kernel Module", ""}}},
    {{".s"}, {{"Motorola 68K Assembly", R"((?i)^[^#;\n]*\bmove(m|q)?\.[bwl]\b.*\bd[0-7]\b)"}, {"Unix Assembly", ""}}},
    {{".asm"}, {{"Motorola 68K Assembly", R"((?i)^[^#;\n]*\bmove(m|q)?\.[bwl]\b.*\bd[0-7]\b)"}, {"Assembly", ""}}},
    {{".i"}, {{"SWIG", R"(^[ \t]*%(module|include|import|extend|inline|\{|typemap))"}, {"Assembly", ""}}},
    {{".ms"}, {{"Roff", R"(^\.[A-Za-z]{2})"}, {"MAXScript", ""}}},
    {{".e"}, {{"Eiffel", R"(^[ \t]*(note|indexing|class|deferred class|feature)\b)"}, {"E", R"(^def[ \t]+\w+)"}, {"Euphoria", ""}}},
    {{".ex"}, {{"Euphoria", R"(^[ \t]*(include[ \t]+\w+\.e|procedure|global)\b)"}, {"Elixir", ""}}},
    {{".es"}, {{"Erlang", R"(^[ \t]*(%%|main[ \t]*\(.*->))"}, {"JavaScript", ""}}},
    {{".gs"}, {{"Gosu", R"(^[ \t]*uses[ \t]+(java|gw)\.)"}, {"GLSL", R"(^#version)"}, {"JavaScript", ""}}},
    {{".g"}, {{"G-code", R"(^[ \t]*[GM]\d+\b)"}, {"GAP", ""}}},
    {{".gd"}, {{"GAP", R"(^[ \t]*(Declare\w+|Install\w+)\()"}, {"GDScript", ""}}},
    {{".spec"}, {{"Python", R"(^[ \t]*(a|exe|pyz)[ \t]*=[ \t]*\w+\()"}, {"Ruby", R"(^[ \t]*(Gem::|require[ \t]|describe[ \t]))"}, {"RPM Spec", ""}}},
    {{".sc"}, {{"SuperCollider", R"(^[ \t]*(SynthDef|[+*]\w+[ \t]*\{|~\w+[ \t]*=|\w+\.play))"}, {"Scala", ""}}},
    {{".x"}, {{"RPC", R"(^[ \t]*(program|version|struct|typedef|enum|union)\b|^%)"}, {"Linker Script", R"(^[ \t]*(SECTIONS|OUTPUT_ARCH|ENTRY|MEMORY)\b)"}, {"Logos", R"(^%(hook|ctor|end))"}, {"DirectX 3D File", ""}}},
    {{".p"}, {{"Gnuplot", R"(^[ \t]*(s?plot|set[ \t]+(term|out|xlabel|ylabel|title))\b)"}, {"OpenEdge ABL", ""}}},
    {{".st"}, {{"StringTemplate", R"(\$\w+[$.:]|<\w+>)"}, {"Smalltalk", ""}}},
    {{".toc"}, {{"World of Warcraft Addon Data", R"(^## \w+:)"}, {"TeX", ""}}},
    {{".srt"}, {{"SRecode Template", R"(^;;|^template[ \t])"}, {"SubRip Text", ""}}},
    {{".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".9", ".1in", ".1m", ".1x", ".3in", ".3m", ".3p", ".3pm", ".3qt", ".3x", ".man", ".mdoc"}, {{"Roff Manpage", kManual}, {"Roff", R"(^[.'][A-Za-z]{1,2}\b)"}, {"", ""}}},
    {{".n"}, {{"Roff", kManual}, {"Nemerle", ""}}},
    {{".as"}, {{"AngelScript", R"(^[ \t]*(shared[ \t]+)?(class[ \t]+\w+[ \t]*\{?$|void[ \t]+\w+\(|.*@\w+))"}, {"ActionScript", ""}}},
    {{".asc"}, {{"Public Key", R"(^-----BEGIN)"}, {"AsciiDoc", ""}}},
    {{".txt"}, {{"Vim Help File", R"(vim:.*\b(ft|filetype)=help\b)"}, {"Text", ""}}},
};

/// For suffixes whose languages cannot be told apart by a line or two: the one that is most used.
const std::pair<const char*, const char*> kMostUsed[] = {
    {".sql", "SQL"}, {".cgi", "Perl"}, {".fcgi", "Python"}, {".properties", "Java Properties"}, {".cfg", "INI"}, {".yaml", "YAML"}, {".nb", "Mathematica"}, {".m4", "M4"}, {".al", "AL"}, {".sls", "SaltStack"},
    {".sch", "Scheme"}, {".re", "Reason"}, {".res", "ReScript"}, {".rpy", "Ren'Py"}, {".plist", "XML Property List"}, {".gml", "Game Maker Language"}, {".tst", "GAP"}, {".bb", "BitBake"}, {".bf", "Brainfuck"},
    {".b", "Brainfuck"}, {".mo", "Modelica"}, {".odin", "Odin"}, {".ddl", "SQL"}, {".prc", "PLSQL"}, {".cue", "CUE"}, {".jq", "jq"}, {".ch", "xBase"}, {".w", "CWeb"}, {".vba", "VBA"}, {".dsp", "Faust"},
    {".fr", "Frege"}, {".ls", "LiveScript"}, {".nas", "Assembly"}, {".vhost", "ApacheConf"}, {".shader", "ShaderLab"}, {".star", "Starlark"}, {".nl", "NewLisp"}, {".q", "HiveQL"}, {".mc", "M4"}, {".bs", "BrighterScript"},
    {".ftl", "FreeMarker"}, {".sol", "Solidity"}, {".csl", "Kusto"}, {".pbt", "Protocol Buffer Text Format"}, {".qs", "Q#"}, {".rsc", "RouterOS Script"}, {".dsc", "Debian Package Control File"}, {".ecl", "ECL"},
    {".cake", "C#"}, {".cp", "C++"}, {".gst", "XML"}, {".workflow", "HCL"}, {".pluginspec", "Ruby"}, {".scd", "SuperCollider"}, {".ncl", "NCL"}, {".mask", "Mask"}, {".fx", "HLSL"}, {".ice", "Slice"}, {".j", "Objective-J"}};

struct CompiledRule {
  std::string_view language;
  std::unique_ptr<RE2> expression;  ///< null: any text
};

const std::unordered_map<std::string_view, const std::vector<CompiledRule>*>& compiled_rules() {
  static const auto kCompiled = [] {
    static std::deque<std::vector<CompiledRule>> all;
    std::unordered_map<std::string_view, const std::vector<CompiledRule>*> by_suffix;
    for (const SuffixRules& rules : kSuffixRules) {
      auto& compiled = all.emplace_back();
      for (const Rule& rule : rules.rules) {
        RE2::Options options(RE2::Latin1);  // bytes: the text need not be UTF-8
        options.set_log_errors(false);
        compiled.push_back({rule.language, *rule.expression ? std::make_unique<RE2>(std::string("(?m)") + rule.expression, options) : nullptr});
      }
      for (const char* suffix : rules.suffixes) by_suffix[suffix] = &compiled;
    }
    return by_suffix;
  }();
  return kCompiled;
}

std::string_view by_content(std::string_view suffix, const std::vector<std::string_view>& candidates, std::string_view text) {
  constexpr std::size_t kLookedAt = 64 << 10;
  const std::string_view head = text.substr(0, kLookedAt);
  const std::size_t start = head.find_first_not_of(" \t\r\n");
  if (start != kNone && head.substr(start).starts_with("<?xml"))
    if (const auto xml = std::find(candidates.begin(), candidates.end(), "XML"); xml != candidates.end()) return *xml;
  if (const auto rules = compiled_rules().find(suffix); rules != compiled_rules().end())
    for (const CompiledRule& rule : *rules->second)
      if (!rule.expression || RE2::PartialMatch(re2::StringPiece(head.data(), head.size()), *rule.expression)) return rule.language;
  for (const auto& [of, language] : kMostUsed)
    if (suffix == of) return language;
  return candidates.front();
}

// ---------------------------------------------------------------------------------------------------------------- names and lines

std::string_view find(const ByName& names, std::string_view name) {
  const auto found = names.find(name);
  return found == names.end() ? std::string_view() : found->second;
}

/// Looks at every suffix of a name, the longest first: ".d.ts" before ".ts".
std::string_view by_suffix(std::string_view name, std::string_view text) {
  for (std::size_t dot = name.find('.', name.starts_with('.') ? 1 : 0); dot != kNone; dot = name.find('.', dot + 1)) {
    const std::string_view suffix = name.substr(dot);
    auto found = table().by_suffix.find(suffix);
    if (found == table().by_suffix.end()) found = table().by_suffix.find(lower(suffix));
    if (found == table().by_suffix.end()) continue;
    const bool shared = found->second.size() > 1 || compiled_rules().contains(found->first);
    return shared ? by_content(found->first, found->second, text) : found->second.front();
  }
  return find(table().by_file, name.substr(0, name.find('.', 1)));  // Makefile.am, Dockerfile.test
}

std::string_view line_at(std::string_view text, std::size_t at) { return text.substr(at, std::min(text.find('\n', at), text.size()) - at); }

/// "#!/usr/bin/env -S python3.11 -u" is Python.
std::string_view by_interpreter(std::string_view text) {
  if (!text.starts_with("#!")) return {};
  std::string_view line = line_at(text.substr(0, 512), 2);
  const auto word = [&line] {
    const std::size_t first = std::min(line.find_first_not_of(" \t\r"), line.size());
    const std::size_t end = std::min(line.find_first_of(" \t\r", first), line.size());
    const std::string_view found = line.substr(first, end - first);
    line.remove_prefix(end);
    return found;
  };
  std::string_view name = word();
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  if (name == "env") {
    do name = word();
    while (name.starts_with('-') || name.find('=') != kNone);
    name.remove_prefix(name.rfind('/') + 1);
  }
  if (const std::string_view found = find(table().by_interpreter, name); !found.empty()) return found;
  name = name.substr(0, name.find_last_not_of("0123456789.") + 1);  // a version
  return find(table().by_interpreter, name);
}

/// Lines of Vim ("vim: set ft=python:") and Emacs ("-*- mode: python -*-") among the first and last five.
std::string_view by_modeline(std::string_view text) {
  constexpr std::size_t kBytes = 1024;
  static const RE2 kVim(R"re((?:^|\s)(?:vim?|ex):[ \t]*(?:set?[ \t].*?)?(?:.*[ \t:])?(?:ft|filetype|syntax)[ \t]*=[ \t]*([\w+-]+))re", RE2::Latin1);
  static const RE2 kEmacs(R"re(-\*-(?:.*?\bmode[ \t]*:)?[ \t]*([\w+-]+)[ \t]*(?:;.*)?-\*-)re", RE2::Latin1);
  std::string language;
  for (const std::string_view part : {text.substr(0, kBytes), text.size() > kBytes ? text.substr(std::max(kBytes, text.size() - kBytes)) : std::string_view()}) {
    for (std::size_t at = 0; at < part.size();) {
      const std::string_view line = line_at(part, at);
      at += line.size() + 1;
      const bool worth = line.find("ex:") != kNone || line.find("vi") != kNone || line.find("-*-") != kNone;
      if (!worth) continue;
      const re2::StringPiece piece(line.data(), line.size());
      if (!RE2::PartialMatch(piece, kVim, &language) && !RE2::PartialMatch(piece, kEmacs, &language)) continue;
      if (const std::string_view found = find(table().by_alias, lower(language)); !found.empty()) return found;
    }
  }
  return {};
}

}  // namespace

std::string_view find_language(std::string_view path, std::string_view text) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (const std::string_view found = by_modeline(text); !found.empty()) return found;
  if (const std::string_view found = find(table().by_file, name); !found.empty()) return found;
  if (const std::string_view found = by_interpreter(text); !found.empty()) return found;
  return by_suffix(name, text);
}

}  // namespace flowrun::readers
