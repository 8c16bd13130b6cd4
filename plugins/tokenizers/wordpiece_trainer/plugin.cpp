// tokenizers/wordpiece_trainer: learns a WordPiece tokenizer as BERT has it from all of its input. The algorithm is in wordpiece_trainer.cpp.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/node.hpp>

#include "tokenizers/common/tokenizer_layout.hpp"
#include "tokenizers/common/training/tokenizer_writer.hpp"
#include "tokenizers/common/training/trainer_node.hpp"
#include "tokenizers/common/training/word_maker.hpp"
#include "tokenizers/common/write_file.hpp"
#include "wordpiece_trainer.hpp"

namespace flowrun::tokenizers {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kUnk = "[UNK]";
constexpr int kMaxCharactersPerWord = 100;  // longer words are unknown: BERT's value, as in the library

// Every word of a text lies between two of these, and what it becomes hangs on nothing outside: they are spaces to both normalizer and pre-tokenizer,
// whatever the options. Other white space is not: BERT takes a vertical tab for a control character and removes it.
constexpr bool divides(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// "[CLS] $A [SEP]" and, for two texts, "[CLS] $A [SEP] $B [SEP]", as BERT's tokenizers have it.
OrderedJson bert_template(std::uint32_t cls_id, std::uint32_t sep_id) {
  const auto special = [](const char* token, int type_id) { return OrderedJson{{"SpecialToken", {{"id", token}, {"type_id", type_id}}}}; };
  const auto sequence = [](const char* name, int type_id) { return OrderedJson{{"Sequence", {{"id", name}, {"type_id", type_id}}}}; };
  const auto entry = [](const char* token, std::uint32_t id) {
    return OrderedJson{{"id", token}, {"ids", OrderedJson::array({id})}, {"tokens", OrderedJson::array({token})}};
  };
  OrderedJson single = OrderedJson::array({special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)});
  OrderedJson pair = single;
  pair.push_back(sequence("B", 1));
  pair.push_back(special("[SEP]", 1));
  return {{"type", "TemplateProcessing"}, {"single", std::move(single)}, {"pair", std::move(pair)},
          {"special_tokens", {{"[CLS]", entry("[CLS]", cls_id)}, {"[SEP]", entry("[SEP]", sep_id)}}}};
}

class WordPieceTrainerNode : public TrainerNode {
 public:
  static Descriptor descriptor() {
    return describe("tokenizers/wordpiece_trainer", "0.1.0", "Learns a WordPiece tokenizer as BERT has it, in the format of Hugging Face (tokenizer.json). What does not fit into "
                    "memory_bytes goes to disk, the counts of words as well as the words that are merged.",
                    "Schuster and Nakajima 2012; Devlin et al. 2019, arXiv:1810.04805; equals BertWordPieceTokenizer of Hugging Face tokenizers 0.23.3, but that "
                    "pieces with the prefix have ids in a fixed order.")
        .parameter(integer("vocab_size").unit("tokens").required().range(1, 1 << 20).about("Tokens to have, special tokens and characters counted in."))
        .parameter(integer("min_frequency").defaults(2).min_value(0).about("Pairs of tokens that occur less often are not merged."))
        .parameter(integer("limit_alphabet").unit("characters").defaults(1000).range(1, 0x110000).about("Characters to keep, the most frequent; a word with another one is unknown."))
        .parameter(strings("special_tokens").defaults(std::vector<std::string>{"[PAD]", kUnk, "[CLS]", "[SEP]", "[MASK]"})
                       .about("Get the ids from 0; [UNK] must be there. [SEP] ends a document where packers join them, [MASK] and [PAD] are what they say."))
        .parameter(string("continuing_subword_prefix").defaults("##").about("Stands before a piece that is not at the beginning of its word."))
        .parameter(boolean("lowercase").defaults(true).about("Text becomes lower case."))
        .parameter(boolean("strip_accents").about("Accents are taken off; left out, they are where the text becomes lower case."))
        .parameter(boolean("handle_chinese_chars").defaults(true).about("Every Chinese character is a word."))
        .parameter(boolean("clean_text").defaults(true).about("Control characters go, white space becomes spaces."))
        .example(
            "[node.vocabulary]\n"
            "plugin = \"tokenizers/wordpiece_trainer\"\n"
            "in = \"documents\"\n"
            "vocab_size = 30000\n");
  }

  explicit WordPieceTrainerNode(const Params& params) {
    options_.vocab_size = static_cast<std::size_t>(params.integer("vocab_size"));
    options_.min_frequency = static_cast<std::uint64_t>(params.integer("min_frequency"));
    options_.limit_alphabet = static_cast<std::size_t>(params.integer("limit_alphabet"));
    options_.specials = params.strings("special_tokens");
    options_.continuing_subword_prefix = params.string("continuing_subword_prefix");
    check_special_tokens(options_.specials, options_.vocab_size);
    if (!special_id(kUnk)) throw Error(Code::kInvalidArgument, "'special_tokens' has no '[UNK]', which stands for words that the vocabulary cannot spell");
    normalizer_ = {{"type", "BertNormalizer"},
                   {"clean_text", params.boolean("clean_text")},
                   {"handle_chinese_chars", params.boolean("handle_chinese_chars")},
                   {"strip_accents", params.has("strip_accents") ? OrderedJson(params.boolean("strip_accents")) : OrderedJson()},
                   {"lowercase", params.boolean("lowercase")}};
  }

 protected:
  void count(std::string_view text, WordCounter& words) override {
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
      for (end = begin; end < text.size() && !divides(text[end]);) ++end;
      if (end > begin) words.add(text, begin, end);
    }
  }

  void train(const Call& call, WordCounter& words, const std::string& staging) override {
    const WordMaker maker{Json(normalizer_), Json(pre_tokenizer_)};
    make_words(words, [&](std::string_view text) { return maker.words_of(text); }, [&] { call.check_stop(); });
    log_words(call, words);
    const std::vector<std::string> vocabulary = learn(call, words);
    if (vocabulary.size() < options_.vocab_size)
      call.log(FLOWRUN_LOG_WARNING, "the text gives " + std::to_string(vocabulary.size()) + " tokens, 'vocab_size' is " + std::to_string(options_.vocab_size));
    write_file(staging + "/tokenizer.json", tokenizer_json(vocabulary));
    write_file(staging + "/tokenizer_config.json", write_tokenizer_config(options_.specials, kUnk));
  }

 private:
  std::vector<std::string> learn(const Call& call, WordCounter& words) {
    std::vector<std::string> vocabulary =
        train_word_piece(words, options_, [&](std::size_t tokens, std::uint64_t count) { show_progress(call, tokens, count); });
    if (vocabulary.size() > options_.vocab_size)
      throw Error(Code::kInvalidArgument, "the special tokens and the characters of the text are " + std::to_string(vocabulary.size()) + " tokens, but 'vocab_size' is " +
                                              std::to_string(options_.vocab_size) + ": raise it, or lower 'limit_alphabet', which is " + std::to_string(*options_.limit_alphabet));
    return vocabulary;
  }

  /// Says at each tenth of the vocabulary how far the training is.
  void show_progress(const Call& call, std::size_t tokens, std::uint64_t count) {
    call.check_stop();
    const std::size_t tenths = tokens * 10 / options_.vocab_size;
    if (count == 0 || tenths == shown_tenths_) return;
    shown_tenths_ = tenths;
    call.log(FLOWRUN_LOG_INFO, std::to_string(tokens) + " of " + std::to_string(options_.vocab_size) + " tokens; the last pair occurs " + std::to_string(count) + " times");
  }

  std::optional<std::uint32_t> special_id(std::string_view token) const {
    const auto found = std::find(options_.specials.begin(), options_.specials.end(), token);
    if (found == options_.specials.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - options_.specials.begin());
  }

  std::string tokenizer_json(const std::vector<std::string>& vocabulary) const {
    OrderedJson root = begin_tokenizer_json(options_.specials);
    root["normalizer"] = normalizer_;
    root["pre_tokenizer"] = pre_tokenizer_;
    const auto cls_id = special_id("[CLS]"), sep_id = special_id("[SEP]");
    root["post_processor"] = cls_id && sep_id ? bert_template(*cls_id, *sep_id) : OrderedJson();
    root["decoder"] = {{"type", "WordPiece"}, {"prefix", options_.continuing_subword_prefix}, {"cleanup", true}};
    root["model"] = {{"type", "WordPiece"},
                     {"unk_token", kUnk},
                     {"continuing_subword_prefix", options_.continuing_subword_prefix},
                     {"max_input_chars_per_word", kMaxCharactersPerWord}};
    ModelLists lists;
    lists.vocab.reserve(vocabulary.size());
    for (const std::string& token : vocabulary) lists.vocab.push_back(vocab_entry(token, static_cast<std::uint32_t>(lists.vocab.size())));
    return finish_tokenizer_json(std::move(root), lists);
  }

  WordPieceTrainerOptions options_;
  std::size_t shown_tenths_ = 0;
  OrderedJson normalizer_;
  const OrderedJson pre_tokenizer_ = {{"type", "BertPreTokenizer"}};
};

}  // namespace
}  // namespace flowrun::tokenizers

FLOWRUN_PLUGIN(flowrun::tokenizers::WordPieceTrainerNode)
