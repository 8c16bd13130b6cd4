#pragma once

// Wikitext to plain text, in one pass from front to back. Text is written as it comes; each bracket that opens remembers where, and the one
// that closes it replaces what was written since. So the time is linear in the page, whatever stands in it, and a bracket that nothing
// closes stays in the text as MediaWiki shows it, with all that follows it.
//
// The rules are those of MediaWiki's preprocessor and parser (https://www.mediawiki.org/wiki/Markup_spec) as far as they decide on text;
// templates are not expanded but dropped, except those of templates.cpp. Checked beside mwparserfromhell by bench/peers/compare_mediawiki.py.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

namespace flowrun::readers {

/// What is kept of a page besides its prose.
struct WikitextOptions {
  bool headings = true;  ///< the lines of headings
  bool math = true;      ///< formulas, as TeX between dollar signs
  bool tables = false;   ///< tables, a row a line with tabs between its cells; a table that is not closed is always kept
  bool variants = false; ///< -{...}- chooses a variant of the language, as in Chinese and Serbian
};

/// Returns whether the wikis of a language convert between variants of it, so that -{...}- is markup.
bool has_variants(std::string_view language) noexcept;

/// The prefixes of links that show no text: files, categories, and the same page in another language. Letters are compared without case.
class LinkPrefixes {
 public:
  /// Knows the English names, older names of other languages, and the codes of languages.
  LinkPrefixes();
  /// Adds the name that a wiki gives to its files, media or categories.
  void add(std::string_view name);
  /// Returns whether a link with this prefix (what stands before its colon) shows no text.
  bool hides(std::string_view prefix) const;

 private:
  std::unordered_set<std::string> names_;
};

/// Converts pages, one at a time. Memory: about twice the longest page.
class WikitextParser {
 public:
  WikitextParser(WikitextOptions options, LinkPrefixes prefixes);
  ~WikitextParser();
  /// Returns the text of a page, valid until the next call. `title` stands for {{PAGENAME}}. Valid UTF-8 stays valid.
  std::string_view convert(std::string_view wikitext, std::string_view title);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowrun::readers
