#include "common/text/simplified_text.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "common/text/python_text.hpp"

namespace flowrun::text {
namespace {

struct Range {
  std::uint32_t first, last;
};

// str.isspace() (Unicode 14) without ASCII.
constexpr Range kSpaces[] = {{0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

// datatrove 0.10.1, utils/text.py, PUNCTUATION, beyond ASCII, of which it has every character but letters, digits, tab, newline and space. Its U+FF11 is a number before.
constexpr Range kPunctuationRanges[] = {{0x80, 0x9F}, {0xAB, 0xAB}, {0xB4, 0xB4}, {0xBB, 0xBB}, {0x2013, 0x2014}, {0x2019, 0x2019}, {0x201C, 0x201E}, {0x2026, 0x2026},
                                  {0x2236, 0x2236}, {0x2501, 0x2501}, {0x25BA, 0x25BA}, {0x3001, 0x3002}, {0x3008, 0x300D}, {0x3010, 0x3011}, {0xFF01, 0xFF01}, {0xFF05, 0xFF05},
                                  {0xFF08, 0xFF09}, {0xFF0C, 0xFF0C}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1B}, {0xFF1F, 0xFF1F}, {0xFF5E, 0xFF5E}};

// Decimal digits of Unicode 15 to 17.
constexpr Range kLaterDigits[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x11DE0, 0x11DE9}, {0x11F50, 0x11F59},
                                  {0x16130, 0x16139}, {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E4F0, 0x1E4F9}, {0x1E5F1, 0x1E5FA}};

// Code points assigned in Unicode 15 to 17: Python 3.11 knows nothing of them, utf8proc may.
constexpr Range kLater[] = {
    {0x88F, 0x88F}, {0x897, 0x897}, {0xC5C, 0xC5C}, {0xCDC, 0xCDC}, {0xCF3, 0xCF3}, {0xECE, 0xECE}, {0x1ACF, 0x1AF0}, {0x1B4E, 0x1B4F}, {0x1B7F, 0x1B7F},
    {0x1C89, 0x1C8A}, {0x20C1, 0x20C4}, {0x2427, 0x2429}, {0x2B96, 0x2B96}, {0x2E60, 0x2E63}, {0x2FFC, 0x2FFF}, {0x31E4, 0x31E5}, {0x31EF, 0x31EF}, {0xA7CB, 0xA7CF},
    {0xA7D2, 0xA7D2}, {0xA7D4, 0xA7D4}, {0xA7DA, 0xA7DD}, {0xA7E2, 0xA7E2}, {0xA7F1, 0xA7F1}, {0xAB6C, 0xAB6D}, {0xFBC3, 0xFBD2}, {0xFD90, 0xFD91}, {0xFDC8, 0xFDCE},
    {0x105C0, 0x105F3}, {0x107BB, 0x107BF}, {0x10940, 0x10959}, {0x10D40, 0x10D8F}, {0x10EC2, 0x10EFF}, {0x1123F, 0x11241}, {0x11380, 0x113E2}, {0x116D0, 0x116E3},
    {0x11B00, 0x11B0A}, {0x11B60, 0x11B67}, {0x11BC0, 0x11BF9}, {0x11DB0, 0x11DE9}, {0x11DF0, 0x11DF1}, {0x11F00, 0x11F5A}, {0x1246F, 0x1246F}, {0x12475, 0x1247F},
    {0x12550, 0x12686}, {0x1342F, 0x1342F}, {0x13439, 0x13455}, {0x13460, 0x143FA}, {0x16100, 0x16139}, {0x16D40, 0x16D79}, {0x16EA0, 0x16ED3}, {0x16FF2, 0x16FF6},
    {0x187F8, 0x187FF}, {0x18CD6, 0x18CFF}, {0x18D09, 0x191D2}, {0x1B123, 0x1B128}, {0x1B132, 0x1B132}, {0x1B155, 0x1B155}, {0x1B168, 0x1B168}, {0x1CC00, 0x1CEFD},
    {0x1D127, 0x1D128}, {0x1D1EB, 0x1D1FF}, {0x1D250, 0x1D2D3}, {0x1D6A6, 0x1D6A6}, {0x1DB00, 0x1DB1C}, {0x1DF1F, 0x1DFFF}, {0x1E030, 0x1E06D}, {0x1E08F, 0x1E08F},
    {0x1E4D0, 0x1E6FF}, {0x1F1AE, 0x1F1AE}, {0x1F6D8, 0x1F6DC}, {0x1F774, 0x1F77F}, {0x1F7D9, 0x1F7DB}, {0x1F7F1, 0x1F7FF}, {0x1F8B2, 0x1F8D8}, {0x1FA54, 0x1FA57},
    {0x1FA75, 0x1FA77}, {0x1FA87, 0x1FA8F}, {0x1FAAD, 0x1FAAF}, {0x1FABB, 0x1FABF}, {0x1FAC6, 0x1FACF}, {0x1FADA, 0x1FADF}, {0x1FAE8, 0x1FAEF}, {0x1FAF7, 0x1FAFA},
    {0x1FBCB, 0x1FBEF}, {0x1FBFA, 0x1FBFA}, {0x2B739, 0x2B73F}, {0x2B81E, 0x2B81E}, {0x2CEA2, 0x2CEAD}, {0x2EBF0, 0x2EE5D}, {0x31350, 0x33479}, {0x3D000, 0x3FC3F}};

// Pages of ideographs, private use and what is not assigned: nothing to look up, which makes the table in half the time.
constexpr Range kPlain[] = {{0x3400, 0x9FFF}, {0x20000, 0x2F7FF}, {0x30000, 0xDFFFF}, {0xE0200, 0x10FFFF}};

// Unicode's Cased beyond the categories Lu, Ll and Lt, and Case_Ignorable beyond Mn, Me, Cf, Lm and Sk.
constexpr Range kCased[] = {{0xAA, 0xAA}, {0xBA, 0xBA}, {0x2160, 0x217F}, {0x24B6, 0x24E9}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};
constexpr Range kCaseIgnorable[] = {{0x27, 0x27}, {0x2E, 0x2E}, {0x3A, 0x3A}, {0xB7, 0xB7}, {0x387, 0x387}, {0x55F, 0x55F}, {0x5F4, 0x5F4}, {0x2018, 0x2019},
                                    {0x2024, 0x2024}, {0x2027, 0x2027}, {0xFE13, 0xFE13}, {0xFE52, 0xFE52}, {0xFE55, 0xFE55}, {0xFF07, 0xFF07}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1A}};

// What becomes of a code point: one other code point (or an index in the table of sequences) in the low bits, and these. 0: it stays, so that most pages are the same.
constexpr std::uint32_t kValue = (1u << 21) - 1;
constexpr std::uint32_t kDecimalDigit = 1u << 21;
constexpr std::uint32_t kGap = 1u << 22;       // white space or punctuation
constexpr std::uint32_t kNothing = 1u << 23;   // a non-spacing mark
constexpr std::uint32_t kSequence = 1u << 24;
constexpr std::uint32_t kMark = 1u << 25;      // has a combining class, but is no non-spacing mark: about 30 of Balinese and other scripts
constexpr std::uint32_t kStarter = 1u << 26;   // a non-spacing mark of class 0, which ends a run of marks

constexpr std::uint32_t kStays = 0;

constexpr std::uint32_t kCodePoints = 0x110000, kSigma = 0x3A3, kFinalSigma = 0x3C2, kDottedI = 0x130;

enum AsciiKind : std::uint8_t { kLetter, kDigit, kSeparator, kNotAscii };

struct AsciiTable {
  std::array<std::uint8_t, 256> kind{};
  std::array<char, 256> lower{};
};

constexpr AsciiTable kAscii = [] {
  AsciiTable table;
  for (unsigned c = 0; c < 256; ++c) {
    const bool upper = c >= 'A' && c <= 'Z', letter = upper || (c >= 'a' && c <= 'z');
    table.kind[c] = c >= 0x80 ? kNotAscii : letter ? kLetter : c >= '0' && c <= '9' ? kDigit : kSeparator;
    table.lower[c] = static_cast<char>(upper ? c + 32 : c);
  }
  return table;
}();

AsciiKind kind_of(char c) noexcept { return static_cast<AsciiKind>(kAscii.kind[static_cast<unsigned char>(c)]); }

bool in(std::span<const Range> ranges, std::uint32_t c) noexcept {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c, [](std::uint32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

utf8proc_category_t category_of(std::uint32_t c) noexcept { return in(kLater, c) ? UTF8PROC_CATEGORY_CN : utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool is_cased(std::uint32_t c) noexcept {
  const auto category = category_of(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT || in(kCased, c);
}

bool is_case_ignorable(std::uint32_t c) noexcept {
  switch (category_of(c)) {
    case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_ME: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_SK: return true;
    default: return in(kCaseIgnorable, c);
  }
}

std::uint32_t lower_of(std::uint32_t c) noexcept {
  if (c == kDottedI) return 'i';  // and a dot above, a non-spacing mark
  return in(kLater, c) ? c : static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

std::uint32_t combining_class_of(std::uint32_t c) noexcept { return static_cast<std::uint32_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class); }

std::uint32_t marked(std::uint32_t c) noexcept { return combining_class_of(c) != 0 ? c | kMark : c; }

bool separates_decimals(std::uint32_t c) noexcept { return c == '.' || c == ',' || c == 0x60C || c == 0x66B || (c >= 0x2396 && c <= 0x2398); }

/// Returns where the code point begins that ends before `at` > 0.
std::size_t previous(std::string_view text, std::size_t at) noexcept {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

}  // namespace

constexpr std::uint64_t each(unsigned byte) noexcept { return byte * std::uint64_t{0x0101010101010101}; }
constexpr std::uint64_t kHighest = each(0x80), kEightSpaces = each(' ');

/// Eight bytes of ASCII at once; a byte's highest bit says what it is.
struct Eight {
  explicit Eight(const char* from) noexcept {
    std::memcpy(&bytes, from, sizeof bytes);
    const std::uint64_t lowered = bytes | kEightSpaces, low_bits = bytes & ~kHighest;
    letters = (((lowered & ~kHighest) + each(0x80 - 'a')) & ~((lowered & ~kHighest) + each(0x7F - 'z'))) & kHighest & ~bytes;
    digits = ((low_bits + each(0x80 - '0')) & ~(low_bits + each(0x7F - '9'))) & kHighest & ~bytes;
  }
  std::uint64_t not_ascii() const noexcept { return bytes & kHighest; }
  std::uint64_t gaps() const noexcept { return kHighest & ~(letters | digits | bytes); }
  /// Letters in lower case, and spaces for all else.
  std::uint64_t simplified() const noexcept {
    const std::uint64_t mask = (letters >> 7) * 0xFF;
    return (bytes & mask) | kEightSpaces;  // the bit of a space is that of lower case, too
  }

  std::uint64_t bytes, letters, digits;
};
static_assert(std::endian::native == std::endian::little);

/// Appends code points, with marks of a combining class in canonical order. As white space becomes one space before marks are taken out, two spaces may stand beside each other.
class TextSimplifier::Writer {
 public:
  Writer(std::string& out, std::size_t size) : out_(out) { out_.resize(size + kRoom); }

  /// `left` bytes of the text are not read yet: each takes at most one here, until `make_room` is called again.
  void make_room(std::size_t left) {
    if (out_.size() - at_ < left + kRoom) out_.resize(at_ + left + kRoom + out_.size() / 2);
  }
  void put(char c) noexcept {
    out_[at_++] = c;
    after_gap_ = false;
  }
  /// Appends letters in lower case and single gaps, eight bytes at a time, and returns how many bytes of `text` these were: up to the first that needs a closer look, or to
  /// fewer than eight before the end.
  std::size_t put_plain(std::string_view text) noexcept {
    std::size_t done = 0;
    while (done + 8 <= text.size()) {
      const Eight eight(text.data() + done);
      const std::uint64_t gaps = eight.gaps(), after_gaps = gaps << 8 | (after_gap_ ? 0x80 : 0);
      const std::uint64_t simplified = eight.simplified(), special = eight.not_ascii() | eight.digits | (gaps & after_gaps);
      std::memcpy(out_.data() + at_, &simplified, sizeof simplified);
      const std::size_t plain = static_cast<std::size_t>(std::countr_zero(special)) / 8;  // 8 where nothing is special
      if (plain > 0) after_gap_ = (gaps >> (8 * plain - 1) & 1) != 0;
      at_ += plain;
      done += plain;
      if (plain < 8) break;
    }
    return done;
  }
  void put_gap() noexcept {
    out_[at_] = ' ';
    at_ += after_gap_ ? 0 : 1;
    after_gap_ = true;
  }
  void put_nothing() noexcept { after_gap_ = false; }

  /// Appends a code point with or without the bit kMark.
  void put_form(std::uint32_t form) {
    after_gap_ = false;
    if ((form & kMark) == 0) {
      end_marks();
      return write(form & kValue);
    }
    const std::uint32_t combining_class = combining_class_of(form & kValue);
    auto place = marks_.end();
    while (place != marks_.begin() && std::prev(place)->combining_class > combining_class) --place;
    marks_.insert(place, {form & kValue, combining_class});
  }
  void end_marks() {
    for (const Mark& mark : marks_) write(mark.code_point);
    marks_.clear();
  }
  bool has_marks() const noexcept { return !marks_.empty(); }

  /// str.strip().
  void finish() {
    end_marks();
    while (at_ > 0 && out_[at_ - 1] == ' ') --at_;
    out_.resize(at_);
    if (!out_.empty() && out_.front() == ' ') out_.erase(0, out_.find_first_not_of(' '));
  }

 private:
  static constexpr std::size_t kRoom = 64;
  struct Mark {
    std::uint32_t code_point, combining_class;
  };

  void write(std::uint32_t c) {
    if (out_.size() - at_ < kRoom / 2) out_.resize(out_.size() + out_.size() / 2 + kRoom);
    at_ += static_cast<std::size_t>(utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), reinterpret_cast<utf8proc_uint8_t*>(out_.data() + at_)));
  }

  std::string& out_;
  std::size_t at_ = 0;
  bool after_gap_ = true;  // so that none stands at the beginning
  std::vector<Mark> marks_;
};

TextSimplifier::TextSimplifier() {
  std::map<std::array<std::uint32_t, 256>, std::uint16_t> known;
  for (std::uint32_t first = 0; first < kCodePoints; first += 256) {
    std::array<std::uint32_t, 256> page{};
    for (std::uint32_t i = 0; i < 256 && !in(kPlain, first); ++i) page[i] = make_form(first + i);
    const auto [place, is_new] = known.emplace(page, static_cast<std::uint16_t>(pages_.size()));
    if (is_new) pages_.push_back(page);
    page_of_.push_back(place->second);
  }
}

std::uint32_t TextSimplifier::make_form(std::uint32_t code_point) {
  if (in(kSpaces, code_point) || in(kPunctuationRanges, code_point)) return kGap;
  if (in(kLaterDigits, code_point)) return kDecimalDigit;
  if (in(kLater, code_point)) return kStays;
  const auto* const property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
  if (property->category == UTF8PROC_CATEGORY_MN) return property->combining_class == 0 ? kNothing | kStarter : kNothing;
  if (property->category == UTF8PROC_CATEGORY_ND) return kDecimalDigit;

  std::array<utf8proc_int32_t, 32> parts{};
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(lower_of(code_point)), parts.data(), parts.size(), UTF8PROC_DECOMPOSE, &boundary);
  std::vector<std::uint32_t> kept;
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    const auto part = static_cast<std::uint32_t>(parts[static_cast<std::size_t>(i)]);
    if (category_of(part) != UTF8PROC_CATEGORY_MN) kept.push_back(marked(part));
  }
  if (kept.empty()) return kNothing | kStarter;
  if (kept.size() == 1) return kept[0] == code_point ? kStays : kept[0];
  const auto index = static_cast<std::uint32_t>(sequences_.size());
  sequences_.push_back(static_cast<std::uint32_t>(kept.size()));
  sequences_.insert(sequences_.end(), kept.begin(), kept.end());
  return kSequence | index;
}

std::size_t TextSimplifier::digits_end(std::string_view text, std::size_t at) const noexcept {
  while (at < text.size()) {
    if (kind_of(text[at]) == kDigit) {
      ++at;
      continue;
    }
    if (kind_of(text[at]) != kNotAscii) break;
    const CodePoint c = code_point_at(text, at);
    if ((form_of(c.value) & kDecimalDigit) == 0) break;
    at = c.end;
  }
  return at;
}

// \p{Nd}+([.,،٫⎖⎗⎘]{1}\p{Nd}+)?
std::size_t TextSimplifier::number_end(std::string_view text, std::size_t at) const noexcept {
  const std::size_t end = digits_end(text, at);
  if (end == text.size()) return end;
  const CodePoint c = code_point_at(text, end);
  if (!separates_decimals(c.value)) return end;
  const std::size_t longer = digits_end(text, c.end);
  return longer > c.end ? longer : end;
}

// CPython 3.11, Objects/unicodeobject.c, handle_capital_sigma.
bool TextSimplifier::is_final_sigma(std::string_view text, std::size_t begin, std::size_t end) const noexcept {
  bool cased = false;
  for (std::size_t at = begin; at > 0;) {
    at = previous(text, at);
    const std::uint32_t c = code_point_at(text, at).value;
    if (is_case_ignorable(c)) continue;
    cased = is_cased(c);
    break;
  }
  if (!cased) return false;
  for (std::size_t at = end; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    if (!is_case_ignorable(c.value)) return !is_cased(c.value);
    at = c.end;
  }
  return true;
}

void TextSimplifier::simplify(std::string_view text, std::string& out) const {
  Writer writer(out, text.size());
  for (std::size_t at = 0; (at += writer.put_plain(text.substr(at))) < text.size();) {
    switch (kind_of(text[at])) {
      case kLetter: writer.put(kAscii.lower[static_cast<unsigned char>(text[at++])]); break;
      case kSeparator:
        writer.put_gap();
        do ++at;
        while (at < text.size() && kind_of(text[at]) == kSeparator);
        break;
      case kDigit: writer.put('0'); at = number_end(text, at); break;
      case kNotAscii: at = simplify_one(text, at, writer); break;
    }
  }
  writer.finish();
}

/// Simplifies what is not ASCII at `at`, and returns where that ends.
std::size_t TextSimplifier::simplify_one(std::string_view text, std::size_t at, Writer& writer) const {
  const CodePoint c = code_point_at(text, at);
  const std::uint32_t form = form_of(c.value);
  std::size_t end = c.end;
  if ((form & kGap) != 0) {
    writer.end_marks();
    writer.put_gap();
  } else if ((form & kDecimalDigit) != 0) {
    writer.put_form('0');
    end = number_end(text, at);
  } else if ((form & kNothing) != 0) {
    if ((form & kStarter) != 0) writer.end_marks();
    writer.put_nothing();
  } else if ((form & kSequence) != 0) {
    const std::uint32_t* const parts = sequences_.data() + (form & kValue);
    for (std::uint32_t i = 1; i <= parts[0]; ++i) writer.put_form(parts[i]);
  } else if (form == kStays) {
    writer.put_form(c.value);
  } else {
    writer.put_form(c.value == kSigma && is_final_sigma(text, at, end) ? kFinalSigma : form);
  }
  if (end == text.size() || kind_of(text[end]) != kNotAscii) writer.end_marks();
  writer.make_room(text.size() - end);
  return end;
}

}  // namespace flowrun::text
