#pragma once

// Where pre-tokens begin in a window (class_window.hpp) whose first byte begins one. A start that is found is one, and none is missing before the last that is
// found: what depends on bytes behind the window counts as no start, and only the last pre-token of a window depends on them. So the next window begins at the last start.
//
// A shift to the left asks for the byte before. A sum carries a bit through a run of ones: `run + first` clears the run that begins at `first` and sets the bit behind it.
// Checked against the scanners on random text (scanners_test.cpp).

#include <bit>
#include <cstdint>

#include "class_window.hpp"

namespace flowrun::tokenizers::scanning {

struct Contractions {
  std::uint64_t begins = 0, ends = 0;  // the apostrophe, and the byte behind the contraction
};

template <bool kAnyCase>
Contractions contractions_of(std::uint64_t apostrophes, Byte p, Byte end) noexcept {
  Contractions found;
  for (std::uint64_t left = apostrophes; left != 0; left &= left - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(left));
    const std::size_t bytes = contraction_bytes<kAnyCase>(p + at, end);
    if (bytes == 0) continue;
    found.begins |= std::uint64_t{1} << at;
    if (at + bytes < kWindowBytes) found.ends |= std::uint64_t{1} << (at + bytes);
  }
  return found;
}

/// ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`: a run of white space leaves its last character to what follows, which takes it if it is a blank.
inline std::uint64_t gpt2_starts(const ClassWindow& w, Byte p, Byte end) noexcept {
  const std::uint64_t white = w.spaces | w.breaks, behind_blank = w.blanks << 1;
  const std::uint64_t others = w.others & ~(w.others << 1 | behind_blank);
  std::uint64_t letters = w.letters & ~(w.letters << 1 | behind_blank);
  if (const std::uint64_t apostrophes = others & w.apostrophes & w.letters >> 1; apostrophes != 0) {
    const Contractions contractions = contractions_of<false>(apostrophes, p, end);
    letters = (letters & ~(contractions.begins << 1)) | (contractions.ends & w.letters);
  }
  const std::uint64_t numbers = w.numbers & ~(w.numbers << 1 | behind_blank);
  const std::uint64_t last_white = white & ~(white >> 1) & w.known >> 1;
  return (letters | numbers | others | (white & ~(white << 1)) | last_white) & w.known;
}

/// Runs of numbers, cut into pieces of kMost.
template <int kMost>
std::uint64_t number_starts(std::uint64_t numbers) noexcept {
  static_assert(kMost == 1 || kMost == 3);
  if constexpr (kMost == 1) return numbers;
  const std::uint64_t behind_three = numbers & numbers << 1 & numbers << 2 & numbers << 3;
  std::uint64_t starts = numbers & ~(numbers << 1);
  for (std::uint64_t next = starts << 3 & behind_three; next != 0; next = next << 3 & behind_three) starts |= next;
  return starts;
}

/// White space behind the last break of a run: `candidates`, spaces behind a break, unless another break follows in the run or may follow behind the window.
inline std::uint64_t behind_last_break(std::uint64_t candidates, std::uint64_t spaces, const ClassWindow& w) noexcept {
  const std::uint64_t known_last = w.known & ~(w.known >> 1), run_ends = (spaces + candidates) & ~spaces;
  if (((run_ends & w.breaks) | (spaces & known_last)) == 0) return candidates;  // nearly always
  std::uint64_t kept = 0;
  for (std::uint64_t left = candidates; left != 0; left &= left - 1) {
    const int first = std::countr_zero(left), run_end = first + std::countr_zero(~(spaces >> first));
    if (run_end < 64 && (w.known & ~w.breaks) >> run_end & 1) kept |= std::uint64_t{1} << first;
  }
  return kept;
}

/// `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,kNumbersMax}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
template <int kNumbersMax>
std::uint64_t cl100k_starts(const ClassWindow& w, Byte p, Byte end) noexcept {
  const std::uint64_t others = w.others & ~(w.others << 1 | w.blanks << 1);
  // Letters are taken by the space before them, or by the character of another class that begins a pre-token right before them.
  const std::uint64_t behind_other = (w.tails + (others << 1)) & ~w.tails;
  std::uint64_t letters = w.letters & ~(w.letters << 1 | w.spaces << 1 | behind_other);
  if (const std::uint64_t apostrophes = others & w.apostrophes & w.letters >> 1; apostrophes != 0)
    letters |= contractions_of<true>(apostrophes, p, end).ends & w.letters;
  // Runs of breaks right behind other characters belong to them: the sum clears those.
  const std::uint64_t breaks = w.breaks & (w.breaks + (w.others << 1 & w.breaks));
  const std::uint64_t spaces = w.spaces & w.known, white = spaces | breaks;
  std::uint64_t starts = letters | number_starts<kNumbersMax>(w.numbers) | others | (white & ~(white << 1));
  starts |= spaces & ~((spaces | w.breaks) >> 1) & w.known >> 1;
  if (const std::uint64_t candidates = spaces & breaks << 1; candidates != 0) starts |= behind_last_break(candidates, spaces, w);
  return starts & w.known;
}

}  // namespace flowrun::tokenizers::scanning
