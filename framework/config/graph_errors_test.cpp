// Every error of the loader: its place, code, text and suggestion.


#include <fmt/core.h>

#include "config/graph_fixture.hpp"
#include "config/limits.hpp"

namespace flowrun::config {
namespace {

using Lines = std::vector<std::string>;

struct Case {
  std::string text;
  Lines expected;
};

class GraphErrors : public GraphFixture {
 protected:
  void check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      load_text(c.text);
      EXPECT_EQ(findings(), c.expected) << c.text;
    }
  }
};

TEST_F(GraphErrors, FiveMistakesInOneFileAreAllReported) {
  const GraphSpec graph = load_text(
      "[run]\n"
      "sed = 1\n"
      "threads = \"two\"\n"
      "\n"
      "[node.books]\n"
      "plugin = \"readers/text\"\n"
      "[node.unique]\n"
      "plugin = \"dedupers/exact\"\n"
      "in = [\"books\", \"wob\"]\n"
      "[node.books]\n"
      "plugin = \"readers/jsonl\"\n"
      "[node.web]\n"
      "plugn = \"readers/jsonl\"\n"
      "[nodes.x]\n"
      "plugin = \"readers/jsonl\"\n");
  EXPECT_EQ(findings(), (Lines{
                            "graph.toml:2:1 unknown_key unknown key 'sed' in [run] (seed)",
                            "graph.toml:3:11 wrong_type 'threads' is a string, expected an integer",
                            "graph.toml:9:16 unknown_node no node 'wob' (web)",
                            "graph.toml:10:1 duplicate_node node 'books' is already defined at line 5",
                            "graph.toml:13:1 unknown_key unknown key 'plugn', and the node has neither 'plugin' nor 'graph' (plugin)",
                            "graph.toml:14:2 unknown_key unknown table [nodes] (node)",
                        }));
  // The first definition stands, and the unusable node is there to be referred to.
  EXPECT_EQ(names(graph), (Lines{"books", "unique", "web"}));
  EXPECT_EQ(graph.nodes[0].plugin, "readers/text");
  EXPECT_EQ(graph.nodes[2].plugin, "");
  EXPECT_EQ(
      render(diagnostics_.sorted()[2], graph.sources, false),
      path("graph.toml") +
          ":9:16: error: no node 'wob'\nin = [\"books\", \"wob\"]\n               ^\nhelp: did you mean 'web'?\n  in node 'unique'\n");
}

TEST_F(GraphErrors, Syntax) {
  check({
      {"[node.a]\nplugin = \n", {"graph.toml:2:10 toml_syntax invalid TOML in key-value pair: expected value, saw '\\n'"}},
      {"[run]\nseed = 1\nseed = 2\n",
       {"graph.toml:3:1 toml_syntax invalid TOML in key-value pair: cannot redefine existing integer 'seed'"}},
      {"[run]\nx = {a = 1, a = 2}\n", {"graph.toml:2:17 toml_syntax invalid TOML in key-value pair: cannot redefine existing integer 'a'"}},
      {"[run]\n[run]\n", {"graph.toml:2:1 toml_syntax invalid TOML in table header: cannot redefine existing table 'run'"}},
      {"[node.a]\nplugin = \"x\n",
       {"graph.toml:2:12 toml_syntax invalid TOML in string: unescaped control characters other than TAB (U+0009) are explicitly "
        "prohibited"}},
      {"a = \"\xFF\"", {"graph.toml:1:6 toml_syntax text is not valid UTF-8"}},
      {"[run]\n[ = ]\n", {"graph.toml:2:1 toml_syntax invalid TOML: table header that does not begin with a key"}},
      {"[run]\nname = né\n",
       {"graph.toml:2:9 toml_syntax invalid TOML: character that is not ASCII, which TOML allows only in strings and comments"}},
      {"[run]\nseed = 1 é\n",
       {"graph.toml:2:10 toml_syntax invalid TOML: character that is not ASCII, which TOML allows only in strings and comments"}},
      {"[run]\nseed = \nname = é\n", {"graph.toml:2:8 toml_syntax invalid TOML in key-value pair: expected value, saw '\\n'"}},
      {"a = 1\x01", {"graph.toml:1:6 toml_syntax control character in the text, expected an escape such as \\u0007 in a string"}},
      {"[node.a]\nplugin = \"x/y\"\nwhen = 2024-01-01\n",
       {"graph.toml:3:8 wrong_type value is a date or a time, expected a string (write it in quotes)"}},
  });
}

TEST_F(GraphErrors, TopLevel) {
  check({
      {"", {"graph.toml:1:1 missing_key graph has no nodes"}},
      {"parms = 1\n[node.a]\nplugin = \"x/y\"\n", {"graph.toml:1:1 unknown_key unknown key 'parms' outside of tables (params)"}},
      {"run = 1\nnode = [ ]\n",
       {"graph.toml:1:7 wrong_type 'run' is an integer, expected a table",
        "graph.toml:2:8 wrong_type 'node' is an array, expected a table"}},
      {"[[node.a]]\n", {"graph.toml:1:1 wrong_type node 'a' is an array, expected a table"}},
      {"[node]\na = 1\n", {"graph.toml:2:5 wrong_type node 'a' is an integer, expected a table"}},
      {"[node.\"a b\"]\nplugin = \"x/y\"\n",
       {"graph.toml:1:7 out_of_range node name 'a b' is not allowed, expected letters, digits, '_', '-', not digits alone ('/' between "
        "parts)"}},
      {"[node.7]\nplugin = \"x/y\"\n",
       {"graph.toml:1:7 out_of_range node name '7' is not allowed, expected letters, digits, '_', '-', not digits alone ('/' between "
        "parts)"}},
      {"[node.\"a//b\"]\nplugin = \"x/y\"\n",
       {"graph.toml:1:7 out_of_range node name 'a//b' is not allowed, expected letters, digits, '_', '-', not digits alone ('/' between "
        "parts)"}},
      {"[graph]\ninput = [\"x\"]\noutputs = 1\n[node.a]\nplugin = \"x/y\"\n",
       {"graph.toml:2:1 unknown_key unknown key 'input' in [graph] (inputs)",
        "graph.toml:3:11 wrong_type 'outputs' is an integer, expected an array"}},
      {"[huggingface]\nmodel_type = \"llama\"\n[node.a]\nplugin = \"x/y\"\n",
       {"graph.toml:2:1 unknown_key unknown key 'model_type' in [huggingface], which at the top of a graph holds a table for each model"}},
      {"[huggingface.m]\nmodel_type = \"llama\"\n[node.a]\nplugin = \"x/y\"\n",
       {"graph.toml:1:14 missing_key [huggingface.m] has no 'output', expected the node that gives the model's output"}},
      {"[huggingface.m]\noutput = \"b\"\n[node.a]\nplugin = \"x/y\"\n", {"graph.toml:2:10 unknown_node no node 'b'"}},
  });
}

TEST_F(GraphErrors, Run) {
  const auto error = [&](const std::string& line, const std::string& expected) {
    load_text("[node.a]\nplugin = \"x/y\"\n[run]\n" + line + "\n");
    EXPECT_EQ(findings(), Lines{"graph.toml:4:" + expected}) << line;
  };
  error("seed = -1", "8 out_of_range 'seed' is -1, expected at least 0");
  error("seed = 1.0", "8 wrong_type 'seed' is a float, expected an integer");
  error("threads = 0", "11 out_of_range 'threads' is 0, expected 1 to 1024");
  error("threads = 1025", "11 out_of_range 'threads' is 1025, expected 1 to 1024");
  error("memory_bytes = 0", "16 out_of_range 'memory_bytes' is 0, expected at least 1");
  error("batch_bytes = -5", "15 out_of_range 'batch_bytes' is -5, expected at least 1");
  error("batch_documents = 0", "19 out_of_range 'batch_documents' is 0, expected at least 1");
  error("part_bytes = true", "14 wrong_type 'part_bytes' is a boolean, expected an integer");
  error("limit = 0", "9 out_of_range 'limit' is 0, expected at least 1");
  error("max_error_fraction = 1.5", "22 out_of_range 'max_error_fraction' is 1.5, expected 0 to 1");
  error("max_error_fraction = nan", "22 out_of_range 'max_error_fraction' is nan, expected 0 to 1");
  error("max_error_fraction = \"1\"", "22 wrong_type 'max_error_fraction' is a string, expected a float");
  error("precision = \"fp16\"", "13 out_of_range 'precision' is 'fp16', which is not available yet, expected 'fp32' or 'bf16'");
  error("precision = \"fp23\"", "13 out_of_range 'precision' is 'fp23', expected 'fp32' or 'bf16' (fp32)");
  error("device = \"tpu\"", "10 out_of_range 'device' is 'tpu', expected 'cpu' or 'cuda' (cpu)");
  error("device = 1", "10 wrong_type 'device' is an integer, expected a string");
  error("name = \"a/b\"", "8 out_of_range 'name' is 'a/b', expected the name of a folder, without '/'");
  error("name = \"..\"", "8 out_of_range 'name' is '..', expected the name of a folder, without '/'");
  error("base = 1", "8 wrong_type 'base' is an integer, expected a string");
  error("include = [\"a\"]", "1 unknown_key unknown key 'include' in [run]: it stands above the first table");
  error("memory_byte = 1", "1 unknown_key unknown key 'memory_byte' in [run] (memory_bytes)");
}

TEST_F(GraphErrors, ReservedKeys) {
  const auto error = [&](const std::string& line, const std::string& expected) {
    load_text("[node.a]\nplugin = \"x/y\"\n" + line + "\n");
    EXPECT_EQ(findings(), Lines{"graph.toml:3:" + expected}) << line;
    EXPECT_EQ(diagnostics_.sorted()[0].node, "a") << line;
  };
  error("on_error = \"ignore\"", "12 out_of_range 'on_error' is 'ignore', expected 'stop' or 'skip'");
  error("on_error = \"sikp\"", "12 out_of_range 'on_error' is 'sikp', expected 'stop' or 'skip' (skip)");
  error("on_error = \"quarantine\"", "12 out_of_range 'on_error' is 'quarantine', which is not available yet, expected 'stop' or 'skip'");
  error("on_error = 1", "12 wrong_type 'on_error' is an integer, expected a string");
  error("cache = 1", "9 wrong_type 'cache' is an integer, expected a boolean");
  error("seed = -1", "8 out_of_range 'seed' is -1, expected at least 0");
  error("threads = 0", "11 out_of_range 'threads' is 0, expected at least 1");
  error("memory_bytes = \"1\"", "16 wrong_type 'memory_bytes' is a string, expected an integer");
  error("prefix = 1", "10 wrong_type 'prefix' is an integer, expected a string");
  error("tie = 1", "7 wrong_type 'tie' is an integer, expected a string");
  error("tie = \"b\"", "7 unknown_node no node 'b'");
  error("in = 1", "6 wrong_type 'in' is an integer, expected a string, an array of strings or a table");
  error("in = []", "6 out_of_range 'in' is an array, expected at least one node");
  error("in = {}", "6 out_of_range 'in' is a table, expected at least one port");
  error("in = [1]", "7 wrong_type an element of 'in' is an integer, expected a string");
  error("in = { p = [\"a\"] }", "12 wrong_type port 'p' of 'in' is an array, expected a string");
  error("in = \"b.port\"", "6 unknown_node no node 'b'");
  error("repeat = \"3\"", "10 wrong_type 'repeat' is a string, expected an integer");
  error("repeat = -1", "10 out_of_range 'repeat' is -1, expected at least 0");
  error("repeat = 1000000", "10 too_large 'repeat' is 1000000, expected at most 100000");
}

TEST_F(GraphErrors, MakersOfNodes) {
  check({
      {"[node.a]\n", {"graph.toml:1:1 missing_key node 'a' has neither 'plugin' nor 'graph'"}},
      {"[node.a]\nplugin = \"x/y\"\ngraph = \"g.toml\"\n",
       {"graph.toml:1:1 constraint node 'a' has both 'plugin' and 'graph', expected one of them"}},
      {"[node.a]\ngrph = \"g.toml\"\n",
       {"graph.toml:2:1 unknown_key unknown key 'grph', and the node has neither 'plugin' nor 'graph' (graph)"}},
      {"[node.a]\nplugin = 1\n", {"graph.toml:2:10 wrong_type 'plugin' is an integer, expected a string"}},
      {"[node.a]\nplugin = \"\"\n", {"graph.toml:2:10 out_of_range 'plugin' is '', expected the id of a plugin"}},
      {"[node.a]\ngraph = \"\"\n", {"graph.toml:2:9 out_of_range 'graph' is '', expected the path of a graph file"}},
      // A node that cannot be used is still a name.
      {"[node.a]\n[node.b]\nplugin = \"x/y\"\nin = \"a\"\n", {"graph.toml:1:1 missing_key node 'a' has neither 'plugin' nor 'graph'"}},
  });
}

TEST_F(GraphErrors, Parameters) {
  const std::string node = "[node.a]\nplugin = \"x/y\"\n";
  check({
      {"[params]\nlayers = 1\n" + node + "n = \"${layer}\"\n", {"graph.toml:5:5 unknown_key unknown parameter 'layer' (layers)"}},
      {node + "n = [1, \"x ${layers}\"]\n", {"graph.toml:3:9 unknown_key unknown parameter 'layers'"}},
      {node + "n = \"${index}\"\n",
       {"graph.toml:3:5 unknown_key unknown parameter 'index': it exists only in a node with 'repeat', and in subgraphs inside one"}},
      {node + "n = \"${layers\"\n",
       {"graph.toml:3:5 toml_syntax '${' without '}' in a string, expected '${name}' (or '$${' for the characters themselves)"}},
      {"[params]\np = [1]\n" + node + "n = \"x${p}\"\n",
       {"graph.toml:5:5 wrong_type parameter 'p' is an array, expected a string, a number or a boolean inside a longer string"}},
      {"[params]\np = \"${q}\"\nq = \"<${p}>\"\n" + node, {"graph.toml:3:5 cycle parameter 'p' refers to itself"}},
      {"[params]\nindex = 1\n" + node,
       {"graph.toml:2:1 constraint parameter 'index' is taken: it is the number of an instance of 'repeat'"}},
      {"[params]\nunused = \"${x}\"\n" + node, {"graph.toml:2:10 unknown_key unknown parameter 'x'"}},
      {"[params]\nn = \"two\"\n[node.s]\nplugin = \"x/s\"\n" + node + "in = \"s\"\nrepeat = \"${n}\"\n",
       {"graph.toml:8:10 wrong_type 'repeat' is a string, expected an integer"}},
  });
}

TEST_F(GraphErrors, Set) {
  write("graph.toml", "[params]\nsize = 1\n[node.loss]\nplugin = \"x/y\"\nbatch = 8\n");
  load("graph.toml", {{"nod.loss.batch", "1"},
                      {"node.los.batch", "1"},
                      {"node.loss", "1"},
                      {"params.siz", "1"},
                      {"params.size", "text"},
                      {"run.threads", "0"},
                      {"node.loss.batch.x", "1"},
                      {"", "1"},
                      {"node.loss.in", "nowhere"},
                      {"node..x", "1"},
                      {"params", "1"},
                      {"node.loss.x", std::string(40, '[')},
                      {"node.loss.x", "\xFF"},
                      {"node.loss.threads", "0"},
                      {"node.loss.y", "${z}"}});
  EXPECT_EQ(findings(),
            (Lines{
                "--set:1:1 unknown_key unknown key 'nod.loss.batch' in --set, expected node.NAME.KEY, params.NAME or run.KEY (node)",
                "--set:2:1 unknown_node no node 'los' to set 'batch' of (loss)",
                "--set:3:1 unknown_key key 'node.loss' in --set is too short, expected node.NAME.KEY, params.NAME or run.KEY",
                "--set:4:1 unknown_key unknown parameter 'siz' in --set (size)",
                "--set:5:1 wrong_type parameter 'size' is a string, expected an integer",
                "--set:6:1 out_of_range 'threads' is 0, expected 1 to 1024",
                "--set:7:1 wrong_type 'batch' is an integer, so 'x' cannot be set in it",
                "--set:8:1 unknown_key unknown key '' in --set, expected node.NAME.KEY, params.NAME or run.KEY",
                "--set:9:1 unknown_node no node 'nowhere'",
                "--set:10:1 unknown_key unknown key 'node..x' in --set, expected node.NAME.KEY, params.NAME or run.KEY",
                "--set:11:1 unknown_key key 'params' in --set is too short, expected node.NAME.KEY, params.NAME or run.KEY",
                "--set:12:1 too_large arrays and inline tables are nested more than 32 deep",
                "--set:13:1 toml_syntax text of --set is not valid UTF-8",
                "--set:14:1 out_of_range 'threads' is 0, expected at least 1",
                "--set:15:1 unknown_key unknown parameter 'z'",
            }));
}

TEST_F(GraphErrors, Includes) {
  write("a.toml", "[node.x]\nplugin = \"x/y\"\n");
  write("b.toml", "\n[node.x]\nplugin = \"x/z\"\n");
  write("loop.toml", "include = [\"loop2.toml\"]\n");
  write("loop2.toml", "include = [\"graph.toml\"]\n");
  write("broken.toml", "x = \n");
  check({
      {"include = [\"a.toml\", \"b.toml\"]\n",
       {"b.toml:2:1 duplicate_node node 'x' is already defined in another included file, at a.toml:1"}},
      {"include = [\"loop.toml\"]\n[node.x]\nplugin = \"x/y\"\n", {"loop2.toml:1:12 cycle file 'graph.toml' includes itself"}},
      {"include = [\"none.toml\", \"a.toml\"]\n", {"graph.toml:1:12 constraint cannot open graph 'none.toml': No such file or directory"}},
      {"include = [\"broken.toml\", \"a.toml\"]\n[run]\nsed = 1\n",
       {"broken.toml:1:5 toml_syntax invalid TOML in key-value pair: expected value, saw '\\n'",
        "graph.toml:3:1 unknown_key unknown key 'sed' in [run] (seed)"}},
      {"include = \"a.toml\"\n[node.y]\nplugin = \"x/y\"\n", {"graph.toml:1:11 wrong_type 'include' is a string, expected an array"}},
      {"include = [1]\n[node.y]\nplugin = \"x/y\"\n",
       {"graph.toml:1:12 wrong_type an element of 'include' is an integer, expected a string"}},
      {"include = [\"${p}\"]\n[node.y]\nplugin = \"x/y\"\n",
       {"graph.toml:1:12 constraint cannot open graph '${p}': No such file or directory"}},
  });
}

TEST_F(GraphErrors, Subgraphs) {
  write("m.toml",
        "[graph]\ninputs = [\"hidden\", \"tokenizer\"]\noutputs = [\"b\"]\n[params]\nrate = 1.0\nname = \"n\"\n"
        "[node.a]\nplugin = \"x/a\"\nin = \"hidden\"\n[node.b]\nplugin = \"x/b\"\nin = \"a\"\n");
  write("none.toml", "[node.a]\nplugin = \"x/a\"\n");
  write("empty.toml", "");
  write("bad_output.toml", "[graph]\noutputs = [\"aa\", \"a\"]\n[node.a]\nplugin = \"x/a\"\n");
  write("twice.toml",
        "[graph]\ninputs = [\"p\", \"p\"]\noutputs = [\"a.x\", \"b.x\"]\n[params]\np = 1\nseed = 1\n[node.a]\nplugin = "
        "\"x/a\"\n[node.b]\nplugin = \"x/a\"\n");
  write("self.toml", "[graph]\noutputs = [\"a\"]\n[node.a]\ngraph = \"self2.toml\"\n");
  write("self2.toml", "[graph]\noutputs = [\"a\"]\n[node.a]\ngraph = \"self.toml\"\n");
  write("run.toml", "[run]\nseed = 1\n[graph]\noutputs = [\"a\"]\n[node.a]\nplugin = \"x/a\"\n[huggingface]\noutput = \"x\"\n");
  write("leak.toml", "[graph]\noutputs = [\"a\"]\n[node.a]\nplugin = \"x/a\"\nin = \"s\"\n");
  write("loop.toml", "[graph]\ninputs = [\"h\"]\noutputs = [\"h\"]\n[node.a]\nplugin = \"x/a\"\n");
  const std::string s = "[node.s]\nplugin = \"s/s\"\n";
  check({
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\nrte = 1\n",
       {"graph.toml:6:1 unknown_key unknown key 'rte', which is neither a parameter nor an input of 'm.toml' (rate)"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\nname = 1\nrate = 2\n",
       {"graph.toml:6:8 wrong_type 'name' is an integer, expected a string"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\ntokenizer = 1\n",
       {"graph.toml:6:13 wrong_type input 'tokenizer' is an integer, expected a string"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\ntokenizer = \"t\"\n", {"graph.toml:6:13 unknown_node no node 't'"}},
      {s + "[node.m]\ngraph = \"m.toml\"\n",
       {"graph.toml:3:1 missing_key node 'm' leaves the input 'hidden' of its graph unbound, which 'm/a' reads"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = { hiden = \"s\" }\nhidden = \"s\"\n",
       {"graph.toml:5:8 unknown_port graph 'm.toml' has no input 'hiden' (hidden)"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\nhidden = \"s\"\n",
       {"graph.toml:6:1 constraint input 'hidden' is bound twice, by 'in' and by its own key"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\ncache = true\n",
       {"graph.toml:6:1 unknown_key 'cache' is a key of nodes with 'plugin', not of a subgraph"}},
      {s + "[node.m]\ngraph = \"m.toml\"\nin = \"s\"\n[node.e]\nplugin = \"e/e\"\nin = [\"m.c\", \"mm\", \"m.b\"]\n",
       {"graph.toml:8:7 unknown_port subgraph 'm' has no output 'c'", "graph.toml:8:14 unknown_node no node 'mm' (m)"}},
      {s + "[node.m]\ngraph = \"absent.toml\"\nin = \"s\"\n[node.e]\nplugin = \"e/e\"\nin = \"m\"\n",
       {"graph.toml:4:9 constraint cannot open graph 'absent.toml': No such file or directory"}},
      {s + "[node.m]\ngraph = \"none.toml\"\n",
       {"graph.toml:4:9 missing_key graph 'none.toml' has no [graph] outputs, so it cannot be a node"}},
      {s + "[node.m]\ngraph = \"empty.toml\"\n",
       {"graph.toml:4:9 missing_key graph 'empty.toml' has no [graph] outputs, so it cannot be a node"}},
      {s + "[node.m]\ngraph = \"bad_output.toml\"\n[node.e]\nplugin = \"e/e\"\nin = \"m\"\n",
       {"bad_output.toml:2:12 unknown_node no node 'aa' (a)"}},
      {s + "[node.m]\ngraph = \"twice.toml\"\n",
       {"twice.toml:2:16 constraint 'p' stands twice in 'inputs'", "twice.toml:3:19 constraint two outputs of this graph have the name 'x'",
        "twice.toml:5:1 constraint 'p' is both an input and a parameter of this graph",
        "twice.toml:6:1 constraint parameter 'seed' has the name of a reserved key, so no node could set it"}},
      {s + "[node.m]\ngraph = \"self.toml\"\n", {"self2.toml:4:9 cycle graph 'self.toml' contains itself"}},
      {s + "[node.m]\ngraph = \"graph.toml\"\n", {"graph.toml:4:9 cycle graph 'graph.toml' contains itself"}},
      {s + "[node.m]\ngraph = \"run.toml\"\n",
       {"run.toml:1:1 unknown_key [run] in a subgraph, expected only in the graph that is run",
        "run.toml:8:1 unknown_key key 'output' in [huggingface] of a subgraph: its output is the first of [graph] outputs"}},
      {s + "[node.m]\ngraph = \"leak.toml\"\n", {"leak.toml:5:6 unknown_node no node 's'"}},
      {s + "[node.m]\ngraph = \"leak.toml\"\nin = \"s\"\n",
       {"graph.toml:5:1 unknown_key 'in' is given, but graph 'leak.toml' has no inputs", "leak.toml:5:6 unknown_node no node 's'"}},
      {"[node.m]\ngraph = \"loop.toml\"\nin = \"m\"\n", {"graph.toml:3:6 cycle name 'm' stands for itself"}},
      {"[graph]\ninputs = [\"x\"]\n[node.a]\nplugin = \"x/y\"\nin = \"x\"\n",
       {"graph.toml:5:6 missing_key 'x' is an input of this graph, which only a graph around it can bind"}},
  });
}

TEST_F(GraphErrors, Repeat) {
  const std::string s = "[node.s]\nplugin = \"s/s\"\n[node.t]\nplugin = \"s/t\"\n";
  check({
      {s + "[node.r]\nplugin = \"x/y\"\nrepeat = 2\n",
       {"graph.toml:5:1 missing_key node 'r/0' has 'repeat' but no 'in': each instance takes the output of the one before it",
        "graph.toml:5:1 missing_key node 'r/1' has 'repeat' but no 'in': each instance takes the output of the one before it"}},
      {s + "[node.r]\nplugin = \"x/y\"\nrepeat = 0\n[node.e]\nplugin = \"e/e\"\nin = \"r\"\n",
       {"graph.toml:5:1 missing_key node 'r' has 'repeat' but no 'in': each instance takes the output of the one before it"}},
      {s + "[node.r]\nplugin = \"x/y\"\nin = { a = \"s\", b = \"t\" }\nrepeat = 3\n",
       {"graph.toml:7:6 constraint 'in' of a node with 'repeat' names 2 ports, expected one: that of the chain"}},
      {s + "[node.r]\nplugin = \"x/y\"\nin = \"s\"\nrepeat = 2\n[node.\"r/1\"]\nplugin = \"x/y\"\n",
       {"graph.toml:9:1 duplicate_node node 'r/1' is already defined"}},
      {"[node.a]\nplugin = \"x/y\"\nin = \"b\"\nrepeat = 0\n[node.b]\nplugin = \"x/y\"\nin = \"a\"\nrepeat = 0\n[node.c]\nplugin = "
       "\"x/y\"\n",
       {"graph.toml:7:6 cycle name 'a' stands for itself"}},
      {s + "[node.r]\nplugin = \"x/y\"\nin = [\"s\", \"t\"]\nrepeat = 0\n[node.e]\nplugin = \"e/e\"\nin = { p = \"r\" }\ntie = \"r\"\n",
       {"graph.toml:11:12 constraint port 'p' of 'in' names 2 nodes through 'r', expected one",
        "graph.toml:12:7 constraint 'tie' names 2 nodes through 'r', expected one"}},
  });
}

TEST_F(GraphErrors, CapsOnExpansion) {
  const auto repeated = [](const std::string& text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
  };
  write("inner.toml", "[graph]\ninputs = [\"h\"]\noutputs = [\"a\"]\n[node.a]\nplugin = \"x/a\"\nin = \"h\"\nrepeat = 1000\n");
  std::string parameters = "[params]\nq0 = 1\n";
  for (int i = 1; i <= 80; ++i) parameters += fmt::format("q{} = \"${{q{}}}\"\n", i, i - 1);
  // Resolved from the last, the chain is 80 long.
  const std::string last_first = "[params]\na = \"${q80}\"\n" + parameters.substr(9);
  std::string doubled = "[params]\np0 = \"0123456789abcdef\"\n";
  for (int i = 1; i <= 20; ++i)
    doubled += fmt::format("p{0} = \"${{p{1}}}${{p{1}}}\"\n", i, i - 1);
  std::string lists = "[node.v0]\nplugin = \"x/y\"\n";
  for (int i = 1; i <= 40; ++i) {
    lists += fmt::format("[node.v{0}]\nplugin = \"x/y\"\nrepeat = 0\nin = [\"v{1}\", \"v{1}\"]\n", i, i - 1);
  }
  const std::string s = "[node.s]\nplugin = \"s/s\"\n";
  const std::string r = s + "[node.r]\nplugin = \"x/y\"\nin = \"s\"\nrepeat = 10000\n";
  check({
      {s + "[node.m]\ngraph = \"inner.toml\"\nin = \"s\"\nrepeat = 1000\n",
       {"inner.toml:4:1 too_large graph has more than 100000 nodes after expansion"}},
      {r + "x = [" + repeated("1,", 200) + "]\n", {"graph.toml:7:386 too_large graph has more than 1000000 values after expansion"}},
      {r + "x = \"" + std::string(100'000, 'x') + "\"\n",
       {"graph.toml:7:5 too_large graph has more than 67108864 bytes of text after expansion"}},
      {last_first + s, {"graph.toml:21:7 too_large parameters refer to each other more than 64 deep"}},
      {doubled + s, {"graph.toml:19:7 too_large string has more than 1048576 bytes after substitution"}},
      {lists, {"graph.toml:78:14 too_large graph has more than 1000000 references after expansion"}},
  });
}

TEST_F(GraphErrors, CapsOnFiles) {
  for (std::size_t i = 0; i <= kMaxFileDepth; ++i) {
    write(fmt::format("i{}.toml", i), fmt::format("include = [\"i{}.toml\"]\n", i + 1));
    write(fmt::format("s{}.toml", i), fmt::format("[graph]\noutputs = [\"a\"]\n[node.a]\ngraph = \"s{}.toml\"\n", i + 1));
  }
  // Three includes of each: a tree of millions, were it followed.
  for (int i = 0; i < 14; ++i) {
    write(fmt::format("w{}.toml", i), fmt::format("include = [\"w{0}.toml\", \"w{0}.toml\", \"w{0}.toml\"]\n", i + 1));
  }
  write("w14.toml", "");
  const std::string node = "[node.n]\nplugin = \"x/y\"\n";
  check({
      {"include = [\"i0.toml\"]\n" + node, {"i14.toml:1:12 too_large files include one another more than 16 deep"}},
      {"[node.n]\ngraph = \"s0.toml\"\n", {"s15.toml:4:9 too_large subgraphs are nested more than 16 deep"}},
      {"#" + std::string(kMaxFileBytes, 'x'), {"graph.toml:1:1 too_large file has more than 4194304 bytes"}},
      {"a = " + std::string(100'000, '['), {"graph.toml:1:37 too_large arrays and inline tables are nested more than 32 deep"}},
  });
  load_text("include = [\"w0.toml\"]\n" + node);
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_NE(findings()[0].find("too_large graph includes too many files"), std::string::npos);
}

}  // namespace
}  // namespace flowrun::config
