#include "graph/row_json.hpp"

#include <cmath>
#include <string>
#include <type_traits>

#include <fmt/format.h>

namespace flowrun::graph {
namespace {

using nlohmann::ordered_json;

template <class T>
ordered_json number_at(const void* values, std::int64_t at) {
  const T value = static_cast<const T*>(values)[at];
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(value)) return nullptr;
  return value;
}

/// Returns the value at `at`, which counts from the start of the column's buffers.
ordered_json value_at(const Field& field, const ArrowArray& column, std::int64_t at) {
  if (detail::may_be_null(column) && !detail::bit(column.buffers[0], at)) return nullptr;
  const void* const values = column.n_buffers > 1 ? column.buffers[1] : nullptr;
  if (field.format == "u") {
    const auto* offsets = static_cast<const std::int32_t*>(values) + at;
    return std::string(static_cast<const char*>(column.buffers[2]) + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0]));
  }
  if (field.format == "+l") {
    const auto* offsets = static_cast<const std::int32_t*>(values) + at;
    ordered_json list = ordered_json::array();
    for (std::int32_t i = offsets[0]; i < offsets[1]; ++i) list.push_back(value_at(field.children.at(0), *column.children[0], column.children[0]->offset + i));
    return list;
  }
  switch (field.format.size() == 1 ? field.format[0] : '\0') {
    case 'b': return detail::bit(values, at);
    case 'c': return number_at<std::int8_t>(values, at);
    case 'C': return number_at<std::uint8_t>(values, at);
    case 's': return number_at<std::int16_t>(values, at);
    case 'S': return number_at<std::uint16_t>(values, at);
    case 'i': return number_at<std::int32_t>(values, at);
    case 'I': return number_at<std::uint32_t>(values, at);
    case 'l': return number_at<std::int64_t>(values, at);
    case 'L': return number_at<std::uint64_t>(values, at);
    case 'f': return number_at<float>(values, at);
    case 'g': return number_at<double>(values, at);
    default: return fmt::format("<{}>", field.format);
  }
}

ordered_json element(const DLTensor& tensor, std::int64_t at) {
  const void* const data = static_cast<const char*>(tensor.data) + tensor.byte_offset;
  const int bits = tensor.dtype.bits;
  switch (tensor.dtype.code) {
    case kDLInt: return bits == 64 ? number_at<std::int64_t>(data, at) : bits == 32 ? number_at<std::int32_t>(data, at) : bits == 16 ? number_at<std::int16_t>(data, at) : number_at<std::int8_t>(data, at);
    case kDLUInt: return bits == 64 ? number_at<std::uint64_t>(data, at) : bits == 32 ? number_at<std::uint32_t>(data, at) : bits == 16 ? number_at<std::uint16_t>(data, at) : number_at<std::uint8_t>(data, at);
    case kDLFloat:
      if (bits == 64) return number_at<double>(data, at);
      if (bits == 32) return number_at<float>(data, at);
      return "<float" + std::to_string(bits) + ">";
    default: return "<type " + std::to_string(tensor.dtype.code) + ">";
  }
}

ordered_json tensor_to_json(const DLTensor& tensor, int dimension, std::int64_t offset) {
  if (dimension == tensor.ndim) return element(tensor, offset);
  std::int64_t stride = 1;
  if (tensor.strides != nullptr) stride = tensor.strides[dimension];
  else
    for (int d = dimension + 1; d < tensor.ndim; ++d) stride *= tensor.shape[d];
  ordered_json list = ordered_json::array();
  for (std::int64_t i = 0; i < tensor.shape[dimension]; ++i) list.push_back(tensor_to_json(tensor, dimension + 1, offset + i * stride));
  return list;
}

}  // namespace

ordered_json row_to_json(const Field& schema, const ArrowArray& batch, std::int64_t row) {
  ordered_json object = ordered_json::object();
  for (std::size_t i = 0; i < schema.children.size(); ++i) {
    const ArrowArray& column = *batch.children[i];
    object[schema.children[i].name] = value_at(schema.children[i], column, column.offset + batch.offset + row);
  }
  return object;
}

ordered_json batch_to_json(const flowrun_batch& batch) {
  ordered_json object = ordered_json::object();
  for (std::uint32_t i = 0; i < batch.tensor_count; ++i) object[batch.names[i]] = tensor_to_json(batch.tensors[i]->dl_tensor, 0, 0);
  object["documents"] = ordered_json::array();
  for (std::int64_t i = 0; i < batch.id_count; ++i) object["documents"].push_back(batch.ids[i]);
  return object;
}

}  // namespace flowrun::graph
