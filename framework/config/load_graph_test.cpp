// What a graph file means: run, parameters, includes, --set. Errors are in graph_errors_test.cpp, subgraphs in subgraph_test.cpp.

#include <algorithm>

#include <flowrun/error.hpp>

#include <fmt/core.h>

#include "config/graph_fixture.hpp"

namespace flowrun::config {
namespace {

using Lines = std::vector<std::string>;

class LoadGraph : public GraphFixture {};

TEST_F(LoadGraph, ReadsNodesInTheOrderOfTheFileWithPlaces) {
  const GraphSpec graph = load_text(
      "[node.web]\n"
      "plugin = \"readers/jsonl\"\n"
      "paths  = [\"é\", \"b\"]\n"
      "domain = \"web\"\n"
      "[node.books]\n"
      "plugin = \"readers/text\"\n"
      "[node.unique]\n"
      "plugin = \"dedupers/exact\"\n"
      "in     = [\"books\", \"web\"]\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(names(graph), (Lines{"web", "books", "unique"}));
  EXPECT_EQ(graph.file, path("graph.toml"));
  const NodeSpec& web = graph.nodes[0];
  EXPECT_EQ(web.where.line, 1U);
  EXPECT_EQ(web.where.column, 1U);
  EXPECT_EQ(web.plugin, "readers/jsonl");
  EXPECT_EQ(web.plugin_where.column, 10U);
  ASSERT_EQ(web.keys.size(), 2U);
  EXPECT_EQ(web.keys[0].key, "paths");
  EXPECT_EQ(web.keys[0].where.column, 1U);
  EXPECT_EQ(web.keys[1].key, "domain");
  const Array& paths = std::get<Array>(web.keys[0].value.data);
  EXPECT_EQ(paths[1].where.line, 3U);
  EXPECT_EQ(paths[1].where.column, 16U);  // code points, not bytes
  EXPECT_EQ(paths[1].base, folder_.string());
  EXPECT_EQ(key(graph, "unique", "in"), R"(["books", "web"])");
  EXPECT_EQ(graph.sources.at(graph.file).substr(0, 10), "[node.web]");
}

TEST_F(LoadGraph, KeepsEveryTypeOfValue) {
  const GraphSpec graph = load_text(
      "[node.a]\nplugin = \"x/y\"\nz = true\ny = -3\nx = 1e-3\nw = \"s\"\nv = [1, 2.0, \"a\"]\nu = { z = 1, a = [ ] }\nt.b = 1\nt.a = 2\n");
  EXPECT_EQ(findings(), Lines{});
  Lines keys;
  for (const Entry& entry : graph.nodes[0].keys) keys.push_back(entry.key + " " + entry.value.type_name() + " " + to_toml(entry.value));
  EXPECT_EQ(keys, (Lines{"z boolean true", "y integer -3", "x float 0.001", "w string \"s\"", "v array [1, 2.0, \"a\"]",
                         "u table { z = 1, a = [] }", "t table { b = 1, a = 2 }"}));
}

TEST_F(LoadGraph, ReadsAllOfUnicode) {
  const GraphSpec graph = load_text("# é、\n[node.a]\nplugin = \"x/y\"\ns = \"\"\"a\\\n  §b\"\"\"\n\"ключ\" = ['、', \"\\u00e9\"] # 😀\n",
                                    {{"node.a.set", "é"}, {"node.a.map", "{ a = \"、\" }"}});
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(key(graph, "a", "s"), "\"a§b\"");
  EXPECT_EQ(key(graph, "a", "ключ"), "[\"、\", \"é\"]");
  EXPECT_EQ(key(graph, "a", "set"), "\"é\"");
  EXPECT_EQ(key(graph, "a", "map"), "{ a = \"、\" }");
}

TEST_F(LoadGraph, DefaultsRun) {
  const GraphSpec graph = load_text("[node.a]\nplugin = \"x/y\"\n");
  EXPECT_EQ(graph.run.name, "graph");
  EXPECT_EQ(graph.run.seed, 0U);
  EXPECT_EQ(graph.run.device, "cpu");
  EXPECT_EQ(graph.run.precision, "fp32");
  EXPECT_EQ(graph.run.threads, 0);
  EXPECT_EQ(graph.run.memory_bytes, 1'073'741'824);
  EXPECT_EQ(graph.run.batch_bytes, 524'288);
  EXPECT_EQ(graph.run.batch_documents, 4096);
  EXPECT_EQ(graph.run.part_bytes, 1'073'741'824);
  EXPECT_EQ(graph.run.limit, -1);
  EXPECT_EQ(graph.run.max_error_fraction, 0.01);
  EXPECT_EQ(graph.run.base, folder_.string());
  EXPECT_TRUE(graph.run.where.empty());
}

TEST_F(LoadGraph, ReadsRun) {
  const GraphSpec graph = load_text(
      "[run]\nname = \"p\"\nseed = 9\ndevice = \"cuda\"\nprecision = \"bf16\"\nthreads = 3\nmemory_bytes = 4\nbatch_bytes = 5\n"
      "batch_documents = 6\npart_bytes = 7\nlimit = 8\nmax_error_fraction = 1\n[node.a]\nplugin = \"x/y\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(graph.run.name, "p");
  EXPECT_EQ(graph.run.seed, 9U);
  EXPECT_EQ(graph.run.device, "cuda");
  EXPECT_EQ(graph.run.precision, "bf16");
  EXPECT_EQ(graph.run.threads, 3);
  EXPECT_EQ(graph.run.memory_bytes, 4);
  EXPECT_EQ(graph.run.batch_bytes, 5);
  EXPECT_EQ(graph.run.batch_documents, 6);
  EXPECT_EQ(graph.run.part_bytes, 7);
  EXPECT_EQ(graph.run.limit, 8);
  EXPECT_EQ(graph.run.max_error_fraction, 1.0);
  EXPECT_EQ(graph.run.where.at("seed").line, 3U);
}

TEST_F(LoadGraph, RunBaseMovesTheTopFilesPathsOnly) {
  write("inc/part.toml", "[node.b]\nplugin = \"x/y\"\npath = \"b\"\n");
  write("graph.toml",
        "include = [\"inc/part.toml\"]\n[run]\nbase = \"/data\"\n[params]\np = \"x\"\n[node.a]\nplugin = \"x/y\"\npath = [\"a\"]\nq = "
        "\"${p}/z\"\n");
  const GraphSpec graph = load("graph.toml", {{"node.a.set", "c"}});
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(graph.run.base, "/data");
  EXPECT_EQ(std::get<Array>(find(node(graph, "a").keys, "path")->value.data)[0].base, "/data");
  EXPECT_EQ(find(node(graph, "a").keys, "q")->value.base, "/data");
  EXPECT_EQ(find(node(graph, "b").keys, "path")->value.base, path("inc"));
  EXPECT_EQ(find(node(graph, "a").keys, "set")->value.base, std::filesystem::current_path().string());
}

TEST_F(LoadGraph, SubstitutesParametersEverywhere) {
  const GraphSpec graph = load_text(
      "[params]\nn = 3\nrate = 0.5\nword = \"w\"\nlist = [1, \"${word}\"]\non = true\nboth = \"${word}-${n}\"\n"
      "[run]\nseed = \"${n}\"\nname = \"run-${word}\"\n"
      "[node.a]\nplugin = \"x/${word}\"\nthreads = \"${n}\"\ni = \"${n}\"\nf = \"${rate}\"\nb = \"${on}\"\nl = \"${list}\"\n"
      "s = \"<${n} ${rate} ${on} ${both}>\"\nt = { k = [\"${word}\"] }\nescaped = \"$${n} $$${n} $ {n} $\"\n"
      "[node.b]\nplugin = \"x/y\"\nin = [\"${word}\", \"a\"]\n[node.w]\nplugin = \"x/y\"\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(graph.run.seed, 3U);
  EXPECT_EQ(graph.run.name, "run-w");
  EXPECT_EQ(graph.nodes[0].plugin, "x/w");
  EXPECT_EQ(key(graph, "a", "threads"), "3");
  EXPECT_EQ(key(graph, "a", "i"), "3");
  EXPECT_EQ(key(graph, "a", "f"), "0.5");
  EXPECT_EQ(key(graph, "a", "b"), "true");
  EXPECT_EQ(key(graph, "a", "l"), R"([1, "w"])");
  EXPECT_EQ(key(graph, "a", "s"), R"("<3 0.5 true w-3>")");
  EXPECT_EQ(key(graph, "a", "t"), R"({ k = ["w"] })");
  EXPECT_EQ(std::get<std::string>(find(node(graph, "a").keys, "escaped")->value.data), "${n} $${n} $ {n} $");
  EXPECT_EQ(key(graph, "b", "in"), R"(["w", "a"])");
}

TEST_F(LoadGraph, APathThatBeginsWithAParameterStandsWhereTheParameterDoes) {
  write("inc/p.toml", "[params]\ndir = \"d\"\n");
  write("graph.toml",
        "include = [\"inc/p.toml\"]\n[node.a]\nplugin = \"x/y\"\nwhole = \"${dir}\"\nbegin = \"${dir}/f\"\nlater = \"x${dir}\"\n");
  const GraphSpec graph = load("graph.toml");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(find(graph.nodes[0].keys, "whole")->value.base, path("inc"));
  EXPECT_EQ(find(graph.nodes[0].keys, "begin")->value.base, path("inc"));
  EXPECT_EQ(find(graph.nodes[0].keys, "later")->value.base, folder_.string());
  EXPECT_EQ(find(graph.nodes[0].keys, "whole")->value.where.line, 4U);
}

TEST_F(LoadGraph, TheIncludingFileWinsKeyByKey) {
  write("a.toml",
        "[run]\nseed = 1\nthreads = 1\n[params]\np = 1\nq = 1\n[node.x]\nplugin = \"x/y\"\nu = 1\nv = { a = 1, b = 2 }\n[node.z]\nplugin = "
        "\"x/z\"\n");
  write("sub/b.toml",
        "include = [\"c.toml\"]\n[run]\nseed = 2\n[params]\nq = 2\n[node.y]\nplugin = \"x/y\"\np = \"${p}\"\nq = \"${q}\"\nr = \"${r}\"\n");
  write("sub/c.toml", "[params]\nr = 3\n[node.y]\nplugin = \"x/old\"\nfrom = \"c\"\n");
  write("graph.toml",
        "include = [\"a.toml\", \"sub/b.toml\"]\n[run]\nname = \"top\"\n[params]\np = 9\n[node.new]\nplugin = \"n/n\"\n[node.x]\nv = { c = "
        "3 }\nw = 1\n");
  const GraphSpec graph = load("graph.toml");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(graph.run.name, "top");
  EXPECT_EQ(graph.run.seed, 2U);
  EXPECT_EQ(graph.run.threads, 1);
  EXPECT_EQ(names(graph), (Lines{"x", "z", "y", "new"}));
  Lines keys;
  for (const Entry& entry : graph.nodes[0].keys) keys.push_back(entry.key + "=" + to_toml(entry.value));
  EXPECT_EQ(keys, (Lines{"u=1", "v={ c = 3 }", "w=1"}));
  EXPECT_EQ(node(graph, "y").plugin, "x/y");
  EXPECT_EQ(key(graph, "y", "p"), "9");
  EXPECT_EQ(key(graph, "y", "q"), "2");
  EXPECT_EQ(key(graph, "y", "r"), "3");
  EXPECT_EQ(key(graph, "y", "from"), "\"c\"");
}

TEST_F(LoadGraph, ADiamondOfIncludesIsNoDuplicate) {
  write("d.toml", "[node.x]\nplugin = \"x/y\"\n");
  write("b.toml", "include = [\"d.toml\"]\n");
  write("c.toml", "include = [\"d.toml\"]\n");
  write("graph.toml", "include = [\"b.toml\", \"c.toml\"]\n");
  EXPECT_EQ(names(load("graph.toml")), Lines{"x"});
  EXPECT_EQ(findings(), Lines{});
}

TEST_F(LoadGraph, AnIncludingFileMayReplaceAPluginByAGraph) {
  write("base.toml", "[node.x]\nplugin = \"x/y\"\n");
  write("sub.toml", "[graph]\noutputs = [\"o\"]\n[node.o]\nplugin = \"s/o\"\n");
  write("graph.toml", "include = [\"base.toml\"]\n[node.x]\ngraph = \"sub.toml\"\n");
  EXPECT_EQ(names(load("graph.toml")), Lines{"x/o"});
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(load("graph.toml", {{"node.x.plugin", "z/z"}}).nodes[0].plugin, "z/z");
  EXPECT_EQ(findings(), Lines{});
}

TEST_F(LoadGraph, SetOverridesInOrder) {
  const std::string text =
      "[params]\np = 1\nf = 1.0\n[node.loss]\nplugin = \"objectives/clm\"\nbatch_size = 8\np = \"${p}\"\nf = \"${f}\"\nweights = { books = "
      "1 }\n";
  const GraphSpec graph = load_text(text, {{"node.loss.plugin", "objectives/mlm"},
                                           {"node.loss.batch_size", "1"},
                                           {"node.loss.batch_size", "16"},
                                           {"params.p", "7"},
                                           {"params.f", "2"},
                                           {"run.name", "r-${p}"},
                                           {"node.loss.extra", "[1, \"a\"]"},
                                           {"node.\"loss\".text", "two words"},
                                           {"node.loss.quoted", "\"5\""},
                                           {"node.loss.empty", ""},
                                           {"node.loss.date", "2024-01-01"},
                                           {"node.loss.weights.web", "2.5"},
                                           {"node.loss.made.deep", "1"},
                                           {"node.loss.lines", "1\nx = 2"}});
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(graph.nodes[0].plugin, "objectives/mlm");
  EXPECT_EQ(key(graph, "loss", "batch_size"), "16");
  EXPECT_EQ(key(graph, "loss", "p"), "7");
  EXPECT_EQ(key(graph, "loss", "f"), "2.0");
  EXPECT_EQ(graph.run.name, "r-7");
  EXPECT_EQ(key(graph, "loss", "extra"), R"([1, "a"])");
  EXPECT_EQ(key(graph, "loss", "text"), R"("two words")");
  EXPECT_EQ(key(graph, "loss", "quoted"), R"("5")");
  EXPECT_EQ(key(graph, "loss", "empty"), R"("")");
  EXPECT_EQ(key(graph, "loss", "date"), R"("2024-01-01")");
  EXPECT_EQ(key(graph, "loss", "weights"), "{ books = 1, web = 2.5 }");
  EXPECT_EQ(key(graph, "loss", "made"), "{ deep = 1 }");
  EXPECT_EQ(key(graph, "loss", "lines"), R"("1\nx = 2")");
  const Value& extra = find(node(graph, "loss").keys, "extra")->value;
  EXPECT_EQ(extra.where.file, "--set");
  EXPECT_EQ(extra.where.line, 7U);
  EXPECT_EQ(extra.where.column, 1U);
  EXPECT_EQ(std::get<Array>(extra.data)[1].where.line, 7U);
  EXPECT_EQ(extra.base, std::filesystem::current_path().string());
}

TEST_F(LoadGraph, ShowsTheSetItselfBesideItsError) {
  const GraphSpec graph = load_text("[node.a]\nplugin = \"x/y\"\n", {{"run.seed", "1"}, {"run.sed", "2"}});
  ASSERT_EQ(diagnostics_.sorted().size(), 1U);
  EXPECT_EQ(render(diagnostics_.sorted()[0], graph.sources, false),
            "--set:2:1: error: unknown key 'sed' in [run]\nrun.sed=2\n^\nhelp: did you mean 'seed'?\n");
}

TEST_F(LoadGraph, AcceptsAByteOrderMarkAndCrLf) {
  const GraphSpec graph = load_text("\xEF\xBB\xBF[node.a]\r\nplugin = \"x/y\"\r\nin = \"a\"\r\nq = 1 1\r\n");
  EXPECT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings()[0].substr(0, 27), "graph.toml:4:7 toml_syntax ");
  const GraphSpec good = load_text("\xEF\xBB\xBF[node.a]\r\nplugin = \"x/y\"\r\n");
  EXPECT_EQ(findings(), Lines{});
  EXPECT_EQ(good.nodes[0].plugin, "x/y");
}

TEST_F(LoadGraph, ThrowsOnlyForTheTopFile) {
  try {
    load("absent.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_EQ(error.message(), "cannot open graph '" + path("absent.toml") + "': No such file or directory");
  }
  std::filesystem::create_directories(folder_ / "dir.toml");
  try {
    load("dir.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
  }
}

TEST_F(LoadGraph, FindsRelativePathsFromTheCurrentFolder) {
  write("sub/part.toml", "[node.a]\nplugin = \"x/y\"\npath = \"f\"\nbad = \"${x}\"\n");
  write("sub/graph.toml", "include = [\"./part.toml\"]\n");
  const std::string relative = std::filesystem::relative(path("sub/graph.toml")).string();
  Diagnostics diagnostics;
  const GraphSpec graph = load_graph(relative, {}, diagnostics);
  // Messages speak of files as the user does; values know where they are.
  ASSERT_EQ(diagnostics.sorted().size(), 1U);
  EXPECT_EQ(diagnostics.sorted()[0].where.file, std::filesystem::path(relative).parent_path() / "part.toml");
  EXPECT_EQ(find(graph.nodes[0].keys, "path")->value.base, path("sub"));
  EXPECT_EQ(graph.run.base, path("sub"));
}

}  // namespace
}  // namespace flowrun::config
