#include "graph/column_buffer.hpp"

#include <cstring>

#include <fmt/format.h>

namespace flowrun::graph {
namespace {

enum class Layout { kFixed, kBool, kBytes, kList, kStruct };

Layout layout_of(const Field& field) {
  if (field.format == "+s") return Layout::kStruct;
  if (field.format == "+l" && field.children.size() == 1) return Layout::kList;
  if (field.format == "u" || field.format == "z") return Layout::kBytes;
  if (field.format == "b") return Layout::kBool;
  if (field.format.size() == 1 && detail::bit_width(field.format[0]) != 0) return Layout::kFixed;
  throw Error(Code::kUnsupported, fmt::format("column '{}' has Arrow format '{}', which cannot travel on an edge", field.name, field.format));
}

std::int64_t width_of(const Field& field) { return detail::bit_width(field.format[0]) / 8; }

template <class T>
void put(std::string& out, const T* values, std::size_t count) {
  const std::uint64_t bytes = count * sizeof(T);
  out.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  out.append(reinterpret_cast<const char*>(values), bytes);
}

/// Reads one length-prefixed block of whole Ts.
template <class T>
std::vector<T> get(std::string_view& in, const char* what) {
  std::uint64_t bytes = 0;
  if (in.size() < sizeof bytes) throw Error(Code::kCorruptData, fmt::format("spool block ends inside {}", what));
  std::memcpy(&bytes, in.data(), sizeof bytes);
  in.remove_prefix(sizeof bytes);
  if (bytes > in.size() || bytes % sizeof(T) != 0) throw Error(Code::kCorruptData, fmt::format("spool block: {} has {} bytes, {} left", what, bytes, in.size()));
  std::vector<T> values(bytes / sizeof(T));
  if (bytes != 0) std::memcpy(values.data(), in.data(), bytes);
  in.remove_prefix(bytes);
  return values;
}

std::vector<std::uint8_t> pack_bits(const std::vector<std::uint8_t>& bytes) {
  std::vector<std::uint8_t> bits((bytes.size() + 7) / 8, 0);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i]) detail::set_bit(bits, static_cast<std::int64_t>(i));
  return bits;
}

}  // namespace

ColumnBuffer::ColumnBuffer(const Field& field) : field_(field) {
  layout_of(field);
  for (const auto& child : field.children) children_.emplace_back(child);
}

void ColumnBuffer::append(const ArrowArray& array, std::int64_t first, std::int64_t n) {
  const std::int64_t base = array.offset + first;
  if (field_.nullable) {
    const void* bitmap = array.null_count == 0 || array.n_buffers == 0 ? nullptr : array.buffers[0];
    for (std::int64_t i = 0; i < n; ++i) {
      const bool valid = bitmap == nullptr || detail::bit(bitmap, base + i);
      validity_.push_back(valid ? 1 : 0);
      null_count_ += valid ? 0 : 1;
    }
  }
  switch (layout_of(field_)) {
    case Layout::kFixed: {
      const std::int64_t width = width_of(field_);
      const auto* from = static_cast<const std::uint8_t*>(array.buffers[1]) + base * width;
      if (n > 0) data_.insert(data_.end(), from, from + n * width);
      break;
    }
    case Layout::kBool:
      for (std::int64_t i = 0; i < n; ++i) data_.push_back(detail::bit(array.buffers[1], base + i) ? 1 : 0);
      break;
    case Layout::kBytes:
    case Layout::kList: {
      const auto* offsets = static_cast<const std::int32_t*>(array.buffers[1]) + base;
      if (n == 0) break;
      const std::int64_t total = std::int64_t{offsets[n]} - offsets[0];
      if (total + offsets_.back() > INT32_MAX) throw Error(Code::kUnsupported, fmt::format("column '{}' grows over 2^31 values in one block", field_.name));
      const std::int32_t shift = offsets_.back() - offsets[0];
      for (std::int64_t i = 1; i <= n; ++i) offsets_.push_back(offsets[i] + shift);
      if (layout_of(field_) == Layout::kBytes) {
        const auto* from = static_cast<const std::uint8_t*>(array.buffers[2]);
        if (total > 0) data_.insert(data_.end(), from + offsets[0], from + offsets[n]);
      } else {
        children_[0].append(*array.children[0], offsets[0], total);
      }
      break;
    }
    case Layout::kStruct:
      for (std::size_t i = 0; i < children_.size(); ++i) children_[i].append(*array.children[i], base, n);
      break;
  }
  rows_ += n;
}

void ColumnBuffer::append_nulls(std::int64_t n) {
  const auto rows = static_cast<std::size_t>(n);
  validity_.resize(validity_.size() + rows, 0);
  null_count_ += n;
  switch (layout_of(field_)) {
    case Layout::kFixed: data_.resize(data_.size() + rows * static_cast<std::size_t>(width_of(field_)), 0); break;
    case Layout::kBool: data_.resize(data_.size() + rows, 0); break;
    case Layout::kBytes:
    case Layout::kList: offsets_.resize(offsets_.size() + rows, offsets_.back()); break;
    case Layout::kStruct: throw Error(Code::kUnsupported, fmt::format("column '{}' is a struct, which cannot be null on an edge", field_.name));
  }
  rows_ += n;
}

std::int64_t ColumnBuffer::bytes() const noexcept {
  std::size_t total = data_.size() + validity_.size() + (offsets_.size() - 1) * sizeof(std::int32_t);
  for (const auto& child : children_) total += static_cast<std::size_t>(child.bytes());
  return static_cast<std::int64_t>(total);
}

OwnedArray ColumnBuffer::take() {
  auto holder = std::make_unique<detail::ArrayHolder>();
  const std::int64_t rows = rows_, nulls = null_count_;
  if (nulls > 0) {
    holder->buffers[2] = pack_bits(validity_);
    holder->pointers[0] = holder->buffers[2].data();
  }
  std::int64_t n_buffers = 2;
  switch (layout_of(field_)) {
    case Layout::kFixed:
      holder->buffers[0] = std::move(data_);
      holder->pointers[1] = holder->buffers[0].data();
      break;
    case Layout::kBool:
      holder->buffers[0] = pack_bits(data_);
      holder->pointers[1] = holder->buffers[0].data();
      break;
    case Layout::kBytes:
      holder->buffers[0] = detail::to_bytes(offsets_);
      holder->buffers[1] = std::move(data_);
      holder->pointers[1] = holder->buffers[0].data();
      holder->pointers[2] = holder->buffers[1].data();
      n_buffers = 3;
      break;
    case Layout::kList:
      holder->buffers[0] = detail::to_bytes(offsets_);
      holder->pointers[1] = holder->buffers[0].data();
      holder->children.push_back(children_[0].take());
      break;
    case Layout::kStruct:
      for (auto& child : children_) holder->children.push_back(child.take());
      n_buffers = 1;
      break;
  }
  data_.clear();
  validity_.clear();
  offsets_.assign(1, 0);
  rows_ = null_count_ = 0;
  return detail::make_array(std::move(holder), rows, n_buffers, nulls);
}

void ColumnBuffer::serialize(std::string& out) {
  const std::int64_t header[2] = {rows_, null_count_};
  put(out, header, 2);
  if (null_count_ > 0) put(out, validity_.data(), validity_.size());
  const Layout layout = layout_of(field_);
  if (layout == Layout::kBytes || layout == Layout::kList) put(out, offsets_.data(), offsets_.size());
  if (layout == Layout::kFixed || layout == Layout::kBool || layout == Layout::kBytes) put(out, data_.data(), data_.size());
  for (auto& child : children_) child.serialize(out);
  data_.clear();
  validity_.clear();
  offsets_.assign(1, 0);
  rows_ = null_count_ = 0;
}

OwnedArray ColumnBuffer::deserialize(const Field& field, std::string_view& in) {
  const auto header = get<std::int64_t>(in, "a column's header");
  if (header.size() != 2 || header[0] < 0 || header[1] < 0 || header[1] > header[0])
    throw Error(Code::kCorruptData, fmt::format("spool block: column '{}' has a bad header", field.name));
  const std::int64_t rows = header[0], nulls = header[1];
  const auto expect = [&](std::size_t found, std::int64_t expected) {
    if (found != static_cast<std::size_t>(expected))
      throw Error(Code::kCorruptData, fmt::format("spool block: column '{}' holds {} values, expected {}", field.name, found, expected));
  };
  auto holder = std::make_unique<detail::ArrayHolder>();
  if (nulls > 0) {
    const auto validity = get<std::uint8_t>(in, "validity");
    expect(validity.size(), rows);
    holder->buffers[2] = pack_bits(validity);
    holder->pointers[0] = holder->buffers[2].data();
  }
  const Layout layout = layout_of(field);
  std::vector<std::int32_t> offsets;
  if (layout == Layout::kBytes || layout == Layout::kList) {
    offsets = get<std::int32_t>(in, "offsets");
    expect(offsets.size(), rows + 1);
    for (std::size_t i = 1; i < offsets.size(); ++i)
      if (offsets[0] != 0 || offsets[i] < offsets[i - 1]) throw Error(Code::kCorruptData, fmt::format("spool block: offsets of column '{}' go back", field.name));
    holder->buffers[0] = detail::to_bytes(offsets);
    holder->pointers[1] = holder->buffers[0].data();
  }
  std::int64_t n_buffers = 2;
  switch (layout) {
    case Layout::kFixed:
      holder->buffers[0] = get<std::uint8_t>(in, "values");
      expect(holder->buffers[0].size(), rows * width_of(field));
      holder->pointers[1] = holder->buffers[0].data();
      break;
    case Layout::kBool: {
      const auto bytes = get<std::uint8_t>(in, "values");
      expect(bytes.size(), rows);
      holder->buffers[0] = pack_bits(bytes);
      holder->pointers[1] = holder->buffers[0].data();
      break;
    }
    case Layout::kBytes:
      holder->buffers[1] = get<std::uint8_t>(in, "text");
      expect(holder->buffers[1].size(), offsets.back());
      holder->pointers[2] = holder->buffers[1].data();
      n_buffers = 3;
      break;
    case Layout::kList:
      holder->children.push_back(deserialize(field.children[0], in));
      expect(static_cast<std::size_t>(holder->children[0].get().length), offsets.back());
      break;
    case Layout::kStruct:
      for (const auto& child : field.children) {
        holder->children.push_back(deserialize(child, in));
        expect(static_cast<std::size_t>(holder->children.back().get().length), rows);
      }
      n_buffers = 1;
      break;
  }
  return detail::make_array(std::move(holder), rows, n_buffers, nulls);
}

OwnedArray copy_rows(const ArrowArray& batch, const Field& schema, std::int64_t first, std::int64_t n) {
  ColumnBuffer buffer(schema);
  buffer.append(batch, first, n);
  return buffer.take();
}

void check_array(const ArrowArray& array, const Field& schema) {
  const auto wrong = [&](const std::string& what) {
    throw Error(Code::kInternal, fmt::format("the plugin gave column '{}' (Arrow format '{}') with {}", schema.name, schema.format, what));
  };
  if (array.length < 0 || array.offset < 0) wrong(fmt::format("length {} and offset {}", array.length, array.offset));
  const Layout layout = layout_of(schema);
  const std::int64_t n_buffers = layout == Layout::kStruct ? 1 : layout == Layout::kBytes ? 3 : 2;
  if (array.n_buffers != n_buffers) wrong(fmt::format("{} buffers, expected {}", array.n_buffers, n_buffers));
  if (array.n_children != static_cast<std::int64_t>(schema.children.size())) wrong(fmt::format("{} children, expected {}", array.n_children, schema.children.size()));
  for (std::int64_t i = 1; i < n_buffers; ++i)
    if (array.length > 0 && array.buffers[i] == nullptr && !(layout == Layout::kBytes && i == 2)) wrong(fmt::format("no buffer {}", i));
  for (std::size_t i = 0; i < schema.children.size(); ++i) {
    check_array(*array.children[i], schema.children[i]);
    if (layout == Layout::kStruct && array.children[i]->length < array.length + array.offset)
      wrong(fmt::format("child '{}' of {} rows in a batch of {}", schema.children[i].name, array.children[i]->length, array.length + array.offset));
  }
}

}  // namespace flowrun::graph
