#include "extraction.hpp"

#include <limits>

namespace flowrun::filters::html {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

PageFault fault_of(ParserLimit met, const ParserLimits& limits) noexcept {
  switch (met) {
    case ParserLimit::kDepth: return {"too_deep", kUnknown, static_cast<double>(limits.max_depth)};
    case ParserLimit::kNodes: return {"too_many_nodes", kUnknown, static_cast<double>(limits.max_nodes)};
    case ParserLimit::kSteps: return {"too_many_steps", kUnknown, static_cast<double>(limits.max_steps)};
    case ParserLimit::kNames: return {"too_many_names", kUnknown, static_cast<double>(GuardedParser::kMaxNames)};
    case ParserLimit::kNone: break;
  }
  return {};
}

}  // namespace

PageFault Extraction::read(std::string_view html) {
  text_.clear();
  if (html.size() > limits_.max_bytes) return {"too_large", static_cast<double>(html.size()), static_cast<double>(limits_.max_bytes)};
  const ParsedPage parsed = parser_.parse(html);
  if (parsed.met != ParserLimit::kNone) return fault_of(parsed.met, limits_.parser);
  read_page(parsed.document, page_);
  text_ = join_blocks(page_, select_blocks(page_, head_));
  return text_.empty() ? PageFault{"no_text", kUnknown, kUnknown} : PageFault{};
}

}  // namespace flowrun::filters::html
