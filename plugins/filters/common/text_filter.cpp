#include "filters/common/text_filter.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace flowrun::filters {
namespace {

OwnedArray reason_column(const std::vector<Decision>& decisions) {
  StringBuilder reasons;
  for (const Decision& decision : decisions) reasons.append(decision.verdict ? decision.verdict->reason : "");
  return reasons.finish();
}

OwnedArray text_column(const StringColumn& texts, const std::vector<Decision>& decisions, std::span<const std::int64_t> rows) {
  StringBuilder column;
  for (const std::int64_t row : rows) {
    const auto& changed = decisions[static_cast<std::size_t>(row)].text;
    column.append(changed ? std::string_view(*changed) : texts[row]);
  }
  return column.finish();
}

template <class T>
const T& value_of(const std::vector<Decision>& decisions, std::int64_t row, std::size_t column) {
  return std::get<T>(decisions[static_cast<std::size_t>(row)].values[column]);
}

OwnedArray added_column(const Field& field, std::size_t column, const std::vector<Decision>& decisions, std::span<const std::int64_t> rows) {
  if (field.format == "u") {
    StringBuilder texts;
    for (const std::int64_t row : rows) texts.append(value_of<std::string>(decisions, row, column));
    return texts.finish();
  }
  std::vector<double> numbers;
  for (const std::int64_t row : rows) numbers.push_back(value_of<double>(decisions, row, column));
  return make_column(std::move(numbers));
}

}  // namespace

OwnedArray bool_column(const std::vector<bool>& values) {
  auto holder = std::make_unique<detail::ArrayHolder>();
  holder->buffers[0].assign((values.size() + 7) / 8, 0);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i]) detail::set_bit(holder->buffers[0], static_cast<std::int64_t>(i));
  holder->pointers[1] = holder->buffers[0].data();
  return detail::make_array(std::move(holder), static_cast<std::int64_t>(values.size()), 2);
}

Parameter mode_parameter() {
  return string("mode").choices({"drop", "score"}).defaults("drop").about(
      "\"score\": every document is kept as it is, with two more columns, named by the filter: `.keep` (bool) and `.reason` (utf8, empty for one that would be kept).");
}

TextFilter::TextFilter(std::string name, const Params& params, std::vector<Field> columns)
    : name_(std::move(name)), scores_(params.string("mode") == "score"), added_(std::move(columns)) {}

void TextFilter::open(Open& open) {
  schema_ = open.input();
  Field output = schema_;
  for (const Field& column : added_) {
    if (schema_.find(column.name) >= 0) throw Error(Code::kInvalidArgument, "the input has a column '" + column.name + "' already, which this filter would add");
    output.children.push_back(column);
  }
  if (scores_)
    for (Field column : {fields::boolean(name_ + ".keep"), fields::utf8(name_ + ".reason")}) {
      if (schema_.find(column.name) >= 0) throw Error(Code::kInvalidArgument, "the input has a column '" + column.name + "' already: this filter scores it a second time");
      output.children.push_back(std::move(column));
    }
  open.set_output(0, output);
}

void TextFilter::process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) {
  const DocumentsView documents(in, schema_);
  std::vector<Decision> decisions;
  decisions.reserve(static_cast<std::size_t>(in.length));
  for (std::int64_t row = 0; row < in.length; ++row) {
    call.check_stop();
    decisions.push_back(decide(documents, row));
  }
  (scores_ ? keep_all(call, in, decisions) : drop(call, in, decisions)).move_to(&out[0]);
}

void TextFilter::append_added(std::vector<OwnedArray>& columns, const std::vector<Decision>& decisions, std::span<const std::int64_t> rows) const {
  for (std::size_t i = 0; i < added_.size(); ++i) columns.push_back(added_column(added_[i], i, decisions, rows));
}

OwnedArray TextFilter::keep_all(const Call& call, const ArrowArray& in, const std::vector<Decision>& decisions) const {
  std::vector<OwnedArray> columns;
  for (std::int64_t i = 0; i < in.n_children; ++i) columns.push_back(borrow_column(*in.children[i], in.offset, in.length));
  std::vector<std::int64_t> all(static_cast<std::size_t>(in.length));
  std::iota(all.begin(), all.end(), 0);
  append_added(columns, decisions, all);
  if (scores_) {
    std::vector<bool> kept;
    for (const Decision& decision : decisions) kept.push_back(!decision.verdict);
    columns.push_back(bool_column(kept));
    columns.push_back(reason_column(decisions));
  }
  return make_batch(std::move(columns), in.length, std::make_shared<OwnedArray>(call.retain(in)));
}

OwnedArray TextFilter::drop(const Call& call, const ArrowArray& in, const std::vector<Decision>& decisions) const {
  std::vector<std::int64_t> kept;
  bool changed = false;
  for (std::int64_t row = 0; row < in.length; ++row) {
    const Decision& decision = decisions[static_cast<std::size_t>(row)];
    if (decision.verdict) {
      call.drop(row, decision.verdict->reason, decision.verdict->value, decision.verdict->threshold);
    } else {
      kept.push_back(row);
      changed = changed || decision.text;
    }
  }
  if (!changed && static_cast<std::int64_t>(kept.size()) == in.length) return added_.empty() ? call.retain(in) : keep_all(call, in, decisions);
  if (!changed && added_.empty()) return select_rows(in, schema_, kept);
  std::vector<OwnedArray> columns;
  for (std::size_t i = 0; i < schema_.children.size(); ++i)
    columns.push_back(schema_.children[i].name == "text" ? text_column(BatchView(in, schema_).strings("text"), decisions, kept)
                                                         : gather(*in.children[i], schema_.children[i], kept, in.offset));
  append_added(columns, decisions, kept);
  return make_batch(std::move(columns), static_cast<std::int64_t>(kept.size()));
}

}  // namespace flowrun::filters
