#include "character_cuts.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::size_t kBitsMin = 1 << 15, kBitsPerPair = 16;
constexpr char32_t kNoCharacter = 0xFFFFFFFF;

/// Calls f(left, right) for the neighbours in `text`.
template <class F>
void for_each_pair(std::string_view text, F&& f) {
  std::size_t at = 0;
  for (char32_t left = text.empty() ? 0 : next_code_point(text, at); at < text.size();) {
    const char32_t right = next_code_point(text, at);
    f(left, right);
    left = right;
  }
}

}  // namespace

CharacterCuts::CharacterCuts(const std::vector<std::string_view>& tokens, bool before_spaces) : cut_before_(before_spaces ? U' ' : kNoCharacter) {
  std::vector<std::pair<char32_t, char32_t>> pairs;
  for (const std::string_view token : tokens)
    for_each_pair(token, [&](char32_t left, char32_t right) { pairs.emplace_back(left, right); });
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  const std::size_t bits = std::bit_ceil(std::max(kBitsMin, pairs.size() * kBitsPerPair));
  shift_ = 64u - static_cast<unsigned>(std::countr_zero(bits));
  bits_.resize(bits / 64);
  ascii_cuts_.fill(~std::uint64_t{0});
  for (const auto& [left, right] : pairs)
    if ((left | right) < 0x80 && right != cut_before_) ascii_cuts_[left * 2 + right / 64] &= ~(std::uint64_t{1} << (right % 64));
  for (const auto& [left, right] : pairs) bits_[bit_of(left, right) / 64] |= std::uint64_t{1} << (bit_of(left, right) % 64);
}

std::size_t CharacterCuts::operator()(std::string_view text, std::size_t begin, std::size_t* ends) const noexcept {
  const std::uint64_t* const ascii_cuts = ascii_cuts_.data();
  std::size_t count = 0, at = begin;
  char32_t left = next_code_point(text, at);
  while (at < text.size() && count < kPretokensAtOnce) {
    // There are no more cuts than characters, so room need not be looked for at each. What is written stays if there is a cut: whether there is one is as good as
    // random, so no branch.
    const std::size_t stop = std::min(text.size(), at + kPretokensAtOnce - count);
    while (at < stop) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if ((left | byte) >= 0x80) break;
      ends[count] = at++;
      count += ascii_cuts[left * 2 + byte / 64] >> (byte % 64) & 1;
      left = byte;
    }
    if (at == stop) continue;
    ends[count] = at;
    const char32_t right = next_code_point(text, at);
    count += static_cast<std::size_t>(!holds(left, right)) | static_cast<std::size_t>(right == cut_before_);
    left = right;
  }
  if (count < kPretokensAtOnce) ends[count++] = text.size();
  return count;
}

}  // namespace flowrun::tokenizers
