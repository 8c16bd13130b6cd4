// filters/c4_quality: leaves out lines, and drops documents, by C4's rules.

#include <string>
#include <utility>

#include "c4_quality.hpp"
#include "filters/common/text_filter.hpp"

namespace flowrun::filters {
namespace {

C4Rules read_rules(const Params& params) {
  C4Rules rules;
  rules.split_paragraph = params.boolean("split_paragraph");
  rules.remove_citations = params.boolean("remove_citations");
  rules.filter_no_terminal_punct = params.boolean("filter_no_terminal_punct");
  rules.min_num_sentences = params.integer("min_num_sentences");
  rules.min_words_per_line = params.integer("min_words_per_line");
  rules.max_word_length = params.integer("max_word_length");
  rules.filter_lorem_ipsum = params.boolean("filter_lorem_ipsum");
  rules.filter_javascript = params.boolean("filter_javascript");
  rules.filter_curly_bracket = params.boolean("filter_curly_bracket");
  rules.filter_policy = params.boolean("filter_policy");
  return rules;
}

class C4QualityNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    const C4Rules rules;
    return Descriptor("filters/c4_quality", "0.1.0")
        .summary(
            "Leaves out lines by C4's rules and drops documents of which too little stays, with datatrove's reasons. Texts are rewritten: lines without white space at their ends, joined "
            "by one end of line (`changed` in funnel.json).")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(boolean("split_paragraph").defaults(rules.split_paragraph).about("Lines are those of the text; false: its sentences, joined by spaces afterwards."))
        .parameter(boolean("remove_citations").defaults(rules.remove_citations).about("Take out [1], [], [edit] and [citation needed]."))
        .parameter(boolean("filter_no_terminal_punct").defaults(rules.filter_no_terminal_punct).about("Leave out lines that do not end with one of . ? ! \" ' or end with an ellipsis (...)."))
        .parameter(integer("min_num_sentences").unit("sentences").min_value(-1).defaults(rules.min_num_sentences).about(
            "Fewer in the lines that stay: too_few_sentences. Sentences are datatrove's for English, spaCy's. -1: no such rule, here and in the next two."))
        .parameter(integer("min_words_per_line").unit("words").min_value(-1).defaults(rules.min_words_per_line).about("Leave out lines with fewer words between white space, citations counted."))
        .parameter(integer("max_word_length").unit("characters").min_value(-1).defaults(rules.max_word_length).about("Leave out lines with a longer word."))
        .parameter(boolean("filter_lorem_ipsum").defaults(rules.filter_lorem_ipsum).about("Drop documents with \"lorem ipsum\" in a line that would stay: lorem_ipsum."))
        .parameter(boolean("filter_javascript").defaults(rules.filter_javascript).about("Leave out lines with \"javascript\", in any case."))
        .parameter(boolean("filter_curly_bracket").defaults(rules.filter_curly_bracket).about("Drop documents with '{' in a line that would stay: curly_bracket."))
        .parameter(boolean("filter_policy").defaults(rules.filter_policy).about("Leave out lines about cookies, privacy and terms of use, by six phrases."))
        .determinism("pure")
        .source("Raffel et al. 2020, JMLR 21, section 2.2; datatrove 0.10.1, C4QualityFilter")
        .example("[node.clean]\nplugin = \"filters/c4_quality\"\nin     = \"unique\"\nfilter_no_terminal_punct = false    # as FineWeb does\n");
  }

  explicit C4QualityNode(const Params& params) : TextFilter("c4_quality", params), rules_(read_rules(params)) {}

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    C4Quality::Result result = rules_.rewrite(documents.text[row]);
    Decision decision = result.verdict;
    if (result.text != documents.text[row]) decision.text = std::move(result.text);
    return decision;
  }

 private:
  C4Quality rules_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::C4QualityNode)
