#include "flowrun_shard.hpp"

#include <flowrun/descriptor.hpp>

#include <utility>

namespace flowrun::writers {
namespace {

constexpr std::size_t kTokens = 0, kEnds = 1;

/// Returns a schema as JSON: name, format of the Arrow C Data Interface, nullable, children, as in a spool.
std::string schema_json(const Field& field) {
  std::string children;
  for (const Field& child : field.children) children += (children.empty() ? "" : ",") + schema_json(child);
  return "{\"name\":" + json::quote(field.name) + ",\"format\":" + json::quote(field.format) + ",\"nullable\":" + (field.nullable ? "true" : "false") + ",\"children\":[" + children + "]}";
}

std::string metadata_of(const Field& schema) {
  return "{\"format\":\"flowrun_tokens\",\"version\":\"1\",\"block_bytes\":\"" + std::to_string(SafetensorsOutput::kBlockBytes) + "\",\"schema\":" + json::quote(schema_json(schema)) + "}";
}

}  // namespace

FlowrunShard::FlowrunShard(const Field& schema, int token_bytes, const std::string& stem) : token_bytes_(token_bytes) {
  std::vector<ArraySpec> specs{{"input_ids", token_bytes == 2 ? "U16" : "U32", token_bytes}, {"input_ids:offsets", "I64", 8}};
  for (std::size_t i = 0; i < schema.children.size(); ++i)
    if (schema.children[i].name != "input_ids") columns_.push_back({i, ColumnArrays(schema.children[i], schema.children[i].name, specs)});
  out_ = std::make_unique<SafetensorsOutput>(stem + ".safetensors", std::move(specs), metadata_of(schema));
  out_->append(kEnds, bytes_of(tokens_));
  for (Column& column : columns_) column.arrays.begin(*out_);
}

void FlowrunShard::append(const TokensView& documents, std::int64_t row) {
  const auto tokens = documents.input_ids[row];
  buffer_.clear();
  append_tokens(tokens, token_bytes_, buffer_);
  out_->append(kTokens, buffer_);
  ++documents_;
  tokens_ += static_cast<std::int64_t>(tokens.size());
  out_->append(kEnds, bytes_of(tokens_));
  for (Column& column : columns_) {
    const ArrowArray& values = *documents.array().children[column.place];
    column.arrays.append(values, documents.array().offset + values.offset + row, 1, *out_);
  }
}

}  // namespace flowrun::writers
