#include "common/text/english/exceptions.hpp"

#include <cstring>

#include "common/text/english/tables.hpp"

namespace flowrun::text::english {
namespace {

/// Mixes the first and the last eight bytes and the size; texts are compared behind it.
std::size_t hash_of(std::string_view text) noexcept {
  std::uint64_t first = 0, last = 0;
  const std::size_t n = text.size() < 8 ? text.size() : 8;
  std::memcpy(&first, text.data(), n);
  std::memcpy(&last, text.data() + text.size() - n, n);
  const std::uint64_t mixed = (first ^ (last << 7 | last >> 57) ^ text.size()) * 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
  return static_cast<std::size_t>(mixed >> 32);
}

}  // namespace

std::uint32_t ShortTexts::add(std::string_view text) {
  if (const std::int32_t number = find(text); number >= 0) return static_cast<std::uint32_t>(number);
  lengths_[ends_of(text)] |= std::uint64_t{1} << text.size();
  texts_.emplace_back(text);
  if (texts_.size() * 4 > slots_.size()) {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, -1);
    for (std::uint32_t number = 0; number + 1 < size(); ++number) place(number);
  }
  place(size() - 1);
  return size() - 1;
}

void ShortTexts::place(std::uint32_t number) {
  std::size_t slot = hash_of(texts_[number]) & (slots_.size() - 1);
  while (slots_[slot] >= 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = static_cast<std::int32_t>(number);
}

std::int32_t ShortTexts::look_up(std::string_view text) const noexcept {
  for (std::size_t slot = hash_of(text) & (slots_.size() - 1); slots_[slot] >= 0; slot = (slot + 1) & (slots_.size() - 1))
    if (texts_[static_cast<std::size_t>(slots_[slot])] == text) return slots_[slot];
  return -1;
}

Exceptions::Exceptions() {
  for (const auto& exception : exception_table()) {
    std::string text;
    std::vector<std::uint8_t> sizes;
    for (const std::string_view piece : exception) {
      text += piece;
      if (!piece.empty()) sizes.push_back(static_cast<std::uint8_t>(piece.size()));
    }
    if (texts_.add(text) == pieces_.size()) pieces_.push_back(std::move(sizes));
  }
}

void Phrases::add(const std::vector<std::string_view>& tokens) {
  std::int32_t node = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) later_tokens_.add(tokens[i]);
    const auto [it, added] = edges_.try_emplace(key(node, static_cast<std::int32_t>(tokens_.add(tokens[i]))), static_cast<std::int32_t>(ends_.size()));
    if (added) ends_.push_back(false);
    node = it->second;
  }
  ends_[static_cast<std::size_t>(node)] = true;
}

}  // namespace flowrun::text::english
