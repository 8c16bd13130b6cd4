#include "ranked_merges.hpp"

#include <optional>
#include <string>
#include <utility>

#include <flowrun/error.hpp>

#include "merge_queue.hpp"
#include "vocabulary.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::uint32_t kAbsent = MergeTable::kAbsent;

// No token of any published vocabulary that larger ranks make has a tenth of that.
constexpr std::size_t kLaterAtomsMax = 1024;

std::vector<VocabularyEntry> ranks_of(const std::vector<RankedToken>& tokens) {
  if (tokens.size() >= kAbsent) throw Error(Code::kUnsupported, std::to_string(tokens.size()) + " tokens, expected below 2^32 - 1");
  std::vector<VocabularyEntry> entries;
  entries.reserve(tokens.size());
  for (const RankedToken& token : tokens) entries.push_back({std::string(token.text), static_cast<std::uint32_t>(entries.size())});
  return entries;
}

// Names tokens by rank throughout.
class PairFinder {
 public:
  PairFinder(const std::vector<RankedToken>& tokens, AtomBytes atom_bytes)
      : tokens_(tokens), atom_bytes_(atom_bytes), vocabulary_(ranks_of(tokens)), merges_(tokens.size()) {}

  using Pair = std::pair<std::uint32_t, std::uint32_t>;

  bool is_atom(std::uint32_t rank) const { return atom_bytes_(tokens_[rank].text, 0) == tokens_[rank].text.size(); }

  /// Returns the pair of the token, if it has one. Must be called with one rank after another: the merges of smaller ranks are there then.
  std::optional<Pair> find(std::uint32_t rank) {
    join_smaller(rank);
    if (parts_.size() > 2) {
      if (atoms_ > kLaterAtomsMax)
        refuse(rank, "has " + std::to_string(atoms_) + " atoms and is not made of two tokens of smaller ranks");
      join_any();
    }
    if (parts_.size() != 2) return std::nullopt;
    merges_.add(parts_[0].rank, parts_[1].rank, rank, rank);
    return Pair(parts_[0].rank, parts_[1].rank);
  }

 private:
  struct Part {
    std::uint32_t rank;
    std::string_view text;
    std::uint32_t joined = kAbsent;  // the rank of this and the next one
  };

  [[noreturn]] void refuse(std::uint32_t rank, const std::string& what) const {
    throw Error(Code::kUnsupported, "the token of id " + std::to_string(tokens_[rank].id) + " " + what);
  }

  void join_smaller(std::uint32_t rank) {
    const std::string_view text = tokens_[rank].text;
    queue_.clear();
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t bytes = atom_bytes_(text, begin);
      const auto atom = vocabulary_.id(text.substr(begin, bytes));
      if (!atom) refuse(rank, "holds " + shown_atom(text.substr(begin, bytes)) + ", which is not a token");
      queue_.add(*atom, static_cast<std::uint32_t>(bytes));
      begin += bytes;
    }
    atoms_ = queue_.size();
    queue_.join(merges_);
    parts_.clear();
    std::size_t begin = 0;
    queue_.for_each([&](MergeQueue::Symbol symbol) {
      parts_.push_back({symbol.id, text.substr(begin, symbol.bytes)});
      begin += symbol.bytes;
    });
  }

  // Joins by the definition until two parts are left, or nothing joins.
  void join_any() {
    for (std::size_t i = 0; i + 1 < parts_.size(); ++i) look_up(i);
    while (parts_.size() > 2) {
      std::size_t best = 0;
      for (std::size_t i = 1; i + 1 < parts_.size(); ++i)
        if (parts_[i].joined < parts_[best].joined) best = i;
      if (parts_[best].joined == kAbsent) return;
      parts_[best] = {parts_[best].joined, text_of(best)};
      parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
      if (best + 1 < parts_.size()) look_up(best);
      if (best > 0) look_up(best - 1);
    }
  }

  std::string_view text_of(std::size_t i) const { return {parts_[i].text.data(), parts_[i].text.size() + parts_[i + 1].text.size()}; }
  void look_up(std::size_t i) { parts_[i].joined = vocabulary_.id(text_of(i)).value_or(kAbsent); }

  // A byte may be no text of its own.
  static std::string shown_atom(std::string_view atom) {
    const bool printable = atom.size() > 1 || (atom[0] > ' ' && atom[0] <= '~');
    return printable ? "'" + std::string(atom) + "'" : "byte " + std::to_string(static_cast<unsigned char>(atom[0]));
  }

  const std::vector<RankedToken>& tokens_;
  AtomBytes atom_bytes_;
  Vocabulary vocabulary_;
  MergeTable merges_;
  MergeQueue queue_;
  std::vector<Part> parts_;
  std::size_t atoms_ = 0;
};

}  // namespace

RankedMerges find_ranked_merges(const std::vector<RankedToken>& tokens, AtomBytes atom_bytes) {
  RankedMerges found;
  PairFinder finder(tokens, atom_bytes);
  for (std::uint32_t rank = 0; rank < tokens.size(); ++rank) {
    if (finder.is_atom(rank)) continue;
    if (const auto pair = finder.find(rank)) found.merges.push_back({tokens[pair->first].id, tokens[pair->second].id, tokens[rank].id});
    else found.whole_only.push_back(tokens[rank].id);
  }
  return found;
}

}  // namespace flowrun::tokenizers
