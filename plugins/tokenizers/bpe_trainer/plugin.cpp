// tokenizers/bpe_trainer: learns a byte-level BPE tokenizer from all of its input. The algorithm is in bpe_trainer.cpp.

#include <cstdint>
#include <fstream>
#include <string>

#include <flowrun/node.hpp>

#include "bpe_trainer.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace {

using flowrun::bpe::BpeModel;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw flowrun::Error(flowrun::Code::kIo, "'" + path + "' cannot be written, needs " + std::to_string(text.size()) + " bytes");
}

class BpeTrainerNode : public flowrun::Blocking {
 public:
  static flowrun::Descriptor descriptor() {
    return flowrun::Descriptor("tokenizers/bpe_trainer", "0.1.0")
        .summary("Learns a byte-level BPE tokenizer with the GPT-2 pre-tokenizer, in the format of Hugging Face (tokenizer.json).")
        .input(flowrun::Port("in", "documents"))
        .output(flowrun::Port("tokenizer", "tokenizer", flowrun::Edge::kArtifact))
        .parameter(flowrun::integer("vocab_size")
                       .unit("tokens")
                       .required()
                       .range(kVocabSizeMin, kVocabSizeMax)
                       .about("Tokens to have, with the 256 bytes and <|endoftext|>, <|pad|>, <|mask|> (ids 0, 1, 2) counted in."))
        .parameter(flowrun::integer("min_frequency").defaults(0).min_value(0).about("Pairs of tokens that occur less often are not merged."))
        .determinism("pure")
        .threads("One call at a time.")
        .source("Sennrich et al. 2016, arXiv:1508.07909; equals the BpeTrainer of Hugging Face tokenizers 0.23.3.")
        .example(
            "[node.vocabulary]\n"
            "plugin = \"tokenizers/bpe_trainer\"\n"
            "in = \"documents\"\n"
            "vocab_size = 8192\n");
  }

  explicit BpeTrainerNode(const flowrun::Params& params) {
    options_.vocab_size = static_cast<std::uint32_t>(params.integer("vocab_size"));
    options_.min_frequency = static_cast<std::uint64_t>(params.integer("min_frequency"));
  }

  void open(flowrun::Open& open) override {
    schema_ = open.input();
    staging_ = open.staging();
  }

  void consume(const flowrun::Call& call, std::size_t, const ArrowArray& in) override {
    const flowrun::DocumentsView documents(in, schema_);
    for (std::int64_t row = 0; row < documents.size(); ++row) {
      call.check_stop();
      trainer_.add(documents.text[row]);
    }
  }

  void finish(const flowrun::Call& call) override {
    const BpeModel model = trainer_.train(options_, [&] { call.check_stop(); });
    if (model.tokens.size() < options_.vocab_size)
      call.log(FLOWRUN_LOG_WARNING,
               "the text gives " + std::to_string(model.tokens.size()) + " tokens, 'vocab_size' is " + std::to_string(options_.vocab_size));
    write_file(staging_ + "/tokenizer.json", flowrun::bpe::write_tokenizer_json(model));
    write_file(staging_ + "/tokenizer_config.json", flowrun::bpe::write_tokenizer_config_json(0));
  }

 private:
  static constexpr int kVocabSizeMin = 256 + 3;
  static constexpr int kVocabSizeMax = 1 << 20;  // four times the largest published vocabularies

  flowrun::bpe::BpeTrainer::Options options_;
  flowrun::Field schema_;
  std::string staging_;
  flowrun::bpe::BpeTrainer trainer_;
};

}  // namespace

FLOWRUN_PLUGIN(BpeTrainerNode)
