// filters/gopher_quality: drops documents that break a quality rule of Gopher.

#include "filters/common/text_filter.hpp"
#include "filters/common/word_splitter.hpp"
#include "gopher_quality.hpp"

namespace flowrun::filters {
namespace {

GopherLimits read_limits(const Params& params) {
  GopherLimits limits;
  limits.min_doc_words = params.integer("min_doc_words");
  limits.max_doc_words = params.integer("max_doc_words");
  limits.min_avg_word_length = params.number("min_avg_word_length");
  limits.max_avg_word_length = params.number("max_avg_word_length");
  limits.max_symbol_word_ratio = params.number("max_symbol_word_ratio");
  limits.max_bullet_lines_ratio = params.number("max_bullet_lines_ratio");
  limits.max_ellipsis_lines_ratio = params.number("max_ellipsis_lines_ratio");
  limits.max_non_alpha_words_ratio = params.number("max_non_alpha_words_ratio");
  limits.min_stop_words = params.integer("min_stop_words");
  limits.stop_words = params.strings("stop_words");
  return limits;
}

class GopherQualityNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    const GopherLimits limits;
    return Descriptor("filters/gopher_quality", "0.2.0")
        .summary("Drops documents that break one of Gopher's quality rules, with datatrove's reasons; a threshold of 0 switches its rule off.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(words_parameter())
        .parameter(integer("min_doc_words").unit("words").min_value(0).defaults(limits.min_doc_words).about("Fewer words that are not all punctuation: gopher_short_doc."))
        .parameter(integer("max_doc_words").unit("words").min_value(0).defaults(limits.max_doc_words).about("More words that are not all punctuation: gopher_long_doc."))
        .parameter(number("min_avg_word_length").unit("characters").min_value(0).defaults(limits.min_avg_word_length).about(
            "A smaller mean length of those words: gopher_below_avg_threshold."))
        .parameter(number("max_avg_word_length").unit("characters").min_value(0).defaults(limits.max_avg_word_length).about(
            "A larger mean length of those words: gopher_above_avg_threshold."))
        .parameter(number("max_symbol_word_ratio").min_value(0).defaults(limits.max_symbol_word_ratio).about(
            "More '#' for each word: gopher_too_many_hashes; more ellipses for each word: gopher_too_many_ellipsis."))
        .parameter(number("max_bullet_lines_ratio").range(0, 1).defaults(limits.max_bullet_lines_ratio).about(
            "A larger share of lines that begin with '•' or '-': gopher_too_many_bullets."))
        .parameter(number("max_ellipsis_lines_ratio").range(0, 1).defaults(limits.max_ellipsis_lines_ratio).about(
            "A larger share of lines that end with an ellipsis: gopher_too_many_end_ellipsis."))
        .parameter(number("max_non_alpha_words_ratio").range(0, 1).defaults(limits.max_non_alpha_words_ratio).about(
            "A smaller share of words with a letter: gopher_below_alpha_threshold; the name is datatrove's."))
        .parameter(integer("min_stop_words").unit("words").min_value(0).defaults(limits.min_stop_words).about("Fewer different stop words: gopher_enough_stop_words."))
        .parameter(strings("stop_words").defaults(limits.stop_words).about("The stop words, compared as they stand."))
        .determinism("pure")
        .source("Rae et al. 2021, arXiv:2112.11446, appendix A.1.1; datatrove 0.10.1, GopherQualityFilter")
        .example("[node.good]\nplugin = \"filters/gopher_quality\"\nin     = \"unique\"\n");
  }

  explicit GopherQualityNode(const Params& params) : TextFilter("gopher_quality", params), splitter_(params.string("words")), rules_(read_limits(params)) {}

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    const std::string_view text = documents.text[row];
    WordList words;
    splitter_.split(text, words);
    return rules_.check(text, words.words);
  }

 private:
  WordSplitter splitter_;
  GopherQuality rules_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::GopherQualityNode)
