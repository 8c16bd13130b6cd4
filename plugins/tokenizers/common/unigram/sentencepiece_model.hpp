#pragma once

// Reads sentencepiece's `.model` files: a protobuf message, of which only what encoding needs is kept.
// Source: sentencepiece 0.2.3, src/sentencepiece_model.proto, and the checks that its loader makes (model_interface.cc).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

enum class SentencepieceType : std::uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencepiecePiece {
  std::string piece;  ///< UTF-8, never empty
  float score = 0;
  SentencepieceType type = SentencepieceType::kNormal;
};

/// Says how text is changed before it is cut into pieces, or, in the denormalizer, after.
struct SentencepieceNormalizer {
  std::string name;                  ///< `nmt_nfkc` and others, or `user_defined`
  std::string precompiled_charsmap;  ///< for PrecompiledNormalizer; empty where nothing is replaced
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;  ///< a space becomes U+2581
};

/// A piece's id is its place. `unk_id` is that of the one piece of type kUnknown; the other ids are -1 where there is no such piece.
struct SentencepieceModel {
  enum class Type : std::uint8_t { kUnigram = 1, kBpe = 2 };

  std::vector<SentencepiecePiece> pieces;
  Type type = Type::kUnigram;
  std::int32_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;
  std::string unk_piece = "<unk>", bos_piece = "<s>", eos_piece = "</s>", pad_piece = "<pad>";
  std::string unk_surface = " \xE2\x81\x87 ";
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  SentencepieceNormalizer normalizer, denormalizer;
};

/// Reads the bytes of a `.model` file. As with sentencepiece, the ids of the unknown, begin, end and padding pieces are those of the
/// vocabulary, whatever the trainer was told.
/// Throws kCorruptData with the offset where the bytes are not such a message, or with the piece where the vocabulary is not sound (empty,
/// repeated, not UTF-8, a score that is not finite, not exactly one unknown piece, byte fallback without all 256 bytes); kUnsupported for the
/// model types word, char and unknown ones.
SentencepieceModel read_sentencepiece_model(std::string_view bytes);

/// Reads a file. Throws also kNotFound and kIo, and names the file.
SentencepieceModel load_sentencepiece_model(const std::string& path);

}  // namespace flowrun::tokenizers
