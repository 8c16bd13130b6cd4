// tokenizers/unigram_trainer: learns a Unigram tokenizer as sentencepiece has it from all of its input. The algorithm is in unigram_trainer.cpp.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/node.hpp>

#include "tokenizers/common/tokenizer_layout.hpp"
#include "tokenizers/common/training/tokenizer_writer.hpp"
#include "tokenizers/common/training/trainer_node.hpp"
#include "tokenizers/common/training/word_maker.hpp"
#include "tokenizers/common/write_file.hpp"
#include "unigram_trainer.hpp"

namespace flowrun::tokenizers {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// `nmt_nfkc` is what sentencepiece and SentencePieceUnigramTokenizer do by default, with all white space as single spaces; null leaves text as it is.
OrderedJson normalizer_of(const std::string& name) {
  if (name == "identity") return nullptr;
  const OrderedJson one_space = {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}};
  return {{"type", "Sequence"}, {"normalizers", OrderedJson::array({OrderedJson{{"type", "Nmt"}}, OrderedJson{{"type", "NFKC"}}, one_space})}};
}

OrderedJson metaspace() { return {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}}; }

/// Cuts documents into parts, each of which becomes words by itself: at spaces, each with what follows it. Only where normalization makes one space of
/// several, a part depends on what is around it, though on no more than whether something follows.
class Parts {
 public:
  explicit Parts(bool one_space) : one_space_(one_space) {}

  void count(std::string_view text, WordCounter& parts) const {
    if (!one_space_) {
      for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        end = std::min(text.find(' ', begin + 1), text.size());
        parts.add(text, begin, end);
      }
      return;
    }
    // What the document ends with, from the last space before its last part on, keeps a space at its end, which is a word by then.
    std::size_t last = text.size();
    while (last > 0 && divides(text[last - 1])) --last;
    while (last > 0 && !divides(text[last - 1])) --last;
    if (last > 0) --last;
    for (std::size_t begin = 0, end = 0; begin < last; begin = end + 1) {
      for (end = begin; end < last && !divides(text[end]);) ++end;
      if (end > begin) parts.add(text, begin, end);
    }
    if (last < text.size()) parts.add(std::string(text.substr(last)) + kEndsDocument);
  }

  Pieces words_of(const WordMaker& maker, std::string_view part) const {
    if (!one_space_) return maker.words_of(part);
    if (part.ends_with(kEndsDocument)) return maker.words_of(part.substr(0, part.size() - 1));
    Pieces words = maker.words_of(std::string(part) + " .");
    words.pop_back();
    return words;
  }

 private:
  // These become spaces by the Nmt normalizer.
  static constexpr bool divides(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  static constexpr char kEndsDocument = '\n';  // no other part has one

  bool one_space_;
};

class UnigramTrainerNode : public TrainerNode {
 public:
  static Descriptor descriptor() {
    return describe("tokenizers/unigram_trainer", "0.1.0", "Learns a Unigram tokenizer as sentencepiece has it, in the format of Hugging Face (tokenizer.json). What does not fit into "
                    "memory_bytes goes to disk, the counts of words as well as those of their parts; a million pieces to begin with take about 60 MB, whatever the bound.",
                    "Kudo 2018, arXiv:1804.10959; steps and pieces of the UnigramTrainer of Hugging Face tokenizers 0.23.3, text cut as by its SentencePieceUnigramTokenizer.")
        .parameter(integer("vocab_size").unit("tokens").required().range(1, 1 << 20).about("Tokens to have, special tokens and characters counted in."))
        .parameter(number("shrinking_factor").range(0, 1).defaults(0.75).about("Share of the pieces that stays each time that some are dropped; above 0 and below 1."))
        .parameter(integer("max_piece_length").unit("characters").range(1, 1 << 16).defaults(16).about("The longest piece."))
        .parameter(integer("n_sub_iterations").range(1, 100).defaults(2).about("Steps of expectation maximization before pieces are dropped."))
        .parameter(strings("special_tokens").defaults(std::vector<std::string>{"<|endoftext|>", "<|pad|>", "<|mask|>", "<unk>"})
                       .about("Get the ids from 0. <|endoftext|> or </s> ends a document where packers join them, <|mask|> and <|pad|>, or <mask> and <pad>, are what they say."))
        .parameter(string("unk_token").defaults("<unk>").about("Stands for characters that the text does not have; goes before the special tokens if it is none of them."))
        .parameter(string("normalization").choices({"nmt_nfkc", "identity"}).defaults("nmt_nfkc").about(
            "What is done to text first: sentencepiece's default, with all white space as single spaces, or nothing."))
        .example(
            "[node.vocabulary]\n"
            "plugin = \"tokenizers/unigram_trainer\"\n"
            "in = \"documents\"\n"
            "vocab_size = 8000\n");
  }

  explicit UnigramTrainerNode(const Params& params) : normalizer_(normalizer_of(params.string("normalization"))), parts_(!normalizer_.is_null()) {
    options_.vocab_size = static_cast<std::uint32_t>(params.integer("vocab_size"));
    options_.shrinking_factor = params.number("shrinking_factor");
    options_.max_piece_length = static_cast<std::size_t>(params.integer("max_piece_length"));
    options_.n_sub_iterations = static_cast<std::uint32_t>(params.integer("n_sub_iterations"));
    options_.special_tokens = params.strings("special_tokens");
    const std::string unk_token = params.string("unk_token");
    // The library writes such a token with an id, but without its being special; nobody means that.
    auto& specials = options_.special_tokens;
    if (std::find(specials.begin(), specials.end(), unk_token) == specials.end()) specials.insert(specials.begin(), unk_token);
    options_.unk_token = unk_token;
    check_special_tokens(specials, options_.vocab_size);
    if (!(options_.shrinking_factor > 0 && options_.shrinking_factor < 1))
      throw Error(Code::kInvalidArgument, "'shrinking_factor' is " + json::number(options_.shrinking_factor) + ", expected above 0 and below 1");
  }

 protected:
  void count(std::string_view text, WordCounter& words) override { parts_.count(text, words); }

  void train(const Call& call, WordCounter& counts, const std::string& staging) override {
    const WordMaker maker{Json(normalizer_), Json(metaspace())};
    const auto interrupt = [&] { call.check_stop(); };
    make_words(counts, [&](std::string_view part) { return parts_.words_of(maker, part); }, interrupt);
    log_words(call, counts);
    const UnigramVocabulary vocabulary = train_unigram(counts, options_, interrupt, [&](std::size_t pieces, std::size_t aim) {
      call.log(FLOWRUN_LOG_INFO, std::to_string(pieces) + " pieces; the vocabulary has room for " + std::to_string(aim));
    });
    if (vocabulary.pieces.size() < options_.vocab_size)
      call.log(FLOWRUN_LOG_WARNING, "the text gives " + std::to_string(vocabulary.pieces.size()) + " tokens, 'vocab_size' is " + std::to_string(options_.vocab_size));
    write_file(staging + "/tokenizer.json", tokenizer_json(vocabulary));
    write_file(staging + "/tokenizer_config.json", write_tokenizer_config(options_.special_tokens, options_.unk_token));
  }

 private:
  std::string tokenizer_json(const UnigramVocabulary& vocabulary) const {
    OrderedJson root = begin_tokenizer_json(options_.special_tokens);
    root["normalizer"] = normalizer_;
    root["pre_tokenizer"] = metaspace();
    root["post_processor"] = nullptr;
    root["decoder"] = metaspace();
    root["model"] = {{"type", "Unigram"}, {"unk_id", *vocabulary.unk_id}, {"vocab", nullptr}, {"byte_fallback", false}};
    ModelLists lists;
    lists.vocab_is_object = false;
    lists.vocab.reserve(vocabulary.pieces.size());
    for (const auto& [piece, score] : vocabulary.pieces) lists.vocab.push_back(pair_entry(json_string(piece), json::number(score)));
    return finish_tokenizer_json(std::move(root), lists);
  }

  UnigramTrainerOptions options_;
  const OrderedJson normalizer_;
  const Parts parts_;
};

}  // namespace
}  // namespace flowrun::tokenizers

FLOWRUN_PLUGIN(flowrun::tokenizers::UnigramTrainerNode)
