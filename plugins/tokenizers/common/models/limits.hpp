#pragma once

// Checks and errors that the models share.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {

/// Throws kUnsupported for a pre-token whose offsets do not fit the 32 bits of a Token.
inline void check_pretoken_size(std::string_view pretoken) {
  if (pretoken.size() >= std::numeric_limits<std::uint32_t>::max())
    throw Error(Code::kUnsupported, "a pre-token has " + std::to_string(pretoken.size()) + " bytes, expected below 4 GiB");
}

/// Returns `token` in quotes as it reads in a message: cut short, and without control characters, of which a zero would end it.
inline std::string quoted(std::string_view token) {
  constexpr std::size_t kShownMax = 60;
  std::string text(token.substr(0, kShownMax));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return "'" + text + (token.size() > kShownMax ? "...'" : "'");
}

/// Says that text needs the unknown token, which the vocabulary lacks.
[[noreturn]] inline void throw_missing_unk(const std::string& unk_token) {
  throw Error(Code::kInvalidArgument, "the text has a piece that is not in the vocabulary, and the unknown token " + quoted(unk_token) + " is not in it either");
}

}  // namespace flowrun::tokenizers
