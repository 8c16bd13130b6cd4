#include "jsonl.hpp"

#include <simdjson.h>

#include <utility>

#include "json_string.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

namespace ondemand = simdjson::ondemand;
using Fault = std::optional<JsonlFault>;

const char* type_name(ondemand::json_type type) noexcept {
  switch (type) {
    case ondemand::json_type::array: return "an array";
    case ondemand::json_type::object: return "an object";
    case ondemand::json_type::number: return "a number";
    case ondemand::json_type::string: return "a string";
    case ondemand::json_type::boolean: return "a boolean";
    case ondemand::json_type::null: return "null";
  }
  return "unknown";
}

JsonlFault fault_of(simdjson::error_code error, std::string_view line) {
  if (error == simdjson::UTF8_ERROR) return {"bad_utf8", "invalid UTF-8 at byte " + std::to_string(find_invalid_utf8(line)) + " of the record"};
  return {"bad_json", simdjson::error_message(error)};
}

JsonlFault wrong_type(const char* code, const std::string& key, ondemand::json_type type, const char* expected) {
  return {code, "key '" + key + "' is " + type_name(type) + ", expected " + expected};
}

std::string_view without_space_behind(std::string_view token) noexcept {
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  return token.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

/// Decodes a token that is a string.
Fault read_string(std::string_view token, std::string& buffer, std::string_view& out) {
  token = without_space_behind(token);
  switch (unescape(token.substr(1, token.size() - 2), buffer, out)) {
    case Unescaped::kOk: return {};
    case Unescaped::kBadEscape: return JsonlFault{"bad_json", "a string has an escape that JSON does not know"};
    case Unescaped::kLoneSurrogate: break;
  }
  return JsonlFault{"bad_utf8", "a string has an escaped surrogate that is not half of a pair"};
}

}  // namespace

struct JsonlParser::Impl {
  Fault read_text(ondemand::value value, ondemand::json_type type, JsonlRecord& record) {
    if (type != ondemand::json_type::string) return wrong_type("missing_text", keys.text, type, "a string");
    found_text = true;
    return read_string(value.raw_json_token(), text_buffer, record.text);
  }

  /// An integer is taken by its digits, so that none is too large.
  Fault read_id(ondemand::value value, ondemand::json_type type, JsonlRecord& record) {
    record.id.reset();
    if (type == ondemand::json_type::null) return {};
    if (type == ondemand::json_type::string) return read_string(value.raw_json_token(), id_buffer, record.id.emplace());
    const std::string_view token = without_space_behind(value.raw_json_token());
    if (type != ondemand::json_type::number || token.find_first_not_of("-0123456789") != std::string_view::npos)
      return wrong_type("bad_id", keys.id, type, "a string or an integer");
    record.id = token;
    return {};
  }

  Fault read_domain(ondemand::value value, ondemand::json_type type, JsonlRecord& record) {
    record.domain.reset();
    if (type == ondemand::json_type::null) return {};
    if (type != ondemand::json_type::string) return wrong_type("bad_domain", keys.domain, type, "a string");
    return read_string(value.raw_json_token(), domain_buffer, record.domain.emplace());
  }

  Fault read_field(ondemand::field field, JsonlRecord& record) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return fault_of(error, line);
    ondemand::json_type type;
    if (const auto error = field.value().type().get(type)) return fault_of(error, line);
    if (key == keys.text) return read_text(field.value(), type, record);
    if (!keys.id.empty() && key == keys.id) return read_id(field.value(), type, record);
    if (!keys.domain.empty() && key == keys.domain) return read_domain(field.value(), type, record);
    return {};
  }

  Fault read_object(ondemand::object object, JsonlRecord& record) {
    for (auto result : object) {
      ondemand::field field;
      if (const auto error = std::move(result).get(field)) return fault_of(error, line);
      if (Fault fault = read_field(std::move(field), record)) return fault;
    }
    return {};
  }

  JsonlKeys keys;
  ondemand::parser parser;
  std::string_view line;
  std::string text_buffer, id_buffer, domain_buffer;
  bool found_text = false;
};

JsonlParser::JsonlParser(JsonlKeys keys) : impl_(std::make_unique<Impl>()) { impl_->keys = std::move(keys); }
JsonlParser::~JsonlParser() = default;

Fault JsonlParser::parse(std::string_view line, std::size_t readable, JsonlRecord& record) {
  impl_->line = line;
  impl_->found_text = false;
  record = {};
  ondemand::document document;
  if (const auto error = impl_->parser.iterate(line.data(), line.size(), readable).get(document)) return fault_of(error, line);
  ondemand::json_type type;
  if (const auto error = document.type().get(type)) return fault_of(error, line);
  if (type != ondemand::json_type::object) return JsonlFault{"bad_json", std::string("the record is ") + type_name(type) + ", expected an object"};
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return fault_of(error, line);
  if (auto fault = impl_->read_object(object, record)) return fault;
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) return JsonlFault{"bad_json", "there is text behind the object"};
  if (!impl_->found_text) return JsonlFault{"missing_text", "the record has no key '" + impl_->keys.text + "'"};
  return {};
}

}  // namespace flowrun::readers
