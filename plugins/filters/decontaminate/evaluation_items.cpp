#include "evaluation_items.hpp"

#include <flowrun/error.hpp>
#include <flowrun/nearest.hpp>
#include <simdjson.h>

#include <fstream>

namespace flowrun::filters {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kSpaces = " \t\r\n";

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, what); }

/// Returns the value under a key, nothing where there is none or null.
std::optional<dom::element> value_of(dom::object object, const std::string& key) {
  dom::element element;
  return object.at_key(key).get(element) == simdjson::SUCCESS && !element.is_null() ? std::optional(element) : std::nullopt;
}

std::string text_of(dom::element element, const std::string& key) {
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) refuse("key '" + key + "' holds something else than text");
  return std::string(text);
}

/// A value or a list of values.
std::vector<dom::element> values_of(dom::element element) {
  dom::array array;
  if (element.get_array().get(array) != simdjson::SUCCESS) return {element};
  return {array.begin(), array.end()};
}

std::vector<std::string> choose(dom::element choices, dom::element gold, const ItemKeys& keys) {
  const auto texts = values_of(choices);
  std::vector<std::string> chosen;
  for (const dom::element place : values_of(gold)) {
    std::int64_t at = 0;
    if (place.get_int64().get(at) != simdjson::SUCCESS) refuse("key '" + keys.gold + "' holds something else than a place or a list of places");
    if (at < 0 || at >= static_cast<std::int64_t>(texts.size())) refuse("key '" + keys.gold + "' is " + std::to_string(at) + ", but '" + keys.choices + "' has " + std::to_string(texts.size()));
    chosen.push_back(text_of(texts[static_cast<std::size_t>(at)], keys.choices));
  }
  return chosen;
}

std::vector<std::string> labels_of(dom::object object, const ItemKeys& keys) {
  std::vector<std::string> labels;
  const auto choices = value_of(object, keys.choices), gold = value_of(object, keys.gold);
  if (const auto label = value_of(object, keys.label)) {
    for (const dom::element text : values_of(*label)) labels.push_back(text_of(text, keys.label));
  } else if (choices && gold) {
    labels = choose(*choices, *gold, keys);
  } else {
    std::vector<std::string> there;
    for (const auto field : object) there.emplace_back(field.key);
    refuse("has neither '" + keys.label + "' nor '" + keys.choices + "' with '" + keys.gold + "': set 'label_field', or 'choices_field' and 'gold_field'" + did_you_mean(keys.label, there));
  }
  if (labels.empty()) refuse("has no right answer");
  return labels;
}

EvaluationItem read_item(dom::parser& parser, const std::string& line, const ItemKeys& keys) {
  dom::object object;
  if (const auto error = parser.parse(line).get_object().get(object); error != simdjson::SUCCESS) refuse(std::string("is no JSON object: ") + simdjson::error_message(error));
  EvaluationItem item;
  if (const auto query = value_of(object, keys.query)) item.query = text_of(*query, keys.query);
  item.labels = labels_of(object, keys);
  return item;
}

}  // namespace

void read_evaluation_items(const std::string& path, const std::string& name, const ItemKeys& keys, const std::function<void(const EvaluationItem&)>& use) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kIo, name + ": cannot be read");
  dom::parser parser;
  std::int64_t record = 0, number = 1;
  for (std::string line; std::getline(in, line); ++number) {
    if (line.find_first_not_of(kSpaces) == line.npos) continue;
    EvaluationItem item;
    try {
      item = read_item(parser, line, keys);
    } catch (const Error& error) {
      throw Error(error.code(), name + ":" + std::to_string(number) + ": " + error.message());
    }
    item.record = record++;
    use(item);
  }
  if (in.bad()) throw Error(Code::kIo, name + ": cannot be read to its end");
}

}  // namespace flowrun::filters
