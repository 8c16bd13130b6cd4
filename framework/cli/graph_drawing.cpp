#include "cli/graph_drawing.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>

namespace flowrun::cli {
namespace {

using plugin::EdgeKind;

/// The nodes of one subgraph, and the subgraphs in it.
struct Frame {
  std::string name;  ///< "decoder/layers"; "" of the whole graph
  std::vector<std::size_t> nodes;
  std::map<std::string, Frame> inner;
};

/// Returns "attention" of "decoder/layers/0/attention": the frames around say the rest.
std::string own_name(const std::string& name) { return name.substr(name.rfind('/') + 1); }

/// Returns the graph's nodes in the frames that their names tell of.
Frame frames_of(const graph::ResolvedGraph& graph) {
  Frame root;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string& name = graph.nodes[i].name;
    Frame* frame = &root;
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
      frame = &frame->inner[name.substr(0, slash)];
      frame->name = name.substr(0, slash);
    }
    frame->nodes.push_back(i);
  }
  return root;
}

/// Writes a frame and what is in it: `open` gives the line that begins it, `close` the one that ends it, `node` that of a node.
struct FrameText {
  std::function<std::string(const Frame&)> open;
  std::string close;
  std::function<std::string(std::size_t)> node;

  std::string write(const Frame& frame, std::size_t depth) const {
    const std::string indent(2 * depth, ' ');
    std::string text;
    for (const std::size_t i : frame.nodes) text += indent + node(i) + "\n";
    for (const auto& [name, inner] : frame.inner) {
      text += indent + open(inner) + "\n";
      text += write(inner, depth + 1) + indent + close + "\n";
    }
    return text;
  }
};

/// One edge between two nodes, as it is drawn.
struct Edge {
  std::size_t from, to;
  std::string label;
  EdgeKind kind;
};

std::vector<Edge> edges_of(const graph::ResolvedGraph& graph) {
  std::vector<Edge> edges;
  for (std::size_t to = 0; to < graph.nodes.size(); ++to)
    for (std::size_t p = 0; p < graph.nodes[to].inputs.size(); ++p)
      for (const auto& from : graph.nodes[to].inputs[p]) {
        const auto& producer = graph.nodes[from.node].descriptor();
        const auto& output = producer.outputs[from.output];
        edges.push_back({from.node, to, producer.outputs.size() > 1 ? output.name + ": " + output.type : output.type, graph.nodes[to].descriptor().inputs[p].edge});
      }
  return edges;
}

/// A file that is gone when it is closed. Throws Error(kIo).
std::unique_ptr<std::FILE, int (*)(std::FILE*)> temporary_file() {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  if (!file) throw Error(Code::kIo, fmt::format("cannot create a temporary file: {}", std::strerror(errno)));
  return file;
}

/// Runs a program with `input` on its standard input; returns what it has written. Files stand in for pipes, so neither side can wait for the other.
std::string run_filter(std::vector<const char*> arguments, const std::string& input) {
  const auto in = temporary_file(), out = temporary_file();
  if (std::fwrite(input.data(), 1, input.size(), in.get()) != input.size() || std::fflush(in.get()) != 0)
    throw Error(Code::kIo, fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
  std::rewind(in.get());
  const std::string name = arguments.front();
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(in.get()), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, name.c_str(), &actions, nullptr, const_cast<char* const*>(arguments.data()), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) throw Error(Code::kUnavailable, fmt::format("'{}' is not installed: it lays pictures out; install graphviz, or write .dot or .mmd", name));
  if (error != 0) throw Error(Code::kInternal, fmt::format("cannot start '{}': {}", name, std::strerror(error)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw Error(Code::kInternal, fmt::format("'{}' failed", name));
  std::string output;
  std::rewind(out.get());
  char buffer[1 << 16];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, out.get())) output.append(buffer, got);
  return output;
}

}  // namespace

std::string dot_text(const graph::ResolvedGraph& graph) {
  const FrameText frames{[](const Frame& frame) { return fmt::format("subgraph {} {{ label = {}; style = rounded;", json::quote("cluster_" + frame.name), json::quote(own_name(frame.name))); }, "}",
                         [&](std::size_t i) { return fmt::format("{} [label = {}];", json::quote(graph.nodes[i].name), json::quote(own_name(graph.nodes[i].name) + "\n" + graph.nodes[i].plugin->id)); }};
  std::string text = "digraph flowrun {\n  rankdir = LR;\n  node [shape = box, fontname = \"Helvetica\"];\n" + frames.write(frames_of(graph), 1);
  for (const Edge& edge : edges_of(graph)) {
    const char* style = edge.kind == EdgeKind::kArtifact ? "dashed" : edge.kind == EdgeKind::kModel ? "dotted" : "solid";
    text += fmt::format("  {} -> {} [label = {}, style = {}];\n", json::quote(graph.nodes[edge.from].name), json::quote(graph.nodes[edge.to].name), json::quote(edge.label), style);
  }
  return text + "}\n";
}

std::string mermaid_text(const graph::ResolvedGraph& graph) {
  std::size_t frame_count = 0;
  const FrameText frames{[&](const Frame& frame) { return fmt::format("subgraph f{} [\"{}\"]", frame_count++, own_name(frame.name)); }, "end",
                         [&](std::size_t i) { return fmt::format("n{}[\"{}<br>{}\"]", i, own_name(graph.nodes[i].name), graph.nodes[i].plugin->id); }};
  std::string text = "flowchart LR\n" + frames.write(frames_of(graph), 1);
  for (const Edge& edge : edges_of(graph)) {
    const char* arrow = edge.kind == EdgeKind::kArtifact ? "-.->" : edge.kind == EdgeKind::kModel ? "--o" : "-->";
    text += fmt::format("  n{} {}|\"{}\"| n{}\n", edge.from, arrow, edge.label, edge.to);
  }
  return text;
}

std::string svg_text(const graph::ResolvedGraph& graph) { return run_filter({"dot", "-Tsvg"}, dot_text(graph)); }

}  // namespace flowrun::cli
