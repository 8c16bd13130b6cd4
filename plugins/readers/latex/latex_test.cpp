#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "latex_text.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"
#include "readers/common/tar_for_test.hpp"
#include "readers/common/utf8.hpp"
#include "tex_paper.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::Parameters;
using flowrun::testing::Paths;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// ------------------------------------------------------------------------------------------------------------- the converter alone

struct Converted {
  LatexDocument document;
  std::string code, message;
};

Converted convert(const std::map<std::string, std::string>& files, const LatexOptions& options = {}) {
  Converted out;
  const FindTex find = [&files](const std::string& name) -> std::shared_ptr<const std::string> {
    const auto found = files.find(name);
    return found == files.end() ? nullptr : std::make_shared<const std::string>(found->second);
  };
  if (const auto fault = latex_to_text("main.tex", find, options, out.document)) {
    out.code = fault->code;
    out.message = fault->message;
  }
  return out;
}

std::string text_of(const std::string& body, const LatexOptions& options = {}) { return convert({{"main.tex", body}}, options).document.text; }

TEST(LatexText, WritesWhatTexPrints) {
  EXPECT_EQ(text_of("``Caf\\'e'' `x' a--b---c 5\\,\\% \\S 3, na\\\"{\\i}ve \\c{c}a stra\\ss e \\v{S}koda \\H o \\aa\\ \\o{} Erd\\H{o}s~P. \\L\\'od\\'z \\'{}"),
            "“Café” ‘x’ a–b—c 5 % §3, naïve ça straße Škoda ő å ø Erdős P. Łódź ´");
  EXPECT_EQ(text_of("a  b\n c % comment\n   d\n\n\n e\\% f % g\n\nh%\ni"), "a b c d\n\ne% f\n\nhi");
  EXPECT_EQ(text_of("{\\bf bold} \\textit{it} \\unknown[opt]{kept} \\vspace{1cm}x \\hskip 2pt plus 1fil y \\setlength{\\a}{3pt}z"), "bold it kept x y z");
  EXPECT_EQ(text_of("a\\\\[2pt]b \\url{http://x.y/a\\_b\\%c} \\href{http://z}{link} \\verb|a{%b| \\verb*!c!"), "a\nb http://x.y/a_b%c link a{%b c");
}

TEST(LatexText, WritesStructure) {
  EXPECT_EQ(text_of("\\section*{One} a \\subsection[short]{Two \\emph{three}}b\n\\paragraph{Run in.} c"), "## One\n\na\n\n### Two three\n\nb\n\nRun in. c");
  EXPECT_EQ(text_of("\\begin{itemize}\\item a\\item[x] b \\begin{enumerate}\\item c\\item d\\end{enumerate}\\end{itemize}e"), "- a\nx b\n\n  1. c\n  2. d\n\ne");
  EXPECT_EQ(text_of("\\begin{description}\\item[k] v\\end{description}"), "k: v");
  EXPECT_EQ(text_of("a\\footnote{note \\emph{n}} b\n\nc"), "a b\n\nnote n\n\nc");
  EXPECT_EQ(text_of("\\newtheorem{lem}{Lemma}\\begin{lem}[Zorn] x\\end{lem}\\begin{proof}y\\end{proof}"), "Lemma (Zorn). x\n\nProof. y");
  EXPECT_EQ(text_of("\\begin{tabular}{l|r} a & b \\\\ \\hline c & \\multicolumn{2}{c}{d} \\end{tabular}"), "a | b\nc | d");
}

TEST(LatexText, KeepsVerbatimAndDropsComments) {
  EXPECT_EQ(text_of("a\n\\begin{verbatim}\n x % y\n\\z{\n\\end{verbatim}\nb"), "a\n\n x % y\n\\z{\n\nb");
  EXPECT_EQ(text_of("a\\begin{comment} b \\end{x} \\end{comment}c\\iffalse d \\iftrue e \\else f\\fi g\\else h\\fi i"), "achi");
  EXPECT_EQ(text_of("\\MakeShortVerb{\\|}a |\\end{document}| b"), "a \\end{document} b");
  EXPECT_EQ(text_of("a \\ifx b c"), "a b c") << "no \\fi: nothing is lost";
  EXPECT_EQ(text_of("a\\ifblank{b}{c} d") , "abc d") << "no condition of TeX: no \\fi ends it";
  EXPECT_EQ(text_of("\\makeatletter\\newif\\ifx@y\\makeatother\\newif\\iflong a\\iflong b\\else c\\fi\\longtrue\\iflong d\\else e\\fi\\ifpdf f\\else g\\fi"), "acdg");
}

TEST(LatexText, ExpandsMacros) {
  EXPECT_EQ(text_of("\\newcommand{\\a}{x}\\newcommand\\b[2]{#2-#1}\\renewcommand{\\a}{y}\\newcommand{\\c}[2][d]{(#1,#2)}\\def\\e#1#2{#2#1}\\let\\f=\\b \\a{} \\b{1}{2} \\c{3} \\c[4]{5} \\e67 \\f{8}{9}"),
            "y 2-1 (d,3) (4,5) 76 9-8");
  EXPECT_EQ(text_of("\\let\\old\\ss\\def\\ss{(\\old)}\\ss \\let\\new\\old\\new"), "(ß)ß");
  EXPECT_EQ(text_of("\\def\\q#1.{x}\\q a. b"), "a. b") << "a parameter with an end of its own is not simple";
  EXPECT_EQ(text_of("\\newcommand{\\eg}{e.g.\\xspace}\\eg this \\eg, \\newenvironment{n}[1]{<#1:}{>}\\begin{n}{z}in\\end{n}"), "e.g. this e.g., <z:in>");
  EXPECT_EQ(text_of("\\newcommand{\\R}{\\mathbb{R}}\\DeclareMathOperator{\\tr}{tr}\\newcommand{\\norm}[1]{\\|#1\\|}$\\tr x\\in\\R,\\ \\norm{\\R}$ \\newcommand{\\al}{\\ensuremath{\\alpha}}\\al b"),
            "$\\operatorname{tr}x\\in\\mathbb{R},\\ \\|\\mathbb{R}\\|$ $\\alpha$b");
}

TEST(LatexText, KeepsOrDropsMathematics) {
  const std::string body = "a $x_1 < \\text{if $y$}$ b \\[ z \\] c \\( u \\) d $$v$$ e\\begin{align*} p &= q \\label{l} \\\\ r % s\n \\end{align*}f";
  EXPECT_EQ(text_of(body), "a $x_1 < \\text{if $y$}$ b\n\\[z\\]\nc \\(u\\) d\n$$v$$\ne\n\\begin{align*}\np &= q \\\\ r\n\\end{align*}\nf");
  LatexOptions options;
  options.keep_math = false;
  EXPECT_EQ(text_of(body, options), "a b\nc d\ne\nf");
  EXPECT_EQ(text_of("costs $5 today\n\nnext $y$"), "costs $5 today\n\nnext $y$") << "what nobody closes ends with its paragraph";
}

TEST(LatexText, ObeysItsOptions) {
  const std::string body = "a~\\cite[p.~1]{k} \\ref{r}\\begin{figure}[t]\\includegraphics{f}\\caption[s]{Cap \\label{x}tion.} junk\\end{figure} "
                           "\\begin{thebibliography}{9}\\bibitem{k} Author, Title.\\end{thebibliography}";
  EXPECT_EQ(text_of(body), "a [cite] [ref]\n\nCap tion.");
  LatexOptions options;
  options.captions = options.mark_citations = false;
  options.bibliography = true;
  EXPECT_EQ(text_of(body, options), "a\n\n## References\n\n- Author, Title.");
}

TEST(LatexText, TakesTitleAuthorsAndAbstract) {
  const auto out = convert({{"main.tex", "\\documentclass{article}\\title[s]{A \\\\ B\\thanks{C}}\\author{Ann X\\thanks{t} \\\\ Y \\and Bob Z}\\author{Third}junk\\begin{document}\\maketitle"
                                         "\\begin{abstract}\nWe \\emph{do}.\n\\end{abstract}Body\\end{document}behind"}})
                       .document;
  EXPECT_EQ(out.title, "A B");
  EXPECT_EQ(out.authors, "Ann X; Bob Z; Third");
  EXPECT_EQ(out.abstract, "We do.");
  EXPECT_EQ(out.text, "# A B\n\nWe do.\n\nBody");
}

TEST(LatexText, JoinsInputs) {
  const auto out = convert({{"main.tex", "a \\input{one} b \\include{dir/two}\\input dir/three.tex \\import{dir/}{four}\\input{none}"},
                            {"one.tex", "1\\input{main}"},
                            {"dir/two.tex", "2"},
                            {"dir/three.tex", "3\\endinput x"},
                            {"dir/four.tex", "\\documentclass[main]{subfiles}\\begin{document}4\\end{document}5"}})
                       .document;
  EXPECT_EQ(out.text, "a 1 b 23 4");
  EXPECT_THAT(out.missing, ElementsAre("none"));
}

TEST(LatexText, LosesNothingBehindWhatNobodyCloses) {
  EXPECT_EQ(text_of("a\\begin{figure}\\caption{c} b\n\nd"), "a\n\nb\n\nd\n\nc");
  EXPECT_EQ(text_of("\\documentclass{a}\\begin{document}a\\begin{example}\\begin{document}b\\end{document}\\end{example}c\\end{document}d"), "abc");
  EXPECT_EQ(text_of("\\documentclass{a}\\unheard{\\bye \\end{document}}\\makeindex\\begin{document}a \\bye b\\end{document}c"), "a b");
  EXPECT_EQ(text_of("plain \\TeX\n\\bye junk"), "plain TeX");
}

TEST(LatexText, BoundsWhatMacrosExpandTo) {
  std::string bomb = "\\def\\a{x}";
  for (char c = 'b'; c <= 'z'; ++c) bomb += std::string("\\def\\") + c + "{\\" + static_cast<char>(c - 1) + "\\" + static_cast<char>(c - 1) + "\\" + static_cast<char>(c - 1) + "}";
  LatexOptions options;
  options.max_expanded_bytes = 1 << 20;
  const auto out = convert({{"main.tex", bomb + "\\z"}}, options);
  EXPECT_EQ(out.code, "too_much_expansion");
  EXPECT_EQ(out.message, "macros and inputs expand to more than 1048576 bytes ('max_expanded_bytes')");
  EXPECT_EQ(convert({{"main.tex", "\\def\\a{\\a}\\a"}}, options).code, "too_much_expansion");
  EXPECT_EQ(convert({{"main.tex", "\\def\\a{\\a x}\\a"}}, options).code, "too_deep");
  EXPECT_EQ(convert({{"main.tex", "$\\def\\a{\\a}\\a$ \\def\\b{\\b}$\\b$"}}, options).code, "too_much_expansion");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "\\section{";
  EXPECT_EQ(convert({{"main.tex", deep}}, options).code, "too_deep");
}

TEST(LatexText, NeverCrashesAndAlwaysGivesUtf8) {
  const std::string sample = "\\documentclass{article}\\newcommand{\\x}[2][d]{#1\\emph{#2}}\\newif\\ifq\\title{T}\\begin{document}\\section{S\\'e}``a'' $x\\x{y}$ \\x{b}\\footnote{n}\\ifq a\\else b\\fi"
                             "\\begin{itemize}\\item[z] q\\end{itemize}\\begin{align}a&=b\\end{align}\\verb|v|\\begin{verbatim}w\\end{verbatim}\\begin{figure}\\caption{c}\\end{figure}% e\n\xC3\xA9\\end{document}";
  std::mt19937 random(11);
  for (std::size_t cut = 0; cut <= sample.size(); ++cut) convert({{"main.tex", sample.substr(0, cut)}});
  const std::string signs = "\\{}[]$%#&~ \n'`\"-ab1\xC3\xA9";
  LatexOptions options;
  options.max_expanded_bytes = 1 << 20;
  for (int i = 0; i < 4000; ++i) {
    std::string mutated = sample;
    for (int n = 1 + static_cast<int>(random() % 8); n > 0; --n) {
      const std::size_t at = random() % mutated.size();
      if (random() % 2) mutated.erase(at, 1 + random() % 5);
      else mutated.insert(at, 1, signs[random() % signs.size()]);
      if (mutated.empty()) mutated = "x";
    }
    const bool valid = find_invalid_utf8(mutated) == std::string::npos;
    const auto out = convert({{"main.tex", mutated}}, options).document;
    ASSERT_TRUE(!valid || find_invalid_utf8(out.text + out.title + out.authors + out.abstract) == std::string::npos) << mutated;
  }
}

// ------------------------------------------------------------------------------------------------------------------- the main file

TEST(MainFile, IsFoundByTheRules) {
  const std::string paper = "\\documentclass{article}\n\\begin{document}x\\end{document}";
  EXPECT_EQ(find_main_file({{"a.tex", "part"}, {"b.tex", paper}}), "b.tex");
  EXPECT_EQ(find_main_file({{"a.tex", paper}, {"ms.tex", paper}, {"z/main.tex", paper}}), "z/main.tex");
  EXPECT_EQ(find_main_file({{"a.tex", paper}, {"b.tex", paper + "longer"}, {"d/c.tex", paper + "longest of all"}}), "b.tex");
  EXPECT_EQ(find_main_file({{"a.tex", "% \\documentclass{x}\n\\begin{documents}"}, {"b.tex", "\\documentstyle{article}"}}), "b.tex");
  EXPECT_EQ(find_main_file({{"a.tex", "\\documentclass[b]{subfiles}\\begin{document}"}, {"b.tex", paper}}), "b.tex");
  EXPECT_EQ(find_main_file({{"a.tex", "plain\n\\bye"}, {"b.tex", "macros"}}), "a.tex");
  EXPECT_EQ(find_main_file({{"a.tex", "only"}, {"a.bbl", paper}}), "a.tex");
  EXPECT_EQ(find_main_file({{"a.tex", "one"}, {"b.tex", "two"}}), "");
  EXPECT_EQ(find_main_file({{"0704.0001", paper}}), "0704.0001");
  EXPECT_EQ(find_main_file({{"a.tex", paper}, {"b.tex", paper}, {"00README.XXX", "a.tex ignore\nb.tex toplevelfile\n"}}), "b.tex");
  EXPECT_EQ(find_main_file({{"a.tex", paper}, {"b.tex", paper}, {"00README.json", "{\"sources\": [{\"filename\": \"b.tex\", \"usage\": \"toplevel\"}]}"}}), "b.tex");
}

TEST(TexNames, AreNormal) {
  EXPECT_EQ(normal_name("./a//b/../c.tex"), "a/c.tex");
  EXPECT_EQ(normal_name("../../etc/passwd"), "etc/passwd");
  EXPECT_EQ(normal_name("/a\\b"), "a/b");
}

TEST(TexEncodings, AreThoseThatThePaperNames) {
  std::string text = "\\usepackage[latin1]{inputenc} \xE9\x80";
  EXPECT_TRUE(decode_tex(text));
  EXPECT_THAT(text, HasSubstr("é\xC2\x80"));
  text = "\\usepackage[ansinew]{inputenc} \x80\x93";
  EXPECT_TRUE(decode_tex(text));
  EXPECT_THAT(text, HasSubstr("€“"));
  text = "\\usepackage[latin9]{inputenc} \xA4\xE9";
  EXPECT_TRUE(decode_tex(text));
  EXPECT_THAT(text, HasSubstr("€é"));
  text = "%\\usepackage[latin1]{inputenc}\n\xE9";
  EXPECT_FALSE(decode_tex(text));
}

// ------------------------------------------------------------------------------------------------------------------------ the node

class LatexNode : public ReaderTest {
 protected:
  LatexNode() : ReaderTest("data/") {}
  std::vector<Document> read(Parameters parameters) {
    auto rows = ReaderTest::read(parameters);
    columns_.clear();
    for (const auto& batch : batches_) {
      const BatchView view(batch.array.get(), batch.schema);
      for (std::int64_t i = 0; i < batch.size(); ++i)
        columns_.push_back({std::string(view.strings("path")[i]), std::string(view.strings("title")[i]), std::string(view.strings("authors")[i]), std::string(view.strings("abstract")[i])});
    }
    return rows;
  }

  static std::string paper(const std::string& body) { return "\\documentclass{article}\\title{T}\\author{A}\\begin{document}" + body + "\\end{document}"; }

  std::vector<std::vector<std::string>> columns_;  ///< path, title, authors, abstract
};

TEST_F(LatexNode, ReadsEveryKindOfSource) {
  const std::string archive = tar({{"./main.tex", paper("a \\input{sec/one}")}, {"sec/one.tex", "one"}, {"fig.pdf", std::string(5000, '\xFF')}});
  const auto rows = read({{"paths", paths({{"a.tex", paper("plain")}, {"b.tex.gz", gzip(paper("zipped"))}, {"c.tar", archive}, {"d.tar.gz", gzip(archive)}, {"e.gz", gzip(archive)}, {"f.tar.zst", zstd(archive)}})},
                          {"domain", "papers"}});
  EXPECT_THAT(rows, ElementsAre(Document{"data/a.tex#0", "# T\n\nplain", "papers", "data/a.tex"}, Document{"data/b.tex.gz#0", "# T\n\nzipped", "papers", "data/b.tex.gz"},
                                Document{"data/c.tar#0", "# T\n\na one", "papers", "data/c.tar"}, Document{"data/d.tar.gz#0", "# T\n\na one", "papers", "data/d.tar.gz"},
                                Document{"data/e.gz#0", "# T\n\na one", "papers", "data/e.gz"}, Document{"data/f.tar.zst#0", "# T\n\na one", "papers", "data/f.tar.zst"}));
  EXPECT_THAT(columns_[2], ElementsAre("main.tex", "T", "A", ""));
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(LatexNode, ReadsAnArchiveOfPapers) {
  const std::string inner = tar({{"x.tex", paper("first")}, {"y.tex", "part"}});
  const std::string outer = tar({{"0704/0704.0001.gz", gzip(inner)}, {"0704/0704.0002.pdf", "%PDF"}, {"0704/0704.0003.gz", gzip(paper("second"))}, {"0704/0704.0004.gz", gzip("nothing\n\n")},
                                 {"0704/0704.0005.gz", "not gzip"}, {"0704/0704.0006.gz", gzip(inner.substr(0, 700))}, {"0704/0704.0007.gz", gzip(paper("last"))}});
  const auto rows = read({{"paths", paths({{"arXiv_src_0704_001.tar", outer}})}});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].text, "# T\n\nfirst");
  EXPECT_EQ(rows[1].text, "# T\n\nsecond");
  EXPECT_EQ(rows[2].text, "nothing") << "the only file is the paper";
  EXPECT_EQ(rows[3].id, "data/arXiv_src_0704_001.tar#5") << "refused papers keep their number";
  EXPECT_EQ(columns_[0][0], "0704/0704.0001.gz/x.tex");
  EXPECT_EQ(columns_[1][0], "0704/0704.0003.gz");
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "damaged_gzip");
  EXPECT_EQ(errors()[0].record, 3);
  EXPECT_EQ(errors()[1].code, "damaged_tar");
  EXPECT_THAT(errors()[1].message, HasSubstr("0704/0704.0006.gz: the archive is damaged"));
}

TEST_F(LatexNode, JoinsFilesOfATree) {
  const Paths files = paths({{"p/macros.tex", "\\newcommand{\\w}{word}"}, {"p/main.tex", paper("\\input{macros}\\w\\ \\input{../secret}\\input{s/one}")}, {"p/s/one.tex", "one"}, {"q.tex", paper("q")}});
  folder_.write("secret.tex", "not among the paths");
  const auto rows = read({{"paths", files}});
  EXPECT_THAT(rows, ElementsAre(Document{"data/p/main.tex#0", "# T\n\nword one", "", "data/p/main.tex"}, Document{"data/q.tex#0", "# T\n\nq", "", "data/q.tex"}));
  EXPECT_THAT(dropped(), ElementsAre("data/p/macros.tex#0 fragment", "data/p/s/one.tex#0 fragment"));
  EXPECT_THAT(read({{"paths", files}, {"fragments", "read"}}).size(), 4u);
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(LatexNode, RefusesWhatItCannotRead) {
  const auto rows = read({{"paths", paths({{"a.tar", tar({{"a.tex", "1"}, {"b.tex", "2"}})}, {"b.tex", paper("\xFF")}, {"c.tex", paper("\\def\\a{\\a}\\a")}, {"d.tar", tar({{"a.tex", paper(std::string(3000, 'x'))}})}, {"e.tex", paper("good")}})},
                          {"max_paper_bytes", 2000}, {"max_expanded_bytes", 5000}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].id, "data/e.tex#0");
  ASSERT_EQ(errors().size(), 4u);
  EXPECT_EQ(errors()[0].code, "no_main_file");
  EXPECT_EQ(errors()[0].message, "data/a.tar: none of 2 files of TeX is a main file, expected one with \\documentclass");
  EXPECT_EQ(errors()[1].code, "bad_utf8");
  EXPECT_EQ(errors()[2].code, "too_much_expansion");
  EXPECT_EQ(errors()[3].code, "paper_too_large");
  for (const auto& error : errors()) EXPECT_EQ(error.documents, 1);
}

TEST_F(LatexNode, GivesNoPaperThatDamageMayHaveCut) {
  std::string filler;
  for (int i = 0; i < 50000; ++i) filler += std::to_string(i * 7919 % 100003) + " ";
  const std::string archive = tar({{"a.tex", paper("whole")}, {"b.tex", filler}});
  const std::string gz = gzip(archive);
  EXPECT_THAT(read({{"paths", paths({{"a.tar", archive.substr(0, archive.size() / 2)}, {"b.tar.gz", gz.substr(0, gz.size() / 2)}, {"c.tex.gz", gzip(paper(filler)).substr(0, 9000)}, {"d.tar", archive.substr(0, 512)}})}}), IsEmpty());
  ASSERT_EQ(errors().size(), 4u);
  EXPECT_EQ(errors()[0].code, "damaged_tar");
  EXPECT_EQ(errors()[0].documents, 0);
  EXPECT_EQ(errors()[1].code, "damaged_gzip");
  EXPECT_EQ(errors()[2].code, "damaged_gzip");
  EXPECT_EQ(errors()[3].code, "damaged_tar");
}

TEST_F(LatexNode, SurvivesMutatedArchives) {
  const std::string archive = tar({{"0704.0001.gz", gzip(tar({{"x.tex", paper("first")}}))}, {"main.tex", paper("outer $x$")}});
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    std::string mutated = archive;
    for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) mutated[random() % mutated.size()] = static_cast<char>(random());
    if (i % 3 == 0) mutated.resize(random() % mutated.size());
    const auto rows = read({{"paths", paths({{"a.tar", mutated}})}});
    EXPECT_TRUE(rows.size() == 2 || !errors().empty() || mutated.empty()) << "seed 5, mutation " << i;
    EXPECT_THAT(node_->close(), IsEmpty());
  }
}

}  // namespace
}  // namespace flowrun::readers
