#pragma once

// Lexbor's HTML parser (HTML standard, 13.2), stopped where a page asks for more than it may have.
//
// The guard stands between tokenizer and tree builder: it sees each token before the tree does, leaves out what no head looks at (comments, scripts, attributes but a
// few), and counts. What it counts is decided by the page's bytes alone, so a page is refused on every machine or on none, however fast it is. What one token can cost:
// a look at each open element or formatting element (scopes, "reconstruct the active formatting elements", the adoption agency algorithm), a copy of formatting elements,
// or a copy of a text that grows. Each is a step, or one for four bytes that are copied.

#include <cstddef>
#include <memory>
#include <string_view>

struct lxb_dom_node;

namespace flowrun::filters::html {

struct ParserLimits {
  std::size_t max_depth = 0;  ///< of open elements
  std::size_t max_nodes = 0;  ///< elements, texts, attributes and values of attributes in memory at once
  std::size_t max_steps = 0;  ///< looks at open elements, and four bytes each of copied text
};

enum class ParserLimit { kNone, kDepth, kNodes, kSteps, kNames };

/// A tree, or the limit that was met.
struct ParsedPage {
  lxb_dom_node* document = nullptr;  ///< valid until the next call or the parser's end
  ParserLimit met = ParserLimit::kNone;
};

/// Parses pages, one at a time. Memory: about 200 bytes a node, and the text. Threads: one call at a time. Errors: kOutOfMemory.
class GuardedParser {
 public:
  /// Distinct names of tags and attributes that the standard does not have; more are taken for an attack on the tables that hold them (kNames).
  static constexpr std::size_t kMaxNames = 4096;

  explicit GuardedParser(const ParserLimits& limits);
  ~GuardedParser();
  ParsedPage parse(std::string_view html);

 private:
  class Guard;
  std::unique_ptr<Guard> guard_;
};

}  // namespace flowrun::filters::html
