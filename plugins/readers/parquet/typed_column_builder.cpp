#include "typed_column_builder.hpp"

#include <flowrun/error.hpp>

#include <string>
#include <utility>

namespace flowrun::readers {

TypedColumnBuilder::TypedColumnBuilder(const Field& field) : kind_(field.format.at(0)) {
  if (kind_ == 'u' || kind_ == '+') offsets_.push_back(0);
  if (kind_ == '+') items_ = std::make_unique<TypedColumnBuilder>(field.children.at(0));
}

void TypedColumnBuilder::append_null() {
  if (kind_ == 'u' || kind_ == '+') offsets_.push_back(offsets_.back());
  else if (kind_ != 'b') values_.resize(values_.size() + static_cast<std::size_t>(detail::bit_width(kind_) / 8));
  else if (length_ % 8 == 0) values_.push_back(0);
  end_value(false);
}

void TypedColumnBuilder::append_text(std::string_view value) {
  values_.insert(values_.end(), value.begin(), value.end());
  end_run(values_.size());
}

void TypedColumnBuilder::append_boolean(bool value) {
  if (length_ % 8 == 0) values_.push_back(0);
  if (value) detail::set_bit(values_, length_);
  end_value(true);
}

void TypedColumnBuilder::end_list() { end_run(static_cast<std::size_t>(items_->length_)); }

void TypedColumnBuilder::end_run(std::size_t end) {
  if (end > static_cast<std::size_t>(INT32_MAX)) throw Error(Code::kUnsupported, "more than 2^31 bytes or items of one column in one batch");
  offsets_.push_back(static_cast<std::int32_t>(end));
  end_value(true);
}

void TypedColumnBuilder::end_value(bool valid) {
  if (length_ % 8 == 0) validity_.push_back(0);
  if (valid) detail::set_bit(validity_, length_);
  null_count_ += valid ? 0 : 1;
  ++length_;
}

std::int64_t TypedColumnBuilder::byte_count() const noexcept {
  return static_cast<std::int64_t>(values_.size() + offsets_.size() * sizeof(std::int32_t) + validity_.size()) + (items_ ? items_->byte_count() : 0);
}

OwnedArray TypedColumnBuilder::finish() {
  auto holder = std::make_unique<detail::ArrayHolder>();
  holder->buffers[2] = std::exchange(validity_, {});
  if (null_count_ > 0) holder->pointers[0] = holder->buffers[2].data();
  const bool has_offsets = !offsets_.empty();
  holder->buffers[0] = std::exchange(values_, {});
  if (has_offsets) {
    holder->buffers[1] = detail::to_bytes(offsets_);
    holder->pointers[1] = holder->buffers[1].data();
    offsets_.assign(1, 0);
  }
  if (kind_ != '+') holder->pointers[has_offsets ? 2 : 1] = holder->buffers[0].data();
  if (items_) holder->children.push_back(items_->finish());
  return detail::make_array(std::move(holder), std::exchange(length_, 0), kind_ == 'u' ? 3 : 2, std::exchange(null_count_, 0));
}

}  // namespace flowrun::readers
