// tokenizers/bpe: text to token ids. The algorithm is in ../common: gpt2_pretokenizer, bpe, bpe_encoder.

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/node.hpp>

#include "tokenizers/common/bpe_encoder.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace {

using flowrun::bpe::Bpe;
using flowrun::bpe::BpeEncoder;

// Encoders that no call is using. One is borrowed for a whole batch, so there are never more than threads, each keeps its cache warm, and
// the lock is taken twice for half a megabyte of text.
class EncoderPool {
 public:
  void use(std::shared_ptr<const Bpe> bpe) { bpe_ = std::move(bpe); }

  std::unique_ptr<BpeEncoder> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto encoder = std::move(idle_.back());
        idle_.pop_back();
        return encoder;
      }
    }
    return std::make_unique<BpeEncoder>(bpe_);
  }

  void give_back(std::unique_ptr<BpeEncoder> encoder) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(encoder));
  }

 private:
  std::shared_ptr<const Bpe> bpe_;  // set before the first call
  std::mutex mutex_;                // protects idle_
  std::vector<std::unique_ptr<BpeEncoder>> idle_;
};

class BpeNode : public flowrun::Map {
 public:
  static flowrun::Descriptor descriptor() {
    return flowrun::Descriptor("tokenizers/bpe", "0.1.0")
        .summary("Encodes documents by a byte-level BPE tokenizer with the GPT-2 pre-tokenizer; all text is data, no special token is added or recognised.")
        .input(flowrun::Port("in", "documents"))
        .input(flowrun::Port("tokenizer", "tokenizer", flowrun::Edge::kArtifact).optional())
        .output(flowrun::Port("out", "tokens"))
        .parameter(flowrun::path("tokenizer_path").about("A tokenizer.json of Hugging Face tokenizers, instead of the port 'tokenizer'."))
        .exactly_one_of({"tokenizer", "tokenizer_path"})
        .determinism("pure")
        .threads("Any number of calls at once; each has an encoder with a cache of 4 MiB.")
        .source("Sennrich et al. 2016, arXiv:1508.07909; ids equal those of Hugging Face tokenizers 0.23.3 with encode_special_tokens = True.")
        .example(
            "[node.tokens]\n"
            "plugin = \"tokenizers/bpe\"\n"
            "in = \"documents\"\n"
            "tokenizer = \"vocabulary\"\n");
  }

  explicit BpeNode(const flowrun::Params& params) {
    const auto files = params.files("tokenizer_path");
    if (!files.empty()) tokenizer_path_ = files[0].path;
  }

  void open(flowrun::Open& open) override {
    if (const std::string folder = open.artifact("tokenizer"); !folder.empty()) tokenizer_path_ = folder + "/tokenizer.json";
    encoders_.use(std::make_shared<const Bpe>(flowrun::bpe::load_tokenizer_json(tokenizer_path_)));

    // The columns of `tokens`, then all others but the text, as they came.
    input_schema_ = open.input();
    flowrun::Field output = flowrun::fields::tokens();
    for (std::size_t i = 0; i < input_schema_.children.size(); ++i) {
      const flowrun::Field& column = input_schema_.children[i];
      if (column.name == "text" || output.find(column.name) >= 0) continue;
      output.children.push_back(column);
      kept_columns_.push_back(i);
    }
    open.set_output(0, output);
  }

  void process(const flowrun::Call& call, const ArrowArray& in, std::span<ArrowArray> out) override {
    const flowrun::DocumentsView documents(in, input_schema_);
    const std::int64_t rows = documents.size();
    std::vector<std::int64_t> bytes;
    bytes.reserve(static_cast<std::size_t>(rows));
    flowrun::ListBuilder ids;
    auto encoder = encoders_.take();
    for (std::int64_t row = 0; row < rows; ++row) {
      call.check_stop();
      const std::string_view text = documents.text[row];
      encoder->encode(text, ids.values());
      ids.end_row();
      bytes.push_back(static_cast<std::int64_t>(text.size()));
    }
    encoders_.give_back(std::move(encoder));

    const auto borrow = [&](std::size_t column) { return flowrun::borrow_column(*in.children[column], in.offset, rows); };
    std::vector<flowrun::OwnedArray> columns;
    for (const char* const name : {"id", "domain"}) columns.push_back(borrow(static_cast<std::size_t>(input_schema_.find(name))));
    columns.push_back(flowrun::make_column(bytes));
    columns.push_back(ids.finish());
    for (const std::size_t column : kept_columns_) columns.push_back(borrow(column));
    flowrun::make_batch(std::move(columns), rows, std::make_shared<flowrun::OwnedArray>(call.retain(in))).move_to(&out[0]);
  }

 private:
  std::string tokenizer_path_;
  flowrun::Field input_schema_;
  std::vector<std::size_t> kept_columns_;
  EncoderPool encoders_;
};

}  // namespace

FLOWRUN_PLUGIN(BpeNode)
