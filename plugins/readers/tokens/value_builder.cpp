#include "value_builder.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace flowrun::readers {
namespace {

bool is_list(const Field& field) noexcept { return field.format == "+l" && field.children.size() == 1; }
bool is_text(const Field& field) noexcept { return field.format == "u" || field.format == "z"; }
bool is_boolean(const Field& field) noexcept { return field.format == "b"; }

std::size_t bitmap_bytes(std::int64_t rows) noexcept { return static_cast<std::size_t>((rows + 7) / 8); }

}  // namespace

ValueBuilder::ValueBuilder(const Field& field) : field_(field) {
  if (is_list(field)) items_.emplace_back(field.children[0]);
  else if (!is_text(field) && !is_boolean(field) && (field.format.size() != 1 || detail::bit_width(field.format[0]) == 0))
    throw Error(Code::kUnsupported, "column '" + field.name + "' has Arrow format '" + field.format + "', expected text, bytes, booleans, numbers, or lists of those");
}

void ValueBuilder::append(std::string_view value) {
  add_row(true);
  if (is_boolean(field_)) {
    data_.resize(bitmap_bytes(rows_));
    if (value[0] != 0) detail::set_bit(data_, rows_ - 1);
    return;
  }
  data_.insert(data_.end(), value.begin(), value.end());
  if (is_text(field_)) end_run(data_.size());
}

void ValueBuilder::append_null() {
  add_row(false);
  if (is_list(field_) || is_text(field_)) offsets_.push_back(offsets_.back());
  else data_.resize(is_boolean(field_) ? bitmap_bytes(rows_) : data_.size() + static_cast<std::size_t>(detail::bit_width(field_.format[0])) / 8);
}

void ValueBuilder::end_list() {
  add_row(true);
  end_run(static_cast<std::size_t>(items_.front().rows_));
}

void ValueBuilder::add_row(bool is_valid) {
  if (valid_.size() * 8 <= static_cast<std::size_t>(rows_)) valid_.push_back(0);
  if (is_valid) detail::set_bit(valid_, rows_);
  else ++null_count_;
  ++rows_;
}

void ValueBuilder::end_run(std::size_t end) {
  if (end > static_cast<std::size_t>(INT32_MAX)) throw Error(Code::kUnsupported, "more than 2^31 bytes or items of column '" + field_.name + "' in one batch");
  offsets_.push_back(static_cast<std::int32_t>(end));
}

OwnedArray ValueBuilder::finish() {
  auto holder = std::make_unique<detail::ArrayHolder>();
  std::int64_t n_buffers = 2;
  if (null_count_ > 0) {
    holder->buffers[2] = std::move(valid_);
    holder->pointers[0] = holder->buffers[2].data();
  }
  if (is_list(field_) || is_text(field_)) {
    holder->buffers[0] = detail::to_bytes(offsets_);
    holder->pointers[1] = holder->buffers[0].data();
  }
  if (is_list(field_)) {
    holder->children.push_back(items_.front().finish());
  } else {
    holder->buffers[1] = std::move(data_);
    holder->pointers[is_text(field_) ? 2 : 1] = holder->buffers[1].data();
    n_buffers = is_text(field_) ? 3 : 2;
  }
  valid_.clear();
  data_.clear();
  offsets_.assign(1, 0);
  return detail::make_array(std::move(holder), std::exchange(rows_, 0), n_buffers, std::exchange(null_count_, 0));
}

}  // namespace flowrun::readers
