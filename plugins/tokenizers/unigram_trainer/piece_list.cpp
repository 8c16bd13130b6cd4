#include "piece_list.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {

void PieceList::reserve(std::size_t pieces, std::size_t bytes) {
  text_.reserve(bytes);
  ends_.reserve(pieces);
  scores_.reserve(pieces);
}

void PieceList::add(std::string_view piece, double score) {
  const std::size_t size = text_.size() + piece.size();
  if (size > std::numeric_limits<std::uint32_t>::max())
    throw Error(Code::kUnsupported, "the pieces to begin with have " + std::to_string(size) + " bytes together, expected below 4 GiB");
  text_ += piece;
  ends_.push_back(static_cast<std::uint32_t>(size));
  scores_.push_back(score);
}

void PieceList::sort() {
  sorted_.resize(size());
  std::iota(sorted_.begin(), sorted_.end(), 0u);
  std::sort(sorted_.begin(), sorted_.end(), [this](std::uint32_t a, std::uint32_t b) { return (*this)[a].piece < (*this)[b].piece; });
}

PieceList PieceList::select(const std::vector<std::uint32_t>& ids) const {
  constexpr std::uint32_t kLeftOut = std::numeric_limits<std::uint32_t>::max();
  PieceList result;
  std::size_t bytes = 0;
  for (const std::uint32_t id : ids) bytes += (*this)[id].piece.size();
  result.reserve(ids.size(), bytes);
  std::vector<std::uint32_t> place(size(), kLeftOut);
  for (const std::uint32_t id : ids) {
    place[id] = static_cast<std::uint32_t>(result.size());
    const auto [piece, score] = (*this)[id];
    result.add(piece, score);
  }
  result.sorted_.reserve(ids.size());
  for (const std::uint32_t id : sorted_)
    if (place[id] != kLeftOut) result.sorted_.push_back(place[id]);
  return result;
}

}  // namespace flowrun::tokenizers
