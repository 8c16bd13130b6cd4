// tokenizers/load: a tokenizer that is there already, as an artifact; and, outside graphs, what `flowrun tokenize` asks (draft/tokenizer.h).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/draft/tokenizer.h>
#include <flowrun/node.hpp>

#include "formats.hpp"
#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/pipeline/expression_parameter.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "tokenizers/common/write_file.hpp"

namespace {

using flowrun::tokenizers::Encoding;
using flowrun::tokenizers::read_tokenizer;
using flowrun::tokenizers::read_tokenizer_files;
using flowrun::tokenizers::Tokenizer;

/// Makes the tokenizer, which refuses what cannot be used; the message names `path`, where the file was.
Tokenizer make_tokenizer(const std::string& tokenizer_json, const std::string& path) {
  try {
    return read_tokenizer(tokenizer_json);
  } catch (flowrun::Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
}

// ------------------------------------------------------------------------------------------------------------- the draft extension

void give_encoding(const Encoding& encoding, void (*give)(void*, const flowrun_encoding*), void* context) {
  std::vector<const char*> tokens;
  std::vector<std::uint64_t> lengths, offsets;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    tokens.push_back(encoding.tokens[i].data());
    lengths.push_back(encoding.tokens[i].size());
    offsets.push_back(encoding.offsets[i].begin);
    offsets.push_back(encoding.offsets[i].end);
  }
  const flowrun_encoding out{sizeof(flowrun_encoding), encoding.size(), encoding.ids.data(), tokens.data(), lengths.data(), offsets.data()};
  give(context, &out);
}

constexpr flowrun_tokenizer kTokenizer = {
    sizeof(flowrun_tokenizer),
    [](const flowrun_call* call, const char* path, const char* pattern, void** self) -> flowrun_status {
      return flowrun::guarded(call, [&] { *self = new Tokenizer(make_tokenizer(read_tokenizer_files(path, {pattern != nullptr ? pattern : "", "", {}}).tokenizer_json, path)); });
    },
    [](void* self, const flowrun_call* call, const char* bytes, std::uint64_t length, std::int32_t add_special_tokens, void (*give)(void*, const flowrun_encoding*),
       void* context) -> flowrun_status {
      return flowrun::guarded(call, [&] {
        const std::string_view text(bytes, length);
        if (!flowrun::tokenizers::is_utf8(text)) throw flowrun::Error(flowrun::Code::kCorruptData, "the text is not UTF-8 (bad_utf8)");
        give_encoding(static_cast<const Tokenizer*>(self)->encode(text, {.add_special_tokens = add_special_tokens != 0}), give, context);
      });
    },
    [](void* self, const flowrun_call* call, const std::uint32_t* ids, std::uint64_t count, std::int32_t skip_special_tokens, void (*give)(void*, const char*, std::uint64_t),
       void* context) -> flowrun_status {
      return flowrun::guarded(call, [&] {
        const std::string text = static_cast<const Tokenizer*>(self)->decode({ids, count}, skip_special_tokens != 0);
        give(context, text.data(), text.size());
      });
    },
    [](void* self) { delete static_cast<Tokenizer*>(self); }};

// ------------------------------------------------------------------------------------------------------------- the node

class LoadNode : public flowrun::Blocking {
 public:
  static flowrun::Descriptor descriptor() {
    return flowrun::Descriptor("tokenizers/load", "0.2.0")
        .summary("Gives a tokenizer that is there already, checked as a whole: a tokenizer.json of Hugging Face tokenizers, ranks of tiktoken or a model of sentencepiece, which become a tokenizer.json.")
        .output(flowrun::Port("tokenizer", "tokenizer", flowrun::Edge::kArtifact))
        .parameter(flowrun::path("path").required().about(
            "The file, whose content says which of the three it is; or a folder with tokenizer.json, tokenizer.model, spiece.model, sentencepiece.bpe.model or *.tiktoken, the first of them."))
        .parameter(flowrun::string("pattern")
                       .choices(flowrun::tokenizers::pattern_names())
                       .about("How ranks of tiktoken cut text, which they do not say. Published ones (r50k_base, p50k_base, cl100k_base, o200k_base, Llama 3) are recognised and need it not."))
        .parameter(flowrun::string("expression").about("A regular expression instead of 'pattern'; what it does not match is left out, as tiktoken does."))
        .parameter(flowrun::strings("special_tokens")
                       .about("Special tokens of ranks of tiktoken, with the ids after the largest rank, in order; published ones have theirs without it."))
        .at_most_one_of({"pattern", "expression"})
        .determinism("pure")
        .threads("One call at a time.")
        .source("github.com/huggingface/tokenizers, openai/tiktoken, google/sentencepiece; ids equal versions 0.23.3, 0.14.0 and 0.2.3. A model of sentencepiece gives the ids "
                "that Hugging Face tokenizers gives with it: `flowrun tokenize` finds its special pieces in text (encoders of documents take all text as data), and its normalization goes by "
                "graphemes, so that characters with combining marks may differ from sentencepiece's own.")
        .example(
            "[node.vocabulary]\n"
            "plugin = \"tokenizers/load\"\n"
            "path = \"tokenizer.json\"\n");
  }

  static const void* extension(std::string_view id) { return id == FLOWRUN_TOKENIZER_DRAFT_2 ? &kTokenizer : nullptr; }

  explicit LoadNode(const flowrun::Params& params)
      : path_(params.files("path").at(0).path), options_{params.string_or("pattern", ""), params.string_or("expression", ""), params.strings("special_tokens")} {
    if (!options_.expression.empty()) flowrun::tokenizers::expression_parameter("expression", options_.expression);
  }

  void open(flowrun::Open& open) override { staging_ = open.staging(); }
  void consume(const flowrun::Call&, std::size_t, const ArrowArray&) override {}
  void finish(const flowrun::Call&) override {
    const auto files = read_tokenizer_files(path_, options_);
    make_tokenizer(files.tokenizer_json, path_);  // refuses what cannot be used, before anything is built on it
    flowrun::tokenizers::write_file(staging_ + "/tokenizer.json", files.tokenizer_json);
    flowrun::tokenizers::write_file(staging_ + "/tokenizer_config.json", files.tokenizer_config_json);
  }

 private:
  std::string path_, staging_;
  flowrun::tokenizers::RankOptions options_;
};

}  // namespace

FLOWRUN_PLUGIN(LoadNode)
