#include "license.hpp"

#include <flowrun/error.hpp>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <vector>

namespace flowrun::readers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Returns the words of a text, lower-case, with one blank before, between and behind them.
std::string words_of(std::string_view text) {
  std::string out = " ";
  out.reserve(text.size() + 2);
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9', small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';
    if (digit || small || large) out += large ? static_cast<char>(c + 32) : c;
    else if (out.back() != ' ') out += ' ';
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

/// A licence by what must stand in its words and what must not.
struct Mark {
  const char* id;
  const char* has[2];
  const char* lacks[2];
};

constexpr const char* kMitGrant = " permission is hereby granted free of charge to any person obtaining a copy of this ";
constexpr const char* kIscGrant = " permission to use copy modify and or distribute this software for any purpose with or without fee is hereby granted ";
constexpr const char* kIscGrantOld = " permission to use copy modify and distribute this software for any purpose with or without fee is hereby granted ";
constexpr const char* kBsdGrant = " redistribution and use in source and binary forms with or without modification are permitted provided that ";
constexpr const char* kBsdEndorse = " endorse or promote products derived from this software ";
constexpr const char* kAdvertising = " all advertising materials mentioning features or use of this software must display ";
constexpr const char* kKeepNotice = " copyright notice and this permission notice ";

constexpr Mark kMarks[] = {
    {"MIT", {kMitGrant, " the above copyright notice and this permission notice "}, {" except as contained in this notice ", " the software shall be used for good not evil "}},
    {"X11", {kMitGrant, " except as contained in this notice "}, {}},
    {"JSON", {kMitGrant, " the software shall be used for good not evil "}, {}},
    {"MIT-0", {kMitGrant, nullptr}, {kKeepNotice, " university of illinois "}},
    {"NCSA", {" permission is hereby granted free of charge to any person obtaining a copy of this software and associated documentation files the software to deal with the software ", nullptr}, {}},
    {"BSD-2-Clause", {kBsdGrant, " redistributions in binary form must reproduce the above copyright "}, {kBsdEndorse, kAdvertising}},
    {"BSD-3-Clause", {kBsdGrant, kBsdEndorse}, {kAdvertising, " apache "}},
    {"BSD-4-Clause", {kBsdGrant, kAdvertising}, {" openssl ", " apache "}},
    {"OpenSSL", {kBsdGrant, " this product includes software developed by the openssl project "}, {}},
    {"ISC", {kIscGrant, kKeepNotice}, {}},
    {"ISC", {kIscGrantOld, kKeepNotice}, {" except as contained in this notice ", nullptr}},
    {"curl", {kIscGrantOld, " except as contained in this notice "}, {}},
    {"0BSD", {kIscGrant, nullptr}, {kKeepNotice, nullptr}},
    {"HPND", {" permission to use copy modify and distribute this software and its documentation for any purpose ", " that the above copyright notice appear in all copies "}, {}},
    {"Apache-2.0", {" apache license version 2 0 january 2004 ", nullptr}, {}},
    {"Apache-2.0", {" licensed under the apache license version 2 0 ", nullptr}, {" apache license version 2 0 january 2004 ", nullptr}},
    {"Apache-1.1", {kBsdGrant, " this product includes software developed by the apache software foundation "}, {}},
    {"GPL-1.0", {" gnu general public license version 1 february 1989 ", nullptr}, {}},
    {"GPL-2.0", {" gnu general public license version 2 june 1991 ", nullptr}, {}},
    {"GPL-3.0", {" gnu general public license version 3 29 june 2007 ", nullptr}, {}},
    {"LGPL-2.0", {" gnu library general public license version 2 june 1991 ", nullptr}, {}},
    {"LGPL-2.1", {" gnu lesser general public license version 2 1 february 1999 ", nullptr}, {}},
    {"LGPL-3.0", {" gnu lesser general public license version 3 29 june 2007 ", nullptr}, {}},
    {"AGPL-3.0", {" gnu affero general public license version 3 19 november 2007 ", nullptr}, {}},
    {"GFDL-1.2", {" gnu free documentation license version 1 2 november 2002 ", nullptr}, {}},
    {"GFDL-1.3", {" gnu free documentation license version 1 3 3 november 2008 ", nullptr}, {}},
    {"MPL-1.1", {" mozilla public license version 1 1 ", nullptr}, {}},
    {"MPL-2.0", {" mozilla public license version 2 0 ", nullptr}, {" apache license version 2 0 january 2004 ", nullptr}},
    {"MPL-2.0", {" mozilla public license v 2 0 ", nullptr}, {}},
    {"EPL-1.0", {" eclipse public license v 1 0 ", nullptr}, {}},
    {"EPL-2.0", {" eclipse public license v 2 0 ", nullptr}, {}},
    {"CDDL-1.0", {" common development and distribution license cddl version 1 0 ", nullptr}, {}},
    {"CDDL-1.1", {" common development and distribution license cddl version 1 1 ", nullptr}, {}},
    {"Unlicense", {" this is free and unencumbered software released into the public domain ", nullptr}, {}},
    {"Zlib", {" altered source versions must be plainly marked as such ", " this notice may not be removed or altered from any source distribution "}, {" redistribution and use in source ", nullptr}},
    {"bzip2-1.0.6", {" altered source versions must be plainly marked as such ", kBsdGrant}, {}},
    {"BSL-1.0", {" boost software license version 1 0 ", nullptr}, {}},
    {"BSL-1.0", {" permission is hereby granted free of charge to any person or organization obtaining a copy of the software and accompanying documentation ", nullptr}, {}},
    {"CC0-1.0", {" cc0 1 0 universal ", nullptr}, {}},
    {"CC0-1.0", {" to the extent possible under law ", " all copyright and related and neighboring rights to this "}, {" cc0 1 0 universal ", nullptr}},
    {"CC-BY-4.0", {" creative commons attribution 4 0 international public license ", nullptr}, {}},
    {"CC-BY-SA-4.0", {" creative commons attribution sharealike 4 0 international public license ", nullptr}, {}},
    {"CC-BY-3.0", {" creative commons attribution 3 0 unported ", nullptr}, {}},
    {"CC-BY-SA-3.0", {" creative commons attribution sharealike 3 0 unported ", nullptr}, {}},
    {"Artistic-2.0", {" the artistic license 2 0 ", nullptr}, {}},
    {"Artistic-1.0", {" the artistic license preamble the intent of this document is to state the conditions ", nullptr}, {}},
    {"PSF-2.0", {" python software foundation license version 2 ", nullptr}, {}},
    {"OFL-1.1", {" sil open font license version 1 1 ", nullptr}, {}},
    {"OFL-1.1", {" the font software ", " reserved font name "}, {}},
    {"WTFPL", {" do what the fuck you want to public license ", nullptr}, {}},
    {"EUPL-1.2", {" european union public licence v 1 2 ", nullptr}, {}},
    {"MS-PL", {" microsoft public license ms pl ", nullptr}, {}},
};

/// Finds the sentences of all marks in one pass.
class Sentences {
 public:
  Sentences() : set_(options(), RE2::UNANCHORED) {
    for (const Mark& mark : kMarks)
      for (const auto* list : {&mark.has, &mark.lacks})
        for (const char* text : *list)
          if (text && !numbers_.contains(text)) numbers_[text] = set_.Add(RE2::QuoteMeta(text), nullptr);
    if (!set_.Compile()) throw Error(Code::kInternal, "the sentences of licences cannot be compiled");
  }

  /// Returns the licences whose marks the words have.
  std::set<std::string> find(const std::string& words) const {
    std::vector<int> matches;
    set_.Match(words, &matches);
    std::vector<bool> present(numbers_.size());
    for (const int match : matches) present[static_cast<std::size_t>(match)] = true;
    const auto has = [&](const char* text) { return present[static_cast<std::size_t>(numbers_.at(text))]; };
    std::set<std::string> found;
    for (const Mark& mark : kMarks)
      if (std::all_of(std::begin(mark.has), std::end(mark.has), [&](const char* text) { return text == nullptr || has(text); }) &&
          std::none_of(std::begin(mark.lacks), std::end(mark.lacks), [&](const char* text) { return text != nullptr && has(text); }))
        found.insert(mark.id);
    return found;
  }

 private:
  static RE2::Options options() {
    RE2::Options options(RE2::Latin1);
    options.set_max_mem(32 << 20);
    return options;
  }
  RE2::Set set_;
  std::unordered_map<std::string_view, int> numbers_;
};

std::set<std::string> marked(const std::string& words) {
  static const Sentences kSentences;
  return kSentences.find(words);
}

std::string joined(const std::set<std::string>& licenses) {
  std::string out;
  for (const std::string& license : licenses) (out += out.empty() ? "" : " AND ") += license;
  return out;
}

/// Takes the GPL away that stands beside an LGPL of the same version: the LGPL is written as an addition to it.
void forget_base(std::set<std::string>& licenses) {
  for (const auto& [lesser, base] : {std::pair("LGPL-3.0", "GPL-3.0"), std::pair("LGPL-2.1", "GPL-2.0"), std::pair("LGPL-2.0", "GPL-2.0")})
    if (licenses.contains(lesser)) licenses.erase(base);
}

std::string spdx_identifier(std::string_view head) {
  constexpr std::string_view kTag = "SPDX-License-Identifier:";
  const std::size_t at = head.find(kTag);
  if (at == kNone) return {};
  std::string_view line = head.substr(at + kTag.size());
  line = line.substr(0, line.find_first_of("\r\n"));
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view(".+-() :").find(c) != kNone; };
  std::size_t end = 0;
  while (end < line.size() && allowed(line[end])) ++end;
  if (line.substr(0, end).ends_with("--")) end -= 2;  // of a comment that ends in -->
  line = line.substr(0, end);
  const std::size_t last = line.find_last_not_of(" -");
  return last == kNone ? std::string() : std::string(line.substr(0, last + 1));
}

/// Returns what a notice of the GNU licences names, with -only or -or-later.
std::string gnu_notice(const std::string& words) {
  static const RE2 kNotice(R"( gnu (general|lesser general|library general|affero general) public licen[sc]e (?:[a-z0-9]+ ){0,16}?(?:version|v) ?(2 1|2 0|3 0|1|2|3) )");
  static const RE2 kVersionFirst(R"( version (2 1|2 0|3 0|1|2|3) of the gnu (general|lesser general|library general|affero general) public licen[sc]e )");
  std::string which, version;
  if (!RE2::PartialMatch(words, kNotice, &which, &version) && !RE2::PartialMatch(words, kVersionFirst, &version, &which)) return {};
  const std::string prefix = which == "general" ? "GPL-" : which == "affero general" ? "AGPL-" : "LGPL-";
  if (version.size() == 1) version += " 0";
  version[1] = '.';
  const bool or_later = words.find(" any later version ") != kNone || words.find(" or later ") != kNone;
  return prefix + version[0] + "." + version[2] + (or_later ? "-or-later" : "-only");
}

std::string notice(const std::string& words) {
  const std::set<std::string> found = marked(words);
  const std::string gnu = gnu_notice(words);
  // A permissive text that may be replaced by a GNU licence; other texts (MPL, GPL) only speak of these.
  if (!found.empty() && !gnu.empty() && words.find(" alternatively ") != kNone && std::none_of(found.begin(), found.end(), [](const std::string& id) { return id.find("PL-") != kNone; }))
    return joined(found) + " OR " + gnu;
  if (!found.empty()) return joined(found);
  if (!gnu.empty()) return gnu;
  static constexpr std::pair<const char*, const char*> kNamed[] = {{" the mit license ", "MIT"}, {" mit licensed ", "MIT"}, {" mit license ", "MIT"}, {" under the isc license ", "ISC"},
                                                                   {" apache license 2 0 ", "Apache-2.0"}, {" apache 2 0 license ", "Apache-2.0"}};
  for (const auto& [text, id] : kNamed)
    if (words.find(text) != kNone) return id;
  return {};
}

}  // namespace

bool is_license_name(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  static const RE2 kNames(R"((?:.*[-_.])?(?:un)?licen[sc]es?(?:[-_.][a-z0-9.+-]*)?|copying(?:[-_.0-9][a-z0-9.+-]*)?|copyright(?:\.(?:txt|md|rst))?)");
  static const RE2 kSource(R"(.*\.(?:c|cc|cpp|h|hpp|py|js|ts|go|rs|java|rb|pl|sh|php|cs|html|json|xml|ya?ml|in|tmpl|css)$)");
  return RE2::FullMatch(name, kNames) && !RE2::FullMatch(name, kSource);
}

std::string license_of_text(std::string_view text) {
  std::set<std::string> found = marked(words_of(text));
  forget_base(found);
  if (found.empty()) return gnu_notice(words_of(text.substr(0, 8 << 10)));
  return joined(found);
}

std::string license_of_header(std::string_view text) {
  const std::string_view head = text.substr(0, 8 << 10);
  if (std::string named = spdx_identifier(head); !named.empty()) return named;
  // Most files say nothing: a glance spares making their words.
  static const RE2 kWorth("(?i)licen[cs]e|permi(ssion|tted)|public domain", RE2::Latin1);
  if (!RE2::PartialMatch(re2::StringPiece(head.data(), head.size()), kWorth)) return {};
  return notice(words_of(head));
}

std::string join_licenses(const std::string& known, const std::string& found, std::string_view name) {
  if (known.empty() || known == found) return found;
  if (found.empty()) return known;
  const std::size_t dash = name.rfind('-');
  const bool choice = dash != kNone && name.find('/', dash) == kNone;
  std::set<std::string> parts;
  for (const std::string* side : {&known, &found})
    for (std::size_t at = 0; at < side->size();) {
      std::size_t end = std::min(side->find(" AND ", at), side->find(" OR ", at));
      end = std::min(end, side->size());
      parts.insert(side->substr(at, end - at));
      at = side->find_first_not_of(' ', end);
      if (at == kNone) break;
      at = side->find(' ', at) + 1;
    }
  forget_base(parts);
  std::string out;
  for (const std::string& part : parts) (out += out.empty() ? "" : choice ? " OR " : " AND ") += part;
  return out;
}

}  // namespace flowrun::readers
