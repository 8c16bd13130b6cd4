#include "dedupers/common/unit_deduper.hpp"

#include <utility>

#include "dedupers/common/text_units.hpp"

namespace flowrun::dedupers {

UnitDeduper::UnitDeduper(const Params& params) : url_column_(params.string("url_column")), min_bytes_(static_cast<std::size_t>(params.integer("min_bytes"))) {
  const std::string by = params.string("by");
  by_ = by == "url" ? By::kUrl : by == "paragraph" ? By::kParagraph : by == "line" ? By::kLine : by == "sentences" ? By::kSentences : By::kDocument;
  if (by_ == By::kSentences) sentences_.emplace(SentenceRules{params.integer("n_sentences"), params.integer("min_doc_words"), params.integer("min_num_sentences")});
}

Descriptor& UnitDeduper::add_parameters(Descriptor& descriptor) {
  const SentenceRules rules;
  return descriptor
      .parameter(string("by").choices({"document", "url", "paragraph", "line", "sentences"}).defaults("document").about(
          "What is compared. \"document\": whole texts, byte for byte. \"url\": the column `url_column`; documents without one stay. \"paragraph\" and \"line\": the parts of texts "
          "between blank lines and ends of lines, without white space around them; those seen before are left out, and a text without any other is dropped as only_duplicates. "
          "\"sentences\": every span of `n_sentences`, as datatrove's sentence deduplication for English does."))
      .parameter(string("url_column").defaults("url").about("With by = \"url\": the column of text to compare; another one than `url` will do."))
      .parameter(integer("min_bytes").unit("bytes").min_value(1).defaults(1).about("With by = \"paragraph\" or \"line\": shorter ones always stay."))
      .parameter(integer("n_sentences").min_value(1).max_value(1000).defaults(rules.n_sentences).about("With by = \"sentences\": how many sentences a span has."))
      .parameter(integer("min_doc_words").unit("words").min_value(0).defaults(rules.min_doc_words).about(
          "With by = \"sentences\": a text that has lost some and has fewer words left is dropped as too_few_words."))
      .parameter(integer("min_num_sentences").unit("sentences").min_value(0).defaults(rules.min_num_sentences).about("The same for sentences: too_few_sentences."));
}

void UnitDeduper::open(Open& open) {
  schema_ = open.input();
  const int column = schema_.find(url_column_);
  if (by_ == By::kUrl && (column < 0 || schema_.children[static_cast<std::size_t>(column)].format != "u"))
    throw Error(Code::kInvalidArgument, "by = \"url\" needs a column of text '" + url_column_ + "' (`url_column`), which the input does not have; readers/warc and readers/wet give `url`");
  open.set_output(0, schema_);
}

void UnitDeduper::process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray> out) {
  const BatchView batch(in, schema_);
  const StringColumn texts = batch.strings("text");
  const StringColumn urls = by_ == By::kUrl ? batch.strings(url_column_.c_str()) : texts;
  std::vector<Outcome> outcomes;
  outcomes.reserve(static_cast<std::size_t>(in.length));
  for (std::int64_t row = 0; row < in.length; ++row) {
    call.check_stop();
    outcomes.push_back(look_at(texts[row], urls[row]));
  }
  go_on(call, in, outcomes).move_to(&out[0]);
}

UnitDeduper::Outcome UnitDeduper::look_at(std::string_view text, std::string_view url) {
  switch (by_) {
    case By::kDocument: return is_new(text) ? Outcome{} : Outcome{.reason = "duplicate"};
    case By::kUrl: return url.empty() || is_new(url) ? Outcome{} : Outcome{.reason = "duplicate_url"};
    case By::kSentences: return look_at_sentences(text);
    case By::kParagraph: case By::kLine: break;
  }
  return look_at_units(text);
}

UnitDeduper::Outcome UnitDeduper::look_at_units(std::string_view text) {
  const TextUnits units(text, by_ == By::kLine ? UnitKind::kLine : UnitKind::kParagraph);
  std::vector<bool> removed(units.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < units.size(); ++i)
    if (units[i].size() >= min_bytes_ && !is_new(units[i])) {
      removed[i] = true;
      ++count;
    }
  if (count == 0) return {};
  if (count == units.size()) return {.reason = "only_duplicates", .value = static_cast<double>(count)};
  return {.text = units.without(removed)};
}

UnitDeduper::Outcome UnitDeduper::look_at_sentences(std::string_view text) {
  auto result = sentences_->deduplicate(text, [this](std::string_view span) { return is_new(span); });
  if (result.threshold > 0) return {result.reason, static_cast<double>(result.value), static_cast<double>(result.threshold), {}};
  return {.reason = result.reason, .text = std::move(result.text)};
}

OwnedArray UnitDeduper::go_on(const Call& call, const ArrowArray& in, const std::vector<Outcome>& outcomes) const {
  std::vector<std::int64_t> kept;
  bool changed = false;
  for (std::int64_t row = 0; row < in.length; ++row) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(row)];
    if (outcome.reason != nullptr) {
      call.drop(row, outcome.reason, outcome.value, outcome.threshold);
    } else {
      kept.push_back(row);
      changed = changed || outcome.text;
    }
  }
  if (!changed) return static_cast<std::int64_t>(kept.size()) == in.length ? call.retain(in) : select_rows(in, schema_, kept);
  const StringColumn texts = BatchView(in, schema_).strings("text");
  std::vector<OwnedArray> columns;
  for (std::size_t i = 0; i < schema_.children.size(); ++i) {
    if (schema_.children[i].name != "text") {
      columns.push_back(gather(*in.children[i], schema_.children[i], kept, in.offset));
      continue;
    }
    StringBuilder builder;
    for (const std::int64_t row : kept) {
      const auto& text = outcomes[static_cast<std::size_t>(row)].text;
      builder.append(text ? std::string_view(*text) : texts[row]);
    }
    columns.push_back(builder.finish());
  }
  return make_batch(std::move(columns), static_cast<std::int64_t>(kept.size()));
}

}  // namespace flowrun::dedupers
