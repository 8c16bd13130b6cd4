#pragma once

// Batches from rows and rows from batches, so that a test reads as a table.

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../descriptor.hpp"
#include "../message.hpp"

namespace flowrun::testing {

/// A batch that owns its array and knows its schema.
struct Batch {
  Field schema;
  OwnedArray array;
  std::int64_t size() const noexcept { return array ? array.get().length : 0; }
};

/// One row of a `documents` batch.
struct Document {
  std::string id, text, domain, source;
  bool operator==(const Document&) const = default;
};

/// One row of a `tokens` batch. `bytes` counts those of the text that the tokens were made of.
struct TokenRow {
  std::string id, domain;
  std::int64_t bytes = 0;
  std::vector<std::uint32_t> input_ids;
  bool operator==(const TokenRow&) const = default;
};

/// Prints rows where a test framework shows them.
inline std::ostream& operator<<(std::ostream& out, const Document& row) {
  return out << '{' << json::quote(row.id) << ", " << json::quote(row.text) << ", " << json::quote(row.domain) << ", " << json::quote(row.source) << '}';
}
inline std::ostream& operator<<(std::ostream& out, const TokenRow& row) {
  out << '{' << json::quote(row.id) << ", " << json::quote(row.domain) << ", " << row.bytes << ", [";
  for (std::size_t i = 0; i < row.input_ids.size(); ++i) out << (i == 0 ? "" : ",") << row.input_ids[i];
  return out << "]}";
}

inline Batch documents_batch(const std::vector<Document>& rows) {
  StringBuilder columns[4];
  for (const auto& row : rows) {
    const std::string* values[] = {&row.id, &row.text, &row.domain, &row.source};
    for (int i = 0; i < 4; ++i) columns[i].append(*values[i]);
  }
  std::vector<OwnedArray> arrays;
  for (auto& column : columns) arrays.push_back(column.finish());
  return {fields::documents(), make_batch(std::move(arrays), static_cast<std::int64_t>(rows.size()))};
}

inline Batch tokens_batch(const std::vector<TokenRow>& rows) {
  StringBuilder ids, domains;
  ListBuilder input_ids;
  std::vector<std::int64_t> bytes;
  for (const auto& row : rows) {
    ids.append(row.id);
    domains.append(row.domain);
    bytes.push_back(row.bytes);
    input_ids.append(row.input_ids);
  }
  std::vector<OwnedArray> arrays;
  arrays.push_back(ids.finish());
  arrays.push_back(domains.finish());
  arrays.push_back(make_column(bytes));
  arrays.push_back(input_ids.finish());
  return {fields::tokens(), make_batch(std::move(arrays), static_cast<std::int64_t>(rows.size()))};
}

/// Returns a batch of documents [first, first + n) of `batch` that shares its memory by way of a batch offset, as a host may lend it.
inline Batch slice(Batch batch, std::int64_t first, std::int64_t n) {
  auto kept = std::make_shared<OwnedArray>(std::move(batch.array));
  struct Holder {
    std::shared_ptr<OwnedArray> kept;
  };
  ArrowArray array = kept->get();
  array.offset += first;
  array.length = n;
  array.private_data = new Holder{kept};
  array.release = [](ArrowArray* self) {
    delete static_cast<Holder*>(self->private_data);
    self->release = nullptr;
  };
  return {std::move(batch.schema), OwnedArray(std::move(array))};
}

/// Returns `batch` with one more column at the end.
inline Batch with_column(Batch batch, Field field, OwnedArray column) {
  auto kept = std::make_shared<OwnedArray>(std::move(batch.array));
  std::vector<OwnedArray> columns;
  for (std::int64_t i = 0; i < kept->get().n_children; ++i) columns.push_back(borrow_column(*kept->get().children[i], kept->get().offset, kept->get().length));
  columns.push_back(std::move(column));
  batch.schema.children.push_back(std::move(field));
  const std::int64_t rows = kept->get().length;
  return {std::move(batch.schema), make_batch(std::move(columns), rows, kept)};
}

inline std::vector<Document> document_rows(const ArrowArray& array, const Field& schema) {
  if (array.release == nullptr) return {};
  const DocumentsView view(array, schema);
  std::vector<Document> rows;
  for (std::int64_t i = 0; i < array.length; ++i)
    rows.push_back({std::string(view.id[i]), std::string(view.text[i]), std::string(view.domain[i]), std::string(view.source[i])});
  return rows;
}
inline std::vector<Document> document_rows(const Batch& batch) { return document_rows(batch.array.get(), batch.schema); }

inline std::vector<TokenRow> token_rows(const ArrowArray& array, const Field& schema) {
  if (array.release == nullptr) return {};
  const TokensView view(array, schema);
  std::vector<TokenRow> rows;
  for (std::int64_t i = 0; i < array.length; ++i) {
    const auto ids = view.input_ids[i];
    rows.push_back({std::string(view.id[i]), std::string(view.domain[i]), view.bytes[i], {ids.begin(), ids.end()}});
  }
  return rows;
}
inline std::vector<TokenRow> token_rows(const Batch& batch) { return token_rows(batch.array.get(), batch.schema); }

/// A `batch` message, copied out of its tensors.
struct TensorBatch {
  struct Tensor {
    std::int64_t rows = 0, columns = 0;
    std::vector<std::int64_t> values;  ///< row-major
  };
  std::map<std::string, Tensor> tensors;
  std::vector<std::string> ids;
};

/// Copies a flowrun_batch and releases it. Throws kInternal unless every tensor is a dense int64 matrix on the CPU.
inline TensorBatch take_tensors(flowrun_batch& batch) {
  TensorBatch out;
  std::string wrong;
  for (std::uint32_t i = 0; i < batch.tensor_count; ++i) {
    const DLTensor& tensor = batch.tensors[i]->dl_tensor;
    if (tensor.ndim != 2 || tensor.dtype.code != kDLInt || tensor.dtype.bits != 64 || tensor.dtype.lanes != 1 || tensor.strides != nullptr ||
        tensor.device.device_type != kDLCPU || tensor.byte_offset != 0)
      wrong = batch.names[i];
    else {
      const auto* values = static_cast<const std::int64_t*>(tensor.data);
      out.tensors[batch.names[i]] = {tensor.shape[0], tensor.shape[1], {values, values + tensor.shape[0] * tensor.shape[1]}};
    }
  }
  out.ids.assign(batch.ids, batch.ids + batch.id_count);
  batch.release(&batch);
  if (!wrong.empty()) throw Error(Code::kInternal, "tensor '" + wrong + "' is not a dense int64 matrix on the CPU");
  return out;
}

}  // namespace flowrun::testing
