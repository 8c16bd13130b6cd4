// filters/gopher_repetition: drops documents that repeat themselves more than Gopher's rules allow.

#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "filters/common/text_filter.hpp"
#include "filters/common/word_splitter.hpp"
#include "gopher_repetition.hpp"

namespace flowrun::filters {
namespace {

/// Reads { 5 = 0.15, 6 = 0.14 }.
std::map<int, double> read_n_grams(const Params& params, const char* name) {
  std::map<int, double> thresholds;
  for (const auto& [key, threshold] : params.numbers_by_key(name)) {
    int n = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), n);
    if (error != std::errc() || end != key.data() + key.size() || n < 1 || n > 1000)
      throw Error(Code::kInvalidArgument, "'" + std::string(name) + "' has the key '" + key + "', expected a number of words from 1 to 1000");
    if (!(threshold >= 0)) throw Error(Code::kInvalidArgument, "'" + std::string(name) + "' gives " + key + " words the threshold " + std::to_string(threshold) + ", expected at least 0");
    thresholds[n] = threshold;
  }
  return thresholds;
}

RepetitionLimits read_limits(const Params& params) {
  RepetitionLimits limits;
  limits.dup_line_frac = params.number("dup_line_frac");
  limits.dup_para_frac = params.number("dup_para_frac");
  limits.dup_line_char_frac = params.number("dup_line_char_frac");
  limits.dup_para_char_frac = params.number("dup_para_char_frac");
  if (params.has("top_n_grams")) limits.top_n_grams = read_n_grams(params, "top_n_grams");
  if (params.has("dup_n_grams")) limits.dup_n_grams = read_n_grams(params, "dup_n_grams");
  return limits;
}

class GopherRepetitionNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    const RepetitionLimits limits;
    const auto share = [](const char* name, double threshold, const char* about) { return number(name).range(0, 1).defaults(threshold).about(about); };
    return Descriptor("filters/gopher_repetition", "0.1.0")
        .summary("Drops documents that repeat lines, paragraphs or runs of words more than Gopher's rules allow, with datatrove's reasons.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(words_parameter())
        .parameter(share("dup_para_frac", limits.dup_para_frac, "A larger share of paragraphs that stood earlier in the text: dup_para_frac. 0: no such rule, here and in the next three."))
        .parameter(share("dup_para_char_frac", limits.dup_para_char_frac, "A larger share of the text's characters in such paragraphs: dup_para_char_frac."))
        .parameter(share("dup_line_frac", limits.dup_line_frac, "A larger share of lines that stood earlier in the text: dup_line_frac."))
        .parameter(share("dup_line_char_frac", limits.dup_line_char_frac, "A larger share of the text's characters in such lines: dup_line_char_frac."))
        .parameter(numbers_by_key("top_n_grams").about("By number of words n: a larger share of the text's characters in its most frequent n-gram is top_<n>_gram. Without it "
                                                       "{ 2 = 0.2, 3 = 0.18, 4 = 0.16 }; rules are applied from the smallest n up."))
        .parameter(numbers_by_key("dup_n_grams").about("By number of words n: a larger share of the text's characters in n-grams that stood earlier is duplicated_<n>_n_grams. Without it "
                                                       "{ 5 = 0.15, 6 = 0.14, 7 = 0.13, 8 = 0.12, 9 = 0.11, 10 = 0.1 }."))
        .determinism("pure")
        .threads("Any number of calls at once; each takes about 60 bytes for each word of a document.")
        .source("Rae et al. 2021, arXiv:2112.11446, table A1; datatrove 0.10.1, GopherRepetitionFilter")
        .example("[node.varied]\nplugin = \"filters/gopher_repetition\"\nin     = \"unique\"\ndup_n_grams = { 5 = 0.15, 10 = 0.1 }\n");
  }

  explicit GopherRepetitionNode(const Params& params) : TextFilter("gopher_repetition", params), splitter_(params.string("words")), rules_(read_limits(params)) {}

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    const std::string_view text = documents.text[row];
    if (const auto verdict = rules_.check_lines(text)) return verdict;
    WordList words;
    splitter_.split(text, words);
    return rules_.check_n_grams(text, words.words);
  }

 private:
  WordSplitter splitter_;
  GopherRepetition rules_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::GopherRepetitionNode)
