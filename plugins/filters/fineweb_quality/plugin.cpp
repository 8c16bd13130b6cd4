// filters/fineweb_quality: drops documents that break one of FineWeb's rules.

#include <string>

#include "filters/common/text_filter.hpp"
#include "filters/common/word_splitter.hpp"
#include "fineweb_quality.hpp"

namespace flowrun::filters {
namespace {

FineWebLimits read_limits(const Params& params) {
  FineWebLimits limits;
  limits.line_punct_thr = params.number("line_punct_thr");
  limits.line_punct_exclude_zero = params.boolean("line_punct_exclude_zero");
  limits.stop_chars = params.strings("stop_chars");
  limits.short_line_thr = params.number("short_line_thr");
  limits.short_line_length = params.integer("short_line_length");
  limits.char_duplicates_ratio = params.number("char_duplicates_ratio");
  limits.new_line_ratio = params.number("new_line_ratio");
  return limits;
}

class FineWebQualityNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    const FineWebLimits limits;
    return Descriptor("filters/fineweb_quality", "0.1.0")
        .summary("Drops documents that break one of FineWeb's rules for lines, with datatrove's reasons. Lines of white space alone do not count.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(words_parameter())
        .parameter(number("line_punct_thr").range(0, 1).defaults(limits.line_punct_thr).about("A smaller share of lines that end with one of `stop_chars`: line_punct_ratio."))
        .parameter(boolean("line_punct_exclude_zero").defaults(limits.line_punct_exclude_zero).about("Keep a text where no line at all ends so."))
        .parameter(strings("stop_chars").about("How a line may end. Without it: one of datatrove's 159 characters TERMINAL_PUNCTUATION, such as '.', '!', '?', '。'; no quote."))
        .parameter(number("short_line_thr").range(0, 1).defaults(limits.short_line_thr).about("A larger share of lines no longer than `short_line_length`: short_line_ratio."))
        .parameter(integer("short_line_length").unit("characters").min_value(0).defaults(limits.short_line_length).about("The longest line that is short."))
        .parameter(number("char_duplicates_ratio").range(0, 1).defaults(limits.char_duplicates_ratio).about("A larger share of characters in lines that stood earlier: char_dup_ratio."))
        .parameter(number("new_line_ratio").min_value(0).defaults(limits.new_line_ratio).about("More ends of lines for each word: list_ratio."))
        .determinism("pure")
        .source("Penedo et al. 2024, arXiv:2406.17557, section 3.6; datatrove 0.10.1, FineWebQualityFilter")
        .example("[node.lines]\nplugin = \"filters/fineweb_quality\"\nin     = \"unique\"\n");
  }

  explicit FineWebQualityNode(const Params& params) : TextFilter("fineweb_quality", params), splitter_(params.string("words")), rules_(read_limits(params)) {}

  Decision decide(const DocumentsView& documents, std::int64_t row) const override { return rules_.check(documents.text[row], splitter_); }

 private:
  WordSplitter splitter_;
  FineWebQuality rules_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::FineWebQualityNode)
