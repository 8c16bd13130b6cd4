#include "json_object.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr int kDepthMax = 16;  // a tokenizer.json needs 7: sequences in sequences
constexpr std::size_t kShownMax = 60;

std::string cut_short(std::string text) {
  if (text.size() > kShownMax) text = text.substr(0, kShownMax) + "...";
  return text;
}

/// A key that may be anything: escaped, so that no zero byte ends the message.
std::string shown_key(const std::string& key) {
  const std::string quoted = Json(key).dump(-1, ' ', true, Json::error_handler_t::replace);
  return cut_short(quoted.substr(1, quoted.size() - 2));
}

}  // namespace

void refuse_corrupt(const std::string& message) { throw Error(Code::kCorruptData, "tokenizer.json: " + message); }
void refuse_unsupported(const std::string& message) { throw Error(Code::kUnsupported, "tokenizer.json: " + message); }

std::string shown(const Json& value) {
  // Text of the file may be anything, so what is not UTF-8 is replaced.
  return cut_short(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

Json parse_json(std::string_view text) {
  std::vector<std::set<std::string>> open_objects;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDepthMax) refuse_corrupt("is nested deeper than " + std::to_string(kDepthMax));
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key && !open_objects.back().insert(parsed.get<std::string>()).second)
      refuse_corrupt("the key " + shown(parsed) + " stands twice in one object");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::exception& e) {
    refuse_corrupt(std::string("is not JSON: ") + e.what());
  }
}

JsonObject::JsonObject(const Json& value, std::string path) : value_(value), path_(std::move(path)) {
  if (!value.is_object()) refuse_corrupt((path_.empty() ? "the file" : "'" + path_ + "'") + " is " + shown(value) + ", expected an object");
}

const Json* JsonObject::find(const char* key) const {
  const auto found = value_.find(key);
  return found == value_.end() ? nullptr : &*found;
}

const Json& JsonObject::at(const char* key) const {
  const Json* const found = find(key);
  if (found == nullptr) refuse_corrupt("'" + path_of(key) + "' is missing");
  return *found;
}

const std::string& JsonObject::string_at(const char* key) const {
  const Json& value = at(key);
  if (!value.is_string()) refuse_corrupt("'" + path_of(key) + "' is " + shown(value) + ", expected a string");
  return value.get_ref<const std::string&>();
}

bool JsonObject::boolean_at(const char* key) const {
  const Json& value = at(key);
  if (!value.is_boolean()) refuse_corrupt("'" + path_of(key) + "' is " + shown(value) + ", expected true or false");
  return value.get<bool>();
}

std::uint64_t JsonObject::count_at(const char* key) const {
  const Json& value = at(key);
  if (!value.is_number_unsigned()) refuse_corrupt("'" + path_of(key) + "' is " + shown(value) + ", expected a whole number from 0");
  return value.get<std::uint64_t>();
}

const Json& JsonObject::array_at(const char* key) const {
  const Json& value = at(key);
  if (!value.is_array()) refuse_corrupt("'" + path_of(key) + "' is " + shown(value) + ", expected an array");
  return value;
}

char32_t JsonObject::character_at(const char* key) const {
  const std::string& text = string_at(key);
  std::size_t at = 0;
  const char32_t c = text.empty() ? U'\0' : next_code_point(text, at);
  if (text.empty() || at != text.size()) refuse_corrupt("'" + path_of(key) + "' is " + shown(text) + ", expected one character");
  return c;
}

bool JsonObject::boolean_or(const char* key, bool other) const { return optional_boolean(key).value_or(other); }

std::optional<bool> JsonObject::optional_boolean(const char* key) const {
  const Json* const value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return boolean_at(key);
}

std::optional<std::string> JsonObject::optional_string(const char* key) const {
  const Json* const value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return string_at(key);
}

void JsonObject::expect(const char* key, std::initializer_list<Json> supported) const {
  const Json* const value = find(key);
  if (value == nullptr || std::find(supported.begin(), supported.end(), *value) != supported.end()) return;
  refuse_unsupported("'" + path_of(key) + "' is " + shown(*value) + ", expected " + shown(*supported.begin()));
}

void JsonObject::expect_keys(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : value_.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) refuse_unsupported("'" + path_of(shown_key(key)) + "' is not a key that is known here");
}

std::uint32_t read_id(const Json& value, const std::string& path) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max())
    refuse_corrupt("'" + path + "' is " + shown(value) + ", expected an id from 0 below 2^31");
  return value.get<std::uint32_t>();
}

}  // namespace flowrun::tokenizers
