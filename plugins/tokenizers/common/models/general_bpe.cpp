#include "general_bpe.hpp"

#include <algorithm>
#include <memory>

#include "limits.hpp"

namespace flowrun::tokenizers {
namespace {

std::string byte_token(std::size_t byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
}

// Returns the end of the character at `begin`: whatever bytes there are, at least one, and none that begins another character.
std::size_t char_end(std::string_view text, std::size_t begin) noexcept {
  std::size_t end = begin + 1;
  while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
  return end;
}

std::uint32_t id_in_merge(const Vocabulary& vocabulary, std::string_view token, std::size_t rank) {
  if (const auto id = vocabulary.id(token)) return *id;
  throw Error(Code::kCorruptData, "merges[" + std::to_string(rank) + "] needs the token " + quoted(token) + ", which is not in the vocabulary");
}

MergeTable make_table(const Vocabulary& vocabulary, const GeneralBpe::Merges& merges, std::size_t prefix_bytes) {
  if (merges.size() >= MergeTable::kAbsent) throw Error(Code::kUnsupported, "the model has " + std::to_string(merges.size()) + " merges, expected below 2^32");
  struct Ids {
    std::uint32_t left, right, result;
  };
  std::vector<Ids> ids;
  ids.reserve(merges.size());
  bpe::PairMap last(merges.size());  // pair -> its last rank, counted from the end so that the first insertion is the last merge
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    // The prefix is cut off by its length alone, whatever stands there.
    if (right.size() < prefix_bytes)
      throw Error(Code::kCorruptData, "merges[" + std::to_string(rank) + "] has " + quoted(right) + " on the right, which is shorter than continuing_subword_prefix");
    ids.push_back({id_in_merge(vocabulary, left, rank), id_in_merge(vocabulary, right, rank), 0});
    ids.back().result = id_in_merge(vocabulary, left + right.substr(prefix_bytes), rank);
  }
  for (std::size_t rank = ids.size(); rank-- > 0;) last.insert(bpe::pair_key(ids[rank].left, ids[rank].right), static_cast<std::uint32_t>(rank));
  MergeTable table(ids.size());
  for (std::uint32_t rank = 0; rank < ids.size(); ++rank)
    if (last.find(bpe::pair_key(ids[rank].left, ids[rank].right)) == rank) table.add(ids[rank].left, ids[rank].right, rank, ids[rank].result);
  return table;
}

}  // namespace

struct GeneralBpe::Work final : Scratch {
  MergeQueue queue;
  std::string spelt;
};

GeneralBpe::GeneralBpe(const std::vector<VocabularyEntry>& vocabulary, const Merges& merges, Options options)
    : vocabulary_(vocabulary), options_(std::move(options)) {
  if (options_.dropout && !(*options_.dropout == 0))
    throw Error(Code::kUnsupported, "dropout is " + std::to_string(*options_.dropout) + ", expected 0 or null: ids must not depend on chance");
  // An empty prefix or suffix changes nothing; without them no spelling has to be put together.
  for (std::optional<std::string>* affix : {&options_.continuing_subword_prefix, &options_.end_of_word_suffix})
    if (*affix && (*affix)->empty()) affix->reset();
  merges_ = make_table(vocabulary_, merges, options_.continuing_subword_prefix ? options_.continuing_subword_prefix->size() : 0);
  if (options_.unk_token) unk_id_ = vocabulary_.id(*options_.unk_token);
  for (std::size_t byte = 0; byte < 256; ++byte) byte_ids_[byte] = vocabulary_.id(byte_token(byte));
}

std::unique_ptr<Scratch> GeneralBpe::make_scratch() const { return std::make_unique<Work>(); }

void GeneralBpe::tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const {
  check_pretoken_size(pretoken);
  const auto size = static_cast<std::uint32_t>(pretoken.size());
  if (size == 0) return;
  if (options_.ignore_merges)
    if (const auto id = vocabulary_.id(pretoken)) {
      out.push_back({*id, 0, size});
      return;
    }
  auto& work = static_cast<Work&>(scratch);
  work.queue.clear();
  add_symbols(pretoken, work);
  if (work.queue.size() >= MergeTable::kAbsent) throw Error(Code::kUnsupported, "a pre-token has 2^32 symbols or more");
  work.queue.join(merges_);
  // Summed in 64 bits: the bytes of prefixes that byte_fallback spells out are counted too, as in the peer.
  const auto within = [&](std::uint64_t offset) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(offset, size)); };
  std::uint64_t begin = 0;
  work.queue.for_each([&](MergeQueue::Symbol symbol) {
    const std::uint64_t end = begin + symbol.bytes;
    out.push_back({symbol.id, within(begin), within(end)});
    begin = end;
  });
}

std::optional<std::array<std::uint32_t, 256>> GeneralBpe::fallback_ids() const {
  if (!options_.byte_fallback || options_.ignore_merges || options_.continuing_subword_prefix || options_.end_of_word_suffix) return std::nullopt;
  std::array<std::uint32_t, 256> ids{};
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    if (!byte_ids_[byte]) return std::nullopt;
    ids[byte] = *byte_ids_[byte];
  }
  return ids;
}

std::optional<std::vector<bpe::BpeMerge>> GeneralBpe::effective_merges() const {
  const auto fallback = fallback_ids();
  if (!fallback) return std::nullopt;
  const auto is_byte = [&](std::uint32_t id) { return std::find(fallback->begin(), fallback->end(), id) != fallback->end(); };
  bool of_bytes = false;
  merges_.for_each_pair([&](std::uint32_t left, std::uint32_t right) { of_bytes |= is_byte(left) || is_byte(right) || is_byte(merges_.result(merges_.rank(left, right))); });
  if (of_bytes) return std::nullopt;

  Work work;
  std::vector<MergeQueue::Join> joins;
  vocabulary_.for_each([&](std::string_view token, std::uint32_t id) {
    check_pretoken_size(token);
    work.queue.clear();
    add_symbols(token, work);
    work.queue.join(merges_);
    const auto& last = work.queue.last_join();
    if (last && last->result == id && work.queue.is_joined()) joins.push_back(*last);
  });
  std::sort(joins.begin(), joins.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
  std::vector<bpe::BpeMerge> merges;
  merges.reserve(joins.size());
  for (const auto& join : joins) merges.push_back({join.left, join.right, join.result});
  return merges;
}

void GeneralBpe::add_symbols(std::string_view pretoken, Work& work) const {
  std::uint32_t unknown_bytes = 0;  // of the unknown token that is still to be added
  const auto add_unknown = [&] {
    if (unknown_bytes != 0) work.queue.add(*unk_id_, unknown_bytes);
    unknown_bytes = 0;
  };
  for (std::size_t begin = 0; begin < pretoken.size();) {
    const std::size_t end = char_end(pretoken, begin);
    const auto bytes = static_cast<std::uint32_t>(end - begin);
    const std::string_view spelt = spelling_of(pretoken.substr(begin, bytes), begin == 0, end == pretoken.size(), work.spelt);
    begin = end;
    if (const auto id = vocabulary_.id(spelt)) {
      add_unknown();
      work.queue.add(*id, bytes);
      continue;
    }
    if (options_.byte_fallback && add_bytes(spelt, work.queue)) continue;
    if (!options_.unk_token) continue;
    if (!unk_id_) throw_missing_unk(*options_.unk_token);
    if (!options_.fuse_unk) add_unknown();
    unknown_bytes += bytes;
  }
  add_unknown();
}

std::string_view GeneralBpe::spelling_of(std::string_view character, bool first, bool last, std::string& buffer) const {
  const bool prefixed = !first && options_.continuing_subword_prefix, suffixed = last && options_.end_of_word_suffix;
  if (!prefixed && !suffixed) return character;
  buffer.clear();
  if (prefixed) buffer += *options_.continuing_subword_prefix;
  buffer += character;
  if (suffixed) buffer += *options_.end_of_word_suffix;
  return buffer;
}

bool GeneralBpe::add_bytes(std::string_view spelt, MergeQueue& queue) const {
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (!std::all_of(spelt.begin(), spelt.end(), [&](char byte) { return id_of(byte).has_value(); })) return false;
  for (const char byte : spelt) queue.add(*id_of(byte), 1);
  return true;
}

}  // namespace flowrun::tokenizers
