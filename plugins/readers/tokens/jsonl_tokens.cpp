// JSON Lines of tokens: {"input_ids": [..], "labels": [..], "id", "domain", "bytes"} a line.

#include <simdjson.h>

#include <limits>
#include <string>
#include <utility>

#include "readers/common/stored_file.hpp"
#include "readers/common/utf8.hpp"
#include "readers/common/window.hpp"
#include "token_reader.hpp"

namespace flowrun::readers {
namespace {

namespace ondemand = simdjson::ondemand;

/// Carries why a line is refused out of the parser.
struct Fault {
  const char* code;
  std::string message;
};

void check(simdjson::error_code error) {
  if (error != simdjson::SUCCESS) throw Fault{"bad_json", simdjson::error_message(error)};
}

void check_key(simdjson::error_code error, const char* code, const char* key, const char* expected) {
  if (error == simdjson::INCORRECT_TYPE || error == simdjson::NUMBER_ERROR || error == simdjson::NUMBER_OUT_OF_RANGE)
    throw Fault{code, std::string("key '") + key + "' holds something else than " + expected};
  check(error);
}

class JsonlTokens : public TokenReader {
 public:
  JsonlTokens(const Call& call, const std::string& path, bool with_labels, std::size_t max_record_bytes)
      : file_(path), window_(call, file_), with_labels_(with_labels), max_record_bytes_(max_record_bytes) {}

  Step next(const Call& call, TokenRecord& record, TokenRefusal& refusal) override {
    while (true) {
      window_.consume(std::exchange(taken_, 0));
      const std::size_t end = window_.line_end(call, 0, max_record_bytes_ + 1);
      if (end == std::string_view::npos) return refuse_too_large(call, refusal);
      const std::string_view line = window_.data().substr(0, end);
      taken_ = end;
      if (file_.damage() && !line.ends_with('\n')) throw Error(file_.damage()->status, file_.damage()->message);
      if (end == 0) return Step::kEnd;
      if (!is_blank(line)) return parse(line, record, refusal);
    }
  }

  void append_columns(const TokenRecord& record, std::span<ValueBuilder> builders) override {
    if (!with_labels_) return;
    for (const std::int64_t label : record.labels) builders[0].items().append({reinterpret_cast<const char*>(&label), sizeof label});
    builders[0].end_list();
  }

 private:
  Step parse(std::string_view line, TokenRecord& record, TokenRefusal& refusal) {
    record.number = number_++;
    try {
      read_line(line, record);
      return Step::kRecord;
    } catch (const Fault& fault) {
      refusal = {record.number, fault.code, fault.message, window_.stored_offset()};
      return Step::kRefused;
    }
  }

  void read_line(std::string_view line, TokenRecord& record) {
    record.input_ids.clear();
    record.labels.clear();
    record.id.reset();
    record.domain.reset();
    record.bytes = 0;
    bool has_ids = false, has_labels = false;
    ondemand::document document;
    const auto error = parser_.iterate(line.data(), line.size(), window_.readable()).get(document);
    if (error == simdjson::UTF8_ERROR) throw Fault{"bad_utf8", describe_invalid_utf8(line, find_invalid_utf8(line), "the record")};
    check(error);
    ondemand::object object;
    check(document.get_object().get(object));
    for (auto result : object) {
      ondemand::field field;
      check(std::move(result).get(field));
      std::string_view key;
      check(field.unescaped_key().get(key));
      if (key == "input_ids") has_ids = read_ids(field.value(), record.input_ids);
      else if (key == "labels" && with_labels_) has_labels = read_labels(field.value(), record.labels);
      else if (key == "id") record.id = read_id(field.value());
      else if (key == "domain") record.domain = read_text(field.value(), "bad_domain", "domain");
      else if (key == "bytes") check_key(field.value().get_int64().get(record.bytes), "bad_bytes", "bytes", "an integer");
    }
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) throw Fault{"bad_json", "there is text behind the object"};
    if (!has_ids) throw Fault{"missing_input_ids", "the record has no key 'input_ids'"};
    if (with_labels_ && !has_labels) throw Fault{"missing_labels", "the record has no key 'labels'"};
    if (with_labels_ && record.labels.size() != record.input_ids.size())
      throw Fault{"bad_labels", std::to_string(record.labels.size()) + " labels, expected one for each of " + std::to_string(record.input_ids.size()) + " tokens"};
    if (record.bytes < 0) throw Fault{"bad_bytes", "key 'bytes' is " + std::to_string(record.bytes) + ", expected at least 0"};
  }

  static bool read_ids(ondemand::value value, std::vector<std::uint32_t>& ids) {
    constexpr const char* kExpected = "a list of integers from 0 to 4294967295";
    ids.clear();
    ondemand::array items;
    check_key(value.get_array().get(items), "bad_token", "input_ids", kExpected);
    for (auto item : items) {
      std::uint64_t id = 0;
      check_key(item.get_uint64().get(id), "bad_token", "input_ids", kExpected);
      if (id > std::numeric_limits<std::uint32_t>::max()) throw Fault{"bad_token", "token " + std::to_string(id) + ", expected at most 4294967295"};
      ids.push_back(static_cast<std::uint32_t>(id));
    }
    return true;
  }

  static bool read_labels(ondemand::value value, std::vector<std::int64_t>& labels) {
    labels.clear();
    ondemand::array items;
    check_key(value.get_array().get(items), "bad_labels", "labels", "a list of integers");
    for (auto item : items) {
      std::int64_t label = 0;
      check_key(item.get_int64().get(label), "bad_labels", "labels", "a list of integers");
      labels.push_back(label);
    }
    return true;
  }

  static std::optional<std::string> read_text(ondemand::value value, const char* code, const char* key) {
    ondemand::json_type type{};
    check(value.type().get(type));
    if (type == ondemand::json_type::null) return std::nullopt;
    std::string_view text;
    const auto error = value.get_string().get(text);
    if (error == simdjson::STRING_ERROR) throw Fault{"bad_utf8", std::string("key '") + key + "' has an escape that is none, or half of a surrogate pair"};
    check_key(error, code, key, "a string");
    return std::string(text);
  }

  static std::optional<std::string> read_id(ondemand::value value) {
    ondemand::json_type type{};
    check(value.type().get(type));
    if (type != ondemand::json_type::number) return read_text(value, "bad_id", "id");
    std::int64_t number = 0;
    check_key(value.get_int64().get(number), "bad_id", "id", "a string or an integer");
    return std::to_string(number);
  }

  /// Skips to the end of a line that is too long, in bounded memory.
  Step refuse_too_large(const Call& call, TokenRefusal& refusal) {
    refusal = {number_++, "record_too_large", "a line of more than " + std::to_string(max_record_bytes_) + " bytes ('max_record_bytes')", window_.stored_offset()};
    while (true) {
      const std::size_t size = window_.data().size();
      const std::size_t end = window_.data().find('\n');
      window_.consume(end == std::string_view::npos ? size : end + 1);
      if (end != std::string_view::npos || !window_.extend(call)) return Step::kRefused;
    }
  }

  StoredFile file_;
  Window window_;
  const bool with_labels_;
  const std::size_t max_record_bytes_;
  ondemand::parser parser_;
  std::size_t taken_ = 0;  ///< bytes of the line given last
  std::int64_t number_ = 0;
};

}  // namespace

std::unique_ptr<TokenReader> read_jsonl(const Call& call, const std::string& path, bool with_labels, std::size_t max_record_bytes) {
  return std::make_unique<JsonlTokens>(call, path, with_labels, max_record_bytes);
}

}  // namespace flowrun::readers
