#include "class_window.hpp"

#include <bit>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace flowrun::tokenizers::scanning {
namespace {

constexpr std::uint64_t bits_below(unsigned n) noexcept { return (std::uint64_t{1} << n) - 1; }

#if defined(__SSE2__)
std::uint64_t mask_of(__m128i bytes) noexcept { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)); }

template <char kFirst, char kLast>
__m128i in_range(__m128i bytes) noexcept {
  const __m128i above_first = _mm_sub_epi8(bytes, _mm_set1_epi8(kFirst));  // what is below it becomes large
  return _mm_cmpeq_epi8(_mm_min_epu8(above_first, _mm_set1_epi8(kLast - kFirst)), above_first);
}
#endif

// Adds the characters that are not ASCII, one by one.
void add_characters(ClassWindow& window, std::uint64_t beyond, Byte p, Byte end) noexcept {
  for (std::uint64_t left = beyond; left != 0;) {
    const auto i = static_cast<unsigned>(std::countr_zero(left));
    const Classed classed = decode(p + i, end);
    if (i + classed.bytes > kWindowBytes || (classed.value & (kNumber | kAnySpace)) != 0) {
      window.known = bits_below(i);
      break;
    }
    const std::uint64_t mask = bits_below(classed.bytes) << i;
    left &= ~mask;
    if ((classed.value & kLetter) != 0) {
      window.letters |= mask;
    } else {
      window.others |= mask;
      window.tails |= mask & mask << 1;
    }
  }
  const std::uint64_t undecided = window.apostrophes & beyond >> 1;
  if (undecided != 0) window.known &= bits_below(static_cast<unsigned>(std::countr_zero(undecided)));
}

}  // namespace

AsciiWindow read_ascii_by_table(Byte p) noexcept {
  AsciiWindow window;
  for (std::size_t i = 0; i < kWindowBytes; ++i) {
    const std::uint8_t value = kByteClasses[p[i]];
    const auto add = [i](std::uint64_t& mask, bool is) { mask |= std::uint64_t{is} << i; };
    add(window.letters, (value & kLetter) != 0);
    add(window.numbers, value == kNumber);
    add(window.breaks, value == kBreak);
    add(window.spaces, value == kSpace);
    add(window.blanks, p[i] == ' ');
    add(window.apostrophes, p[i] == '\'');
    add(window.beyond, value == 0);
  }
  return window;
}

#if defined(__SSE2__)
AsciiWindow read_ascii(Byte p) noexcept {
  AsciiWindow window;
  for (unsigned at = 0; at < kWindowBytes; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at));
    const __m128i breaks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    const __m128i blanks = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
    const __m128i spaces = _mm_or_si128(blanks, _mm_andnot_si128(breaks, in_range<'\t', '\r'>(bytes)));
    window.letters |= mask_of(in_range<'a', 'z'>(_mm_or_si128(bytes, _mm_set1_epi8(0x20)))) << at;
    window.numbers |= mask_of(in_range<'0', '9'>(bytes)) << at;
    window.breaks |= mask_of(breaks) << at;
    window.spaces |= mask_of(spaces) << at;
    window.blanks |= mask_of(blanks) << at;
    window.apostrophes |= mask_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\''))) << at;
    window.beyond |= mask_of(bytes) << at;
  }
  return window;
}
#else
AsciiWindow read_ascii(Byte p) noexcept { return read_ascii_by_table(p); }
#endif

ClassWindow read_window(Byte p, Byte end) noexcept {
  const AsciiWindow ascii = read_ascii(p);
  ClassWindow window{ascii.letters, ascii.numbers, ascii.breaks, ascii.spaces, 0, ascii.blanks, ascii.apostrophes, 0, ~std::uint64_t{0}};
  window.others = ~(ascii.letters | ascii.numbers | ascii.breaks | ascii.spaces | ascii.beyond);
  if (ascii.beyond != 0) add_characters(window, ascii.beyond, p, end);
  return window;
}

}  // namespace flowrun::tokenizers::scanning
