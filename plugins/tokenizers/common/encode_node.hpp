#pragma once

// What the nodes that encode documents share: tokenizers/bpe, unigram, wordlevel, wordpiece differ in the model that they take, and in what they say of it.

#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/node.hpp>

#include "pipeline/document_encoder.hpp"

namespace flowrun::tokenizers {

/// Objects that no call is using. One is borrowed for a whole batch, so there are never more than threads, each keeps its cache warm, and the lock is
/// taken twice for half a megabyte of text.
class EncoderPool {
 public:
  using Encoder = DocumentTokenizer::Encoder;
  void use(std::shared_ptr<const DocumentTokenizer> tokenizer) { tokenizer_ = std::move(tokenizer); }

  std::unique_ptr<Encoder> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto encoder = std::move(idle_.back());
        idle_.pop_back();
        return encoder;
      }
    }
    return std::make_unique<Encoder>(tokenizer_);
  }

  void give_back(std::unique_ptr<Encoder> encoder) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(encoder));
  }

 private:
  std::shared_ptr<const DocumentTokenizer> tokenizer_;  // set before the first call
  std::mutex mutex_;                                    // protects idle_
  std::vector<std::unique_ptr<Encoder>> idle_;
};

/// Encodes documents by a tokenizer.json, from an artifact or a file.
class EncodeNode : public Map {
 public:
  EncodeNode(const Params& params, std::string model_type) : model_type_(std::move(model_type)) {
    const auto files = params.files("tokenizer_path");
    if (!files.empty()) tokenizer_path_ = files[0].path;
  }

  void open(Open& open) override {
    if (const std::string folder = open.artifact("tokenizer"); !folder.empty()) tokenizer_path_ = folder + "/tokenizer.json";
    const auto tokenizer = std::make_shared<const DocumentTokenizer>(tokenizer_path_, model_type_);
    endoftext_id_ = tokenizer->endoftext_id().value_or(0);
    encoders_.use(tokenizer);

    // The columns of `tokens`, then all others but the text, as they came.
    input_schema_ = open.input();
    Field output = fields::tokens();
    // What joins documents takes 0, flowrun's own <|endoftext|>, unless the tokens say otherwise.
    if (endoftext_id_ != 0) output.children.push_back(fields::uint32("endoftext_id"));
    for (std::size_t i = 0; i < input_schema_.children.size(); ++i) {
      const Field& column = input_schema_.children[i];
      if (column.name == "text" || output.find(column.name) >= 0) continue;
      output.children.push_back(column);
      kept_columns_.push_back(i);
    }
    open.set_output(0, output);
  }

  void process(const Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const DocumentsView documents(in, input_schema_);
    const std::int64_t rows = documents.size();
    std::vector<std::int64_t> bytes(static_cast<std::size_t>(rows));
    for (std::int64_t row = 0; row < rows; ++row) bytes[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(documents.text[row].size());
    ListBuilder ids;
    ids.reserve(ids_expected(static_cast<std::size_t>(std::reduce(bytes.begin(), bytes.end()))));
    auto encoder = encoders_.take();
    for (std::int64_t row = 0; row < rows; ++row) {
      call.check_stop();
      encoder->encode(documents.text[row], ids.values());
      ids.end_row();
    }
    encoders_.give_back(std::move(encoder));

    const auto borrow = [&](std::size_t column) { return borrow_column(*in.children[column], in.offset, rows); };
    std::vector<OwnedArray> columns;
    for (const char* const name : {"id", "domain"}) columns.push_back(borrow(static_cast<std::size_t>(input_schema_.find(name))));
    columns.push_back(make_column(std::move(bytes)));
    columns.push_back(ids.finish());
    if (endoftext_id_ != 0) columns.push_back(make_column(std::vector<std::uint32_t>(static_cast<std::size_t>(rows), endoftext_id_)));
    for (const std::size_t column : kept_columns_) columns.push_back(borrow(column));
    make_batch(std::move(columns), rows, std::make_shared<OwnedArray>(call.retain(in))).move_to(&out[0]);
  }

 protected:
  /// Returns what the descriptors have in common.
  static Descriptor describe(const std::string& id, const std::string& summary, const std::string& source) {
    return Descriptor(id, "0.2.0")
        .summary(summary + " All text is data: no special token is added or recognised, nothing is cut off.")
        .input(Port("in", "documents"))
        .input(Port("tokenizer", "tokenizer", Edge::kArtifact).optional())
        .output(Port("out", "tokens"))
        .parameter(path("tokenizer_path").about("A tokenizer.json of Hugging Face tokenizers, instead of the port 'tokenizer'."))
        .exactly_one_of({"tokenizer", "tokenizer_path"})
        .determinism("pure")
        .threads("Any number of calls at once; each has an encoder with caches of 1.5 MiB at most.")
        .source(source + "; ids equal those of Hugging Face tokenizers 0.23.3 with encode_special_tokens = True.")
        .example("[node.tokens]\nplugin = \"" + id + "\"\nin = \"documents\"\ntokenizer = \"vocabulary\"\n");
  }

 private:
  std::string model_type_, tokenizer_path_;
  std::uint32_t endoftext_id_ = 0;
  Field input_schema_;
  std::vector<std::size_t> kept_columns_;
  EncoderPool encoders_;
};

}  // namespace flowrun::tokenizers
