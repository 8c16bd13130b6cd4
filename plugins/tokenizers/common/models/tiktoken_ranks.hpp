#pragma once

// tiktoken's rank files: a line a token, its bytes in base64, a space, its rank, which is its id.

#include <string>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

/// Returns the tokens that the text of a rank file lists, by rank; empty where no token has the rank.
///
/// Lines end in LF or CR LF, the last may lack it, and empty lines are skipped. Time and memory linear in the text; any input is safe.
/// Throws kCorruptData, with the line's number, for anything else than canonical base64 of at least one byte, one space and a decimal
/// number; for a token or rank that an earlier line has; and where more than 65,536 ranks are left out, since memory goes by the largest.
std::vector<std::string> read_tiktoken_ranks(std::string_view text);

}  // namespace flowrun::tokenizers
