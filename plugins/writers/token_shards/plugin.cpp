// writers/token_shards: documents of tokens as the files that training code reads by position.

#include <flowrun/node.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "shard.hpp"
#include "writers/common/staged_name.hpp"

namespace flowrun::writers {
namespace {

/// Vocabularies below this size take two bytes in Megatron-LM's own tools, which leave some ids free.
constexpr std::int64_t kMegatronSmallVocabulary = 65500;

class TokenShards : public Serial {
 public:
  static Descriptor descriptor() {
    return Descriptor("writers/token_shards", "0.1.0")
        .summary("Writes documents of tokens as shards: Megatron-LM's .bin and .idx or plain numbers for other training code, or safetensors files that keep every column.")
        .input({"in", "tokens"})
        .parameter(output_path("path").required().about("The folder to write, relative to the run's folder: shard-00000.bin and its index (flowrun: shard-00000.safetensors), shard-00001.bin and so on."))
        .parameter(string("format").required().choices({"megatron", "raw", "flowrun"}).about(
            "megatron: .bin and .idx of Megatron-LM's IndexedDataset, a sequence a document; raw: .bin with unsigned little-endian numbers, and .json with the documents' lengths; flowrun: "
            "tokens, ids, domains, bytes and all columns as arrays of a safetensors file, with checksums."))
        .parameter(integer("shard_tokens").unit("tokens").min_value(1).about("A shard ends before the document that would take it above this; a longer document is a shard by itself."))
        .parameter(integer("shard_bytes").unit("bytes").min_value(4).about("The same limit in bytes of tokens; without either all documents are in one shard."))
        .parameter(integer("vocab_size").unit("ids").range(1, std::numeric_limits<std::uint32_t>::max()).about(
            "Decides the bytes of a token: 2 where the ids fit (megatron: below 65500, as its own tools do), else 4. A token whose id is not below it is refused."))
        .parameter(integer("token_bytes").unit("bytes").range(2, 4).about("The bytes of a token, 2 or 4, where 'vocab_size' is not given; 4 where neither is."))
        .parameter(boolean("append_endoftext").about("Whether each document ends with the end-of-text id: yes, where it is left out, but never with flowrun, which keeps tokens as they are."))
        .parameter(integer("endoftext_id").range(0, std::numeric_limits<std::uint32_t>::max()).about(
            "The id that ends every document; left out, that of the tokenizer, which tokens bring along where it is not 0."))
        .at_most_one_of({"shard_tokens", "shard_bytes"})
        .at_most_one_of({"vocab_size", "token_bytes"})
        .determinism("pure")
        .threads("One call at a time; documents in the order of 'in'. The bytes do not depend on batches. Memory does not grow with documents.")
        .source("Megatron-LM, megatron/core/datasets/indexed_dataset.py (megatron-core 0.16.1): index version 1; https://huggingface.co/docs/safetensors")
        .example("[node.shards]\nplugin = \"writers/token_shards\"\nin     = \"train_tokens\"\npath   = \"shards\"\nformat = \"megatron\"\nvocab_size = 32000\nshard_bytes = 1_000_000_000\n");
  }

  explicit TokenShards(const Params& params)
      : name_(staged_name(params.string("path"))),
        shard_tokens_(params.integer_or("shard_tokens", std::numeric_limits<std::int64_t>::max())),
        endoftext_is_given_(params.has("endoftext_id")) {
    const std::string format = params.string("format");
    format_.kind = format == "megatron" ? ShardFormat::Kind::kMegatron : format == "raw" ? ShardFormat::Kind::kRaw : ShardFormat::Kind::kFlowrun;
    appends_ = params.has("append_endoftext") ? params.boolean("append_endoftext") : format_.kind != ShardFormat::Kind::kFlowrun;
    if (format_.kind == ShardFormat::Kind::kFlowrun && (appends_ || endoftext_is_given_))
      throw Error(Code::kInvalidArgument, std::string(appends_ ? "'append_endoftext'" : "'endoftext_id'") + " is set, but format \"flowrun\" keeps tokens as they are");
    format_.token_bytes = bytes_of_token(params);
    max_id_ = format_.max_id();
    if (params.has("vocab_size")) max_id_ = std::min(max_id_, static_cast<std::uint32_t>(params.integer("vocab_size") - 1));
    if (params.has("shard_bytes")) shard_tokens_ = std::max<std::int64_t>(1, params.integer("shard_bytes") / format_.token_bytes);
    if (appends_) format_.endoftext_id = static_cast<std::uint32_t>(params.integer_or("endoftext_id", 0));
    if (format_.endoftext_id) check_id(*format_.endoftext_id, "'endoftext_id'");
  }

  void open(Open& open) override {
    schema_ = open.input();
    folder_ = open.staging() + "/" + name_;
    std::filesystem::create_directories(folder_);
    open_shard();
  }

  void process(const Call& call, std::size_t, const ArrowArray& in, std::span<ArrowArray>) override {
    const TokensView tokens(in, schema_);
    if (in.length > 0 && appends_ && !endoftext_is_given_) take_endoftext(tokens);
    for (std::int64_t row = 0; row < tokens.size(); ++row) {
      call.check_stop();
      append(tokens, row);
    }
  }

  void finish(const Call&, std::span<ArrowArray>) override { shard_->finish(); }
  void close() noexcept override { shard_.reset(); }

 private:
  int bytes_of_token(const Params& params) const {
    if (params.has("vocab_size")) {
      const std::int64_t limit = format_.kind == ShardFormat::Kind::kMegatron ? kMegatronSmallVocabulary - 1 : 1 << 16;
      return params.integer("vocab_size") <= limit ? 2 : 4;
    }
    const std::int64_t bytes = params.integer_or("token_bytes", 4);
    if (bytes == 3) throw Error(Code::kInvalidArgument, "'token_bytes' is 3, expected 2 or 4");
    return static_cast<int>(bytes);
  }

  void check_id(std::uint32_t id, const std::string& what) const {
    if (id <= max_id_) return;
    const std::string found = what + " is " + std::to_string(id) + ", expected at most " + std::to_string(max_id_);
    if (max_id_ < format_.max_id()) throw Error(Code::kInvalidArgument, found + " of 'vocab_size' = " + std::to_string(std::int64_t{max_id_} + 1));
    throw Error(Code::kInvalidArgument, found + " in tokens of " + std::to_string(format_.token_bytes) + " bytes" + (format_.token_bytes == 2 ? "; set 'token_bytes' or 'vocab_size'" : ""));
  }

  /// Takes the id that tokens bring along; all documents of a stream bring one.
  void take_endoftext(const TokensView& tokens) {
    endoftext_is_given_ = true;
    if (schema_.find("endoftext_id") < 0) return;
    const std::uint32_t id = tokens.values<std::uint32_t>("endoftext_id", "I")[0];
    check_id(id, "the tokenizer's end-of-text id");
    format_.endoftext_id = id;
    open_shard();  // nothing is in it yet
  }

  void append(const TokensView& tokens, std::int64_t row) {
    const auto ids = tokens.input_ids[row];
    for (const std::uint32_t id : ids)
      if (id > max_id_) check_id(id, "a token of document '" + std::string(tokens.id[row]) + "'");
    const std::int64_t length = static_cast<std::int64_t>(ids.size()) + (format_.endoftext_id ? 1 : 0);
    if (shard_->document_count() > 0 && length > shard_tokens_ - shard_->token_count()) {
      shard_->finish();
      ++shard_number_;
      open_shard();
    }
    shard_->append(tokens, row);
  }

  void open_shard() {
    char name[32];
    std::snprintf(name, sizeof name, "/shard-%05lld", static_cast<long long>(shard_number_));
    shard_ = make_shard(format_, schema_, folder_ + name);
  }

  const std::string name_;
  ShardFormat format_;
  std::uint32_t max_id_ = 0;  ///< that a token may have
  std::int64_t shard_tokens_;
  bool appends_ = false;
  bool endoftext_is_given_;
  Field schema_;
  std::string folder_;
  std::int64_t shard_number_ = 0;
  std::unique_ptr<Shard> shard_;
};

}  // namespace
}  // namespace flowrun::writers

FLOWRUN_PLUGIN(flowrun::writers::TokenShards)
