// filters/decontaminate: finds documents that have n-grams of evaluation sets.

#include <flowrun/node.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "evaluation_items.hpp"
#include "filters/common/text_filter.hpp"
#include "ngram_index.hpp"

namespace flowrun::filters {
namespace {

constexpr const char* kReason = "contaminated";

NgramRules read_rules(const Params& params) { return {params.integer("n_grams"), params.boolean("find_query_ngrams"), params.boolean("find_overlap_ngrams")}; }

class Decontaminate : public Map {
 public:
  static Descriptor descriptor() {
    const NgramRules rules;
    const ItemKeys keys;
    return Descriptor("filters/decontaminate", "0.1.0")
        .summary("Finds documents that have a run of words of an evaluation set, drops them or parts them from the others, and says which item it was.")
        .input({"in", "documents"})
        .output({"out", "documents"})
        .output(Port("contaminated", "documents").columns({"decontaminate.set", "decontaminate.item", "decontaminate.ngram"}))
        .parameter(paths("evaluation_sets").required().about("JSON Lines with an item a line: a question and its right answers."))
        .parameter(string("mode").choices({"drop", "split", "score"}).defaults("drop").about(
            "\"drop\": contaminated documents are dropped. \"split\": they leave by the output `contaminated` with three more columns, a report once it is written: "
            "`decontaminate.set` (utf8, the file), `.item` (int64, its record from 0) and `.ngram` (utf8, the first that matched). \"score\": all documents leave by `out`, with these columns and "
            "`decontaminate.keep` (bool) and `.reason` (utf8); in those without a match texts are empty and `.item` is -1."))
        .parameter(integer("n_grams").unit("words").min_value(1).max_value(1000).defaults(rules.n_grams).about("How long a run of words is. Shorter answers and questions are not looked for."))
        .parameter(boolean("find_query_ngrams").defaults(rules.find_query_ngrams).about("Also runs of the question alone."))
        .parameter(boolean("find_overlap_ngrams").defaults(rules.find_overlap_ngrams).about("Also runs that begin in the question and end in the answer."))
        .parameter(string("query_field").defaults(keys.query.c_str()).about("Key of the question; an item may have none."))
        .parameter(string("label_field").defaults(keys.label.c_str()).about("Key of the right answer, or of a list of them."))
        .parameter(string("choices_field").defaults(keys.choices.c_str()).about("Where there is no `label_field`: key of the list of answers,"))
        .parameter(string("gold_field").defaults(keys.gold.c_str()).about("and of the place of the right one from 0, or of a list of places."))
        .determinism("pure")
        .source("Brown et al. 2020, arXiv:2005.14165, appendix C; datatrove 0.10.1, NGramsDecontIndexer and NGramsDecontFilter")
        .example(
            "[node.clean]\nplugin = \"filters/decontaminate\"\nin     = \"good\"\nmode   = \"split\"              # clean.out goes on, clean.contaminated is the report\n"
            "evaluation_sets = [\"eval/*.jsonl\"]\n");
  }

  explicit Decontaminate(const Params& params) : mode_(params.string("mode")), index_(read_rules(params)) {
    const ItemKeys keys{params.string("query_field"), params.string("label_field"), params.string("choices_field"), params.string("gold_field")};
    std::int64_t items = 0;
    for (const InputFile& file : params.files("evaluation_sets")) {
      const auto set = static_cast<std::uint32_t>(sets_.size());
      sets_.push_back(file.display);
      read_evaluation_items(file.path, file.display, keys, [&](const EvaluationItem& item) {
        for (const std::string& label : item.labels) index_.add({set, item.record}, label, item.query);
        ++items;
      });
    }
    if (index_.size() == 0)
      throw Error(Code::kInvalidArgument, "the evaluation sets have " + std::to_string(items) + " items, but none of 'n_grams' = " + std::to_string(params.integer("n_grams")) + " words: lower 'n_grams'");
  }

  void open(Open& open) override {
    schema_ = open.input();
    Field matched = schema_;
    for (const Field& column : {fields::utf8("decontaminate.set"), fields::int64("decontaminate.item"), fields::utf8("decontaminate.ngram")}) add_column(matched, column);
    Field scored = matched;
    for (const Field& column : {fields::boolean("decontaminate.keep"), fields::utf8("decontaminate.reason")}) add_column(scored, column);
    open.set_output(0, mode_ == "score" ? scored : schema_);
    open.set_output(1, matched);
  }

  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const StringColumn texts = BatchView(in, schema_).strings("text");
    std::vector<std::optional<Contamination>> found;
    std::vector<std::int64_t> clean, contaminated;
    for (std::int64_t row = 0; row < in.length; ++row) {
      call.check_stop();
      found.push_back(index_.find(texts[row]));
      (found.back() ? contaminated : clean).push_back(row);
    }
    if (mode_ == "score") return score(call, in, found).move_to(&out[0]);
    (contaminated.empty() ? call.retain(in) : select_rows(in, schema_, clean)).move_to(&out[0]);
    if (mode_ == "split") return report(in, found, contaminated).move_to(&out[1]);
    for (const std::int64_t row : contaminated) call.drop(row, kReason);
  }

 private:
  static void add_column(Field& schema, const Field& column) {
    if (schema.find(column.name) >= 0) throw Error(Code::kInvalidArgument, "the input has a column '" + column.name + "' already: it has gone through such a filter");
    schema.children.push_back(column);
  }

  /// Appends what was found in these rows as three columns.
  void append_matches(const std::vector<std::optional<Contamination>>& found, std::span<const std::int64_t> rows, std::vector<OwnedArray>& columns) const {
    StringBuilder sets, ngrams;
    std::vector<std::int64_t> items;
    for (const std::int64_t row : rows) {
      const auto& match = found[static_cast<std::size_t>(row)];
      sets.append(match ? std::string_view(sets_[match->origin.set]) : "");
      items.push_back(match ? match->origin.record : -1);
      ngrams.append(match ? std::string_view(match->ngram) : "");
    }
    columns.push_back(sets.finish());
    columns.push_back(make_column(items));
    columns.push_back(ngrams.finish());
  }

  OwnedArray report(const ArrowArray& in, const std::vector<std::optional<Contamination>>& found, const std::vector<std::int64_t>& rows) const {
    std::vector<OwnedArray> columns;
    for (std::size_t i = 0; i < schema_.children.size(); ++i) columns.push_back(gather(*in.children[i], schema_.children[i], rows, in.offset));
    append_matches(found, rows, columns);
    return make_batch(std::move(columns), static_cast<std::int64_t>(rows.size()));
  }

  OwnedArray score(const Call& call, const ArrowArray& in, const std::vector<std::optional<Contamination>>& found) const {
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
    std::vector<std::int64_t> rows;
    std::vector<bool> kept;
    StringBuilder reasons;
    for (std::int64_t row = 0; row < in.length; ++row) {
      const bool clean = !found[static_cast<std::size_t>(row)].has_value();
      rows.push_back(row);
      kept.push_back(clean);
      reasons.append(clean ? "" : kReason);
    }
    append_matches(found, rows, columns);
    columns.push_back(bool_column(kept));
    columns.push_back(reasons.finish());
    return make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(call.retain(in)));
  }

  const std::string mode_;
  std::vector<std::string> sets_;
  NgramIndex index_;
  Field schema_;
};

}  // namespace
}  // namespace flowrun::filters

FLOWRUN_PLUGIN(flowrun::filters::Decontaminate)
