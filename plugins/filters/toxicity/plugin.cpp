// filters/toxicity: drops documents with words of a list.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bad_words.hpp"
#include "filters/common/list_file.hpp"
#include "filters/common/text.hpp"
#include "filters/common/text_filter.hpp"

namespace flowrun::filters {
namespace {

Boundaries boundaries_of(const std::string& name) { return name == "script" ? Boundaries::kScript : name == "always" ? Boundaries::kAlways : Boundaries::kNever; }

class ToxicityNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/toxicity", "0.1.0")
        .summary("Drops documents in which a word or phrase of a list stands, in any case, as C4 does with its list of bad words and with datatrove's reason, document_removed_with_badwords. For a "
                 "classifier: filters/fasttext.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(paths("words").required().about("Lists with a word or phrase a line, such as those of LDNOOBW that C4 uses. Empty lines and those that begin with '#' do not count."))
        .parameter(strings("allowed_words").about("Words that do not count though they are on a list, in lower case."))
        .parameter(string("boundaries").choices({"script", "always", "never"}).defaults("script").about(
            "What stands around a word. \"always\": no letter, digit or '_', datatrove's rule for most languages. \"never\": anything, its rule for Japanese, Thai and Chinese. \"script\": "
            "each end by its own script, so that one list may have words of all of them."))
        .parameter(string("language").about("Look only at documents with this value in `language_column`; all others stay. For a list of one language among several."))
        .parameter(string("language_column").defaults("language").about("The column that `language` is compared with, such as filters/language adds."))
        .determinism("pure")
        .source("Raffel et al. 2020, JMLR 21, section 2.2; datatrove 0.10.1, C4BadWordsFilter with keep_fraction = 0")
        .example("[node.decent]\nplugin = \"filters/toxicity\"\nin     = \"english\"\nwords  = [\"../data/lists/en\"]\n");
  }

  explicit ToxicityNode(const Params& params)
      : TextFilter("toxicity", params),
        files_(params.files("words")),
        allowed_(params.strings("allowed_words")),
        boundaries_(boundaries_of(params.string("boundaries"))),
        language_column_(params.string("language_column")) {
    if (params.has("language")) language_ = params.string("language");
  }

  void open(Open& open) override {
    TextFilter::open(open);
    if (language_ && schema().find(language_column_) < 0) throw Error(Code::kInvalidArgument, "the input has no column '" + language_column_ + "', which 'language' is compared with");
    std::vector<std::string> words;
    for_each_entry(files_, [&](std::string_view line) {
      if (std::find(allowed_.begin(), allowed_.end(), python_lower(line)) == allowed_.end()) words.emplace_back(line);
    });
    words_ = std::make_unique<const BadWords>(words, boundaries_);
  }

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    if (language_ && documents.strings(language_column_)[row] != *language_) return {};
    if (words_->find(documents.text[row])) return std::optional(Verdict{"document_removed_with_badwords"});
    return {};
  }

 private:
  std::vector<InputFile> files_;
  std::vector<std::string> allowed_;
  Boundaries boundaries_;
  std::optional<std::string> language_;
  std::string language_column_;
  std::unique_ptr<const BadWords> words_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::ToxicityNode)
