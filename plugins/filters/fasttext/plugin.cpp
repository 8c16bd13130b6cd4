// filters/fasttext: keeps documents, or parts of them, by the labels that a fastText classifier gives them.

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "filters/common/fasttext/labels.hpp"
#include "filters/common/fasttext/model_file.hpp"
#include "filters/common/text.hpp"
#include "filters/common/text_filter.hpp"
#include "text_parts.hpp"

namespace flowrun::filters {
namespace {

constexpr const char* kModelFile = "/model.bin";  // of an artifact

std::vector<Field> score_columns(const std::vector<std::string>& labels) {
  std::vector<Field> columns;
  for (const std::string& label : labels) columns.push_back(fields::float64("score." + label));
  return columns;
}

/// A label and the least probability that counts.
struct Rule {
  std::string label;
  double least;
};

struct Mean {
  double sum = 0;
  std::size_t count = 0;
};

class FastTextNode : public TextFilter {
 public:
  static Descriptor descriptor() {
    return Descriptor("filters/fasttext", "0.1.0")
        .summary("Keeps documents, or paragraphs and sentences of them, by the labels that a fastText classifier gives them, and adds probabilities of labels as columns. Decides as "
                 "datatrove does; a document of which nothing stays has the reason `fasttext`.")
        .input({"in", "documents"})
        .input(Port("model", "fasttext_model", Edge::kArtifact).optional())
        .output({"out", "documents"})
        .parameter(mode_parameter())
        .parameter(path("model_path").about("A supervised fastText model (.bin, .ftz), instead of one that filters/fasttext_trainer has made."))
        .parameter(numbers_by_key("keep_labels").about("Labels without \"__label__\", each with its least probability: what reaches one of them stays, and nothing else."))
        .parameter(numbers_by_key("remove_labels").about("The same for what goes: what reaches none of them stays."))
        .parameter(string("split").choices({"document", "paragraph", "sentence"}).defaults("document").about(
            "What is decided on by itself. Of a document in several parts those that stay go on, one behind the other; lines of a document in paragraphs end with '\\n' then."))
        .parameter(string("newline_replacement").defaults("").about("What stands for a new line inside a part. \"\" is datatrove's, and joins the words around it; \" \" is what "
                                                                    "filters/fasttext_trainer trains with."))
        .parameter(strings("scores").about("Labels whose probability becomes a column, `score.` and the label (float64): the mean of the parts."))
        .exactly_one_of({"model", "model_path"})
        .at_most_one_of({"keep_labels", "remove_labels"})
        .determinism("pure")
        .source("Joulin et al. 2016, arXiv:1607.01759; fastText 0.9.2; datatrove 0.10.1, FastTextClassifierFilter")
        .example("[node.clean]\nplugin = \"filters/fasttext\"\nin     = \"unique\"\nmodel  = \"toxicity\"                 # a filters/fasttext_trainer\nremove_labels = { toxic = 0.8 }\n"
                 "newline_replacement = \" \"\nscores = [\"toxic\"]\n");
  }

  explicit FastTextNode(const Params& params)
      : TextFilter("fasttext", params, score_columns(params.strings("scores"))),
        split_(params.string("split")),
        newline_(params.string("newline_replacement")),
        scores_(params.strings("scores")) {
    if (const auto files = params.files("model_path"); !files.empty()) model_path_ = files[0].path;
    keeps_ = !params.numbers_by_key("keep_labels").empty();
    for (const auto& [label, least] : params.numbers_by_key(keeps_ ? "keep_labels" : "remove_labels")) {
      if (!(least > 0 && least <= 1)) throw Error(Code::kInvalidArgument, "the probability of label '" + label + "' is " + json::number(least) + ", expected above 0 and at most 1");
      rules_.push_back({label, least});
    }
    if (split_ == "sentence") english_.emplace();
  }

  void open(Open& open) override {
    TextFilter::open(open);
    if (const std::string folder = open.artifact("model"); !folder.empty()) model_path_ = folder + kModelFile;
    model_ = std::make_unique<const fasttext::Model>(fasttext::read_model(model_path_));
    for (const Rule& rule : rules_) labels_.push_back(fasttext::require_label(*model_, rule.label, keeps_ ? "keep_labels" : "remove_labels"));
    for (const std::string& label : scores_) labels_.push_back(fasttext::require_label(*model_, label, "scores"));
  }

  Decision decide(const DocumentsView& documents, std::int64_t row) const override {
    const std::string_view text = documents.text[row];
    Decision decision;
    std::vector<Mean> means(scores_.size());
    std::string kept;
    std::size_t parts = 0;
    std::optional<Verdict> last;
    for (const std::string& part : parts_of(text)) {
      const auto probabilities = ask(part, means);
      ++parts;
      if (const auto verdict = judge(probabilities)) last = verdict;
      else kept += part;
    }
    for (const Mean& mean : means) decision.values.emplace_back(mean.count == 0 ? 0.0 : mean.sum / static_cast<double>(mean.count));
    if (strip(kept, classes_).empty()) decision.verdict = parts == 1 && last ? *last : Verdict{"fasttext"};
    else if (kept != text) decision.text = std::move(kept);
    return decision;
  }

 private:
  std::vector<std::string> parts_of(std::string_view text) const {
    if (split_ == "paragraph") return paragraphs_of(text, classes_);
    if (split_ == "document") return {std::string(text)};
    const std::vector<std::string_view> sentences = english_->split_sentences(text);
    return {sentences.begin(), sentences.end()};
  }

  /// Returns the probabilities of the labels of rules, none where the part has nothing that the model knows; adds those of scores to their means, where
  /// the model gives one: a hierarchical softmax leaves out what is below 1e-5.
  std::vector<float> ask(std::string_view part, std::vector<Mean>& means) const {
    std::string line;
    for (const char c : strip(part, classes_)) c == '\n' ? line += newline_ : line += c;
    auto answer = model_->ask(line, labels_);
    if (!answer) return {};
    for (std::size_t i = 0; i < means.size(); ++i)
      if (const float probability = answer->probabilities[rules_.size() + i]; probability > 0) {
        means[i].sum += probability;
        ++means[i].count;
      }
    answer->probabilities.resize(rules_.size());
    return answer->probabilities;
  }

  /// Says why a part goes: with the label that is nearest to what it should have reached, or that has reached what it should not.
  std::optional<Verdict> judge(const std::vector<float>& probabilities) const {
    if (rules_.empty()) return std::nullopt;
    std::optional<Verdict> nearest;
    double margin = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < probabilities.size(); ++i)
      if (const double found = probabilities[i]; found - rules_[i].least > margin) {
        margin = found - rules_[i].least;
        nearest = Verdict{"fasttext", found, rules_[i].least};
      }
    const bool reached = margin >= 0;
    if (reached == keeps_) return std::nullopt;
    return nearest.value_or(Verdict{"fasttext"});
  }

  std::string model_path_, split_, newline_;
  std::vector<std::string> scores_;
  bool keeps_;
  std::vector<Rule> rules_;
  std::unique_ptr<const fasttext::Model> model_;
  std::vector<std::uint32_t> labels_;  ///< of the rules, then of the scores
  std::optional<EnglishWords> english_;
  CodePointClasses classes_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::FastTextNode)
