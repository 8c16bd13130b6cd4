#include "graph/column_union.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <flowrun/node.hpp>

#include "graph/column_buffer.hpp"
#include "graph/spool.hpp"

namespace flowrun::graph {
namespace {

/// Returns a type as users know it: "float64", "list<uint32>".
std::string type_name(const Field& field) {
  static constexpr std::pair<const char*, const char*> kNames[] = {
      {"b", "boolean"}, {"c", "int8"},   {"C", "uint8"},   {"s", "int16"},   {"S", "uint16"}, {"i", "int32"}, {"I", "uint32"}, {"l", "int64"},
      {"L", "uint64"},  {"e", "float16"}, {"f", "float32"}, {"g", "float64"}, {"u", "string"}, {"z", "binary"}, {"+s", "struct"}};
  if (field.format == "+l" && field.children.size() == 1) return fmt::format("list<{}>", type_name(field.children[0]));
  for (const auto& [format, name] : kNames)
    if (field.format == format) return name;
  return "Arrow format " + field.format;
}

/// Returns whether two columns have one type; whether they may be null does not matter.
bool same_type(const Field& a, const Field& b) {
  return a.format == b.format && std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(), same_type);
}

}  // namespace

Field join_schemas(std::span<const Field> schemas, std::span<const std::string> givers) {
  Field joined = schemas.front();
  std::vector<std::size_t> first_giver(joined.children.size(), 0);
  for (std::size_t s = 1; s < schemas.size(); ++s)
    for (const Field& column : schemas[s].children) {
      const int at = joined.find(column.name);
      if (at < 0) {
        joined.children.push_back(column);
        first_giver.push_back(s);
        continue;
      }
      Field& present = joined.children[static_cast<std::size_t>(at)];
      if (!same_type(present, column))
        throw Error(Code::kInvalidArgument, fmt::format("column '{}' is {} from '{}' and {} from '{}'; give one of them another name or type", column.name, type_name(present),
                                                        givers[first_giver[static_cast<std::size_t>(at)]], type_name(column), givers[s]));
      present.nullable = present.nullable || column.nullable;
    }
  for (Field& column : joined.children)
    column.nullable = column.nullable || std::any_of(schemas.begin(), schemas.end(), [&](const Field& schema) { return schema.find(column.name) < 0; });
  return joined;
}

Widening::Widening(const Field& from, Field to) : to_(std::move(to)) {
  for (const Field& column : to_.children) sources_.push_back(from.find(column.name));
}

OwnedArray Widening::apply(OwnedArray batch) const {
  if (!batch) return batch;
  auto kept = std::make_shared<OwnedArray>(std::move(batch));
  const ArrowArray& rows = kept->get();
  std::vector<OwnedArray> columns;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i] >= 0) {
      columns.push_back(borrow_column(*rows.children[sources_[i]], rows.offset, rows.length));
    } else {
      ColumnBuffer nulls(to_.children[i]);
      nulls.append_nulls(rows.length);
      columns.push_back(nulls.take());
    }
  }
  const std::int64_t length = rows.length;
  return make_batch(std::move(columns), length, std::move(kept));
}

const flowrun_map Widening::kMap{sizeof(flowrun_map), [](void* self, const flowrun_call* call, const ArrowArray* in, ArrowArray* outputs) {
                                   return guarded(call, [&] {
                                     OwnedArray retained;
                                     call->retain(call, in, retained.address());
                                     static_cast<const Widening*>(self)->apply(std::move(retained)).move_to(outputs);
                                   });
                                 }};

WidenedDataset::WidenedDataset(const flowrun_dataset& base, const Field& schema)
    : base_(base), rows_(import_schema(*base.schema), schema), index_(import_schema(*base.index_schema), graph::index_schema(schema)) {
  export_schema(rows_.schema(), &schema_);
  export_schema(index_.schema(), &index_schema_);
  table_.size = sizeof table_;
  table_.self = this;
  table_.schema = &schema_;
  table_.index_schema = &index_schema_;
  table_.count = [](void* self) {
    const flowrun_dataset& narrow = static_cast<WidenedDataset*>(self)->base_;
    return narrow.count(narrow.self);
  };
  table_.index = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    const auto& dataset = *static_cast<WidenedDataset*>(self);
    return dataset.get(dataset.base_.index, dataset.index_, call, first, n, out);
  };
  table_.read = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    const auto& dataset = *static_cast<WidenedDataset*>(self);
    return dataset.get(dataset.base_.read, dataset.rows_, call, first, n, out);
  };
}

WidenedDataset::~WidenedDataset() {
  schema_.release(&schema_);
  index_schema_.release(&index_schema_);
}

flowrun_status WidenedDataset::get(decltype(flowrun_dataset::read) base_get, const Widening& widening, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) const {
  OwnedArray batch;
  if (const flowrun_status status = base_get(base_.self, call, first, n, batch.address()); status != FLOWRUN_OK) return status;
  return guarded(call, [&] { widening.apply(std::move(batch)).move_to(out); });
}

}  // namespace flowrun::graph
