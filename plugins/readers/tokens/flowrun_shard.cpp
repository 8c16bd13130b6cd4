#include "flowrun_shard.hpp"

#include <flowrun/error.hpp>

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "readers/common/utf8.hpp"
#include "token_reader.hpp"

namespace flowrun::readers {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kHeaderBytesMax = 100'000'000;  // as in safetensors' own reader
constexpr std::string_view kChecksums = ":checksums";

[[noreturn]] void damaged(const std::string& message, std::int64_t offset = 0) { throw DamageAt(offset, message); }
std::string text(std::int64_t number) { return std::to_string(number); }

/// Returns a value of the header, or says that there is no such value.
template <class T>
T must(simdjson::simdjson_result<T> result, const std::string& what) {
  T value{};
  if (const auto error = std::move(result).get(value)) damaged("the header has no good " + what + ": " + simdjson::error_message(error));
  return value;
}
std::string string_of(simdjson::simdjson_result<dom::element> element, const std::string& what) { return std::string(must(element.get_string(), what)); }

std::int64_t width_of(std::string_view dtype) noexcept {
  if (dtype == "BOOL" || dtype == "I8" || dtype == "U8") return 1;
  if (dtype == "I16" || dtype == "U16" || dtype == "F16") return 2;
  if (dtype == "I32" || dtype == "U32" || dtype == "F32") return 4;
  return dtype == "I64" || dtype == "U64" || dtype == "F64" ? 8 : 0;
}

/// Returns safetensors' name of the numbers of an Arrow format; "" for other formats.
std::string_view dtype_of(const std::string& format) noexcept {
  constexpr std::string_view kFormats = "bcCsSiIlLefg";
  constexpr std::string_view kNames[] = {"BOOL", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "F16", "F32", "F64"};
  const std::size_t at = format.size() == 1 ? kFormats.find(format[0]) : std::string_view::npos;
  return at == std::string_view::npos ? std::string_view() : kNames[at];
}

bool is_text(const Field& field) noexcept { return field.format == "u" || field.format == "z"; }
bool is_list(const Field& field) noexcept { return field.format == "+l" && field.children.size() == 1; }

Field read_field(dom::element json) {
  Field field{string_of(json["name"], "column name"), string_of(json["format"], "column format"), must(json["nullable"].get_bool(), "'nullable'"), {}};
  for (const dom::element child : must(json["children"].get_array(), "'children'")) field.children.push_back(read_field(child));
  return field;
}

/// Reads the arrays and checks that they cover `data_bytes` without gap; `data_begin`: where the data begins in the file.
std::map<std::string, ShardHeader::Array> read_arrays(dom::object header, std::int64_t data_begin, std::int64_t file_bytes) {
  std::map<std::string, ShardHeader::Array> arrays;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const auto& [key, value] : header) {
    if (key == "__metadata__") continue;
    const std::string name(key);
    const dom::array offsets = must(value["data_offsets"].get_array(), "'data_offsets' of '" + name + "'");
    const std::int64_t begin = must(offsets.at(0).get_int64(), "'data_offsets' of '" + name + "'"), end = must(offsets.at(1).get_int64(), "'data_offsets' of '" + name + "'");
    ranges.emplace_back(begin, end);
    arrays[name] = {string_of(value["dtype"], "'dtype' of '" + name + "'"), data_begin + begin, end - begin};
  }
  std::sort(ranges.begin(), ranges.end());
  std::int64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered || end < begin) damaged("the header has an array from byte " + text(begin) + " to " + text(end) + " of the data, expected one from byte " + text(covered));
    covered = end;
  }
  if (covered != file_bytes - data_begin)
    damaged("the file has " + text(file_bytes) + " bytes, expected " + text(data_begin) + " of header and " + text(covered) + " of data", std::min(file_bytes, data_begin + covered));
  return arrays;
}

/// Reads the checksums and checks that of the header, whose bytes with their length are `head`.
std::shared_ptr<const BlockChecksums> read_checksums(const OpenFile& file, const std::string& head, const ShardHeader& header, const std::string& block_bytes) {
  const auto found = header.arrays.find(std::string(kChecksums));
  if (found == header.arrays.end()) damaged("the header has no array ':checksums'");
  const ShardHeader::Array& array = found->second;
  BlockChecksums checksums{static_cast<std::int64_t>(head.size()), array.begin, 0, {}};
  std::from_chars(block_bytes.data(), block_bytes.data() + block_bytes.size(), checksums.block_bytes);
  const std::int64_t data_bytes = checksums.end - checksums.begin;
  if (checksums.block_bytes < 1 || checksums.block_bytes > (std::int64_t{1} << 30)) damaged("the header has blocks of '" + block_bytes + "' bytes, expected 1 to 2^30");
  const std::int64_t blocks = data_bytes / checksums.block_bytes + (data_bytes % checksums.block_bytes != 0);
  if (array.dtype != "U32" || array.bytes != (blocks + 1) * 4)
    damaged("the header has " + text(array.bytes) + " bytes of checksums of type " + array.dtype + ", expected " + text(blocks + 1) + " of U32");
  std::vector<std::uint32_t> values(static_cast<std::size_t>(blocks + 1));
  file.read(array.begin, values.size() * sizeof(std::uint32_t), reinterpret_cast<char*>(values.data()));
  if (values[0] != crc32_of(head.data(), head.size())) damaged("bytes 0 to " + text(checksums.begin) + " of the file, its header, do not have their checksum");
  checksums.values.assign(values.begin() + 1, values.end());
  return std::make_shared<const BlockChecksums>(std::move(checksums));
}

bool is_token_column(const std::string& name) { return fields::tokens().find(name) >= 0; }

/// Checks that the columns of all tokens are there.
void check_schema(const Field& schema) {
  for (const Field& column : fields::tokens().children) {
    const int index = schema.find(column.name);
    const bool good = index >= 0 && schema.children[static_cast<std::size_t>(index)].format == column.format;
    if (!good) damaged("the shard has no column '" + column.name + "' of Arrow format '" + column.format + "'");
  }
}

class FlowrunReader : public TokenReader {
 public:
  explicit FlowrunReader(std::string path) : path_(std::move(path)) {}

  Step next(const Call&, TokenRecord& record, TokenRefusal& refusal) override {
    if (!tokens_) open();
    if (row_ == documents_) return Step::kEnd;
    record.number = row_++;
    read_tokens(record);
    const std::string_view bytes = bytes_->value(record.number);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&record.bytes));
    std::string not_utf8;
    for (StoredColumn& column : columns_)
      if (!column.read(record.number, nullptr)) not_utf8 = column.field().name;
    if (!id_->read(record.number, nullptr)) not_utf8 = "id";
    if (!domain_->read(record.number, nullptr)) not_utf8 = "domain";
    if (!not_utf8.empty()) {
      refusal = {record.number, "bad_utf8", "column '" + not_utf8 + "' holds text that is not UTF-8", -1};
      return Step::kRefused;
    }
    record.id = std::string(id_->value(record.number));
    record.domain = std::string(domain_->value(record.number));
    return Step::kRecord;
  }

  void append_columns(const TokenRecord& record, std::span<ValueBuilder> builders) override {
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].read(record.number, &builders[i]);
  }

 private:
  void open() {
    const auto file = std::make_shared<const OpenFile>(path_);
    const ShardHeader header = read_shard_header(*file);
    const auto tokens = header.arrays.find("input_ids"), ends = header.arrays.find("input_ids:offsets");
    if (tokens == header.arrays.end() || (tokens->second.dtype != "U16" && tokens->second.dtype != "U32")) damaged("the header has no array 'input_ids' of U16 or U32");
    if (ends == header.arrays.end() || ends->second.dtype != "I64" || ends->second.bytes < 8) damaged("the header has no array 'input_ids:offsets' of I64");
    documents_ = ends->second.bytes / 8 - 1;
    tokens_at_ = tokens->second;
    type_ = tokens_at_.dtype == "U16" ? TokenType::kUint16 : TokenType::kUint32;
    ends_at_ = ends->second;
    for (const Field& field : header.schema.children) {
      if (field.name == "input_ids") continue;
      StoredColumn column(field, field.name, documents_, header, file);
      if (field.name == "id") id_.emplace(std::move(column));
      else if (field.name == "domain") domain_.emplace(std::move(column));
      else if (field.name == "bytes") bytes_.emplace(std::move(column));
      else columns_.push_back(std::move(column));
    }
    ends_.emplace(file, header.checksums);
    tokens_.emplace(file, header.checksums);
  }

  void read_tokens(TokenRecord& record) {
    const std::int64_t place = ends_at_.begin + record.number * 8, width = static_cast<std::int64_t>(bytes_of(type_)), total = tokens_at_.bytes / width;
    const auto begin = ends_->number<std::int64_t>(place), end = ends_->number<std::int64_t>(place + 8);
    if (begin < 0 || end < begin || end > total)
      damaged("document " + text(record.number) + " has tokens " + text(begin) + " to " + text(end) + ", expected a part of the shard's " + text(total), place);
    record.input_ids.clear();
    tokens_->append_tokens(type_, tokens_at_.begin + begin * width, end - begin, record.input_ids);
  }

  std::string path_;
  std::int64_t documents_ = 0, row_ = 0;
  TokenType type_{};
  ShardHeader::Array tokens_at_, ends_at_;
  std::optional<StoredNumbers> tokens_, ends_;
  std::optional<StoredColumn> id_, domain_, bytes_;
  std::vector<StoredColumn> columns_;  ///< the others
};

}  // namespace

ShardHeader read_shard_header(const OpenFile& file) {
  std::uint64_t length = 0;
  if (file.read(0, sizeof length, reinterpret_cast<char*>(&length)) != sizeof length || length > static_cast<std::uint64_t>(kHeaderBytesMax) ||
      static_cast<std::int64_t>(length) > file.size() - 8)
    damaged("the file has " + text(file.size()) + " bytes and a header of " + std::to_string(length) + ", expected a safetensors file with one of at most " + text(kHeaderBytesMax));
  std::string head(8 + length, '\0');
  file.read(0, head.size(), head.data());
  dom::parser parser, schema_parser;
  const simdjson::padded_string json(std::string_view(head).substr(8));
  const dom::object object = must(parser.parse(json).get_object(), "JSON object");
  const dom::element metadata = must(object["__metadata__"], "'__metadata__'");
  if (const std::string format = string_of(metadata["format"], "'format'"); format != "flowrun_tokens")
    damaged("the safetensors file has the format '" + format + "', expected 'flowrun_tokens', which writers/token_shards writes");
  if (const std::string version = string_of(metadata["version"], "'version'"); version != "1") damaged("the shard has version " + version + ", expected 1");

  ShardHeader header;
  header.arrays = read_arrays(object, static_cast<std::int64_t>(head.size()), file.size());
  header.checksums = read_checksums(file, head, header, string_of(metadata["block_bytes"], "'block_bytes'"));
  const std::string schema = string_of(metadata["schema"], "'schema'");
  header.schema = read_field(must(schema_parser.parse(simdjson::padded_string(schema)), "'schema'"));
  check_schema(header.schema);
  return header;
}

std::vector<Field> read_shard_columns(const std::string& path) {
  std::vector<Field> columns = read_shard_header(OpenFile(path)).schema.children;
  std::erase_if(columns, [](const Field& column) { return is_token_column(column.name); });
  return columns;
}

StoredColumn::StoredColumn(const Field& field, const std::string& name, std::int64_t rows, const ShardHeader& header, const std::shared_ptr<const OpenFile>& file)
    : field_(field), name_(name) {
  if (field.nullable) valid_ = find(header, file, name + ":valid", "BOOL", rows);
  if (!is_text(field) && !is_list(field)) {
    const std::string_view dtype = dtype_of(field.format);
    if (dtype.empty()) damaged("column '" + name + "' has Arrow format '" + field.format + "', which no shard holds");
    width_ = width_of(dtype);
    values_ = find(header, file, name, dtype, rows * width_);
    return;
  }
  offsets_ = find(header, file, name + ":offsets", "I64", (rows + 1) * 8);
  total_ = offsets_->numbers.number<std::int64_t>(offsets_->begin + rows * 8);
  if (total_ < 0 || total_ > file->size()) damaged("column '" + name + "' ends at " + text(total_) + ", expected at most the file's " + text(file->size()) + " bytes", offsets_->begin + rows * 8);
  if (is_text(field)) values_ = find(header, file, name + ":bytes", "U8", total_);
  else items_.emplace_back(field.children[0], name + ":items", total_, header, file);
}

std::unique_ptr<StoredColumn::Stored> StoredColumn::find(const ShardHeader& header, const std::shared_ptr<const OpenFile>& file, const std::string& name, std::string_view dtype,
                                                         std::int64_t bytes) const {
  const auto it = header.arrays.find(name);
  if (it == header.arrays.end() || it->second.dtype != dtype || it->second.bytes != bytes)
    damaged("the header has no array '" + name + "' of " + std::string(dtype) + " with " + text(bytes) + " bytes, which column '" + name_ + "' needs");
  return std::make_unique<Stored>(Stored{StoredNumbers(file, header.checksums), it->second.begin, it->second.bytes});
}

std::pair<std::int64_t, std::int64_t> StoredColumn::range_of(std::int64_t row) {
  const std::int64_t place = offsets_->begin + row * 8;
  const auto begin = offsets_->numbers.number<std::int64_t>(place), end = offsets_->numbers.number<std::int64_t>(place + 8);
  if (begin < 0 || end < begin || end > total_)
    damaged("value " + text(row) + " of column '" + name_ + "' reaches from " + text(begin) + " to " + text(end) + ", expected a part of " + text(total_), place);
  return {begin, end};
}

bool StoredColumn::is_valid(std::int64_t row) { return !valid_ || valid_->numbers.number<std::uint8_t>(valid_->begin + row) != 0; }

std::string_view StoredColumn::value(std::int64_t row) {
  const auto [begin, end] = width_ > 0 ? std::pair(row * width_, (row + 1) * width_) : range_of(row);
  buffer_.resize(static_cast<std::size_t>(end - begin));
  values_->numbers.read(values_->begin + begin, buffer_.size(), buffer_.data());
  return buffer_;
}

bool StoredColumn::read(std::int64_t row, ValueBuilder* out) {
  if (!is_valid(row)) {
    if (out != nullptr) out->append_null();
    return true;
  }
  if (!is_list(field_)) {
    const std::string_view bytes = value(row);
    if (out != nullptr) out->append(bytes);
    return field_.format != "u" || find_invalid_utf8(bytes) == std::string_view::npos;
  }
  const auto [begin, end] = range_of(row);
  bool is_utf8 = true;
  for (std::int64_t item = begin; item < end; ++item) is_utf8 &= items_.front().read(item, out == nullptr ? nullptr : &out->items());
  if (out != nullptr) out->end_list();
  return is_utf8;
}

std::unique_ptr<TokenReader> read_flowrun(const std::string& path) { return std::make_unique<FlowrunReader>(path); }

}  // namespace flowrun::readers
