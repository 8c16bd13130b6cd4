// filters/regex: drops documents in which a regular expression is found.

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "filters/common/text_filter.hpp"
#include "python_pattern.hpp"

namespace flowrun::filters {
namespace {

constexpr std::int64_t kMaxMemory = std::int64_t{64} << 20;  // of the states that RE2 keeps for one expression; beyond it is slower

class RegexNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/regex", "0.1.0")
        .summary("Drops documents in which a regular expression is found anywhere, as datatrove's filter does, in time linear in the text. The reason is `regex`.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(string("pattern").required().about("An expression as Python has it, without look-around and references to groups, which RE2 refuses."))
        .parameter(boolean("unicode").defaults(true).about("\\w, \\d and \\s are Python's for text: letters and digits of every script. false: those of ASCII, as with re.ASCII, and \\b is allowed."))
        .determinism("pure")
        .source("RE2; datatrove 0.10.1, RegexFilter")
        .example("[node.without_boilerplate]\nplugin  = \"filters/regex\"\nin      = \"unique\"\npattern = '(?i)all rights\\s+reserved'\n");
  }

  explicit RegexNode(const Params& params) : TextFilter("regex", params) {
    const std::string pattern = params.string("pattern");
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxMemory);
    expression_ = std::make_unique<const RE2>(re2_pattern(pattern, params.boolean("unicode") ? CharacterClasses::kUnicode : CharacterClasses::kAscii), options);
    if (!expression_->ok()) throw Error(Code::kInvalidArgument, "'pattern' is '" + pattern + "', which RE2 refuses: " + expression_->error());
  }

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    const std::string_view text = documents.text[row];
    if (RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_)) return std::optional(Verdict{"regex"});
    return {};
  }

 private:
  std::unique_ptr<const RE2> expression_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::RegexNode)
