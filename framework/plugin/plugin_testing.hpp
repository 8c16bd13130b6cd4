#pragma once

// For this folder's tests: folders, copies of built plugins, and a descriptor to change.

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace flowrun::plugin {

using testing::TemporaryFolder;

inline std::string good_folder() { return std::string(FLOWRUN_BUILD_DIR) + "/tests/plugins"; }
inline std::string refused_folder() { return std::string(FLOWRUN_BUILD_DIR) + "/tests/refused_plugins"; }

/// Copies a library to `<folder>/<id>.so` and returns that path.
inline std::string copy_as(const std::string& library, const TemporaryFolder& folder, const std::string& id) {
  const std::filesystem::path target = folder.path(id + ".so");
  std::filesystem::create_directories(target.parent_path());
  std::filesystem::copy_file(library, target, std::filesystem::copy_options::overwrite_existing);
  return target.string();
}

/// Returns the Error that `body` throws; fails the test if it throws none.
inline Error error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return {Code::kInternal, "no error"};
}

/// Sets an environment variable for the life of this object.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) had_ = true, old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { had_ ? ::setenv(name_, old_.c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  bool had_ = false;
  std::string old_;
};

/// Returns a good descriptor with something of everything.
inline nlohmann::json example_descriptor() {
  return nlohmann::json::parse(R"({
    "abi": {"major": 1, "minor": 0}, "id": "filters/example", "version": "1.2.3", "summary": "Keeps what is good.", "tier": "portable", "kind": "map",
    "inputs": [{"name": "in", "type": "documents", "edge": "stream", "optional": false, "columns_needed": ["language"]},
               {"name": "tokenizer", "type": "tokenizer", "edge": "artifact", "optional": true, "columns_needed": []}],
    "outputs": [{"name": "out", "type": "documents", "edge": "stream", "columns_added": ["score.example"]}],
    "parameters": [
      {"name": "min_words", "type": "integer", "unit": "words", "default": 50, "min": 0, "max": 1000, "choices": null, "required": false, "description": "Fewest words."},
      {"name": "max_words", "type": "integer", "unit": "words", "default": null, "min": 0, "max": null, "choices": null, "required": true, "description": "Most words."},
      {"name": "share", "type": "float", "unit": null, "default": 0.5, "min": 0.0, "max": 1.0, "choices": null, "required": false, "description": "A share."},
      {"name": "mode", "type": "string", "unit": null, "default": "drop", "min": null, "max": null, "choices": ["drop", "score"], "required": false, "description": "What to do | or not."},
      {"name": "tokenizer_path", "type": "path", "unit": null, "default": null, "min": null, "max": null, "choices": null, "required": false, "description": "A file."},
      {"name": "weights", "type": "table<float>", "unit": null, "default": {"books": 1.0}, "min": null, "max": null, "choices": null, "required": false, "description": "By domain."},
      {"name": "stages", "type": "list<table>", "unit": null, "default": null, "min": null, "max": null, "choices": null, "required": false, "description": "In order.", "fields": [
        {"name": "share", "type": "float", "unit": null, "default": null, "min": 0.0, "max": 1.0, "choices": null, "required": true, "description": "Of the whole."},
        {"name": "weights", "type": "table<float>", "unit": null, "default": null, "min": null, "max": null, "choices": null, "required": false, "description": "Of the stage."}]}],
    "constraints": [{"kind": "less_or_equal", "names": ["min_words", "max_words"]}, {"kind": "at_most_one_of", "names": ["tokenizer", "tokenizer_path"]}],
    "declares_state": false, "determinism": "pure", "threads": "Any number of calls at once.", "devices": ["cpu"],
    "source": "Rae et al. 2021, arXiv:2112.11446.", "example": "[node.good]\nplugin = \"filters/example\"\n", "fingerprint": null})");
}

}  // namespace flowrun::plugin
