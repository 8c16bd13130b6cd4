#include "readers/common/charset/text_decoder.hpp"

#include <flowrun/error.hpp>

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view bytes, std::size_t i) noexcept { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0; }

/// Returns how many bytes from `from` are ASCII.
std::size_t ascii_run(std::string_view bytes, std::size_t from) noexcept {
  std::size_t at = from;
  while (at < bytes.size() && static_cast<signed char>(bytes[at]) >= 0) ++at;
  return at - from;
}

/// What a decoder writes to.
struct Target {
  std::string& out;
  std::size_t replaced = 0, first_bad = DecodedText::kNone;

  void replace(std::size_t at) {
    out += kReplacement;
    if (replaced++ == 0) first_bad = at;
  }
};

void decode_single_byte(std::string_view bytes, const char16_t* table, Target& target) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t run = ascii_run(bytes, at);
    target.out.append(bytes, at, run);
    at += run;
    for (; at < bytes.size() && byte_at(bytes, at) >= 0x80; ++at) {
      const char16_t code = table[byte_at(bytes, at) - 0x80];
      code == 0 ? target.replace(at) : append_utf8(code, target.out);
    }
  }
}

/// U+F780 and up for bytes that are not ASCII.
void decode_user_defined(std::string_view bytes, Target& target) {
  for (const char c : bytes) append_utf8(static_cast<signed char>(c) >= 0 ? static_cast<char32_t>(c) : 0xF700 + static_cast<unsigned char>(c), target.out);
}

/// Returns the size of the malformed sequence at the start of `bytes`: of what could begin a character, or one byte (Unicode's "maximal subparts").
std::size_t bad_utf8_size(std::string_view bytes) noexcept {
  const unsigned char first = byte_at(bytes, 0), second = byte_at(bytes, 1);
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80, high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  const std::size_t wanted = first < 0xC2 || first > 0xF4 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (wanted == 1 || second < low || second > high) return 1;
  return wanted == 4 && (byte_at(bytes, 2) & 0xC0) == 0x80 ? 3 : 2;
}

void decode_utf8(std::string_view bytes, std::size_t bad, Target& target) {
  for (std::size_t at = 0; bad != std::string_view::npos;) {
    target.out.append(bytes, at, bad - at);
    target.replace(bad);
    at = bad + bad_utf8_size(bytes.substr(bad));
    bad = find_invalid_utf8(bytes.substr(at));
    if (bad == std::string_view::npos) target.out.append(bytes, at);
    else bad += at;
  }
}

void decode_utf16(std::string_view bytes, bool little, Target& target) {
  const auto unit = [&](std::size_t at) { return static_cast<char32_t>(little ? byte_at(bytes, at) | byte_at(bytes, at + 1) << 8 : byte_at(bytes, at) << 8 | byte_at(bytes, at + 1)); };
  std::size_t at = 0;
  while (at + 1 < bytes.size()) {
    const char32_t first = unit(at);
    at += 2;
    if (first < 0xD800 || first > 0xDFFF) {
      append_utf8(first, target.out);
      continue;
    }
    const char32_t second = first < 0xDC00 && at + 1 < bytes.size() ? unit(at) : 0;
    if (second < 0xDC00 || second > 0xDFFF) {
      target.replace(at - 2);
      continue;
    }
    append_utf8(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), target.out);
    at += 2;
  }
  if (at < bytes.size()) target.replace(at);
}

/// Returns the offset of the next pair at or after `from` that iconv maps otherwise, and its text; npos where there is none.
std::size_t next_override(std::string_view bytes, std::size_t from, const Encoding& encoding, std::string_view& text) noexcept {
  std::string_view ignored;
  const bool four_bytes = encoding.converter == std::string_view("GB18030");
  if (!four_bytes && encoding.converter != std::string_view("BIG5-HKSCS")) return std::string_view::npos;
  for (std::size_t at = from; at < bytes.size();) {
    at += ascii_run(bytes, at);
    const unsigned char lead = byte_at(bytes, at), trail = byte_at(bytes, at + 1);
    if (at + 1 < bytes.size() && find_override(encoding, lead, trail, text)) return at;
    if (lead <= 0x80 || lead == 0xFF) ++at;
    else at += four_bytes && trail >= '0' && trail <= '9' ? 4 : 2;
  }
  return std::string_view::npos;
}

/// Appends the character of JIS X 0208 at row and cell (from 0) as Shift_JIS has it.
void append_shift_jis(unsigned row, unsigned cell, std::string& out) {
  const unsigned pointer = row * 94 + cell, lead = pointer / 188, trail = pointer % 188;
  out += static_cast<char>(lead + (lead < 0x1F ? 0x81 : 0xC1));
  out += static_cast<char>(trail + (trail < 0x3F ? 0x40 : 0x41));
}

bool between(unsigned char byte, unsigned char low, unsigned char high) noexcept { return byte >= low && byte <= high; }

}  // namespace

/// One of iconv's converters, kept open from text to text.
struct TextDecoder::Converter {
  std::string name;
  iconv_t handle;

  explicit Converter(const char* from) : name(from), handle(iconv_open("UTF-8", from)) {
    if (handle == reinterpret_cast<iconv_t>(-1)) throw Error(Code::kUnsupported, "iconv has no converter for '" + name + "', expected glibc with its gconv modules");
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() { iconv_close(handle); }

  static Converter& open(std::unique_ptr<Converter>& kept, const char* from) {
    if (!kept || kept->name != from) kept = std::make_unique<Converter>(from);
    return *kept;
  }

  /// Decodes `bytes`, which begin at `offset` of the whole text.
  void decode(std::string_view bytes, std::size_t offset, Target& target) {
    iconv(handle, nullptr, nullptr, nullptr, nullptr);
    char* in = const_cast<char*>(bytes.data());
    std::size_t left = bytes.size();
    char buffer[4096];
    while (left > 0) {
      char* to = buffer;
      std::size_t room = sizeof buffer;
      const std::size_t result = iconv(handle, &in, &left, &to, &room);
      target.out.append(buffer, to);
      if (result != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
      const std::string_view rest(in, left);
      target.replace(offset + bytes.size() - left);
      // A byte of ASCII behind a lead is a character of its own, so that no "<" is lost with it.
      const std::size_t skipped = errno == EINVAL ? left : std::min<std::size_t>(left, byte_at(rest, 1) >= 0x80 ? 2 : 1);
      in += skipped;
      left -= skipped;
    }
    char* to = buffer;
    std::size_t room = sizeof buffer;
    iconv(handle, nullptr, nullptr, &to, &room);  // Big5 keeps a letter back that an accent might follow
    target.out.append(buffer, to);
  }

  void decode_with_overrides(std::string_view bytes, const Encoding& encoding, Target& target) {
    for (std::size_t at = 0; at < bytes.size();) {
      std::string_view text;
      const std::size_t found = next_override(bytes, at, encoding, text), end = std::min(found, bytes.size());
      decode(bytes.substr(at, end - at), at, target);
      at = end;
      if (found == std::string_view::npos) continue;
      text.empty() ? target.replace(at) : static_cast<void>(target.out.append(text));
      at += 2;
    }
  }
};

namespace {

/// The decoder of EUC-JP: JIS X 0208 is decoded as Shift_JIS, whose converter has the rows that web pages use, JIS X 0212 by itself.
template <class Jis0208, class Jis0212>
void decode_euc_jp(std::string_view bytes, Target& target, const Jis0208& decode_shift_jis, const Jis0212& decode_0212) {
  std::string pending;
  std::size_t begin = 0;  // of what is pending
  const auto flush = [&](std::size_t next) {
    decode_shift_jis(pending, begin);
    pending.clear();
    begin = next;
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const unsigned char lead = byte_at(bytes, at), trail = byte_at(bytes, at + 1);
    if (lead < 0x80) {
      pending += bytes[at++];
    } else if (lead == 0x8E && between(trail, 0xA1, 0xDF)) {
      pending += static_cast<char>(trail);
      at += 2;
    } else if (between(lead, 0xA1, 0xFE) && between(trail, 0xA1, 0xFE)) {
      append_shift_jis(lead - 0xA1u, trail - 0xA1u, pending);
      at += 2;
    } else if (lead == 0x8F && between(trail, 0xA1, 0xFE) && between(byte_at(bytes, at + 2), 0xA1, 0xFE)) {
      flush(at + 3);
      decode_0212(bytes.substr(at, 3), at);
      at += 3;
    } else {
      flush(at + (trail >= 0x80 ? 2 : 1));
      target.replace(at);
      at += trail >= 0x80 ? 2 : 1;
    }
  }
  flush(bytes.size());
}

/// The decoder of ISO-2022-JP, whose escape sequences choose what the bytes behind them are.
template <class Jis0208>
void decode_iso2022_jp(std::string_view bytes, Target& target, const Jis0208& decode_shift_jis) {
  enum class State { kAscii, kRoman, kKatakana, kJis0208 } state = State::kAscii;
  static constexpr std::pair<std::string_view, State> kEscapes[] = {
      {"\x1B(B", State::kAscii}, {"\x1B(J", State::kRoman}, {"\x1B(I", State::kKatakana}, {"\x1B$@", State::kJis0208}, {"\x1B$B", State::kJis0208}};
  std::string pair;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto escape = std::find_if(std::begin(kEscapes), std::end(kEscapes), [&](const auto& entry) { return bytes.substr(at).starts_with(entry.first); });
    if (escape != std::end(kEscapes)) {
      state = escape->second;
      at += 3;
      continue;
    }
    const unsigned char byte = byte_at(bytes, at), next = byte_at(bytes, at + 1);
    if (byte >= 0x80 || byte == 0x1B || byte == 0x0E || byte == 0x0F) {
      target.replace(at++);
    } else if (byte < 0x21 && state != State::kAscii && state != State::kRoman) {
      target.replace(at++);
    } else if (state == State::kKatakana) {
      byte > 0x5F ? target.replace(at) : append_utf8(0xFF61u - 0x21u + byte, target.out);
      ++at;
    } else if (state == State::kJis0208) {
      pair.clear();
      if (between(byte, 0x21, 0x7E) && between(next, 0x21, 0x7E)) append_shift_jis(byte - 0x21u, next - 0x21u, pair);
      pair.empty() ? target.replace(at) : decode_shift_jis(pair, at);
      at += pair.empty() ? 1 : 2;
    } else {
      append_utf8(state == State::kRoman && byte == 0x5C ? 0xA5u : state == State::kRoman && byte == 0x7E ? 0x203Eu : byte, target.out);
      ++at;
    }
  }
}

}  // namespace

TextDecoder::TextDecoder() = default;
TextDecoder::~TextDecoder() = default;

DecodedText TextDecoder::decode(std::string_view bytes, const Encoding& encoding) {
  using Kind = Encoding::Kind;
  out_.clear();
  Target target{out_};
  const auto convert = [&](std::string_view part, std::size_t at) { Converter::open(converter_, encoding.converter).decode(part, at, target); };
  switch (encoding.kind) {
    case Kind::kUtf8: {
      const std::size_t bad = find_invalid_utf8(bytes);
      if (bad == std::string_view::npos) return {bytes};
      decode_utf8(bytes, bad, target);
      break;
    }
    case Kind::kSingleByte: decode_single_byte(bytes, single_byte_table(encoding), target); break;
    case Kind::kUserDefined: decode_user_defined(bytes, target); break;
    case Kind::kUtf16Be:
    case Kind::kUtf16Le: decode_utf16(bytes, encoding.kind == Kind::kUtf16Le, target); break;
    case Kind::kMultiByte: Converter::open(converter_, encoding.converter).decode_with_overrides(bytes, encoding, target); break;
    case Kind::kEucJp: decode_euc_jp(bytes, target, convert, [&](std::string_view part, std::size_t at) { Converter::open(second_, "EUC-JP").decode(part, at, target); }); break;
    case Kind::kIso2022Jp: decode_iso2022_jp(bytes, target, convert); break;
    case Kind::kReplacement:
      if (!bytes.empty()) target.replace(0);
      break;
  }
  return {out_, target.replaced, target.first_bad};
}

}  // namespace flowrun::readers
