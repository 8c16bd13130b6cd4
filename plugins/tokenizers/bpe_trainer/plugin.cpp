// tokenizers/bpe_trainer: learns a byte-level BPE tokenizer from all of its input. The algorithm is in bpe_trainer.cpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <flowrun/node.hpp>

#include "bpe_trainer.hpp"
#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/pattern/scanners.hpp"
#include "tokenizers/common/pipeline/expression_parameter.hpp"
#include "tokenizers/common/tokenizer_json.hpp"
#include "tokenizers/common/training/tokenizer_writer.hpp"
#include "tokenizers/common/training/trainer_node.hpp"
#include "tokenizers/common/write_file.hpp"

namespace flowrun::tokenizers {
namespace {

class BpeTrainerNode : public TrainerNode {
 public:
  static Descriptor descriptor() {
    return describe("tokenizers/bpe_trainer", "0.2.0", "Learns a byte-level BPE tokenizer, in the format of Hugging Face (tokenizer.json).",
                    "Sennrich et al. 2016, arXiv:1508.07909. Merges equal those of the BpeTrainer of Hugging Face tokenizers 0.23.3; of pairs that occur equally "
                    "often, the one with the smallest ids goes first.")
        .parameter(integer("vocab_size")
                       .unit("tokens")
                       .required()
                       .range(kVocabSizeMin, kVocabSizeMax)
                       .about("Tokens to have, with the 256 bytes and all special tokens counted in."))
        .parameter(integer("min_frequency").defaults(0).min_value(0).about("Pairs of tokens that occur less often are not merged."))
        .parameter(string("pattern")
                       .choices(pattern_names())
                       .defaults("gpt2")
                       .about("How text is cut before it is merged: as by GPT-2; GPT-4 (cl100k); GPT-4o (o200k); Llama 3; Qwen 2 and 3."))
        .parameter(string("expression").about("A regular expression of your own, in place of 'pattern': what it matches is a piece, and what lies between too."))
        .parameter(strings("special_tokens").about("More special tokens, which get the ids from 3 on; <|endoftext|>, <|pad|>, <|mask|> always have 0, 1, 2."))
        .example(
            "[node.vocabulary]\n"
            "plugin = \"tokenizers/bpe_trainer\"\n"
            "in = \"documents\"\n"
            "vocab_size = 8192\n");
  }

  explicit BpeTrainerNode(const Params& params)
      : pattern_(params.string("pattern")), expression_(params.string_or("expression", "")), scanner_(find_scanner(expression_named(pattern_))) {
    options_.vocab_size = static_cast<std::uint32_t>(params.integer("vocab_size"));
    options_.min_frequency = static_cast<std::uint64_t>(params.integer("min_frequency"));
    if (!expression_.empty()) splitter_ = expression_parameter("expression", expression_);
    for (std::string& token : params.strings("special_tokens")) options_.specials.push_back(std::move(token));
    check_special_tokens(options_.specials, options_.vocab_size, 256);
  }

  void open(Open& open) override {
    TrainerNode::open(open);
    options_.folder = open.staging();
    if (open.memory_bytes() > 0) options_.memory_bytes = static_cast<std::size_t>(open.memory_bytes());
  }

 private:
  static constexpr int kVocabSizeMin = 256 + 3;
  static constexpr int kVocabSizeMax = 1 << 20;  // four times the largest published vocabularies

  void count(std::string_view text, WordCounter& words) override {
    if (expression_.empty()) return bpe::count_pretokens(text, scanner_, words);
    for (const auto& part : splitter_.parts(text)) words.add(text, part.range.begin, part.range.end);
  }

  void train(const Call& call, WordCounter& words, const std::string& staging) override {
    const bpe::BpeModel model = bpe::train_bpe(words, options_, [&](std::size_t merges, std::uint64_t count) { show_progress(call, merges, count); });
    if (model.tokens.size() < options_.vocab_size)
      call.log(FLOWRUN_LOG_WARNING, "the text gives " + std::to_string(model.tokens.size()) + " tokens, 'vocab_size' is " + std::to_string(options_.vocab_size));
    // GPT-2's own pattern needs no name in the file: it is the one of ByteLevel.
    const std::string_view split = !expression_.empty() ? std::string_view(expression_) : pattern_ == "gpt2" ? "" : expression_named(pattern_);
    write_file(staging + "/tokenizer.json", bpe::write_tokenizer_json(model, split));
    write_file(staging + "/tokenizer_config.json", bpe::write_tokenizer_config_json(0));
  }

  /// Says at each tenth of the vocabulary how far the training is.
  void show_progress(const Call& call, std::size_t merges, std::uint64_t count) {
    call.check_stop();
    const std::size_t all = options_.vocab_size - 256 - options_.specials.size();
    if (merges == 0 || merges * 10 / all == shown_tenths_) return;
    shown_tenths_ = merges * 10 / all;
    call.log(FLOWRUN_LOG_INFO, std::to_string(merges) + " of " + std::to_string(all) + " merges; the last pair occurs " + std::to_string(count) + " times");
  }

  std::string pattern_, expression_;
  Scanner scanner_;
  TextPattern splitter_;
  bpe::BpeTrainerOptions options_;
  std::size_t shown_tenths_ = 0;
};

}  // namespace
}  // namespace flowrun::tokenizers

FLOWRUN_PLUGIN(flowrun::tokenizers::BpeTrainerNode)
