// filters/language: keeps documents of some languages, as a fastText model sees them.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "filters/common/fasttext/labels.hpp"
#include "filters/common/fasttext/model_file.hpp"
#include "filters/common/text_filter.hpp"

namespace flowrun::filters {
namespace {

class LanguageNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/language", "0.1.0")
        .summary("Keeps documents that a fastText model finds to be in one of some languages, and adds the most probable language and its probability as columns. Decides as datatrove "
                 "does; a document that goes has the reason `language`.")
        .input({"in", "documents"})
        .output(Port("out", "documents").columns({"language", "score.language"}))
        .parameter(mode_parameter())
        .parameter(path("model_path").required().about("The model: lid.176.bin or lid.176.ftz of fasttext.cc, or another supervised fastText model whose labels are languages."))
        .parameter(strings("languages").about("Labels of the model, such as \"en\". A document stays if one of them has a probability above `threshold`, be it the best or not. Without it: "
                                              "any language."))
        .parameter(number("threshold").range(0, 1).defaults(0.65).about("A document stays if the probability is greater."))
        .determinism("pure")
        .source("Joulin et al. 2016, arXiv:1607.01759; fastText 0.9.2; datatrove 0.10.1, LanguageFilter")
        .example("[node.english]\nplugin = \"filters/language\"\nin     = \"unique\"\nmodel_path = \"../data/models/lid.176.ftz\"\nlanguages  = [\"en\"]\n");
  }

  explicit LanguageNode(const Params& params)
      : TextFilter("language", params, {fields::utf8("language"), fields::float64("score.language")}),
        model_path_(params.files("model_path").at(0).path),
        languages_(params.strings("languages")),
        threshold_(params.number("threshold")) {}

  void open(Open& open) override {
    TextFilter::open(open);
    model_ = std::make_unique<const fasttext::Model>(fasttext::read_model(model_path_));
    for (const std::string& language : languages_) labels_.push_back(fasttext::require_label(*model_, language, "languages"));
  }

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    const auto answer = model_->ask(documents.text[row], labels_);
    Decision decision;
    if (!answer) {
      decision.verdict = Verdict{"language", 0, threshold_};
      decision.values = {std::string(), 0.0};
      return decision;
    }
    const double best = answer->best.probability;
    const double asked = labels_.empty() ? best : *std::max_element(answer->probabilities.begin(), answer->probabilities.end());
    if (!(asked > threshold_)) decision.verdict = Verdict{"language", asked, threshold_};
    decision.values = {std::string(model_->label(answer->best.label)), best};
    return decision;
  }

 private:
  std::string model_path_;
  std::vector<std::string> languages_;
  double threshold_;
  std::unique_ptr<const fasttext::Model> model_;
  std::vector<std::uint32_t> labels_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::LanguageNode)
