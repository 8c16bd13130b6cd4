#include "formats.hpp"

#include <filesystem>

#include "tokenizers/common/pipeline/decoders.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

namespace fs = std::filesystem;

/// Returns the file: `path` itself, or tokenizer.json of a folder.
fs::path file_of(const std::string& path) { return fs::is_directory(path) ? fs::path(path) / "tokenizer.json" : fs::path(path); }

}  // namespace

std::string read_as_tokenizer_json(const std::string& path) { return read_text(file_of(path).string()); }

std::string tokenizer_config_of(const std::string& path) {
  const fs::path file = file_of(path), beside = file.parent_path() / "tokenizer_config.json";
  const bool own = file.filename() == "tokenizer.json" && fs::exists(beside);
  return own ? read_text(beside.string()) : "{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n";
}

bool is_utf8(std::string_view text) { return replace_ill_formed(text) == text; }

}  // namespace flowrun::tokenizers
