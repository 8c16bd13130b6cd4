#include "formats.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <flowrun/error.hpp>

#include "sentencepiece_file.hpp"
#include "tokenizers/common/pipeline/decoders.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

namespace fs = std::filesystem;

// 30 times the largest published one.
constexpr std::uintmax_t kFileBytesMax = std::uintmax_t{1} << 30;

/// Returns the file: `path` itself, or the one of a folder.
fs::path file_of(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  for (const char* const name : {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
    if (fs::exists(path / name)) return path / name;
  std::vector<fs::path> ranks;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".tiktoken") ranks.push_back(entry.path());
  if (ranks.empty())
    throw Error(Code::kNotFound, "the folder '" + path.string() + "' has no tokenizer, expected tokenizer.json, tokenizer.model, spiece.model, sentencepiece.bpe.model or *.tiktoken");
  return *std::min_element(ranks.begin(), ranks.end());
}

std::string read_bounded(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(file, error);
  if (!error && bytes > kFileBytesMax)
    throw Error(Code::kUnsupported, "'" + file.string() + "' has " + std::to_string(bytes) + " bytes, expected at most " + std::to_string(kFileBytesMax));
  return read_text(file.string());
}

std::string config_beside(const fs::path& file) {
  const fs::path beside = file.parent_path() / "tokenizer_config.json";
  const bool own = file.filename() == "tokenizer.json" && fs::exists(beside);
  return own ? read_bounded(beside) : "{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n";
}

bool is_json(std::string_view content) {
  constexpr std::string_view kJsonSpace = " \t\r\n";
  const std::size_t brace = content.find_first_not_of(kJsonSpace);
  if (brace == std::string_view::npos || content[brace] != '{') return false;
  // A model of sentencepiece may begin with a line feed and a brace, too: its first field, of 123 bytes.
  const std::size_t next = content.find_first_not_of(kJsonSpace, brace + 1);
  return content[0] != '\n' || next == std::string_view::npos || content[next] == '"' || content[next] == '}';
}

/// Returns the beginning of a file as it reads in a message.
std::string beginning(std::string_view content) {
  if (content.empty()) return "an empty file";
  constexpr std::size_t kShown = 16;
  std::string shown;
  for (const char c : content.substr(0, kShown)) shown += c >= ' ' && c <= '~' ? c : '?';
  return "a file that begins with '" + shown + "'";
}

[[noreturn]] void refuse_options(const char* kind) {
  throw Error(Code::kInvalidArgument, std::string("it is ") + kind + ", which says its pattern and special tokens itself: 'pattern', 'expression' and 'special_tokens' are for ranks of tiktoken");
}

TokenizerFiles convert(const fs::path& file, const std::string& content, const RankOptions& options) {
  if (is_json(content)) {
    if (!options.empty()) refuse_options("a tokenizer.json");
    return {content, config_beside(file)};
  }
  if (is_rank_file(content)) return ranks_to_tokenizer(content, options);
  if (is_sentencepiece_model(content)) {
    if (!options.empty()) refuse_options("a model of sentencepiece");
    return sentencepiece_to_tokenizer(content);
  }
  throw Error(Code::kCorruptData, "found " + beginning(content) +
                                      ", expected a tokenizer.json, which begins with '{', ranks of tiktoken, lines of base64, a space and a number, or a model of sentencepiece, a message of protobuf");
}

}  // namespace

TokenizerFiles read_tokenizer_files(const std::string& path, const RankOptions& options) {
  const fs::path file = file_of(path);
  const std::string content = read_bounded(file);
  try {
    return convert(file, content, options);
  } catch (Error& error) {
    error.add_context("in '" + file.string() + "'");
    throw;
  }
}

bool is_utf8(std::string_view text) { return replace_ill_formed(text) == text; }

}  // namespace flowrun::tokenizers
