#include "config/run_spec.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include <fmt/core.h>

#include "config/value.hpp"

namespace flowrun::config {
namespace {

constexpr std::int64_t kNoMaximum = std::numeric_limits<std::int64_t>::max();

struct IntegerKey {
  std::string_view name;
  std::int64_t RunSpec::*field;
  std::int64_t min;
  std::int64_t max;
};

constexpr std::array kIntegerKeys = {
    IntegerKey{"threads", &RunSpec::threads, 1, kThreadsMax},
    IntegerKey{"memory_bytes", &RunSpec::memory_bytes, 1, kNoMaximum},
    IntegerKey{"batch_bytes", &RunSpec::batch_bytes, 1, kNoMaximum},
    IntegerKey{"batch_documents", &RunSpec::batch_documents, 1, kNoMaximum},
    IntegerKey{"part_bytes", &RunSpec::part_bytes, 1, kNoMaximum},
    IntegerKey{"limit", &RunSpec::limit, 1, kNoMaximum},
};

const std::vector<std::string> kKeys = {"name",
                                        "seed",
                                        "device",
                                        "precision",
                                        "threads",
                                        "memory_bytes",
                                        "batch_bytes",
                                        "batch_documents",
                                        "part_bytes",
                                        "limit",
                                        "max_error_fraction",
                                        "base"};

class RunReader {
 public:
  RunReader(RunSpec& run, Reporter& report) : run_(run), report_(report) {}

  void read(const Entry& entry) {
    const std::string& key = entry.key;
    const Value& value = entry.value;
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      report_unknown(entry);
      return;
    }
    run_.where[key] = value.where;
    if (key == "name") {
      read_name(value);
    } else if (key == "base") {
      read_base(value);
    } else if (key == "device") {
      read_choice(value, key, run_.device, {"cpu", "cuda"});
    } else if (key == "precision") {
      read_precision(value);
    } else if (key == "max_error_fraction") {
      read_fraction(value);
    } else if (key == "seed") {
      read_seed(value);
    } else {
      for (const IntegerKey& integer : kIntegerKeys) {
        if (integer.name == key) read_integer(value, integer);
      }
    }
  }

 private:
  void report_unknown(const Entry& entry) {
    // TOML gives a key to the table above it, which surprises at the end of [run].
    const std::string hint = entry.key == "include" ? ": it stands above the first table" : "";
    report_.error(entry.where, "unknown_key", fmt::format("unknown key '{}' in [run]{}", entry.key, hint),
                  {.found = entry.key, .suggestion = report_.suggest(entry.key, kKeys)});
  }

  void read_integer(const Value& value, const IntegerKey& key) {
    const std::string name = fmt::format("'{}'", key.name);
    const auto* number = std::get_if<std::int64_t>(&value.data);
    if (number == nullptr) {
      report_.wrong_type(value, name, "integer");
    } else if (*number < key.min || *number > key.max) {
      report_.out_of_range(value, name,
                           key.max == kNoMaximum ? fmt::format("at least {}", key.min) : fmt::format("{} to {}", key.min, key.max));
    } else {
      run_.*key.field = *number;
    }
  }

  void read_seed(const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value.data);
    if (number == nullptr) {
      report_.wrong_type(value, "'seed'", "integer");
    } else if (*number < 0) {
      report_.out_of_range(value, "'seed'", "at least 0");
    } else {
      run_.seed = static_cast<std::uint64_t>(*number);
    }
  }

  void read_fraction(const Value& value) {
    double number = 0;
    if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
      number = static_cast<double>(*integer);
    } else if (const auto* real = std::get_if<double>(&value.data)) {
      number = *real;
    } else {
      report_.wrong_type(value, "'max_error_fraction'", "float");
      return;
    }
    if (number >= 0 && number <= 1) {  // false for nan
      run_.max_error_fraction = number;
    } else {
      report_.out_of_range(value, "'max_error_fraction'", "0 to 1");
    }
  }

  const std::string* read_string(const Value& value, const std::string& key) {
    const std::string* text = as_string(value);
    if (text == nullptr) report_.wrong_type(value, fmt::format("'{}'", key), "string");
    return text;
  }

  void read_choice(const Value& value, const std::string& key, std::string& field, const std::vector<std::string>& choices) {
    const std::string* text = read_string(value, key);
    if (text == nullptr) return;
    if (std::find(choices.begin(), choices.end(), *text) != choices.end()) {
      field = *text;
      return;
    }
    std::string expected;
    for (const std::string& choice : choices) expected += fmt::format("{}'{}'", expected.empty() ? "" : " or ", choice);
    report_.error(value.where, "out_of_range", fmt::format("'{}' is '{}', expected {}", key, *text, expected),
                  {.found = *text, .expected = expected, .suggestion = report_.suggest(*text, choices)});
  }

  void read_precision(const Value& value) {
    if (const std::string* text = as_string(value); text != nullptr && *text == "fp16") {
      report_.error(value.where, "out_of_range", "'precision' is 'fp16', which is not available yet, expected 'fp32' or 'bf16'",
                    {.found = *text, .expected = "'fp32' or 'bf16'"});
      return;
    }
    read_choice(value, "precision", run_.precision, {"fp32", "bf16"});
  }

  /// The name is that of the run's folder.
  void read_name(const Value& value) {
    const std::string* text = read_string(value, "name");
    if (text == nullptr) return;
    const bool has_bad_character =
        std::any_of(text->begin(), text->end(), [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20; });
    if (text->empty() || *text == "." || *text == ".." || has_bad_character) {
      report_.out_of_range(value, "'name'", "the name of a folder, without '/'");
    } else {
      run_.name = *text;
    }
  }

  void read_base(const Value& value) {
    const std::string* text = read_string(value, "base");
    if (text != nullptr) run_.base = (std::filesystem::path(value.base) / *text).lexically_normal().string();
  }

  RunSpec& run_;
  Reporter& report_;
};

}  // namespace

void read_run(const Table& table, RunSpec& run, Reporter& report) {
  RunReader reader(run, report);
  for (const Entry& entry : table) reader.read(entry);
}

}  // namespace flowrun::config
