#include "jsonl.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "json_paths.hpp"
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
  if (error == simdjson::UTF8_ERROR) return {"bad_utf8", describe_invalid_utf8(line, find_invalid_utf8(line), "the record")};
  return {"bad_json", simdjson::error_message(error)};
}

JsonlFault wrong_type(const char* code, const std::string& key, ondemand::json_type type, const char* expected) {
  return {code, "key '" + key + "' is " + type_name(type) + ", expected " + expected};
}

std::string_view without_space_behind(std::string_view token) noexcept {
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  return token.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

/// Returns whether a token is a number of JSON, which C++ reads more freely: "01", "1.", ".5".
bool is_number(std::string_view token) noexcept {
  const auto take_digits = [&] {
    const std::size_t n = std::min(token.find_first_not_of("0123456789"), token.size());
    token.remove_prefix(n);
    return n > 0;
  };
  if (token.starts_with('-')) token.remove_prefix(1);
  if (token.starts_with('0')) token.remove_prefix(1);
  else if (!take_digits()) return false;
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (!take_digits()) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('+') || token.starts_with('-')) token.remove_prefix(1);
    if (!take_digits()) return false;
  }
  return token.empty();
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

/// Reads the value of a column of numbers.
Fault read_number(ondemand::json_type type, std::string_view token, const Column& column, ColumnValue& out) {
  if (type != ondemand::json_type::number) return wrong_type("bad_column", column.from, type, describe_type(column.type));
  const auto value = is_number(token) ? read_value(column.type, token) : std::nullopt;
  if (!value) return JsonlFault{"bad_column", "key '" + column.from + "' is " + std::string(token) + ", expected " + describe_type(column.type)};
  out = *value;
  return {};
}

}  // namespace

struct JsonlParser::Impl {
  /// What a value is for.
  struct Target {
    enum class Kind { kText, kSection, kId, kDomain, kColumn };
    Kind kind;
    std::size_t index = 0;  ///< of the text or column
  };
  /// A text as it stands in the line, and the heading beside it; empty: none.
  struct Part {
    std::string_view token, section;
  };
  /// The texts that one path has led to.
  struct Texts {
    std::vector<Part> parts;
    std::size_t first = 0;  ///< of the parts of the list item that is being read
    std::string_view section;
  };

  explicit Impl(JsonlKeys given) : keys(std::move(given)) {
    if (keys.texts.empty()) keys.texts.push_back(keys.text);
    texts.resize(keys.texts.size());
    values.resize(keys.columns.size());
    column_buffers.resize(keys.columns.size());
    for (std::size_t i = 0; i < keys.texts.size(); ++i) add_text(i);
    if (!keys.section.empty() && !has_sections)
      throw Error(Code::kInvalidArgument, "'section_field' is a key beside texts that are joined from a list, but no path of a text leads through one, as \"body[].text\" does");
    if (!keys.id.empty()) add(keys.id, {Target::Kind::kId});
    if (!keys.domain.empty()) add(keys.domain, {Target::Kind::kDomain});
    for (std::size_t i = 0; i < keys.columns.size(); ++i) add(keys.columns[i].from, {Target::Kind::kColumn, i});
    const auto is_list = [](const PathStep& step) { return step.every_item; };
    const std::vector<PathStep> first = read_path(keys.texts[0]);
    is_single = keys.texts.size() == 1 && std::none_of(first.begin(), first.end(), is_list);
  }

  void add_text(std::size_t index) {
    const std::string& path = keys.texts[index];
    wanted.add(path, targets.size());
    targets.push_back({Target::Kind::kText, index});
    const std::string section = section_path(keys, path);
    if (section.empty()) return;
    has_sections = true;
    wanted.add(section, targets.size());
    targets.push_back({Target::Kind::kSection, index});
  }

  void add(const std::string& path, Target target) {
    for (const PathStep& step : read_path(path))
      if (step.every_item) throw Error(Code::kInvalidArgument, "path '" + path + "' leads through a list, expected one value; only texts are joined");
    wanted.add(path, targets.size());
    targets.push_back(target);
  }

  /// Forgets what a key has given before it stands again.
  void forget(const WantedKey& key, JsonlRecord& record) {
    for (const std::size_t i : key.below) {
      const Target& target = targets[i];
      switch (target.kind) {
        case Target::Kind::kText: texts[target.index].parts.resize(texts[target.index].first); break;
        case Target::Kind::kSection: texts[target.index].section = {}; break;
        case Target::Kind::kId: record.id.reset(); break;
        case Target::Kind::kDomain: record.domain.reset(); break;
        case Target::Kind::kColumn: values[target.index] = {}; break;
      }
    }
  }

  /// Returns the code of a fault on the way to a key.
  const char* code_of(const WantedKey& key) const {
    switch (targets[key.below[0]].kind) {
      case Target::Kind::kId: return "bad_id";
      case Target::Kind::kDomain: return "bad_domain";
      case Target::Kind::kColumn: return "bad_column";
      default: return "missing_text";
    }
  }

  Fault read_text(ondemand::json_type type, std::string_view token, const WantedKey& key, std::size_t index) {
    if (type == ondemand::json_type::null && !is_single) return {};
    if (type != ondemand::json_type::string) return wrong_type("missing_text", key.path, type, "a string");
    texts[index].parts.push_back({token, {}});
    return {};
  }

  Fault read_section(ondemand::json_type type, std::string_view token, const WantedKey& key, std::size_t index) {
    if (type == ondemand::json_type::null) return {};
    if (type != ondemand::json_type::string) return wrong_type("missing_text", key.path, type, "a string");
    texts[index].section = token;
    return {};
  }

  /// An integer is taken by its digits, so that none is too large.
  Fault read_id(ondemand::json_type type, std::string_view token, JsonlRecord& record) {
    if (type == ondemand::json_type::null) return {};
    if (type == ondemand::json_type::string) return read_string(token, id_buffer, record.id.emplace());
    token = without_space_behind(token);
    if (type != ondemand::json_type::number || token.find_first_not_of("-0123456789") != std::string_view::npos)
      return wrong_type("bad_id", keys.id, type, "a string or an integer");
    record.id = token;
    return {};
  }

  Fault read_domain(ondemand::json_type type, std::string_view token, JsonlRecord& record) {
    if (type == ondemand::json_type::null) return {};
    if (type != ondemand::json_type::string) return wrong_type("bad_domain", keys.domain, type, "a string");
    return read_string(token, domain_buffer, record.domain.emplace());
  }

  /// Numbers and booleans fit a column of strings as they are written.
  Fault read_column(ondemand::json_type type, std::string_view token, std::size_t index) {
    const Column& column = keys.columns[index];
    if (type == ondemand::json_type::null) return {};
    token = without_space_behind(token);
    if (column.type != ColumnType::kString) return read_number(type, token, column, values[index]);
    if (type == ondemand::json_type::object || type == ondemand::json_type::array) return wrong_type("bad_column", column.from, type, "a string, a number or a boolean");
    std::string_view text = token;
    if (type == ondemand::json_type::string)
      if (Fault fault = read_string(token, column_buffers[index], text)) return fault;
    values[index] = text;
    return {};
  }

  Fault read_wanted(ondemand::value value, ondemand::json_type type, const WantedKey& key, JsonlRecord& record) {
    const std::string_view token = value.raw_json_token();
    for (const std::size_t i : key.targets) {
      Fault fault;
      switch (targets[i].kind) {
        case Target::Kind::kText: fault = read_text(type, token, key, targets[i].index); break;
        case Target::Kind::kSection: fault = read_section(type, token, key, targets[i].index); break;
        case Target::Kind::kId: fault = read_id(type, token, record); break;
        case Target::Kind::kDomain: fault = read_domain(type, token, record); break;
        case Target::Kind::kColumn: fault = read_column(type, token, targets[i].index); break;
      }
      if (fault) return fault;
    }
    return {};
  }

  /// Reads a value that is wanted, or goes into it.
  Fault read_item(ondemand::value value, WantedKey& key, JsonlRecord& record) {
    ondemand::json_type type;
    if (const auto error = value.type().get(type)) return fault_of(error, line);
    if (!key.targets.empty()) return read_wanted(value, type, key, record);
    if (type == ondemand::json_type::null) return {};
    if (type != ondemand::json_type::object) return wrong_type(code_of(key), key.path, type, "an object");
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return fault_of(error, line);
    return read_object(object, key, record);
  }

  /// Reads each item of a list, and gives the texts of an item the heading that stands in it.
  Fault read_list(ondemand::value value, WantedKey& key, JsonlRecord& record) {
    ondemand::json_type type;
    if (const auto error = value.type().get(type)) return fault_of(error, line);
    if (type == ondemand::json_type::null) return {};
    if (type != ondemand::json_type::array) return wrong_type(code_of(key), key.path, type, "a list");
    ondemand::array items;
    if (const auto error = value.get_array().get(items)) return fault_of(error, line);
    std::vector<std::size_t> outer;  // where the items around this list begin
    for (const Texts& text : texts) outer.push_back(text.first);
    for (auto result : items) {
      ondemand::value item;
      if (const auto error = std::move(result).get(item)) return fault_of(error, line);
      start_item(key);
      if (Fault fault = read_item(item, key, record)) return fault;
      end_item(key);
    }
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i].first = outer[i];
    return {};
  }

  void start_item(const WantedKey& key) {
    for (const std::size_t i : key.below) {
      texts[targets[i].index].first = texts[targets[i].index].parts.size();
      texts[targets[i].index].section = {};
    }
  }

  void end_item(const WantedKey& key) {
    for (const std::size_t i : key.below)
      if (targets[i].kind == Target::Kind::kSection)
        for (std::size_t part = texts[targets[i].index].first; part < texts[targets[i].index].parts.size(); ++part)
          texts[targets[i].index].parts[part].section = texts[targets[i].index].section;
  }

  Fault read_object(ondemand::object object, WantedKey& around, JsonlRecord& record) {
    for (auto result : object) {
      ondemand::field field;
      if (const auto error = std::move(result).get(field)) return fault_of(error, line);
      std::string_view name;
      if (const auto error = field.unescaped_key().get(name)) return fault_of(error, line);
      ondemand::json_type type;
      if (const auto error = field.value().type().get(type)) return fault_of(error, line);
      WantedKey* const key = around.find(name);
      around.note(name, key);
      if (key == nullptr) continue;
      forget(*key, record);
      if (Fault fault = key->every_item ? read_list(field.value(), *key, record) : read_item(field.value(), *key, record)) return fault;
    }
    return {};
  }

  void append_text(std::string_view text) {
    if (text.empty()) return;
    if (!text_buffer.empty()) text_buffer += keys.separator;
    text_buffer += text;
  }

  /// Joins the texts of all paths, in the order of the paths.
  Fault join_texts(JsonlRecord& record) {
    text_buffer.clear();
    bool any = false;
    for (const Texts& text : texts) {
      last_section.clear();
      for (const Part& part : text.parts) {
        any = true;
        std::string_view piece;
        if (!part.section.empty()) {
          if (Fault fault = read_string(part.section, part_buffer, piece)) return fault;
          if (piece != last_section) append_text(piece);
          last_section = piece;
        } else {
          last_section.clear();
        }
        if (Fault fault = read_string(part.token, part_buffer, piece)) return fault;
        append_text(piece);
      }
    }
    record.text = text_buffer;
    return any ? Fault() : missing_text();
  }

  Fault take_text(JsonlRecord& record) {
    if (!is_single) return join_texts(record);
    if (texts[0].parts.empty()) return missing_text();
    return read_string(texts[0].parts[0].token, text_buffer, record.text);
  }

  Fault missing_text() const {
    std::string names;
    for (const std::string& path : keys.texts) names += (names.empty() ? "'" : ", '") + path + "'";
    return JsonlFault{"missing_text", is_single ? "the record has no key " + names : "the record has no text at " + names};
  }

  void start() {
    for (Texts& text : texts) {
      text.parts.clear();
      text.first = 0;
    }
    std::fill(values.begin(), values.end(), ColumnValue());
  }

  JsonlKeys keys;
  WantedKey wanted;
  std::vector<Target> targets;
  bool has_sections = false;
  bool is_single = true;  ///< one text at one place, which is not copied where nothing in it is escaped
  ondemand::parser parser;
  std::string_view line;
  std::int64_t object_count = 0;
  std::vector<Texts> texts;
  std::vector<ColumnValue> values;
  std::string text_buffer, part_buffer, last_section, id_buffer, domain_buffer;
  std::vector<std::string> column_buffers;
};

JsonlParser::JsonlParser(JsonlKeys keys) : impl_(std::make_unique<Impl>(std::move(keys))) {}
JsonlParser::~JsonlParser() = default;

Fault JsonlParser::parse(std::string_view line, std::size_t readable, JsonlRecord& record) {
  impl_->line = line;
  impl_->start();
  record = {};
  ondemand::document document;
  if (const auto error = impl_->parser.iterate(line.data(), line.size(), readable).get(document)) return fault_of(error, line);
  ondemand::json_type type;
  if (const auto error = document.type().get(type)) return fault_of(error, line);
  bool is_null = false;  // simdjson takes whatever begins with 'n' for null
  if (type == ondemand::json_type::null && (document.is_null().get(is_null) || !is_null)) return JsonlFault{"bad_json", "the record is no JSON, expected an object"};
  if (type != ondemand::json_type::object) return JsonlFault{"bad_json", std::string("the record is ") + type_name(type) + ", expected an object"};
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return fault_of(error, line);
  if (auto fault = impl_->read_object(object, impl_->wanted, record)) return fault;
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) return JsonlFault{"bad_json", "there is text behind the object"};
  ++impl_->object_count;
  record.columns = impl_->values;
  return impl_->take_text(record);
}

std::string section_path(const JsonlKeys& keys, std::string_view text_path) {
  constexpr std::string_view kItem = "[].";
  const std::size_t item = text_path.rfind(kItem);
  return keys.section.empty() || item == std::string_view::npos ? "" : std::string(text_path.substr(0, item + kItem.size())) + keys.section;
}

const WantedKey& JsonlParser::wanted() const noexcept { return impl_->wanted; }
std::int64_t JsonlParser::object_count() const noexcept { return impl_->object_count; }

}  // namespace flowrun::readers
