#include "tiktoken_bpe.hpp"

#include <optional>

#include <flowrun/error.hpp>

#include "limits.hpp"

namespace flowrun::tokenizers {
namespace {

// Every cut of a token that smaller ranks do not make is looked up, which takes the square of its length; no real one comes near.
constexpr std::size_t kCutBytesMax = 4096;

std::vector<VocabularyEntry> entries_of(const std::vector<std::string>& tokens) {
  if (tokens.size() >= MergeTable::kAbsent) throw Error(Code::kUnsupported, std::to_string(tokens.size()) + " ranks, expected below 2^32 - 1");
  std::vector<VocabularyEntry> entries;
  for (std::uint32_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) entries.push_back({tokens[id], id});
  return entries;
}

std::array<std::uint32_t, 256> find_bytes(const Vocabulary& vocabulary) {
  std::array<std::uint32_t, 256> ids;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto id = vocabulary.id(std::string(1, static_cast<char>(byte)));
    if (!id) throw Error(Code::kUnsupported, "byte " + std::to_string(byte) + " is not a token");
    ids[byte] = *id;
  }
  return ids;
}

void add_bytes(std::string_view text, const std::array<std::uint32_t, 256>& byte_ids, MergeQueue& queue) {
  queue.clear();
  for (const char byte : text) queue.add(byte_ids[static_cast<unsigned char>(byte)], 1);
}

// Finds the pairs that make each token, by rank: calls one(left, right, id) where there can be only one, else many(left, right, id) for each
// pair of tokens that spells it, or none(id).
template <class One, class Many, class None>
MergeTable find_merges(const std::vector<std::string>& tokens, const Vocabulary& vocabulary, const std::array<std::uint32_t, 256>& byte_ids, One&& one,
                       Many&& many, None&& none) {
  MergeTable table(tokens.size());
  MergeQueue queue;
  std::vector<std::uint32_t> parts;
  for (std::uint32_t id = 0; id < tokens.size(); ++id) {
    const std::string_view token = tokens[id];
    if (token.size() < 2) continue;
    add_bytes(token, byte_ids, queue);
    queue.join(table);  // which holds smaller ranks alone
    parts.clear();
    queue.for_each([&](MergeQueue::Symbol symbol) { parts.push_back(symbol.id); });
    if (parts.size() == 2) {
      table.add(parts[0], parts[1], id, id);
      one(parts[0], parts[1], id);
      continue;
    }
    if (token.size() > kCutBytesMax)
      throw Error(Code::kUnsupported, "the token of rank " + std::to_string(id) + " has " + std::to_string(token.size()) +
                                          " bytes and is not made of two tokens of smaller ranks");
    bool any = false;
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const auto left = vocabulary.id(token.substr(0, cut)), right = vocabulary.id(token.substr(cut));
      if (!left || !right) continue;
      any = true;
      table.add(*left, *right, id, id);
      many(*left, *right, id);
    }
    if (!any) none(id);
  }
  return table;
}

}  // namespace

TiktokenBpe tiktoken_to_bpe(const std::vector<std::string>& tokens) {
  const Vocabulary vocabulary(entries_of(tokens));
  TiktokenBpe bpe;
  bpe.model.tokens = tokens;
  find_merges(
      tokens, vocabulary, find_bytes(vocabulary),
      [&](std::uint32_t left, std::uint32_t right, std::uint32_t id) { bpe.model.merges.push_back({left, right, id}); },
      [&](std::uint32_t, std::uint32_t, std::uint32_t id) {
        throw Error(Code::kUnsupported, "the token of rank " + std::to_string(id) + " is not made of two tokens of smaller ranks, though two tokens spell it");
      },
      [&](std::uint32_t id) { bpe.whole_only.push_back(id); });
  return bpe;
}

struct TiktokenModel::Work final : Scratch {
  MergeQueue queue;
};

TiktokenModel::TiktokenModel(const std::vector<std::string>& tokens)
    : vocabulary_(entries_of(tokens)), byte_ids_(find_bytes(vocabulary_)) {
  const auto ignore = [](auto...) {};
  merges_ = find_merges(tokens, vocabulary_, byte_ids_, ignore, ignore, ignore);
}

std::unique_ptr<Scratch> TiktokenModel::make_scratch() const { return std::make_unique<Work>(); }

void TiktokenModel::tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const {
  check_pretoken_size(pretoken);
  if (pretoken.empty()) return;
  if (const auto id = vocabulary_.id(pretoken)) {
    out.push_back({*id, 0, static_cast<std::uint32_t>(pretoken.size())});
    return;
  }
  auto& queue = static_cast<Work&>(scratch).queue;
  add_bytes(pretoken, byte_ids_, queue);
  queue.join(merges_);
  std::uint32_t begin = 0;
  queue.for_each([&](MergeQueue::Symbol symbol) {
    out.push_back({symbol.id, begin, begin + symbol.bytes});
    begin += symbol.bytes;
  });
}

}  // namespace flowrun::tokenizers
