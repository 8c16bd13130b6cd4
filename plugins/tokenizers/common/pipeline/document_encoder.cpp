#include "document_encoder.hpp"

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

}  // namespace

DocumentTokenizer::DocumentTokenizer(const std::string& path, std::string_view model_type) {
  const Json root = load_json(path);
  try {
    tokenizer_ = std::make_unique<const Tokenizer>(build_tokenizer(root));
    if (tokenizer_->model_type() != model_type)
      throw Error(Code::kInvalidArgument, "its model is " + tokenizer_->model_type() + ", expected " + std::string(model_type) + ": use plugin \"" +
                                              plugin_for(tokenizer_->model_type()) + "\"");
    fast_ = FastBpe::make(root);
  } catch (Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
}

DocumentTokenizer::Encoder::Encoder(std::shared_ptr<const DocumentTokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)), fast_(tokenizer_->fast_ ? tokenizer_->fast_->make_encoder() : nullptr) {}

void DocumentTokenizer::Encoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  if (fast_ && tokenizer_->fast_->fits(text)) {
    fast_->encode(text, out);
    return;
  }
  const Encoding encoding = tokenizer_->tokenizer_->encode(text, {.add_special_tokens = false, .split_special = true, .limit = false, .offsets = false});
  out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
}

}  // namespace flowrun::tokenizers
