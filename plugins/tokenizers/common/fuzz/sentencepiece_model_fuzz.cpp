#include <string>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "properties.hpp"
#include "targets.hpp"
#include "tokenizers/common/unigram/precompiled_normalizer.hpp"
#include "tokenizers/common/unigram/sentencepiece_model.hpp"
#include "tokenizers/common/unigram/unigram.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::string_view kText = "\xE2\x96\x81Hello\xE2\x96\x81world \xEF\xBC\xA1\xE2\x91\xA0\xEF\xAC\x81 1\xE2\x80\x8D\xCC\x81 \xED\x95\x9C aaaaaaaaaaaaaaaa\n";

void use_unigram(const SentencepieceModel& model, std::string_view text) {
  UnigramVocabulary vocabulary;
  for (const SentencepiecePiece& piece : model.pieces) vocabulary.pieces.emplace_back(piece.piece, piece.score);
  vocabulary.unk_id = static_cast<std::uint32_t>(model.unk_id);
  vocabulary.byte_fallback = model.byte_fallback;
  const Unigram unigram(std::move(vocabulary));
  Unigram::Scratch scratch;
  std::vector<Unigram::Token> tokens;
  unigram.encode(text, scratch, tokens);
  std::uint32_t end = 0;
  for (const Unigram::Token& token : tokens) {
    // A run of unknown bytes is many tokens, each with the offsets of the run.
    require(token.begin < token.end && (token.begin == end || token.end == end), "the tokens of a Unigram cover the text in order");
    require(token.id < model.pieces.size(), "an id is a piece's");
    end = token.end;
  }
  require(end == text.size(), "the tokens of a Unigram reach the end");
}

std::string normalized(const SentencepieceNormalizer& normalizer, std::string_view text) {
  if (normalizer.precompiled_charsmap.empty()) return std::string(text);
  return PrecompiledNormalizer(normalizer.precompiled_charsmap).normalize(text);
}

}  // namespace

void fuzz_sentencepiece_model(std::string_view bytes) {
  try {
    const SentencepieceModel model = read_sentencepiece_model(bytes);
    require(model.unk_id >= 0 && static_cast<std::size_t>(model.unk_id) < model.pieces.size(), "unk_id is a piece's");
    normalized(model.denormalizer, kText);
    use_unigram(model, normalized(model.normalizer, kText));
  } catch (const Error& error) {
    require(!error.message().empty(), "an error has a message");
  }
}

}  // namespace flowrun::tokenizers
