#include "bpe_trainer.hpp"

#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/training/pair_merging.hpp"

namespace flowrun::bpe {
namespace {

using tokenizers::WordCounter;

// The model as it grows: special tokens, the bytes in the order of their printable characters, then merges by rank.
class GrowingModel final : public tokenizers::MergeVocabulary {
 public:
  explicit GrowingModel(const std::vector<std::string>& specials) {
    for (const std::string& special : specials) {
      model_.specials.push_back({static_cast<std::uint32_t>(model_.tokens.size()), special});
      model_.tokens.push_back(special);
    }
    for (const std::uint8_t byte : byte_level_order()) {
      byte_ids_[byte] = static_cast<std::uint32_t>(model_.tokens.size());
      model_.tokens.emplace_back(1, static_cast<char>(byte));
    }
  }

  void spell(std::string_view pretoken, std::vector<std::uint32_t>& symbols) const {
    for (const char c : pretoken) symbols.push_back(byte_ids_[static_cast<unsigned char>(c)]);
  }

  std::size_t size() const override { return model_.tokens.size(); }

  std::uint32_t merge(std::uint32_t left, std::uint32_t right) override {
    const auto result = static_cast<std::uint32_t>(model_.tokens.size());
    model_.merges.push_back({left, right, result});
    model_.tokens.push_back(model_.tokens[left] + model_.tokens[right]);
    return result;
  }

  BpeModel take() && { return std::move(model_); }

 private:
  BpeModel model_;
  std::uint32_t byte_ids_[256];
};

}  // namespace

void count_pretokens(std::string_view text, tokenizers::Scanner scanner, WordCounter& pretokens) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = scanner(text, begin);
    pretokens.add(text, begin, end);
    begin = end;
  }
}

BpeModel train_bpe(WordCounter& pretokens, const BpeTrainerOptions& options, const BpeProgress& progress) {
  const std::size_t least = 256 + options.specials.size();
  if (options.vocab_size < least)
    throw Error(Code::kInvalidArgument, "'vocab_size' is " + std::to_string(options.vocab_size) + ", expected at least " + std::to_string(least) +
                                            ": the bytes and the special tokens");
  GrowingModel model(options.specials);
  tokenizers::merge_pairs(
      pretokens, [&](std::string_view pretoken, std::vector<std::uint32_t>& symbols) { model.spell(pretoken, symbols); }, model,
      {options.vocab_size, options.min_frequency, options.memory_bytes, options.folder, options.first_threshold}, progress);
  return std::move(model).take();
}

}  // namespace flowrun::bpe
