#pragma once

// The TeX files of one paper, and which of them is the main one.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// Files by name: '/' between folders, neither "." nor "..".
using TexFiles = std::map<std::string, std::string, std::less<>>;

/// Returns a name with "." and ".." taken away and '\' as '/'; what would lead out of the archive stays in it.
std::string normal_name(std::string_view name);

/// Returns whether a file of an archive may be a part of a paper's text: .tex .ltx .latex .bbl and the like, 00README, or a name without suffix.
bool is_tex_name(std::string_view name);

/// Finds `words` outside of comments; npos where they are not.
std::size_t find_uncommented(std::string_view text, std::string_view words, std::size_t from = 0) noexcept;

/// Returns whether a file is made to be run by TeX: it has \documentclass or \documentstyle (but for subfiles and standalone pictures), or ends as plain TeX does.
bool is_main_file(std::string_view text) noexcept;

/// Returns the name of the main file, "" where there is none. In this order: what 00README.json or 00README.XXX calls the top level; files with
/// \documentclass and \begin{document}; files with one of them; plain TeX (\bye or \end); the only file with the suffix .tex. Of several, one named main, ms, paper,
/// article, manuscript or arxiv; then the one in the fewest folders; then the largest; then the first by name.
std::string find_main_file(const TexFiles& files);

/// Makes a file UTF-8 where it says how it is written (\usepackage[latin1]{inputenc}: latin1, latin9, ansinew, cp1252). Returns false where it is not UTF-8 and does not say.
bool decode_tex(std::string& text);

}  // namespace flowrun::readers
