#include "tiktoken_ranks.hpp"

#include <array>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {
namespace {

constexpr std::size_t kGapsMax = 65'536;

constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}

// Returns the bytes of canonical base64 (RFC 4648, padded, unused bits zero), or nothing.
std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr auto kValues = make_base64_values();
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  std::uint32_t bits = 0, count = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
    bits &= (1u << count) - 1;
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

std::optional<std::uint32_t> decode_rank(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::uint64_t rank = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    rank = rank * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (rank >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(rank);
}

struct Line {
  std::size_t number;
  std::string token;
  std::uint32_t rank;
};

[[noreturn]] void throw_at(std::size_t line, const std::string& what) {
  throw Error(Code::kCorruptData, "line " + std::to_string(line) + ": " + what);
}

// Damaged lines may hold anything, so a message quotes little of them and nothing that is not printable.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string quote = "'";
  for (const char c : text.substr(0, kShown)) quote += c >= ' ' && c <= '~' ? c : '?';
  return quote + (text.size() > kShown ? "...'" : "'");
}

Line parse_line(std::string_view text, std::size_t number) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) throw_at(number, "found " + quoted(text) + ", expected base64, a space and a rank");
  auto token = decode_base64(text.substr(0, space));
  if (!token) throw_at(number, quoted(text.substr(0, space)) + " is not base64 of a token");
  const auto rank = decode_rank(text.substr(space + 1));
  if (!rank) throw_at(number, quoted(text.substr(space + 1)) + " is not a rank");
  return {number, std::move(*token), *rank};
}

std::vector<Line> parse_lines(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t feed = text.find('\n');
    std::string_view line = text.substr(0, feed);
    text.remove_prefix(feed == std::string_view::npos ? text.size() : feed + 1);
    if (feed != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(parse_line(line, number));
  }
  return lines;
}

}  // namespace

std::vector<std::string> read_tiktoken_ranks(std::string_view text) {
  std::vector<Line> lines = parse_lines(text);
  std::vector<std::string> tokens;
  std::unordered_set<std::string_view> seen;
  for (const Line& line : lines) {
    if (line.rank >= lines.size() + kGapsMax)
      throw_at(line.number, "rank " + std::to_string(line.rank) + " leaves more than " + std::to_string(kGapsMax) + " ranks out");
    if (!seen.insert(line.token).second) throw_at(line.number, "the token is on an earlier line too");
  }
  for (Line& line : lines) {
    if (line.rank >= tokens.size()) tokens.resize(line.rank + std::size_t{1});
    if (!tokens[line.rank].empty()) throw_at(line.number, "rank " + std::to_string(line.rank) + " is on an earlier line too");
    tokens[line.rank] = std::move(line.token);
  }
  return tokens;
}

}  // namespace flowrun::tokenizers
