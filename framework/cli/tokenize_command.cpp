#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
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
  throw Error(Code::kCorruptData, fmt::format("{}: found {}, expected {}", place, line.empty() ? "an empty line" : line.size() > 60 ? line.substr(0, 60) + "..." : line, expected));
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
  if (!value.is_array()) refuse(place, line, "a JSON list of ids");
  for (const auto& id : value)
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > UINT32_MAX) refuse(place, id.dump() + " in " + line, "a JSON list of ids, whole numbers from 0 to 4294967295");
  return value.get<std::vector<std::uint32_t>>();
}

/// Lines of a file descriptor. Says when it is about to wait for more.
class LineReader {
 public:
  /// `name` is for errors.
  LineReader(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  /// Gives the next line without its end; false behind the last one. Calls `before_read` whenever what was read is used up. Throws Error(kIo).
  template <class F>
  bool next(std::string& line, F&& before_read) {
    std::size_t looked_at = begin_;
    for (;;) {
      const auto end = buffer_.find('\n', looked_at);
      if (end != std::string::npos) return take(line, end, end + 1);
      looked_at = buffer_.size();
      if (at_end_) return begin_ < buffer_.size() && take(line, buffer_.size(), buffer_.size());
      before_read();
      buffer_.erase(0, begin_);
      looked_at -= std::exchange(begin_, 0);
      read_more();
    }
  }

 private:
  bool take(std::string& line, std::size_t end, std::size_t next) {
    line.assign(buffer_, begin_, end - begin_);
    begin_ = next;
    return true;
  }

  void read_more() {
    constexpr std::size_t kBytes = 1 << 16;
    const std::size_t have = buffer_.size();
    buffer_.resize(have + kBytes);
    ssize_t got = 0;
    do got = ::read(descriptor_, buffer_.data() + have, kBytes);
    while (got < 0 && errno == EINTR);
    if (got < 0) throw Error(Code::kIo, fmt::format("'{}' cannot be read: {}", name_, std::strerror(errno)));
    buffer_.resize(have + static_cast<std::size_t>(got));
    at_end_ = got == 0;
  }

  const int descriptor_;
  const std::string name_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next line
  bool at_end_ = false;
};

/// Returns the line that answers a line.
std::string answer(const std::string& line, const std::string& place, const Settings& settings, const LoadedTokenizer& tokenizer) {
  if (settings.decode) {
    const std::string text = tokenizer.decode(ids_of(line, place), !settings.keep_special_tokens);
    return settings.jsonl ? nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) : text;
  }
  const std::string text = settings.jsonl ? text_of(line, place) : line;
  try {
    return tokenizer.encode(text, settings.jsonl, !settings.no_special_tokens);
  } catch (const Error& error) {
    // Text that the model has no token for is bad input, as text that is not UTF-8.
    Error placed(error.code() == Code::kInvalidArgument ? Code::kCorruptData : error.code(), error.message());
    for (const std::string& line_of : error.context()) placed.add_context(line_of);
    placed.add_context("in " + place);
    throw placed;
  }
}

/// Answers every line, many at a time, but none later than when the next has to be waited for. Returns false where nobody reads the answers any more.
bool answer_lines(int descriptor, const std::string& name, const Settings& settings, const LoadedTokenizer& tokenizer) {
  constexpr std::size_t kAnswersBytes = 1 << 16;
  std::string answers;
  bool is_read = true;
  const auto give = [&] { is_read = is_read && (answers.empty() || print(std::exchange(answers, {}))); };
  LineReader lines(descriptor, name);
  std::int64_t number = 0;
  try {
    for (std::string line; is_read && lines.next(line, give);) {
      (answers += answer(line, fmt::format("{}:{}", name, ++number), settings, tokenizer)) += '\n';
      if (answers.size() >= kAnswersBytes) give();
    }
  } catch (...) {
    give();
    throw;
  }
  give();
  return is_read;
}

/// A file, closed by the destructor.
class OpenFile {
 public:
  /// Throws Error(kNotFound).
  explicit OpenFile(const std::string& name) : descriptor_(::open(name.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw Error(Code::kNotFound, fmt::format("'{}' cannot be opened: {}", name, std::strerror(errno)));
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(descriptor_); }
  int descriptor() const noexcept { return descriptor_; }

 private:
  const int descriptor_;
};

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
    if (settings->files.empty()) answer_lines(STDIN_FILENO, "<stdin>", *settings, tokenizer);
    for (const std::string& name : settings->files)
      if (!answer_lines(OpenFile(name).descriptor(), name, *settings, tokenizer)) break;
    invocation.result = run::kOk;
  });
}

}  // namespace flowrun::cli
