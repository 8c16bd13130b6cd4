#pragma once

// What travels on stream edges: Arrow struct arrays. Views read borrowed batches, builders make new ones, `select_rows` gathers.
//
// A `documents` batch has the utf8 columns id, text, domain, source; a `tokens` batch has id (utf8), domain (utf8), bytes (int64, of the
// text) and input_ids (list<uint32>). Nodes may add columns and keep those that they do not know.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "abi.h"
#include "error.hpp"

namespace flowrun {

/// Describes a column, or (format "+s") a whole batch. Formats are those of the Arrow C Data Interface: "u" utf8, "L" uint64, ...
struct Field {
  std::string name;
  std::string format;
  bool nullable = false;
  std::vector<Field> children;

  /// Returns the index of the child of that name, or -1.
  int find(std::string_view child) const noexcept {
    for (std::size_t i = 0; i < children.size(); ++i)
      if (children[i].name == child) return static_cast<int>(i);
    return -1;
  }
  bool operator==(const Field&) const = default;
};

namespace fields {
inline Field utf8(std::string name) { return {std::move(name), "u", false, {}}; }
inline Field boolean(std::string name) { return {std::move(name), "b", false, {}}; }
inline Field int64(std::string name) { return {std::move(name), "l", false, {}}; }
inline Field uint32(std::string name) { return {std::move(name), "I", false, {}}; }
inline Field float64(std::string name) { return {std::move(name), "g", false, {}}; }
inline Field list_uint32(std::string name) { return {std::move(name), "+l", false, {uint32("item")}}; }
inline Field batch(std::vector<Field> columns) { return {"", "+s", false, std::move(columns)}; }
inline Field documents() { return batch({utf8("id"), utf8("text"), utf8("domain"), utf8("source")}); }
inline Field tokens() { return batch({utf8("id"), utf8("domain"), int64("bytes"), list_uint32("input_ids")}); }
}  // namespace fields

/// Copies an Arrow schema into a Field. Throws kUnsupported for dictionaries.
inline Field import_schema(const ArrowSchema& schema) {
  if (schema.dictionary != nullptr) throw Error(Code::kUnsupported, "dictionary-encoded column '" + std::string(schema.name ? schema.name : "") + "'");
  Field field{schema.name ? schema.name : "", schema.format, (schema.flags & ARROW_FLAG_NULLABLE) != 0, {}};
  for (std::int64_t i = 0; i < schema.n_children; ++i) field.children.push_back(import_schema(*schema.children[i]));
  return field;
}

/// Writes `field` into an unset Arrow schema, which then owns copies of all strings.
inline void export_schema(const Field& field, ArrowSchema* out) {
  struct Holder {
    std::string name, format;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
  };
  auto holder = std::make_unique<Holder>();
  holder->name = field.name;
  holder->format = field.format;
  holder->children.resize(field.children.size());
  for (std::size_t i = 0; i < field.children.size(); ++i) {
    export_schema(field.children[i], &holder->children[i]);
    holder->pointers.push_back(&holder->children[i]);
  }
  *out = ArrowSchema{};
  out->format = holder->format.c_str();
  out->name = holder->name.c_str();
  out->flags = field.nullable ? ARROW_FLAG_NULLABLE : 0;
  out->n_children = static_cast<std::int64_t>(holder->pointers.size());
  out->children = holder->pointers.data();
  out->release = [](ArrowSchema* schema) {
    auto* owned = static_cast<Holder*>(schema->private_data);
    for (auto& child : owned->children)
      if (child.release) child.release(&child);
    delete owned;
    schema->release = nullptr;
  };
  out->private_data = holder.release();
}

/// Owns an ArrowArray: releases it exactly once. Move-only.
class OwnedArray {
 public:
  OwnedArray() noexcept : array_{} {}
  /// Takes over `array` by moving its bytes, as the C Data Interface prescribes.
  explicit OwnedArray(ArrowArray&& array) noexcept : array_(array) { array.release = nullptr; }
  OwnedArray(OwnedArray&& other) noexcept : array_(other.array_) { other.array_.release = nullptr; }
  OwnedArray& operator=(OwnedArray&& other) noexcept {
    if (this != &other) {
      reset();
      array_ = other.array_;
      other.array_.release = nullptr;
    }
    return *this;
  }
  ~OwnedArray() { reset(); }

  void reset() noexcept {
    if (array_.release) array_.release(&array_);
    array_.release = nullptr;
  }
  /// Hands the array over: `*out` becomes the owner.
  void move_to(ArrowArray* out) noexcept {
    *out = array_;
    array_.release = nullptr;
  }
  explicit operator bool() const noexcept { return array_.release != nullptr; }
  const ArrowArray& get() const noexcept { return array_; }
  ArrowArray* address() noexcept { return &array_; }

 private:
  ArrowArray array_;
};

namespace detail {

/// Storage behind an array that was built here: up to three buffers, children, and whatever else must live as long.
struct ArrayHolder {
  std::vector<std::uint8_t> buffers[3];
  const void* pointers[3] = {nullptr, nullptr, nullptr};
  std::vector<OwnedArray> children;
  std::vector<ArrowArray*> child_pointers;
  std::shared_ptr<void> kept;
};

inline void release_holder(ArrowArray* array) {
  delete static_cast<ArrayHolder*>(array->private_data);
  array->release = nullptr;
}

inline OwnedArray make_array(std::unique_ptr<ArrayHolder> holder, std::int64_t length, std::int64_t n_buffers, std::int64_t null_count = 0) {
  for (auto& child : holder->children) holder->child_pointers.push_back(child.address());
  ArrowArray array{};
  array.length = length;
  array.null_count = null_count;
  array.n_buffers = n_buffers;
  array.buffers = holder->pointers;
  array.n_children = static_cast<std::int64_t>(holder->child_pointers.size());
  array.children = holder->child_pointers.data();
  array.release = release_holder;
  array.private_data = holder.release();
  return OwnedArray(std::move(array));
}

template <class T>
std::vector<std::uint8_t> to_bytes(const std::vector<T>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline std::int64_t bit_width(char format) noexcept {
  switch (format) {
    case 'c': case 'C': return 8;
    case 's': case 'S': case 'e': return 16;
    case 'i': case 'I': case 'f': return 32;
    case 'l': case 'L': case 'g': return 64;
    default: return 0;
  }
}

inline bool bit(const void* bitmap, std::int64_t index) noexcept {
  return (static_cast<const std::uint8_t*>(bitmap)[index >> 3] >> (index & 7)) & 1;
}

inline void set_bit(std::vector<std::uint8_t>& bitmap, std::int64_t index) noexcept {
  bitmap[static_cast<std::size_t>(index >> 3)] = static_cast<std::uint8_t>(bitmap[static_cast<std::size_t>(index >> 3)] | (1u << (index & 7)));
}

}  // namespace detail

/// Appends strings to a utf8 column. Throws kUnsupported above 2 GiB in one batch.
class StringBuilder {
 public:
  void append(std::string_view value) {
    if (data_.size() + value.size() > static_cast<std::size_t>(INT32_MAX)) throw Error(Code::kUnsupported, "more than 2 GiB of text in one batch");
    data_.insert(data_.end(), value.begin(), value.end());
    offsets_.push_back(static_cast<std::int32_t>(data_.size()));
  }
  /// Makes room for `bytes` of text.
  void reserve(std::int64_t bytes) { data_.reserve(static_cast<std::size_t>(bytes)); }
  std::int64_t length() const noexcept { return static_cast<std::int64_t>(offsets_.size()) - 1; }
  std::int64_t byte_count() const noexcept { return static_cast<std::int64_t>(data_.size()); }
  /// Gives the column and starts anew.
  OwnedArray finish() {
    auto holder = std::make_unique<detail::ArrayHolder>();
    const std::int64_t rows = length();
    holder->buffers[0] = detail::to_bytes(offsets_);
    holder->buffers[1] = std::move(data_);
    holder->pointers[1] = holder->buffers[0].data();
    holder->pointers[2] = holder->buffers[1].data();
    offsets_.assign(1, 0);
    data_.clear();
    return detail::make_array(std::move(holder), rows, 3);
  }

 private:
  std::vector<std::int32_t> offsets_{0};
  std::vector<std::uint8_t> data_;
};

/// Makes a column of fixed width (format of T: see Field) that keeps `values`: nothing is copied where they are moved in.
template <class T>
OwnedArray make_column(std::vector<T> values) {
  auto holder = std::make_unique<detail::ArrayHolder>();
  const auto kept = std::make_shared<std::vector<T>>(std::move(values));
  holder->pointers[1] = kept->data();
  holder->kept = kept;
  return detail::make_array(std::move(holder), static_cast<std::int64_t>(kept->size()), 2);
}

/// Appends lists of uint32.
class ListBuilder {
 public:
  /// Returns the values to append to; `end_row` closes the row.
  std::vector<std::uint32_t>& values() noexcept { return values_; }
  /// Makes room for `count` values.
  void reserve(std::size_t count) { values_.reserve(count); }
  void end_row() {
    if (values_.size() > static_cast<std::size_t>(INT32_MAX)) throw Error(Code::kUnsupported, "more than 2^31 tokens in one batch");
    offsets_.push_back(static_cast<std::int32_t>(values_.size()));
  }
  void append(std::span<const std::uint32_t> row) {
    values_.insert(values_.end(), row.begin(), row.end());
    end_row();
  }
  std::int64_t length() const noexcept { return static_cast<std::int64_t>(offsets_.size()) - 1; }
  OwnedArray finish() {
    auto holder = std::make_unique<detail::ArrayHolder>();
    const std::int64_t rows = length();
    holder->buffers[0] = detail::to_bytes(offsets_);
    holder->pointers[1] = holder->buffers[0].data();
    holder->children.push_back(make_column(std::exchange(values_, {})));
    offsets_.assign(1, 0);
    return detail::make_array(std::move(holder), rows, 2);
  }

 private:
  std::vector<std::int32_t> offsets_{0};
  std::vector<std::uint32_t> values_;
};

/// Makes a batch of `rows` rows out of its columns, in the order of the schema. `kept` lives as long as the batch.
inline OwnedArray make_batch(std::vector<OwnedArray> columns, std::int64_t rows, std::shared_ptr<void> kept = {}) {
  auto holder = std::make_unique<detail::ArrayHolder>();
  for (const auto& column : columns)
    if (column.get().length < rows) throw Error(Code::kInternal, "a column is shorter than its batch");
  holder->children = std::move(columns);
  holder->kept = std::move(kept);
  return detail::make_array(std::move(holder), rows, 1);
}

/// Makes a shallow column over the buffers of `column` as rows of a batch see them (offsets added). The caller keeps its owner alive.
inline OwnedArray borrow_column(const ArrowArray& column, std::int64_t offset, std::int64_t rows) {
  ArrowArray array = column;
  array.offset = column.offset + offset;
  array.length = rows;
  if (offset != 0 || rows != column.length) array.null_count = column.null_count == 0 ? 0 : -1;
  array.private_data = nullptr;
  array.release = [](ArrowArray* self) { self->release = nullptr; };
  return OwnedArray(std::move(array));
}

namespace detail {

/// One value of a column: `row` counts from the start of the buffers, with every offset added.
struct Pick {
  const ArrowArray* column;
  std::int64_t row;
};

/// Answers with the i-th of a list of picks.
struct PickList {
  const std::vector<Pick>* picks;
  Pick operator()(std::int64_t i) const noexcept { return (*picks)[static_cast<std::size_t>(i)]; }
};

/// Returns whether any value of the column may be null.
inline bool may_be_null(const ArrowArray& column) noexcept {
  return column.null_count != 0 && column.n_buffers > 0 && column.buffers[0] != nullptr;
}

/// Writes the validity of n picks into the holder, with a bitmap only where one is null. Returns the number of nulls.
template <class PickAt>
std::int64_t gather_validity(ArrayHolder& holder, std::int64_t n, const PickAt& pick_at) {
  std::int64_t null_count = 0;
  auto& valid = holder.buffers[2];
  for (std::int64_t i = 0; i < n; ++i) {
    const Pick pick = pick_at(i);
    if (!may_be_null(*pick.column) || bit(pick.column->buffers[0], pick.row)) continue;
    if (null_count++ == 0) valid.assign(static_cast<std::size_t>((n + 7) / 8), 0xFF);
    valid[static_cast<std::size_t>(i >> 3)] = static_cast<std::uint8_t>(valid[static_cast<std::size_t>(i >> 3)] & ~(1u << (i & 7)));
  }
  if (null_count > 0) holder.pointers[0] = valid.data();
  return null_count;
}

/// Adds up the lengths of n runs into the holder's offsets and returns their sum. Throws kUnsupported where it does not fit.
template <class Offset, class PickAt>
std::int64_t gather_offsets(ArrayHolder& holder, std::int64_t n, const PickAt& pick_at) {
  std::vector<Offset> offsets(static_cast<std::size_t>(n) + 1, 0);
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const Pick pick = pick_at(i);
    const auto* ends = static_cast<const Offset*>(pick.column->buffers[1]) + pick.row;
    total += ends[1] - ends[0];
    if (total > std::numeric_limits<Offset>::max()) throw Error(Code::kUnsupported, "more than 2^31 bytes or items of one column in one batch");
    offsets[static_cast<std::size_t>(i) + 1] = static_cast<Offset>(total);
  }
  holder.buffers[0] = to_bytes(offsets);
  holder.pointers[1] = holder.buffers[0].data();
  return total;
}

/// Copies n runs of values of `width` bytes, one behind the other. `values_of` gives the address of a column's value 0.
template <class Offset, class PickAt, class ValuesOf>
std::vector<std::uint8_t> gather_runs(std::int64_t total, std::int64_t n, std::int64_t width, const PickAt& pick_at, const ValuesOf& values_of) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(total * width));
  std::uint8_t* to = out.data();
  for (std::int64_t i = 0; i < n; ++i) {
    const Pick pick = pick_at(i);
    const auto* ends = static_cast<const Offset*>(pick.column->buffers[1]) + pick.row;
    if (ends[1] == ends[0]) continue;
    const auto size = static_cast<std::size_t>((ends[1] - ends[0]) * width);
    std::memcpy(to, values_of(*pick.column) + ends[0] * width, size);
    to += size;
  }
  return out;
}

template <class PickAt>
OwnedArray gather_picks(const Field& field, std::int64_t n, const PickAt& pick_at);

template <class Offset, class PickAt>
OwnedArray gather_bytes(std::unique_ptr<ArrayHolder> holder, std::int64_t n, std::int64_t null_count, const PickAt& pick_at) {
  const std::int64_t total = gather_offsets<Offset>(*holder, n, pick_at);
  holder->buffers[1] = gather_runs<Offset>(total, n, 1, pick_at, [](const ArrowArray& column) { return static_cast<const std::uint8_t*>(column.buffers[2]); });
  holder->pointers[2] = holder->buffers[1].data();
  return make_array(std::move(holder), n, 3, null_count);
}

template <class PickAt>
OwnedArray gather_lists(std::unique_ptr<ArrayHolder> holder, const Field& item, std::int64_t n, std::int64_t null_count, const PickAt& pick_at) {
  const std::int64_t total = gather_offsets<std::int32_t>(*holder, n, pick_at);
  bool plain = item.format.size() == 1 && bit_width(item.format[0]) != 0;
  for (std::int64_t i = 0; plain && i < n; ++i) plain = !may_be_null(*pick_at(i).column->children[0]);
  if (plain) {  // token ids: whole runs at once
    const std::int64_t width = bit_width(item.format[0]) / 8;
    auto items = std::make_unique<ArrayHolder>();
    items->buffers[0] = gather_runs<std::int32_t>(total, n, width, pick_at, [&](const ArrowArray& column) {
      return static_cast<const std::uint8_t*>(column.children[0]->buffers[1]) + column.children[0]->offset * width;
    });
    items->pointers[1] = items->buffers[0].data();
    holder->children.push_back(make_array(std::move(items), total, 2));
  } else {
    std::vector<Pick> picks;
    for (std::int64_t i = 0; i < n; ++i) {
      const Pick pick = pick_at(i);
      const auto* ends = static_cast<const std::int32_t*>(pick.column->buffers[1]) + pick.row;
      for (std::int64_t k = ends[0]; k < ends[1]; ++k) picks.push_back({pick.column->children[0], pick.column->children[0]->offset + k});
    }
    holder->children.push_back(gather_picks(item, total, PickList{&picks}));  // a named type ends the recursion of templates
  }
  return make_array(std::move(holder), n, 2, null_count);
}

/// Gathers n values of columns of one type; `pick_at(i)` names the i-th.
template <class PickAt>
OwnedArray gather_picks(const Field& field, std::int64_t n, const PickAt& pick_at) {
  auto holder = std::make_unique<ArrayHolder>();
  const std::int64_t null_count = gather_validity(*holder, n, pick_at);
  const char kind = field.format.size() == 1 ? field.format[0] : '\0';
  if (kind == 'u' || kind == 'z') return gather_bytes<std::int32_t>(std::move(holder), n, null_count, pick_at);
  if (kind == 'U' || kind == 'Z') return gather_bytes<std::int64_t>(std::move(holder), n, null_count, pick_at);
  if (field.format == "+l" && field.children.size() == 1) return gather_lists(std::move(holder), field.children[0], n, null_count, pick_at);

  auto& out = holder->buffers[0];
  if (const auto width = static_cast<std::size_t>(bit_width(kind)) / 8; width != 0) {
    out.resize(static_cast<std::size_t>(n) * width);
    for (std::int64_t i = 0; i < n; ++i) {
      const Pick pick = pick_at(i);
      std::memcpy(out.data() + static_cast<std::size_t>(i) * width, static_cast<const std::uint8_t*>(pick.column->buffers[1]) + static_cast<std::size_t>(pick.row) * width, width);
    }
  } else if (kind == 'b') {
    out.assign(static_cast<std::size_t>((n + 7) / 8), 0);
    for (std::int64_t i = 0; i < n; ++i)
      if (const Pick pick = pick_at(i); bit(pick.column->buffers[1], pick.row)) set_bit(out, i);
  } else {
    throw Error(Code::kUnsupported, "column '" + field.name + "' has Arrow format '" + field.format + "', which cannot be gathered");
  }
  holder->pointers[1] = out.data();
  return make_array(std::move(holder), n, 2, null_count);
}

}  // namespace detail

/// Gathers rows of a column. Formats: fixed width, bool, utf8 and binary (32 and 64 bit), list. Throws kUnsupported for others.
/// `offset` is added to each row (a batch's own offset).
inline OwnedArray gather(const ArrowArray& column, const Field& field, std::span<const std::int64_t> rows, std::int64_t offset = 0) {
  const std::int64_t base = column.offset + offset;
  return detail::gather_picks(field, static_cast<std::int64_t>(rows.size()),
                              [&](std::int64_t i) { return detail::Pick{&column, base + rows[static_cast<std::size_t>(i)]}; });
}

/// Gathers rows of a batch into a new one with the same schema.
inline OwnedArray select_rows(const ArrowArray& batch, const Field& schema, std::span<const std::int64_t> rows) {
  std::vector<OwnedArray> columns;
  for (std::size_t i = 0; i < schema.children.size(); ++i) columns.push_back(gather(*batch.children[i], schema.children[i], rows, batch.offset));
  return make_batch(std::move(columns), static_cast<std::int64_t>(rows.size()));
}

/// Names a row of one of several batches.
struct RowRef {
  std::size_t batch;
  std::int64_t row;
};

/// Gathers rows of several batches of one schema into a new batch, in the order of `rows`.
inline OwnedArray select_rows(std::span<const OwnedArray> batches, const Field& schema, std::span<const RowRef> rows) {
  std::vector<OwnedArray> columns;
  for (std::size_t c = 0; c < schema.children.size(); ++c) {
    columns.push_back(detail::gather_picks(schema.children[c], static_cast<std::int64_t>(rows.size()), [&](std::int64_t i) {
      const auto [batch, row] = rows[static_cast<std::size_t>(i)];
      const ArrowArray& from = batches[batch].get();
      return detail::Pick{from.children[c], from.children[c]->offset + from.offset + row};
    }));
  }
  return make_batch(std::move(columns), static_cast<std::int64_t>(rows.size()));
}

/// Reads a utf8 column of a borrowed batch.
class StringColumn {
 public:
  StringColumn() = default;
  StringColumn(const ArrowArray& batch, const ArrowArray& column)
      : offsets_(static_cast<const std::int32_t*>(column.buffers[1]) + column.offset + batch.offset), data_(static_cast<const char*>(column.buffers[2])) {}
  std::string_view operator[](std::int64_t row) const noexcept {
    return {data_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
  }
  /// Returns the bytes of rows [0, n) together.
  std::int64_t byte_count(std::int64_t n) const noexcept { return n == 0 ? 0 : std::int64_t{offsets_[n]} - offsets_[0]; }

 private:
  const std::int32_t* offsets_ = nullptr;
  const char* data_ = nullptr;
};

/// Reads a list<uint32> column of a borrowed batch.
class ListColumn {
 public:
  ListColumn() = default;
  ListColumn(const ArrowArray& batch, const ArrowArray& column)
      : offsets_(static_cast<const std::int32_t*>(column.buffers[1]) + column.offset + batch.offset),
        values_(static_cast<const std::uint32_t*>(column.children[0]->buffers[1]) + column.children[0]->offset) {}
  std::span<const std::uint32_t> operator[](std::int64_t row) const noexcept {
    return {values_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
  }

 private:
  const std::int32_t* offsets_ = nullptr;
  const std::uint32_t* values_ = nullptr;
};

/// Returns the values of a fixed-width column as row 0 of the batch sees them.
template <class T>
const T* column_values(const ArrowArray& batch, const ArrowArray& column) noexcept {
  return static_cast<const T*>(column.buffers[1]) + column.offset + batch.offset;
}

/// A borrowed batch with its schema. Finds columns by name; throws kInvalidArgument for one that is missing or has another format.
class BatchView {
 public:
  BatchView(const ArrowArray& array, const Field& schema) : array_(&array), schema_(&schema) {}
  std::int64_t size() const noexcept { return array_->length; }
  const ArrowArray& array() const noexcept { return *array_; }
  const Field& schema() const noexcept { return *schema_; }
  StringColumn strings(std::string_view name) const { return {*array_, column(name, "u")}; }
  ListColumn lists(std::string_view name) const { return {*array_, column(name, "+l")}; }
  template <class T>
  const T* values(std::string_view name, std::string_view format) const {
    return column_values<T>(*array_, column(name, format));
  }

 private:
  const ArrowArray& column(std::string_view name, std::string_view format) const {
    const int index = schema_->find(name);
    if (index < 0) throw Error(Code::kInvalidArgument, "the batch has no column '" + std::string(name) + "'");
    const std::string& found = schema_->children[static_cast<std::size_t>(index)].format;
    if (found != format)
      throw Error(Code::kInvalidArgument, "column '" + std::string(name) + "' has Arrow format '" + found + "', expected '" + std::string(format) + "'");
    return *array_->children[index];
  }

  const ArrowArray* array_;
  const Field* schema_;
};

/// A borrowed `documents` batch.
class DocumentsView : public BatchView {
 public:
  DocumentsView(const ArrowArray& array, const Field& schema)
      : BatchView(array, schema), id(strings("id")), text(strings("text")), domain(strings("domain")), source(strings("source")) {}
  const StringColumn id, text, domain, source;
};

/// A borrowed `tokens` batch.
class TokensView : public BatchView {
 public:
  TokensView(const ArrowArray& array, const Field& schema)
      : BatchView(array, schema), id(strings("id")), domain(strings("domain")), bytes(values<std::int64_t>("bytes", "l")), input_ids(lists("input_ids")) {}
  const StringColumn id, domain;
  const std::int64_t* const bytes;
  const ListColumn input_ids;
};

/// Builds a `documents` batch row by row and says when it is full.
class DocumentsBuilder {
 public:
  DocumentsBuilder(std::int64_t batch_bytes, std::int64_t batch_documents) : batch_bytes_(batch_bytes), batch_documents_(batch_documents) {}
  void append(std::string_view id, std::string_view text, std::string_view domain, std::string_view source) {
    // A batch is seldom more than an eighth too long. Without room from the start, its text would grow to about twice its size in memory.
    if (size() == 0) text_.reserve(std::min(batch_bytes_ + batch_bytes_ / 8, kReserveMax));
    id_.append(id);
    text_.append(text);
    domain_.append(domain);
    source_.append(source);
  }
  std::int64_t size() const noexcept { return text_.length(); }
  std::int64_t text_bytes() const noexcept { return text_.byte_count(); }
  /// Returns whether the batch must end before a document of `bytes` is added: a document over the limit is a batch by itself.
  bool must_end_before(std::int64_t bytes) const noexcept { return size() > 0 && bytes > batch_bytes_; }
  /// Returns whether the batch is full: the last document took it to one of its limits.
  bool full() const noexcept { return size() >= batch_documents_ || text_bytes() >= batch_bytes_; }
  OwnedArray finish() {
    const std::int64_t rows = size();
    std::vector<OwnedArray> columns;
    for (StringBuilder* builder : {&id_, &text_, &domain_, &source_}) columns.push_back(builder->finish());
    return make_batch(std::move(columns), rows);
  }

 private:
  static constexpr std::int64_t kReserveMax = std::int64_t{4} << 20;

  std::int64_t batch_bytes_, batch_documents_;
  StringBuilder id_, text_, domain_, source_;
};

}  // namespace flowrun
