#include "sentencepiece_model.hpp"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include <flowrun/error.hpp>

#include "protobuf_reader.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::size_t kPieceBytesMax = 7999;  // sentencepiece's limit

[[noreturn]] void corrupt(const std::string& message) { throw Error(Code::kCorruptData, "sentencepiece model: " + message); }

std::string text_of(ProtobufReader& field) {
  const std::string_view text = field.bytes();
  if (find_malformed_utf8(text) != std::string_view::npos) field.fail("a string that is not UTF-8");
  return std::string(text);
}

void read_piece(ProtobufReader message, SentencepiecePiece& piece) {
  while (message.next()) {
    switch (message.field()) {
      case 1: piece.piece = text_of(message); break;
      case 2:
        piece.score = message.float32();
        if (!std::isfinite(piece.score)) message.fail("a score that is not finite");
        break;
      case 3: {
        const std::int32_t type = message.int32();
        if (type < 1 || type > 6) message.fail("piece type " + std::to_string(type));
        piece.type = static_cast<SentencepieceType>(type);
        break;
      }
      default: message.skip();
    }
  }
}

void read_normalizer(ProtobufReader message, SentencepieceNormalizer& normalizer) {
  while (message.next()) {
    switch (message.field()) {
      case 1: normalizer.name = text_of(message); break;
      case 2: normalizer.precompiled_charsmap = message.bytes(); break;
      case 3: normalizer.add_dummy_prefix = message.boolean(); break;
      case 4: normalizer.remove_extra_whitespaces = message.boolean(); break;
      case 5: normalizer.escape_whitespaces = message.boolean(); break;
      default: message.skip();
    }
  }
}

// An empty name means the default one.
void read_name(ProtobufReader& field, std::string& name) {
  if (std::string text = text_of(field); !text.empty()) name = std::move(text);
}

void read_trainer(ProtobufReader message, SentencepieceModel& model, std::int32_t& type) {
  while (message.next()) {
    switch (message.field()) {
      case 3: type = message.int32(); break;
      case 24: model.treat_whitespace_as_suffix = message.boolean(); break;
      case 35: model.byte_fallback = message.boolean(); break;
      case 44: model.unk_surface = text_of(message); break;
      case 45: read_name(message, model.unk_piece); break;
      case 46: read_name(message, model.bos_piece); break;
      case 47: read_name(message, model.eos_piece); break;
      case 48: read_name(message, model.pad_piece); break;
      default: message.skip();
    }
  }
}

SentencepieceModel::Type model_type(std::int32_t type) {
  switch (type) {
    case 1: return SentencepieceModel::Type::kUnigram;
    case 2: return SentencepieceModel::Type::kBpe;
    case 3: throw Error(Code::kUnsupported, "sentencepiece model: its type is 'word', expected 'unigram' or 'bpe'");
    case 4: throw Error(Code::kUnsupported, "sentencepiece model: its type is 'char', expected 'unigram' or 'bpe'");
    default: throw Error(Code::kUnsupported, "sentencepiece model: its type is " + std::to_string(type) + ", expected 1 (unigram) or 2 (bpe)");
  }
}

// The byte of a piece `<0x00>` to `<0xFF>`.
std::optional<unsigned> byte_of(std::string_view piece) {
  if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>') return std::nullopt;
  const auto lower_case = [](char c) { return c >= 'a' && c <= 'f'; };
  if (lower_case(piece[3]) || lower_case(piece[4])) return std::nullopt;
  unsigned byte = 0;
  const auto [end, error] = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
  if (error != std::errc() || end != piece.data() + 5) return std::nullopt;
  return byte;
}

// Checks one piece after another, and keeps what the whole must have.
class Vocabulary {
 public:
  explicit Vocabulary(SentencepieceModel& model) : model_(model) {}

  void check() {
    for (std::size_t id = 0; id < model_.pieces.size(); ++id) check_piece(static_cast<std::int32_t>(id), model_.pieces[id]);
    if (unk_id_ < 0) corrupt("no piece of type unknown");
    if (model_.byte_fallback && !bytes_.all()) corrupt(std::to_string(bytes_.count()) + " byte pieces with byte_fallback, expected 256");
    model_.unk_id = unk_id_;
    model_.bos_id = control(model_.bos_piece);
    model_.eos_id = control(model_.eos_piece);
    model_.pad_id = control(model_.pad_piece);
  }

 private:
  void check_piece(std::int32_t id, const SentencepiecePiece& piece) {
    const std::string name = "piece " + std::to_string(id);
    if (piece.piece.empty()) corrupt(name + " is empty");
    if (piece.piece.size() > kPieceBytesMax)
      corrupt(name + " has " + std::to_string(piece.piece.size()) + " bytes, expected at most " + std::to_string(kPieceBytesMax));
    if (piece.piece.find('\0') != std::string::npos) corrupt(name + " has a zero byte");
    // What stands for text and what does not are two name spaces: a text may have a piece that looks like a control symbol.
    using Type = SentencepieceType;
    const bool stands_for_text = piece.type == Type::kNormal || piece.type == Type::kUserDefined || piece.type == Type::kUnused;
    if (!(stands_for_text ? texts_ : controls_).emplace(piece.piece, id).second) corrupt(name + " is there before");
    if (piece.type == SentencepieceType::kUnknown) {
      if (unk_id_ >= 0) corrupt("pieces " + std::to_string(unk_id_) + " and " + std::to_string(id) + " are of type unknown, expected one");
      unk_id_ = id;
    }
    if (piece.type == SentencepieceType::kByte) {
      if (!model_.byte_fallback) corrupt(name + " is a byte, without byte_fallback");
      const auto byte = byte_of(piece.piece);
      if (!byte) corrupt(name + " is of type byte, expected <0x00> to <0xFF>");
      bytes_.set(*byte);
    }
  }

  std::int32_t control(const std::string& piece) const {
    const auto found = controls_.find(piece);
    const bool is_control = found != controls_.end() && model_.pieces[static_cast<std::size_t>(found->second)].type == SentencepieceType::kControl;
    return is_control ? found->second : -1;
  }

  SentencepieceModel& model_;
  std::unordered_map<std::string_view, std::int32_t> texts_, controls_;
  std::bitset<256> bytes_;
  std::int32_t unk_id_ = -1;
};

}  // namespace

SentencepieceModel read_sentencepiece_model(std::string_view bytes) {
  SentencepieceModel model;
  std::int32_t type = 1;
  for (ProtobufReader file(bytes); file.next();) {
    switch (file.field()) {
      case 1: read_piece(file.message(), model.pieces.emplace_back()); break;
      case 2: read_trainer(file.message(), model, type); break;
      case 3: read_normalizer(file.message(), model.normalizer); break;
      case 5: read_normalizer(file.message(), model.denormalizer); break;
      default: file.skip();
    }
  }
  model.type = model_type(type);
  Vocabulary(model).check();
  return model;
}

SentencepieceModel load_sentencepiece_model(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Code::kNotFound, "'" + path + "' cannot be opened");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Error(Code::kIo, "'" + path + "' cannot be read");
  try {
    return read_sentencepiece_model(bytes);
  } catch (Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
}

}  // namespace flowrun::tokenizers
