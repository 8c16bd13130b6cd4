#include "tex_words.hpp"

#include <array>
#include <string>
#include <unordered_map>

namespace flowrun::readers {
namespace {

using Words = std::unordered_map<std::string_view, WordInfo>;

void add_all(Words& words, WordInfo info, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) words[name] = info;
}

void add_symbols(Words& words) {
  static constexpr std::pair<std::string_view, std::string_view> kSymbols[] = {
      {"%", "%"}, {"&", "&"}, {"$", "$"}, {"#", "#"}, {"_", "_"}, {"{", "{"}, {"}", "}"}, {"ss", "ß"}, {"SS", "SS"}, {"ae", "æ"}, {"AE", "Æ"}, {"oe", "œ"}, {"OE", "Œ"},
      {"o", "ø"}, {"O", "Ø"}, {"l", "ł"}, {"L", "Ł"}, {"aa", "å"}, {"AA", "Å"}, {"i", "ı"}, {"j", "ȷ"}, {"dh", "ð"}, {"DH", "Ð"}, {"th", "þ"}, {"TH", "Þ"}, {"dj", "đ"},
      {"DJ", "Đ"}, {"ng", "ŋ"}, {"NG", "Ŋ"}, {"LaTeX", "LaTeX"}, {"LaTeXe", "LaTeX2e"}, {"TeX", "TeX"}, {"BibTeX", "BibTeX"}, {"XeTeX", "XeTeX"}, {"LuaTeX", "LuaTeX"},
      {"pdfTeX", "pdfTeX"}, {"ldots", "…"}, {"dots", "…"}, {"textellipsis", "…"}, {"S", "§"}, {"P", "¶"}, {"textsection", "§"}, {"textparagraph", "¶"}, {"copyright", "©"},
      {"textcopyright", "©"}, {"textregistered", "®"}, {"texttrademark", "™"}, {"pounds", "£"}, {"textsterling", "£"}, {"euro", "€"}, {"texteuro", "€"}, {"EUR", "€"},
      {"textyen", "¥"}, {"textcent", "¢"}, {"textdegree", "°"}, {"degree", "°"}, {"dag", "†"}, {"dagger", "†"}, {"textdagger", "†"}, {"ddag", "‡"}, {"ddagger", "‡"},
      {"textbullet", "•"}, {"textperiodcentered", "·"}, {"textbackslash", "\\"}, {"textasciitilde", "~"}, {"textasciicircum", "^"}, {"textless", "<"}, {"textgreater", ">"},
      {"textbar", "|"}, {"textunderscore", "_"}, {"textbraceleft", "{"}, {"textbraceright", "}"}, {"lbrace", "{"}, {"rbrace", "}"}, {"textdollar", "$"}, {"textasteriskcentered", "*"},
      {"textendash", "–"}, {"textemdash", "—"}, {"textquoteleft", "‘"}, {"textquoteright", "’"}, {"textquotedblleft", "“"}, {"textquotedblright", "”"}, {"textquotesingle", "'"},
      {"textquotedbl", "\""}, {"lq", "‘"}, {"rq", "’"}, {"quotedblbase", "„"}, {"quotesinglbase", "‚"}, {"guillemotleft", "«"}, {"guillemotright", "»"}, {"guillemetleft", "«"},
      {"guillemetright", "»"}, {"guilsinglleft", "‹"}, {"guilsinglright", "›"}, {"og", "«"}, {"fg", "»"}, {"glqq", "„"}, {"grqq", "“"}, {"textexclamdown", "¡"}, {"textquestiondown", "¿"},
      {"textmu", "µ"}, {"texttimes", "×"}, {"textpm", "±"}, {"textdiv", "÷"}, {"textonehalf", "½"}, {"textonequarter", "¼"}, {"textthreequarters", "¾"}, {"textordfeminine", "ª"},
      {"textordmasculine", "º"}, {"textonesuperior", "¹"}, {"texttwosuperior", "²"}, {"textthreesuperior", "³"}, {"textlangle", "⟨"}, {"textrangle", "⟩"}, {"textnumero", "№"},
      {"checkmark", "✓"}, {"slash", "/"}};
  for (const auto& [name, text] : kSymbols) words[name] = {Word::kSymbol, text};
}

void add_accents(Words& words) {
  static constexpr std::pair<std::string_view, std::string_view> kAccents[] = {{"'", "\u0301"}, {"`", "\u0300"}, {"^", "\u0302"}, {"\"", "\u0308"}, {"~", "\u0303"}, {"=", "\u0304"},
                                                                               {".", "\u0307"}, {"u", "\u0306"}, {"v", "\u030C"}, {"H", "\u030B"}, {"c", "\u0327"}, {"d", "\u0323"},
                                                                               {"b", "\u0331"}, {"k", "\u0328"}, {"r", "\u030A"}, {"t", "\u0361"}};
  for (const auto& [name, text] : kAccents) words[name] = {Word::kAccent, text};
}

void add_dropped(Words& words) {
  add_all(words, {Word::kDrop, "m"},
          {"label", "special", "bibliographystyle", "pagestyle", "thispagestyle", "pagenumbering", "hyphenation", "index", "glossary", "nocite", "graphicspath", "DeclareGraphicsExtensions",
           "hypersetup", "theoremstyle", "newlength", "newsavebox", "phantom", "hphantom", "vphantom", "cline", "date", "thanks", "email", "affiliation", "address", "institute", "altaffiliation",
           "pacs", "preprint", "orcid", "ORCID", "orcidlink", "ead", "inst", "correspondingauthor", "titlerunning", "authorrunning", "runningtitle", "runningauthor", "markright", "stepcounter",
           "newwrite", "newread", "usetikzlibrary", "tikzset", "pgfplotsset", "lstset", "setstretch", "linespread", "received", "revised", "accepted", "published", "ccsdesc",
           "subjclass", "classification", "PACS", "volume", "citestyle", "setcitestyle", "captionsetup", "geometry", "sisetup", "bibliographyunit", "externaldocument", "epsffile",
           "psfig", "epsfig", "includepdf", "acmDOI", "acmISBN", "acmYear", "acmMonth", "acmVolume", "acmNumber", "acmArticle", "copyrightyear", "setcopyright",
           "mailto", "altaffilmark", "offprints", "tag", "refstepcounter", "cellcolor", "rowcolor", "columncolor", "shorttitle", "shortauthors", "icmltitlerunning",
           "setmainfont", "setsansfont", "setmonofont", "setdefaultlanguage", "setotherlanguage", "selectlanguage", "mathversion", "excludecomment", "includecomment"});
  add_all(words, {Word::kDrop, "*m"}, {"vspace", "hspace", "tagged"});
  add_all(words, {Word::kDrop, "om"}, {"usepackage", "RequirePackage", "documentclass", "documentstyle", "LoadClass", "todo", "acmConference", "addbibresource",
                                       "corref", "cortext", "fntext", "tnotetext", "affil", "ccsdesc"});
  add_all(words, {Word::kDrop, "o"}, {"footnotemark", "linebreak", "pagebreak", "nolinebreak", "nopagebreak", "allowdisplaybreaks", "ProcessOptions", "printbibliography", "displaybreak"});
  add_all(words, {Word::kDrop, "*oom"}, {"includegraphics", "epsfbox", "includesvg", "includestandalone"});
  add_all(words, {Word::kDrop, "mm"}, {"setlength", "addtolength", "PassOptionsToPackage", "lstdefinestyle", "newtcolorbox", "newtcblisting", "setcounter", "addtocounter", "settowidth", "settoheight", "markboth", "addtocontents", "numberwithin", "DeclareUnicodeCharacter", "fontsize",
                                       "PackageWarning", "titlespacing", "pdfbookmark", "SetSymbolFont", "counterwithin", "setkeys", "AtBeginEnvironment", "newfloat", "crefname", "Crefname", "floatname"});
  add_all(words, {Word::kDrop, "mmm"}, {"definecolor", "addcontentsline", "DeclareMathSymbol"});
  add_all(words, {Word::kDrop, "omm"}, {"rule"});
  add_all(words, {Word::kDrop, "om"}, {"fancyhead", "fancyfoot", "lhead", "rhead", "chead", "lfoot", "rfoot", "cfoot", "color"});
  add_all(words, {Word::kDrop, "pm"}, {"cmidrule"});
  words["newcolumntype"] = {Word::kDrop, "mom"};
  words["lstdefinelanguage"] = {Word::kDrop, "omom"};
  words["newcounter"] = {Word::kDrop, "mo"};
  words["AtBeginDocument"] = words["AtEndDocument"] = {Word::kDrop, "m"};
  add_all(words, {Word::kDimension}, {"hskip", "vskip", "epsfxsize", "epsfysize", "kern", "parindent", "parskip", "baselineskip", "textwidth", "textheight", "oddsidemargin", "evensidemargin", "topmargin", "headheight", "headsep",
                                      "hsize", "vsize", "hoffset", "voffset", "magnification", "tolerance", "raise", "lower", "mkern", "baselinestretch", "columnsep", "footskip", "tabcolsep", "itemsep",
                                      "parsep", "topsep", "leftmargin", "abovedisplayskip", "belowdisplayskip", "overfullrule", "hangindent", "hangafter", "widowpenalty", "clubpenalty", "penalty", "hfuzz", "vfuzz"});
}

void add_kept(Words& words) {
  add_all(words, {Word::kKeep, "m"}, {"colorbox", "scalebox", "foreignlanguage", "adjustbox", "hyperlink", "hypertarget", "definechangesauthor"});
  add_all(words, {Word::kKeep, "mm"}, {"multicolumn", "fcolorbox"});
  add_all(words, {Word::kKeep, "om"}, {"rotatebox"});
  add_all(words, {Word::kKeep, "*o"}, {"makebox", "framebox", "hyperref", "subfloat", "subfigure", "subcaptionbox"});
  words["textcolor"] = {Word::kKeep, "om"};
  words["multirow"] = {Word::kKeep, "omom"};
  words["raisebox"] = {Word::kKeep, "moo"};
  words["parbox"] = {Word::kKeep, "ooom"};
  words["resizebox"] = {Word::kKeep, "*mm"};
  words["texorpdfstring"] = {Word::kKeepFirst};
}

void add_structure(Words& words) {
  static constexpr std::pair<std::string_view, int> kHeadings[] = {{"part", 1}, {"chapter", 1}, {"section", 2}, {"subsection", 3}, {"subsubsection", 4}, {"addchap", 1}, {"addsec", 2}};
  for (const auto& [name, level] : kHeadings) words[name] = {Word::kHeading, {}, level};
  add_all(words, {Word::kRunIn}, {"paragraph", "subparagraph"});
  add_all(words, {Word::kCite}, {"cite", "citep", "citet", "citealp", "citealt", "citeauthor", "citeyear", "citeyearpar", "Citet", "Citep", "Citeauthor", "parencite", "textcite", "autocite", "footcite",
                                 "fullcite", "onlinecite", "citenum", "Cite", "citeN", "shortcite", "shortciteN", "supercite", "Parencite", "Textcite", "Autocite", "citealtp", "citetalias"});
  add_all(words, {Word::kReference}, {"ref", "eqref", "pageref", "autoref", "cref", "Cref", "vref", "Vref", "nameref", "subref", "fref", "Fref", "sref", "labelcref", "cpageref", "zcref"});
  words["item"] = {Word::kItem};
  words["begin"] = {Word::kBegin};
  words["end"] = {Word::kEnd};
  add_all(words, {Word::kInput, {}, 1}, {"input", "include", "subfile", "subfileinclude", "InputIfFileExists", "loadtex"});
  add_all(words, {Word::kInput, {}, 2}, {"import", "subimport", "includefrom", "subincludefrom", "inputfrom", "subinputfrom"});
  add_all(words, {Word::kMacro}, {"newcommand", "renewcommand", "providecommand", "DeclareRobustCommand"});
  add_all(words, {Word::kDef}, {"def", "gdef", "edef", "xdef"});
  words["let"] = {Word::kLet};
  words["DeclareMathOperator"] = {Word::kOperator};
  add_all(words, {Word::kEnvironment}, {"newenvironment", "renewenvironment"});
  add_all(words, {Word::kTheorem}, {"newtheorem", "spnewtheorem", "declaretheorem"});
  words["newif"] = {Word::kNewIf};
  add_all(words, {Word::kTitle}, {"title", "icmltitle"});
  add_all(words, {Word::kAuthor}, {"author", "icmlauthor"});
  words["abstract"] = {Word::kAbstract};
  add_all(words, {Word::kCaption}, {"caption", "captionof", "subcaption", "tablecaption", "topcaption"});
  add_all(words, {Word::kFootnote}, {"footnote", "footnotetext", "endnote", "sidenote", "marginpar"});
  words["bibliography"] = {Word::kBibliography};
  words["bibitem"] = {Word::kBibitem};
  add_all(words, {Word::kVerb}, {"verb", "lstinline", "path", "mintinline"});
  add_all(words, {Word::kShortVerb}, {"MakeShortVerb", "DefineShortVerb", "lstMakeShortInline"});
  add_all(words, {Word::kUrl}, {"url", "nolinkurl", "doi"});
  words["href"] = {Word::kHref};
  words["ensuremath"] = {Word::kEnsureMath};
  words["xspace"] = {Word::kXspace};
  add_all(words, {Word::kMath}, {"(", "["});
  words["else"] = words["or"] = {Word::kElse};
  words["fi"] = {Word::kFi};
  words["ifthenelse"] = {Word::kIfThenElse};
  words["makeatletter"] = {Word::kAtLetter, {}, 1};
  words["makeatother"] = {Word::kAtLetter, {}, 0};
  words["endinput"] = {Word::kEndInput};
  words["bye"] = {Word::kBye};
  add_all(words, {Word::kAnd}, {"and", "And", "AND"});
  words["csname"] = {Word::kCsname};
}

void add_spaces(Words& words) {
  add_all(words, {Word::kSpace}, {" ", "\n", "\t", ",", ";", ":", ">", "quad", "qquad", "enspace", "thinspace", "enskip", "space", "hfill", "hfil", "nobreakspace", "dotfill", "hrulefill", "textvisiblespace", "tab"});
  add_all(words, {Word::kNothing}, {"!", "/", "-", "@", "*", "|", "relax", "begingroup", "endgroup", "bgroup", "egroup", "noindent", "indent", "centering", "protect", "expandafter", "noexpand", "global", "long", "outer",
                                    "maketitle", "tableofcontents", "listoffigures", "listoftables", "hline", "toprule", "midrule", "bottomrule", "appendix", "null", "strut", "nonumber", "notag"});
  add_all(words, {Word::kParagraph}, {"par", "newpage", "clearpage", "cleardoublepage", "bigskip", "medskip", "smallskip", "vfill", "vfil", "endgraf", "frontmatter", "mainmatter", "backmatter", "center"});
  add_all(words, {Word::kLine}, {"\\", "newline", "tabularnewline", "cr", "crcr"});
}

const Words& all_words() {
  static const Words kWords = [] {
    Words words;
    add_symbols(words);
    add_accents(words);
    add_dropped(words);
    add_kept(words);
    add_structure(words);
    add_spaces(words);
    return words;
  }();
  return kWords;
}

const std::unordered_map<std::string_view, EnvironmentInfo>& all_environments() {
  static const std::unordered_map<std::string_view, EnvironmentInfo> kEnvironments = [] {
    std::unordered_map<std::string_view, EnvironmentInfo> all;
    const auto add = [&all](EnvironmentInfo info, std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) all[name] = info;
    };
    add({Environment::kDocument}, {"document"});
    add({Environment::kMath}, {"math", "displaymath", "equation", "align", "alignat", "flalign", "gather", "multline", "eqnarray", "IEEEeqnarray", "dmath", "xalignat", "xxalignat", "aligned", "mathpar"});
    add({Environment::kVerbatim}, {"verbatim", "Verbatim", "lstlisting", "minted", "alltt", "BVerbatim", "LVerbatim", "semiverbatim", "code", "Sinput", "Soutput", "Code", "CodeInput", "CodeOutput", "spverbatim"});
    add({Environment::kSkipped}, {"comment", "tikzpicture", "pgfpicture", "picture", "pspicture", "CCSXML", "filecontents", "asy", "forest", "tikzcd", "overpic", "axis", "psmatrix", "xy", "diagram", "feynman", "feynmandiagram", "circuitikz"});
    add({Environment::kFloat}, {"figure", "table", "wrapfigure", "wraptable", "SCfigure", "SCtable", "sidewaysfigure", "sidewaystable", "deluxetable", "algorithm", "floatingfigure", "marginfigure", "margintable", "listing",
                                "teaserfigure", "subfigure", "subtable", "scheme", "plate"});
    add({Environment::kBibliography}, {"thebibliography", "references"});
    add({Environment::kItemize, "o"}, {"itemize", "compactitem", "inparaitem", "trivlist", "asparaitem"});
    add({Environment::kItemize, "mm"}, {"list"});
    add({Environment::kEnumerate, "o"}, {"enumerate", "compactenum", "inparaenum", "asparaenum", "steps"});
    add({Environment::kDescription, "o"}, {"description", "compactdesc", "labeling"});
    add({Environment::kTabular, "om"}, {"tabular", "longtable", "supertabular", "xltabular"});
    add({Environment::kTabular, "omm"}, {"tabularx", "tabulary"});
    add({Environment::kTabular}, {"tabbing"});
    add({Environment::kAbstract, "o"}, {"abstract"});
    add({Environment::kProof, "o"}, {"proof", "pf"});
    add({Environment::kBlock}, {"quote", "quotation", "verse", "center", "flushleft", "flushright", "titlepage", "acknowledgments", "acknowledgements", "acks", "keywords", "keyword", "framed", "mdframed", "frame", "block"});
    add({Environment::kBlock, "ooom"}, {"minipage"});
    add({Environment::kBlock, "m"}, {"multicols", "spacing", "otherlanguage"});
    return all;
  }();
  return kEnvironments;
}

}  // namespace

WordInfo find_word(std::string_view name) noexcept {
  const auto& words = all_words();
  const auto found = words.find(name);
  if (found != words.end()) return found->second;
  return {};
}

EnvironmentInfo find_environment(std::string_view name) noexcept {
  if (name == "tabular*") return {Environment::kTabular, "mom"};
  if (name.ends_with('*')) name.remove_suffix(1);
  const auto& all = all_environments();
  const auto found = all.find(name);
  return found == all.end() ? EnvironmentInfo{} : found->second;
}

}  // namespace flowrun::readers
