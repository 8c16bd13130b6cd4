#include "key_census.hpp"

#include <flowrun/nearest.hpp>

namespace flowrun::readers {

KeyCensus::KeyCensus(const JsonlKeys& keys) : keys_(&keys), wanted_(JsonlParser(keys).wanted()) {}

void KeyCensus::add(const JsonlParser& parser) {
  const std::lock_guard lock(mutex_);
  wanted_.merge(parser.wanted());
  object_count_ += parser.object_count();
}

std::vector<std::string> KeyCensus::missing() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  if (object_count_ == 0) return lines;
  const auto look = [&](const std::string& parameter, const std::string& path, const std::string& effect) {
    if (std::string line = path.empty() ? "" : describe(parameter, path, effect); !line.empty()) lines.push_back(std::move(line));
  };
  if (keys_->texts.size() > 1)
    for (const std::string& path : keys_->texts) look("text_fields", path, "no text comes from it");
  look_for_sections(lines);
  look("id_field", keys_->id, "every id is <path>#<record>");
  look("domain_field", keys_->domain, "every domain is that of 'domain'");
  for (const Column& column : keys_->columns) look("columns", column.from, "column '" + column.name + "' is null in all of them");
  return lines;
}

/// Adds a line where no list has headings; that one of several has none is as it should be.
void KeyCensus::look_for_sections(std::vector<std::string>& lines) const {
  std::string first;
  for (const std::string& text : keys_->texts.empty() ? std::vector{keys_->text} : keys_->texts) {
    const std::string path = section_path(*keys_, text);
    if (path.empty()) continue;
    const std::string line = describe("section_field", path, "no heading stands before its texts");
    if (line.empty()) return;
    if (first.empty()) first = line;
  }
  if (!first.empty()) lines.push_back(first);
}

/// Follows a path to where no record has its key; "" where some record has all of them.
std::string KeyCensus::describe(const std::string& parameter, const std::string& path, const std::string& effect) const {
  const WantedKey* around = &wanted_;
  for (const PathStep& step : read_path(path)) {
    const WantedKey* const key = around->find(step.key);
    if (!key->found)
      return "none of " + std::to_string(object_count_) + " records has the key '" + key->path + "' that '" + parameter + "' names, so " + effect + did_you_mean(step.key, around->names);
    around = key;
  }
  return {};
}

}  // namespace flowrun::readers
