#include "document_encoder.hpp"

#include <filesystem>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

/// Returns the plugin for tokenizers of a model.
std::string plugin_for(std::string_view model_type) {
  if (model_type == "BPE") return "tokenizers/bpe";
  if (model_type == "WordPiece") return "tokenizers/wordpiece";
  if (model_type == "Unigram") return "tokenizers/unigram";
  return "tokenizers/wordlevel";
}

/// Returns a special token as transformers writes it, by itself or with its flags; "" where there is none.
std::string special_token(const Json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_object() && found->contains("content") && (*found)["content"].is_string() ? (*found)["content"].get<std::string>() : std::string();
}

std::optional<std::uint32_t> find_endoftext(const Tokenizer& tokenizer, const std::filesystem::path& path) {
  // A file of another name may lie beside the configuration of another tokenizer.
  const std::filesystem::path folder = std::filesystem::is_directory(path) ? path : path.filename() == "tokenizer.json" ? path.parent_path() : "";
  if (const auto file = folder / "tokenizer_config.json"; !folder.empty() && std::filesystem::exists(file)) {
    const Json config = Json::parse(read_text(file.string()), nullptr, false);
    if (!config.is_object()) throw Error(Code::kCorruptData, "'" + file.string() + "' is no JSON object");
    for (const char* const key : {"eos_token", "sep_token"})
      if (const auto id = tokenizer.token_to_id(special_token(config, key))) return id;
  }
  return tokenizer.token_to_id("<|endoftext|>");
}

}  // namespace

DocumentTokenizer::DocumentTokenizer(const std::string& path, std::string_view model_type) {
  const Json root = load_json(path);
  try {
    tokenizer_ = std::make_unique<const Tokenizer>(build_tokenizer(root));
    if (tokenizer_->model_type() != model_type)
      throw Error(Code::kInvalidArgument, "its model is " + tokenizer_->model_type() + ", expected " + std::string(model_type) + ": use plugin \"" +
                                              plugin_for(tokenizer_->model_type()) + "\"");
    fast_ = FastBpe::make(root);
    if (!fast_) metaspace_ = MetaspaceBpe::make(root);
    if (!metaspace_) parts_rule_ = find_parts_rule(root);
    endoftext_id_ = find_endoftext(*tokenizer_, path);
  } catch (Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
}

DocumentTokenizer::Encoder::Encoder(std::shared_ptr<const DocumentTokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)), fast_(tokenizer_->fast_ ? tokenizer_->fast_->make_encoder() : nullptr) {
  if (tokenizer_->metaspace_) metaspace_ = std::make_unique<MetaspaceBpe::Encoder>(tokenizer_->metaspace_);
  if (tokenizer_->parts_rule_) parts_ = std::make_unique<PartsEncoder>(*tokenizer_->tokenizer_, *tokenizer_->parts_rule_);
}

void DocumentTokenizer::Encoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  if (fast_ && tokenizer_->fast_->fits(text)) {
    fast_->encode(text, out);
    return;
  }
  if (metaspace_ && metaspace_->encode(text, out)) return;
  if (parts_) parts_->encode(text, out);
  else encode_as_data(*tokenizer_->tokenizer_, text, out);
}

}  // namespace flowrun::tokenizers
