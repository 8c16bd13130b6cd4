#include "sentencepiece_file.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "tokenizers/common/models/ranked_merges.hpp"
#include "tokenizers/common/unigram/base64.hpp"
#include "tokenizers/common/unigram/precompiled_normalizer.hpp"
#include "tokenizers/common/unigram/sentencepiece_model.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using Type = SentencepieceType;

constexpr const char* kSpace = "\xE2\x96\x81";  // U+2581

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kUnsupported, "sentencepiece model: " + what + ", which a tokenizer.json cannot say"); }

std::string named(std::size_t id, const SentencepiecePiece& piece) { return "piece " + std::to_string(id) + ", '" + piece.piece + "',"; }

bool is_text(const SentencepiecePiece& piece) { return piece.type == Type::kNormal || piece.type == Type::kUserDefined; }

bool is_character(std::string_view text) { return utf8_bytes(text, 0) == text.size(); }

/// Returns the expression that matches `text` alone.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '\0' && std::string_view("\\^$.|?*+()[]{}-#&~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

OrderedJson replace(const char* kind, const std::string& pattern, const std::string& content) { return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}}; }

OrderedJson split(const std::string& expression, const char* behavior) { return {{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", behavior}, {"invert", false}}; }

/// Returns null for no steps, and the step itself for one.
OrderedJson sequence(const char* key, std::vector<OrderedJson> steps) {
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {key, std::move(steps)}};
}

/// Which characters are pieces, and which stand side by side within one.
class Characters {
 public:
  explicit Characters(const SentencepieceModel& model) : byte_fallback_(model.byte_fallback) {
    for (const SentencepiecePiece& piece : model.pieces) {
      if (!is_text(piece)) continue;
      char32_t before = 0;
      for (std::size_t at = 0; at < piece.piece.size();) {
        const char32_t c = next(piece.piece, at);
        if (before != 0) neighbours_.insert(key(before, c));
        before = c;
      }
      if (is_character(piece.piece)) known_.insert(before);
    }
  }

  /// Returns whether a cut between the two changes no ids: no piece goes across, and they are not one run of unknown text.
  bool may_cut(char32_t before, char32_t after) const {
    const bool fused = !byte_fallback_ && !known_.contains(before) && !known_.contains(after);
    return !fused && !neighbours_.contains(key(before, after));
  }

  static char32_t next(std::string_view text, std::size_t& at) {
    const std::string_view character = text.substr(at, utf8_bytes(text, at));
    at += character.size();
    return decode_utf8(character, 0).code_point;
  }

 private:
  static std::uint64_t key(char32_t before, char32_t after) { return std::uint64_t{before} << 32 | after; }

  std::unordered_set<char32_t> known_;
  std::unordered_set<std::uint64_t> neighbours_;
  bool byte_fallback_;
};

/// Returns expressions for the beginnings of texts that spell what is no text, up to where a cut is harmless. A symbol that has no such place is left out:
/// the library then takes the text for it.
std::vector<std::string> reserved_beginnings(const SentencepieceModel& model) {
  const Characters characters(model);
  std::vector<std::string> found;
  const auto add = [&](std::string_view text, std::size_t cut_max, const auto& rest) {
    char32_t before = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t cut = at;
      const char32_t c = Characters::next(text, at);
      if (cut > cut_max) return;
      if (cut > 0 && characters.may_cut(before, c)) {
        found.push_back(escaped(text.substr(0, cut)) + "(?=" + rest(text.substr(cut)) + ")");
        return;
      }
      before = c;
    }
  };
  for (const SentencepiecePiece& piece : model.pieces)
    if (piece.type == Type::kControl || piece.type == Type::kUnknown) add(piece.piece, piece.piece.size(), escaped);
  // The 256 byte pieces at once: they begin alike.
  if (model.byte_fallback) add("<0x00>", 2, [](std::string_view rest) { return escaped(rest.substr(0, rest.size() - 3)) + "[0-9A-F]{2}>"; });
  return found;
}

std::string any_of(const std::vector<std::string>& expressions) {
  std::string out;
  for (const std::string& expression : expressions) out += (out.empty() ? "" : "|") + expression;
  return out;
}

/// The longest first, since sentencepiece takes the longest that begins at a place.
std::vector<std::string> user_defined_symbols(const SentencepieceModel& model) {
  std::vector<std::string> symbols;
  for (const SentencepiecePiece& piece : model.pieces)
    if (piece.type == Type::kUserDefined) symbols.push_back(piece.piece);
  std::sort(symbols.begin(), symbols.end(), [](const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
  return symbols;
}

void check(const SentencepieceModel& model) {
  if (model.treat_whitespace_as_suffix) refuse("it puts white space behind words (treat_whitespace_as_suffix)");
  if (!model.denormalizer.precompiled_charsmap.empty()) refuse("it has a denormalizer");
  std::unordered_set<std::string_view> reserved;
  for (const SentencepiecePiece& piece : model.pieces)
    if (!is_text(piece)) reserved.insert(piece.piece);
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencepiecePiece& piece = model.pieces[id];
    if (piece.type == Type::kUnused) refuse(named(id, piece) + " is unused");
    if (is_text(piece) && reserved.contains(piece.piece)) refuse(named(id, piece) + " is text, and a symbol is spelled the same");
    if (piece.type == Type::kUserDefined && piece.piece.find(' ') != std::string::npos) refuse(named(id, piece) + " is a user-defined symbol with a space");
  }
  if (model.normalizer.precompiled_charsmap.empty()) return;
  const auto normalizer = PrecompiledNormalizer::from_base64(encode_base64(model.normalizer.precompiled_charsmap));
  for (std::size_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].type == Type::kUserDefined && normalizer.normalize(model.pieces[id].piece) != model.pieces[id].piece)
      refuse(named(id, model.pieces[id]) + " is a user-defined symbol that the normalizer changes");
}

// sentencepiece skips spaces at the beginning, puts one there, collapses others, and cuts them off the end, be they written as spaces or as U+2581.
OrderedJson normalizer_of(const SentencepieceNormalizer& rules) {
  const std::string space = rules.escape_whitespaces ? kSpace : " ";
  std::vector<OrderedJson> steps;
  if (!rules.precompiled_charsmap.empty()) steps.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", encode_base64(rules.precompiled_charsmap)}});
  if (rules.remove_extra_whitespaces) {
    steps.push_back(replace("Regex", "\\A +", ""));
    steps.push_back(replace("Regex", " {2,}", " "));
  }
  if (rules.add_dummy_prefix) steps.push_back({{"type", "Prepend"}, {"prepend", space}});
  if (rules.escape_whitespaces) steps.push_back(replace("String", " ", space));
  if (rules.remove_extra_whitespaces) steps.push_back(replace("Regex", space + "+\\z", ""));
  return sequence("normalizers", std::move(steps));
}

OrderedJson decoder_of(const SentencepieceModel& model) {
  std::vector<OrderedJson> steps;
  if (model.unk_surface != model.pieces[static_cast<std::size_t>(model.unk_id)].piece)
    steps.push_back(replace("String", model.pieces[static_cast<std::size_t>(model.unk_id)].piece, model.unk_surface));
  steps.push_back(replace("String", kSpace, " "));
  if (model.byte_fallback) steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (model.normalizer.add_dummy_prefix || model.normalizer.remove_extra_whitespaces) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return sequence("decoders", std::move(steps));
}

// sentencepiece's score of a user-defined symbol, whatever the file says (unigram_model.cc): its bytes times the largest score, which is not below FLT_MIN,
// less 0.1. Where scores are logarithms that is -0.1, better than any other path.
std::string unigram_of(const SentencepieceModel& model) {
  float max_score = std::numeric_limits<float>::min();
  for (const SentencepiecePiece& piece : model.pieces)
    if (piece.type == Type::kNormal) max_score = std::max(max_score, piece.score);
  UnigramText text;
  text.unk_id = static_cast<std::uint32_t>(model.unk_id);
  text.byte_fallback = model.byte_fallback;
  for (const SentencepiecePiece& piece : model.pieces) {
    const bool user_defined = piece.type == Type::kUserDefined;
    text.vocab.emplace_back(piece.piece, user_defined ? static_cast<double>(static_cast<float>(piece.piece.size()) * max_score) - 0.1 : static_cast<double>(piece.score));
  }
  return text.text();
}

/// Returns the pieces by rank, which is the order of their scores.
std::vector<RankedToken> ranked_pieces(const SentencepieceModel& model) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].type == Type::kNormal) ids.push_back(id);
  std::stable_sort(ids.begin(), ids.end(), [&](std::uint32_t a, std::uint32_t b) { return model.pieces[a].score > model.pieces[b].score; });
  std::vector<RankedToken> ranked;
  const SentencepiecePiece* before = nullptr;  // of several characters: one alone is never merged
  for (const std::uint32_t id : ids) {
    const SentencepiecePiece& piece = model.pieces[id];
    ranked.push_back({piece.piece, id});
    if (is_character(piece.piece)) continue;
    // The leftmost of them would go first, whichever it is.
    if (before != nullptr && before->score == piece.score) refuse(named(id, piece) + " and '" + before->piece + "' have the same score");
    before = &piece;
  }
  return ranked;
}

std::string bpe_of(const SentencepieceModel& model, bool has_symbols) {
  const auto character_bytes = [](std::string_view text, std::size_t begin) noexcept { return std::size_t{utf8_bytes(text, begin)}; };
  RankedMerges found;
  try {
    found = find_ranked_merges(ranked_pieces(model), character_bytes);
  } catch (Error& error) {
    error.add_context("in a sentencepiece model of type bpe");
    throw;
  }
  if (has_symbols && !found.whole_only.empty())
    refuse(named(found.whole_only[0], model.pieces[found.whole_only[0]]) + " is not made by merges, and there are user-defined symbols");
  BpeText text;
  text.unk_token = model.pieces[static_cast<std::size_t>(model.unk_id)].piece;
  text.fuse_unk = true;
  text.byte_fallback = model.byte_fallback;
  text.ignore_merges = has_symbols;  // for the symbols, which Split isolates; every other piece is what its merges make
  for (std::uint32_t id = 0; id < model.pieces.size(); ++id) text.vocab.emplace_back(model.pieces[id].piece, id);
  for (const bpe::BpeMerge& merge : found.merges) text.merges.emplace_back(model.pieces[merge.left].piece, model.pieces[merge.right].piece);
  return text.text();
}

std::string config_of(const SentencepieceModel& model) {
  std::vector<std::pair<std::string, std::string>> tokens;
  const auto add = [&](const char* key, std::int32_t id) {
    if (id >= 0) tokens.emplace_back(key, model.pieces[static_cast<std::size_t>(id)].piece);
  };
  add("unk_token", model.unk_id);
  add("bos_token", model.bos_id);
  add("eos_token", model.eos_id);
  add("pad_token", model.pad_id);
  return tokenizer_config(tokens);
}

}  // namespace

bool is_sentencepiece_model(std::string_view content) {
  // Fields 1 to 5, each a message with its length.
  return content.size() > 1 && (content[0] & 7) == 2 && content[0] >= (1 << 3 | 2) && content[0] <= (5 << 3 | 2);
}

TokenizerFiles sentencepiece_to_tokenizer(std::string_view content) {
  const SentencepieceModel model = read_sentencepiece_model(content);
  check(model);
  const std::vector<std::string> symbols = user_defined_symbols(model);
  const bool is_bpe = model.type == SentencepieceModel::Type::kBpe;
  TokenizerText file;
  std::vector<OrderedJson> splits;
  if (is_bpe && !symbols.empty()) {
    std::vector<std::string> expressions;
    for (const std::string& symbol : symbols) expressions.push_back(escaped(symbol));
    splits.push_back(split(any_of(expressions), "Isolated"));
  }
  // Without `ignore_merges`, no merge makes such a piece.
  const auto beginnings = is_bpe && symbols.empty() ? std::vector<std::string>() : reserved_beginnings(model);
  if (!beginnings.empty()) splits.push_back(split(any_of(beginnings), "MergedWithPrevious"));
  for (std::uint32_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].type == Type::kControl) file.special_tokens.emplace_back(model.pieces[id].piece, id);
  file.normalizer = normalizer_of(model.normalizer);
  file.pre_tokenizer = sequence("pretokenizers", std::move(splits));
  file.decoder = decoder_of(model);
  file.model = is_bpe ? bpe_of(model, !symbols.empty()) : unigram_of(model);
  return {file.text(), config_of(model)};
}

}  // namespace flowrun::tokenizers
