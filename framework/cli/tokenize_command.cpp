#include <algorithm>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <flowrun/draft/tokenizer.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "graph/node_call.hpp"
#include "plugin/registry.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::cli {
namespace {

constexpr const char* kPlugin = "tokenizers/load";

struct Settings {
  std::string tokenizer, pattern;
  std::vector<std::string> files, folders;
  bool decode = false, jsonl = false, no_special_tokens = false, keep_special_tokens = false;
};

/// What --pattern may name: the choices of the plugin's parameter of that name.
std::vector<std::string> pattern_choices(const plugin::PluginFile& file) {
  const auto* const parameter = file.descriptor ? file.descriptor->parameter("pattern") : nullptr;
  return parameter != nullptr ? parameter->choices : std::vector<std::string>();
}

/// A tokenizer of the plugin, unloaded by the destructor.
class LoadedTokenizer {
 public:
  LoadedTokenizer(plugin::Registry& registry, const std::string& path, const std::string& pattern) {
    const auto* file = registry.find(kPlugin);
    if (file == nullptr) throw Error(Code::kUnavailable, fmt::format("'tokenize' needs the plugin '{}', which is in no search folder", kPlugin));
    const std::vector<std::string> choices = pattern_choices(*file);
    if (!pattern.empty() && !choices.empty() && std::find(choices.begin(), choices.end(), pattern) == choices.end())
      throw run::ExitError(run::kUsage, Code::kInvalidArgument, fmt::format("--pattern is '{}', expected one of {}", pattern, fmt::join(choices, ", ")));
    const flowrun_plugin* plugin = registry.load(*file, "");
    table_ = static_cast<const flowrun_tokenizer*>(plugin->get_interface(FLOWRUN_TOKENIZER_DRAFT_2));
    if (table_ == nullptr || table_->size < sizeof *table_) throw Error(Code::kUnavailable, fmt::format("plugin '{}' does not give '{}'", kPlugin, FLOWRUN_TOKENIZER_DRAFT_2));
    const graph::NodeCall call(nullptr);
    try {
      call.check(table_->load(call.table(), path.c_str(), pattern.empty() ? nullptr : pattern.c_str(), &self_));
    } catch (const Error& error) {
      // The path names a file that is there, so what is not right with the arguments is the pattern: it is missing, or the file says its own.
      if (error.code() != Code::kInvalidArgument) throw;
      throw run::ExitError(run::kUsage, error.code(), fmt::format("{}\n  'pattern' is the option --pattern, one of {}; the others are parameters of {} in a graph", error.what(), fmt::join(choices, ", "), kPlugin));
    }
  }
  LoadedTokenizer(const LoadedTokenizer&) = delete;
  LoadedTokenizer& operator=(const LoadedTokenizer&) = delete;
  ~LoadedTokenizer() { table_->unload(self_); }

  /// Returns the line that answers `text`.
  std::string encode(const std::string& text, bool whole, bool add_special_tokens) const {
    struct Answer {
      bool whole;
      std::string line;
    } answer{whole, ""};
    const graph::NodeCall call(nullptr);
    call.check(table_->encode(
        self_, call.table(), text.data(), text.size(), add_special_tokens,
        [](void* context, const flowrun_encoding* encoding) {
          auto& given = *static_cast<Answer*>(context);
          given.line = given.whole ? describe(*encoding).dump() : nlohmann::json(std::vector<std::uint32_t>(encoding->ids, encoding->ids + encoding->count)).dump();
        },
        &answer));
    return answer.line;
  }

  std::string decode(const std::vector<std::uint32_t>& ids, bool skip_special_tokens) const {
    std::string text;
    const graph::NodeCall call(nullptr);
    call.check(table_->decode(
        self_, call.table(), ids.data(), ids.size(), skip_special_tokens,
        [](void* context, const char* bytes, std::uint64_t length) { static_cast<std::string*>(context)->assign(bytes, length); }, &text));
    return text;
  }

 private:
  static nlohmann::ordered_json describe(const flowrun_encoding& encoding) {
    nlohmann::ordered_json ids = nlohmann::ordered_json::array(), tokens = ids, offsets = ids;
    for (std::uint64_t i = 0; i < encoding.count; ++i) {
      ids.push_back(encoding.ids[i]);
      tokens.push_back(std::string(encoding.tokens[i], encoding.lengths[i]));
      offsets.push_back({encoding.offsets[2 * i], encoding.offsets[2 * i + 1]});
    }
    return {{"ids", ids}, {"tokens", tokens}, {"offsets", offsets}};
  }

  const flowrun_tokenizer* table_ = nullptr;
  void* self_ = nullptr;
};

[[noreturn]] void refuse(const std::string& place, const std::string& line, const char* expected) {
  throw Error(Code::kCorruptData, fmt::format("{}: found {}, expected {}", place, line.size() > 60 ? line.substr(0, 60) + "..." : line, expected));
}

/// The text of a line of --jsonl: a string, or an object with "text".
std::string text_of(const std::string& line, const std::string& place) {
  auto value = nlohmann::json::parse(line, nullptr, false);
  if (value.is_object() && value.contains("text")) value = nlohmann::json(value["text"]);
  if (!value.is_string()) refuse(place, line, "a JSON string, or an object with \"text\"");
  return value.get<std::string>();
}

/// The ids of a line: a list, or an object with "ids".
std::vector<std::uint32_t> ids_of(const std::string& line, const std::string& place) {
  auto value = nlohmann::json::parse(line, nullptr, false);
  if (value.is_object() && value.contains("ids")) value = nlohmann::json(value["ids"]);
  bool good = value.is_array();
  for (std::size_t i = 0; good && i < value.size(); ++i) good = value[i].is_number_unsigned() && value[i].get<std::uint64_t>() <= UINT32_MAX;
  if (!good) refuse(place, line, "a JSON list of ids");
  return value.get<std::vector<std::uint32_t>>();
}

void answer_lines(std::istream& in, const std::string& name, const Settings& settings, const LoadedTokenizer& tokenizer) {
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string place = fmt::format("{}:{}", name, ++number);
    if (settings.decode) {
      const std::string text = tokenizer.decode(ids_of(line, place), !settings.keep_special_tokens);
      print((settings.jsonl ? nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) : text) + "\n");
      continue;
    }
    const std::string text = settings.jsonl ? text_of(line, place) : line;
    try {
      print(tokenizer.encode(text, settings.jsonl, !settings.no_special_tokens) + "\n");
    } catch (const Error& error) {
      // Text that the model has no token for is bad input, as text that is not UTF-8.
      Error placed(error.code() == Code::kInvalidArgument ? Code::kCorruptData : error.code(), error.message());
      for (const std::string& line_of : error.context()) placed.add_context(line_of);
      placed.add_context("in " + place);
      throw placed;
    }
  }
  if (in.bad()) throw Error(Code::kIo, fmt::format("'{}' cannot be read", name));
}

}  // namespace

void add_tokenize(CLI::App& app, Invocation& invocation) {
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand("tokenize", "Turn lines of text into token ids, or back");
  command->add_option("--tokenizer", settings->tokenizer, "A tokenizer.json, ranks of tiktoken or a model of sentencepiece, or a folder that has one")->required()->type_name("FILE|DIR");
  command->add_option("--pattern", settings->pattern, "How ranks of tiktoken that are of no published encoding cut text: gpt2, cl100k, o200k, llama3 or qwen2")->type_name("NAME");
  auto* decode = command->add_flag("--decode", settings->decode, "Lines of ids (JSON lists) to text");
  command->add_flag("--jsonl", settings->jsonl, "Lines are JSON strings or objects with \"text\"; answers hold ids, tokens and offsets (in code points)");
  command->add_flag("--no-special-tokens", settings->no_special_tokens, "Without what the tokenizer's post-processor adds")->excludes(decode);
  command->add_flag("--keep-special-tokens", settings->keep_special_tokens, "Special tokens stay in decoded text")->needs(decode);
  command->add_option("files", settings->files, "Files to read (default: standard input)")->type_name("FILE");
  add_plugin_folders(*command, settings->folders);
  command->callback([settings, &invocation] {
    // There is nothing to finish: the first INT or TERM ends it at once.
    if (const int earlier = invocation.stop->signal.exchange(SIGTERM); earlier != 0) {
      invocation.result = 128 + earlier;
      return;
    }
    plugin::Registry registry(plugin::search_folders(settings->folders));
    const LoadedTokenizer tokenizer(registry, settings->tokenizer, settings->pattern);
    if (settings->files.empty()) answer_lines(std::cin, "<stdin>", *settings, tokenizer);
    for (const std::string& name : settings->files) {
      std::ifstream file(name, std::ios::binary);
      if (!file) throw Error(Code::kNotFound, fmt::format("'{}' cannot be opened", name));
      answer_lines(file, name, *settings, tokenizer);
    }
    invocation.result = run::kOk;
  });
}

}  // namespace flowrun::cli
