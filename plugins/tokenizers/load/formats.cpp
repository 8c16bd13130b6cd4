#include "formats.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <flowrun/error.hpp>

#include "tokenizers/common/pipeline/decoders.hpp"

namespace flowrun::tokenizers {
namespace {

namespace fs = std::filesystem;

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Code::kNotFound, "'" + path + "' cannot be opened");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Error(Code::kIo, "'" + path + "' cannot be read");
  return text;
}

}  // namespace

std::string read_as_tokenizer_json(const std::string& path) { return read_whole(fs::is_directory(path) ? path + "/tokenizer.json" : path); }

std::string tokenizer_config_of(const std::string& path) {
  const std::string beside = (fs::path(path).parent_path() / "tokenizer_config.json").string();
  return fs::exists(beside) ? read_whole(beside) : "{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n";
}

bool is_utf8(std::string_view text) { return replace_ill_formed(text) == text; }

}  // namespace flowrun::tokenizers
