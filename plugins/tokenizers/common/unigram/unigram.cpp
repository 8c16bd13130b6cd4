#include "unigram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr double kUnkPenalty = 10.0;  // sentencepiece's, and so everyone's
constexpr std::uint32_t kUnreached = std::numeric_limits<std::uint32_t>::max();

DoubleArray trie_of(const std::vector<std::pair<std::string, double>>& pieces) {
  if (pieces.size() > DoubleArray::kValueMax)
    throw Error(Code::kUnsupported, "a vocabulary of " + std::to_string(pieces.size()) + " pieces, expected at most " + std::to_string(DoubleArray::kValueMax));
  std::vector<DoubleArray::Key> keys;
  keys.reserve(pieces.size());
  for (const auto& [piece, score] : pieces) keys.emplace_back(piece, static_cast<std::uint32_t>(keys.size()));
  std::sort(keys.begin(), keys.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + 1 < keys.size() && keys[i + 1].first == keys[i].first) continue;  // the last of equal pieces counts
    keys[kept++] = keys[i];
  }
  keys.resize(kept);
  return DoubleArray(keys);
}

std::string byte_piece(unsigned byte) {
  constexpr char kHexDigits[] = "0123456789ABCDEF";
  return std::string("<0x") + kHexDigits[byte >> 4] + kHexDigits[byte & 15] + ">";
}

[[noreturn]] void throw_missing_unk(std::size_t begin) {
  throw Error(Code::kInvalidArgument, "the character at byte " + std::to_string(begin) + " is not in the vocabulary, and the model has no 'unk_id'");
}

}  // namespace

Unigram::Unigram(UnigramVocabulary vocabulary) : vocabulary_(std::move(vocabulary)), trie_(trie_of(vocabulary_.pieces)) {
  const auto& pieces = vocabulary_.pieces;
  if (vocabulary_.unk_id && *vocabulary_.unk_id >= pieces.size())
    throw Error(Code::kInvalidArgument, "'unk_id' is " + std::to_string(*vocabulary_.unk_id) + ", expected less than " + std::to_string(pieces.size()));
  double min_score = std::numeric_limits<double>::infinity();
  scores_.reserve(pieces.size());
  for (const auto& [piece, score] : pieces) {
    if (!std::isfinite(score)) throw Error(Code::kInvalidArgument, "the score of piece " + std::to_string(scores_.size()) + " is not finite");
    min_score = std::min(min_score, score);
    scores_.push_back(score);
  }
  unk_score_ = min_score - kUnkPenalty;
  if (!vocabulary_.byte_fallback) return;
  for (unsigned byte = 0; byte < 256; ++byte) byte_ids_[byte] = trie_.find(byte_piece(byte));
}

std::optional<std::string_view> Unigram::id_to_token(std::uint32_t id) const noexcept {
  if (id >= vocabulary_.pieces.size()) return std::nullopt;
  return vocabulary_.pieces[id].first;
}

void Unigram::find_best_path(std::string_view text, Scratch& scratch) const {
  if (scratch.nodes.size() < text.size() + 1) scratch.nodes.resize(text.size() + 1);
  Scratch::Node* const nodes = scratch.nodes.data();
  for (std::size_t i = 0; i <= text.size(); ++i) nodes[i].begin = kUnreached;
  nodes[0].score = 0;
  // Later pieces replace earlier ones only where they are better: this order decides between equal sums.
  const auto offer = [nodes](std::size_t begin, std::size_t end, double score, std::uint32_t id) {
    if (nodes[end].begin == kUnreached || score > nodes[end].score) nodes[end] = {score, static_cast<std::uint32_t>(begin), id};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const double score_here = nodes[begin].score;
    const std::size_t next = begin + utf8_bytes(text, begin);
    bool character_is_piece = false;
    scratch.trie_steps += trie_.for_each_prefix(text, begin, [&](std::size_t end, std::uint32_t id) {
      offer(begin, end, scores_[id] + score_here, id);
      character_is_piece |= end == next;
    });
    if (!character_is_piece) {
      const double score = unk_score_ + score_here;
      if (!vocabulary_.unk_id && (nodes[next].begin == kUnreached || score > nodes[next].score)) throw_missing_unk(begin);
      offer(begin, next, score, vocabulary_.unk_id.value_or(0));
    }
    begin = next;
  }
}

// A run of unknown characters may be a piece whose score is worse than theirs: it has that id all the same, as in the library.
void Unigram::append_unknown(std::string_view text, std::uint32_t begin, std::uint32_t end, std::vector<Token>& out) const {
  const std::string_view run = text.substr(begin, end - begin);
  if (const auto id = trie_.find(run)) {
    out.push_back({*id, begin, end});
    return;
  }
  const auto byte_id = [this](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
  if (!std::all_of(run.begin(), run.end(), [&](char c) { return byte_id(c).has_value(); })) {
    out.push_back({*vocabulary_.unk_id, begin, end});
    return;
  }
  // Backwards: the caller turns everything round.
  for (std::size_t i = run.size(); i-- > 0;) out.push_back({*byte_id(run[i]), begin, end});
}

void Unigram::encode(std::string_view text, Scratch& scratch, std::vector<Token>& out) const {
  if (text.size() >= kUnreached) throw Error(Code::kUnsupported, "a text of " + std::to_string(text.size()) + " bytes, expected less than 4 GiB");
  find_best_path(text, scratch);
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  for (auto end = static_cast<std::uint32_t>(text.size()); end > 0;) {
    const Scratch::Node* node = &scratch.nodes[end];
    if (node->id != vocabulary_.unk_id) {
      out.push_back({node->id, node->begin, end});
      end = node->begin;
      continue;
    }
    std::uint32_t begin = node->begin;
    while (begin > 0 && scratch.nodes[begin].id == vocabulary_.unk_id) begin = scratch.nodes[begin].begin;
    append_unknown(text, begin, end, out);
    end = begin;
  }
  std::reverse(out.begin() + first, out.end());
}

}  // namespace flowrun::tokenizers
