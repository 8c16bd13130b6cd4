#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "kinds.hpp"
#include "language.hpp"
#include "license.hpp"
#include "notebook.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"
#include "readers/common/tar_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::Parameters;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The texts of licences stand here once, in the parts that matter.
constexpr const char* kMit = "MIT License\n\nCopyright (c) 2020 X\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software and associated documentation files, to deal in the "
                             "Software\nwithout restriction.\n\nThe above copyright notice and this permission notice shall be included in all\ncopies.\n";
constexpr const char* kBsd = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted provided that the following conditions are met:\n1. Redistributions of source code\n"
                             "2. Redistributions in binary form must reproduce the above copyright\nnotice.\n";
constexpr const char* kApache = "                                 Apache License\n                           Version 2.0, January 2004\n";

// -------------------------------------------------------------------------------------------------------------------- languages

TEST(Language, IsFoundByNameSuffixAndInterpreter) {
  EXPECT_EQ(find_language("a/Makefile", "all:"), "Makefile");
  EXPECT_EQ(find_language("CMakeLists.txt", "x"), "CMake");
  EXPECT_EQ(find_language("a.py", ""), "Python");
  EXPECT_EQ(find_language("A.PY", ""), "Python");
  EXPECT_EQ(find_language("x.test.tsx", ""), "TSX");
  EXPECT_EQ(find_language("a.rs", "fn main() {}"), "Rust");
  EXPECT_EQ(find_language("run", "#!/usr/bin/env -S python3.11 -u\n"), "Python");
  EXPECT_EQ(find_language("run", "#! /bin/bash\n"), "Shell");
  EXPECT_EQ(find_language("run", "#!/usr/bin/env X=1 perl5.30\n"), "Perl");
  EXPECT_EQ(find_language("notes", "nothing"), "");
  EXPECT_EQ(find_language("a.unheard_of", ""), "");
  EXPECT_EQ(find_language(".bashrc", ""), "Shell");
}

TEST(Language, IsFoundByModeline) {
  EXPECT_EQ(find_language("a.txt", "# -*- mode: ruby; coding: utf-8 -*-\n"), "Ruby");
  EXPECT_EQ(find_language("Toolbox", "// -*- C++ -*-\n"), "C++");
  EXPECT_EQ(find_language("a", "x\n# vim: set ts=4 ft=python :\n"), "Python");
  EXPECT_EQ(find_language("a", std::string(5000, 'x') + "\n# vim: ft=lua\n"), "Lua");
  EXPECT_EQ(find_language("a.c", "/* vim: ts=8 sw=8 */"), "C");
}

TEST(Language, IsToldByTheTextWhereSuffixesAreShared) {
  EXPECT_EQ(find_language("a.h", "#ifndef A\nint f(void);\n"), "C");
  EXPECT_EQ(find_language("a.h", "#include <vector>\nnamespace a {\n"), "C++");
  EXPECT_EQ(find_language("a.h", "template <class T> struct A;\n"), "C++");
  EXPECT_EQ(find_language("a.h", "#import <Foundation/Foundation.h>\n@interface A\n"), "Objective-C");
  EXPECT_EQ(find_language("a.m", "@implementation A\n"), "Objective-C");
  EXPECT_EQ(find_language("a.m", "function y = f(x)\n% help\n"), "MATLAB");
  EXPECT_EQ(find_language("a.m", "(* Mathematica *)\nf[x_] := x\n"), "Mathematica");
  EXPECT_EQ(find_language("a.pl", "use strict;\nmy $x = 1;\n"), "Perl");
  EXPECT_EQ(find_language("a.pl", "p(X) :- q(X).\n"), "Prolog");
  EXPECT_EQ(find_language("a.r", "x <- 1\n"), "R");
  EXPECT_EQ(find_language("a.r", "REBOL [title: {x}]\n"), "Rebol");
  EXPECT_EQ(find_language("a.v", "module top(input a);\nendmodule\n"), "Verilog");
  EXPECT_EQ(find_language("a.v", "Theorem t : True.\nProof. trivial. Qed.\n"), "Coq");
  EXPECT_EQ(find_language("a.v", "fn main() {\n"), "V");
  EXPECT_EQ(find_language("a.md", "# Title\n"), "Markdown");
  EXPECT_EQ(find_language("a.md", ";; x\n(define_insn \"add\"\n"), "GCC Machine Description");
  EXPECT_EQ(find_language("a.ts", "<?xml version=\"1.0\"?>\n<TS/>"), "XML");
  EXPECT_EQ(find_language("a.ts", "let x: number = 1;\n"), "TypeScript");
  EXPECT_EQ(find_language("ls.1", ".TH LS 1\n.SH NAME\n"), "Roff Manpage");
  EXPECT_EQ(find_language("libx.so.1", "text"), "");
}

TEST(Language, EveryRuleCompilesAndNamesALanguageOfTheTable) {
  // Each shared suffix, with text that no rule knows and text that many do: what is answered must be a language that has the suffix.
  std::map<std::string, std::vector<std::string>> owners;
  for (const char* const* line = kLanguageTable; *line; ++line) {
    const std::string text = *line;
    const std::size_t tab = text.find('\t'), end = text.find('\t', tab + 1);
    std::string suffixes = text.substr(tab + 1, end - tab - 1) + "|";
    for (std::size_t at = 0, bar; (bar = suffixes.find('|', at)) != std::string::npos; at = bar + 1)
      if (bar > at) owners[suffixes.substr(at, bar - at)].push_back(text.substr(0, tab));
  }
  ASSERT_GT(owners.size(), 1000u);
  for (const auto& [suffix, languages] : owners)
    for (const char* text : {"qqq\n", "<?xml version=\"1.0\"?>\n", "%\n:- module x.\nclass A {\n", "#include <x>\n; x\n"}) {
      const std::string found(find_language("name" + suffix, text));
      EXPECT_TRUE(found.empty() || std::find(languages.begin(), languages.end(), found) != languages.end()) << suffix << " is answered with " << found;
    }
}

// --------------------------------------------------------------------------------------------------------------------- licences

TEST(License, IsToldByItsText) {
  EXPECT_EQ(license_of_text(kMit), "MIT");
  EXPECT_EQ(license_of_text(kBsd), "BSD-2-Clause");
  EXPECT_EQ(license_of_text(std::string(kBsd) + " * 3. Neither the name of X may be used to\n * endorse or promote products derived\n * from this software."), "BSD-3-Clause");
  EXPECT_EQ(license_of_text(std::string(kBsd) + "3. All advertising materials mentioning features or use of this software\nmust display"), "BSD-4-Clause");
  EXPECT_EQ(license_of_text(kApache), "Apache-2.0");
  EXPECT_EQ(license_of_text(std::string(kMit) + kApache), "Apache-2.0 AND MIT");
  EXPECT_EQ(license_of_text("GNU GENERAL PUBLIC LICENSE\n Version 2, June 1991"), "GPL-2.0");
  EXPECT_EQ(license_of_text("GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999"), "LGPL-2.1");
  EXPECT_EQ(license_of_text("Mozilla Public License Version 2.0\n"), "MPL-2.0");
  EXPECT_EQ(license_of_text("all rights reserved"), "");
}

TEST(License, IsToldByTheHeadOfAFile) {
  EXPECT_EQ(license_of_header("// SPDX-License-Identifier: GPL-2.0-only\n"), "GPL-2.0-only");
  EXPECT_EQ(license_of_header("/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */\n"), "(GPL-2.0 WITH Linux-syscall-note) OR MIT");
  EXPECT_EQ(license_of_header("<!-- SPDX-License-Identifier: MIT -->"), "MIT");
  EXPECT_EQ(license_of_header("# This program is free software; you can redistribute it and/or modify it under\n# the terms of the GNU General Public License as published by the Free Software\n# Foundation; either version 3, "
                              "or (at your option) any later version.\n"),
            "GPL-3.0-or-later");
  EXPECT_EQ(license_of_header("under the terms of the GNU Lesser General Public\n * License version 2.1 as published by\n"), "LGPL-2.1-only");
  EXPECT_EQ(license_of_header("This file is under version 2 of the GNU General Public License."), "GPL-2.0-only");
  EXPECT_EQ(license_of_header("# Licensed under the Apache License, Version 2.0 (the \"License\");"), "Apache-2.0");
  EXPECT_EQ(license_of_header(std::string("/*\n") + kMit + "*/"), "MIT");
  EXPECT_EQ(license_of_header("// Use of this source code is governed by a license in the LICENSE file."), "");
  EXPECT_EQ(license_of_header("int main() {}"), "");
}

TEST(License, FilesAreKnownByName) {
  for (const char* name : {"LICENSE", "a/COPYING", "COPYING.LIB", "LICENCE.txt", "LICENSE-MIT", "UNLICENSE", "license.md", "COPYING3", "MIT-LICENSE.txt", "a/b/LICENSE.APACHE"}) EXPECT_TRUE(is_license_name(name)) << name;
  for (const char* name : {"license.py", "LICENSE/a", "licensed", "copying.c", "readme", "my_license.html"}) EXPECT_FALSE(is_license_name(name)) << name;
}

TEST(License, JoinsWhatOneFolderHas) {
  EXPECT_EQ(join_licenses("", "MIT", "LICENSE"), "MIT");
  EXPECT_EQ(join_licenses("MIT", "", "COPYING"), "MIT");
  EXPECT_EQ(join_licenses("Apache-2.0", "MIT", "x/LICENSE-MIT"), "Apache-2.0 OR MIT");
  EXPECT_EQ(join_licenses("GPL-3.0", "LGPL-3.0", "COPYING.LESSER"), "LGPL-3.0");
  EXPECT_EQ(join_licenses("BSD-3-Clause AND MIT", "Zlib", "LICENSE.zlib"), "BSD-3-Clause AND MIT AND Zlib");
}

// ------------------------------------------------------------------------------------------------------------------------ kinds

TEST(Kinds, AreTold) {
  EXPECT_TRUE(is_generated("a.go", "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n"));
  EXPECT_TRUE(is_generated("a.c", "/* A Bison parser, made by GNU Bison 3.8.2.  */\n"));
  EXPECT_TRUE(is_generated("a.h", "/* This file is automatically generated by x */\n"));
  EXPECT_TRUE(is_generated("x/package-lock.json", "{}"));
  EXPECT_TRUE(is_generated("a_pb2.py", ""));
  EXPECT_TRUE(is_generated("configure", "#! /bin/sh\n# Generated by GNU Autoconf 2.71 for x.\n"));
  EXPECT_FALSE(is_generated("a.py", "def generate(report):\n  \"Edit the report that x generated.\"\n"));
  EXPECT_FALSE(is_generated("a.c", std::string(100, '\n') + "// Code generated by x. DO NOT EDIT.\n"));
  EXPECT_TRUE(is_vendored("a/node_modules/b/c.js"));
  EXPECT_TRUE(is_vendored("third_party/x.c"));
  EXPECT_TRUE(is_vendored("static/jquery-3.1.1.min.js"));
  EXPECT_FALSE(is_vendored("src/vendor.c"));
  EXPECT_TRUE(is_minified("a.min.js", "x"));
  EXPECT_TRUE(is_minified("a.js", std::string(500, 'x') + "\n"));
  EXPECT_FALSE(is_minified("a.js", "short\nlines\n"));
  EXPECT_FALSE(is_minified("a.py", std::string(500, 'x')));
  EXPECT_TRUE(is_binary(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_binary(std::string(8000, 'a') + '\0'));
}

TEST(Notebook, BecomesMarkdown) {
  std::string out;
  EXPECT_EQ(notebook_to_text(R"({"cells":[{"cell_type":"markdown","source":["# T\n","x"]},{"cell_type":"code","source":"a = 1\n","outputs":[{"text":"no"}]},{"cell_type":"code","source":[]}],
                                "metadata":{"language_info":{"name":"python"}},"nbformat":4})", out), std::nullopt);
  EXPECT_EQ(out, "# T\nx\n\n```python\na = 1\n```\n");
  EXPECT_EQ(notebook_to_text(R"j({"worksheets":[{"cells":[{"cell_type":"code","language":"julia","input":["f()"]}]}]})j", out), std::nullopt);
  EXPECT_EQ(out, "```julia\nf()\n```\n");
  EXPECT_THAT(notebook_to_text("{\"cells\":[", out).value(), HasSubstr("not JSON"));
  EXPECT_EQ(notebook_to_text("{}", out), "the notebook has no list 'cells'");
  EXPECT_EQ(notebook_to_text(R"({"cells":[{"source":""}]})", out), "a cell has no 'cell_type'");
  EXPECT_EQ(notebook_to_text(R"({"cells":[{"cell_type":"code","source":3}]})", out), "a cell has no 'source' that is a string or a list of strings");
}

// --------------------------------------------------------------------------------------------------------------------- the node

struct Columns {
  std::string language, license, path, flags;
  bool operator==(const Columns&) const = default;
};

class CodeNode : public ReaderTest {
 protected:
  std::vector<Document> read(Parameters parameters) {
    auto rows = ReaderTest::read(parameters);
    columns_.clear();
    for (const auto& batch : batches_) {
      const BatchView view(batch.array.get(), batch.schema);
      for (std::int64_t i = 0; i < batch.size(); ++i)
        columns_.push_back({std::string(view.strings("language")[i]), std::string(view.strings("license")[i]), std::string(view.strings("path")[i]), std::string(view.strings("flags")[i])});
    }
    return rows;
  }

  std::vector<Columns> columns_;
};

TEST_F(CodeNode, ReadsATreeWithTheNearestLicense) {
  const auto rows = read({{"paths", paths({{"p/LICENSE", kMit}, {"p/a.py", "x = 1\n"}, {"p/q/COPYING", kApache}, {"p/q/r/b.c.gz", gzip("int b;\n")}, {"p/s.h", "// SPDX-License-Identifier: Zlib\n"}, {"top.c", "int t;\n"}, {"p/empty.c", ""},
                                           {"p/z.bin", std::string("\0\1", 2)}})},
                          {"domain", "code"}});
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[1], (Document{"p/a.py#0", "x = 1\n", "code", "p/a.py"}));
  EXPECT_THAT(columns_, ElementsAre(Columns{"Text", "MIT", "p/LICENSE", ""}, Columns{"Python", "MIT", "p/a.py", ""}, Columns{"Text", "Apache-2.0", "p/q/COPYING", ""}, Columns{"C", "Apache-2.0", "p/q/r/b.c", ""},
                                    Columns{"C", "Zlib", "p/s.h", ""}, Columns{"C", "", "top.c", ""}));
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(CodeNode, ReadsArchivesWhoseLicenseStandsBehind) {
  const std::string archive = tar({{"x-1/a.py", "a\n"}, {"x-1/LICENSE", kMit}, {"x-1/logo.png", std::string("\x89PNG\0", 5)}, {"x-1/vendor/b.js", "b\n"}, {"x-1/n.ipynb", R"({"cells":[{"cell_type":"markdown","source":"hi"}]})"}});
  const auto rows = read({{"paths", paths({{"a.tar", archive}, {"b.tar.gz", gzip(archive)}, {"c.tgz", gzip(archive)}})}});
  ASSERT_EQ(rows.size(), 12u);
  EXPECT_EQ(rows[0].id, "a.tar#0");
  EXPECT_EQ(rows[2].id, "a.tar#3") << "numbers count every file of the archive";
  EXPECT_EQ(rows[3].text, "hi\n");
  EXPECT_EQ(columns_[0], (Columns{"Python", "MIT", "x-1/a.py", ""}));
  EXPECT_EQ(columns_[2], (Columns{"JavaScript", "MIT", "x-1/vendor/b.js", "vendored"}));
  EXPECT_EQ(columns_[3], (Columns{"Jupyter Notebook", "MIT", "x-1/n.ipynb", ""}));
  EXPECT_THAT(dropped(), ElementsAre("a.tar#2 binary", "b.tar.gz#2 binary", "c.tgz#2 binary"));
  read({{"paths", paths({{"a.tar", archive}})}, {"license", "header"}});
  EXPECT_EQ(columns_[0].license, "");
}

TEST_F(CodeNode, LeavesOutWhatItIsTold) {
  const std::string archive = tar({{"a.py", "a\n"}, {"vendor/b.py", "b\n"}, {"c.min.js", "c"}, {"d.go", "// Code generated by x. DO NOT EDIT.\n"}, {"e.py", std::string(100, '#')}, {"f", "what"}});
  read({{"paths", paths({{"a.tar", archive}})}, {"large_bytes", 99}});
  EXPECT_THAT(columns_, ElementsAre(Columns{"Python", "", "a.py", ""}, Columns{"Python", "", "vendor/b.py", "vendored"}, Columns{"JavaScript", "", "c.min.js", "minified"}, Columns{"Go", "", "d.go", "generated"},
                                    Columns{"Python", "", "e.py", "large"}, Columns{"", "", "f", ""}));
  EXPECT_EQ(read({{"paths", paths({{"a.tar", archive}})}, {"large_bytes", 99}, {"drop", std::vector<std::string>{"large", "vendored", "minified", "generated", "unknown"}}}).size(), 1u);
  EXPECT_THAT(dropped(), ElementsAre("a.tar#1 vendored", "a.tar#2 minified", "a.tar#3 generated", "a.tar#4 large 100", "a.tar#5 unknown"));
  EXPECT_EQ(node_->drops()[3].threshold, 99);
  EXPECT_EQ(node_->drops()[3].bytes, 100) << "what its document would have had";
  EXPECT_EQ(read({{"paths", paths({{"a.py", ""}, {"b.bin", std::string("\0\1", 2)}, {"c.go", "// Code generated by x. DO NOT EDIT.\n"}})}, {"drop", std::vector<std::string>{"generated"}}}).size(), 0u);
  EXPECT_THAT(dropped(), ElementsAre("a.py#0 empty", "b.bin#0 binary", "c.go#0 generated"));
}

TEST_F(CodeNode, RefusesWhatItCannotRead) {
  const auto rows = read({{"paths", paths({{"a.tar", tar({{"a.py", "\xFF"}, {"b.ipynb", "{"}, {"c.py", std::string(2001, 'x')}, {"d\xFF", "x"}, {"e.py", "good"}})}, {"b.py", "ok\xFF"}})}, {"max_record_bytes", 2000}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].id, "a.tar#4");
  ASSERT_EQ(errors().size(), 5u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].message, "a.py: invalid UTF-8 at byte 0 of the file: 0xFF; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8");
  EXPECT_EQ(errors()[1].code, "bad_notebook");
  EXPECT_EQ(errors()[1].record, 1);
  EXPECT_EQ(errors()[2].code, "record_too_large");
  EXPECT_EQ(errors()[3].message, "the name of file 3 of the archive is not UTF-8");
  EXPECT_EQ(errors()[4].file, "b.py");
  EXPECT_EQ(errors()[4].offset, 0);
}

TEST_F(CodeNode, GivesWhatStandsBeforeADamage) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i * 7919 % 100003) + "\n";
  const std::string archive = tar({{"a.py", "a\n"}, {"b.py", text}, {"c.py", "c\n"}}), gz = gzip(archive);
  EXPECT_EQ(read({{"paths", paths({{"a.tar", archive.substr(0, archive.size() / 2)}, {"b.tar.gz", gz.substr(0, gz.size() / 2)}})}}).size(), 2u);
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "damaged_tar");
  EXPECT_EQ(errors()[0].documents, 0);
  EXPECT_EQ(errors()[1].code, "damaged_gzip");
}

TEST_F(CodeNode, SurvivesMutatedArchives) {
  const std::string archive = tar({{"a.py", "a\n"}, {"LICENSE", kMit}, {"n.ipynb", R"({"cells":[{"cell_type":"code","source":["x"]}]})"}, {"m.h", "class A {\n};\n"}});
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    std::string mutated = archive;
    for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) mutated[random() % mutated.size()] = static_cast<char>(random());
    if (i % 3 == 0) mutated.resize(random() % mutated.size());
    const auto rows = read({{"paths", paths({{"a.tar", mutated}})}});
    EXPECT_TRUE(rows.size() == 4 || !errors().empty() || !dropped().empty() || mutated.empty()) << "seed 3, mutation " << i;
    EXPECT_THAT(node_->close(), IsEmpty());
  }
}

TEST_F(CodeNode, NamesAnUnknownKind) {
  try {
    read({{"paths", paths({{"a", ""}})}, {"drop", std::vector<std::string>{"binaries"}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "'drop' has 'binaries', expected large, vendored, minified, generated or unknown");
  }
}

}  // namespace
}  // namespace flowrun::readers
