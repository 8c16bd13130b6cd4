#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "properties.hpp"
#include "targets.hpp"
#include "tokenizers/common/bpe.hpp"
#include "tokenizers/common/models/tiktoken_bpe.hpp"
#include "tokenizers/common/models/tiktoken_ranks.hpp"

namespace flowrun::tokenizers {
namespace {

/// Every byte, and runs that merges may join.
std::string sample(std::string_view bytes) {
  std::string text(bytes.substr(0, 200));
  for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
  return text + "the then there aaaaaaaaaaaaaaaaaaaaaaa  \n\n    ";
}

/// The definition: of all neighbours that together are a token, those of the lowest rank are joined, the leftmost first.
std::vector<std::uint32_t> ids_by_definition(const std::vector<std::string>& tokens, std::string_view text) {
  std::map<std::string, std::uint32_t, std::less<>> ranks;
  for (std::uint32_t rank = 0; rank < tokens.size(); ++rank)
    if (!tokens[rank].empty()) ranks.emplace(tokens[rank], rank);
  if (const auto whole = ranks.find(text); whole != ranks.end()) return {whole->second};
  std::vector<std::string> parts;
  for (const char c : text) parts.emplace_back(1, c);
  for (;;) {
    std::optional<std::pair<std::uint32_t, std::size_t>> best;  // rank, place
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
      if (const auto found = ranks.find(parts[i] + parts[i + 1]); found != ranks.end() && (!best || found->second < best->first)) best = {found->second, i};
    if (!best) break;
    parts[best->second] += parts[best->second + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best->second) + 1);
  }
  std::vector<std::uint32_t> ids;
  for (const std::string& part : parts) ids.push_back(ranks.find(part)->second);
  return ids;
}

void use(const std::vector<std::string>& tokens, std::string_view text) {
  const TiktokenBpe converted = tiktoken_to_bpe(tokens);
  const std::vector<std::uint32_t> expected = ids_by_definition(tokens, text);
  if (expected.size() < 2) return;  // a token as a whole is looked up by whoever encodes
  const bpe::Bpe bpe(converted.model);
  bpe::Bpe::Scratch work;
  std::vector<std::uint32_t> by_search, by_heap;
  bpe.encode_pretoken(text, work, by_search);
  bpe.encode_by_heap(text, work, by_heap);
  require(by_search == expected && by_heap == expected, "bpe::Bpe gives the ids of the ranks");
}

/// A file of the fuzzer's few lines seldom lists all bytes, so those that it lacks are added behind it.
std::vector<std::string> with_all_bytes(std::vector<std::string> tokens) {
  std::vector<bool> seen(256, false);
  for (const std::string& token : tokens)
    if (token.size() == 1) seen[static_cast<unsigned char>(token[0])] = true;
  std::vector<std::string> all;
  for (std::size_t byte = 0; byte < 256; ++byte)
    if (!seen[byte]) all.emplace_back(1, static_cast<char>(byte));
  all.insert(all.end(), tokens.begin(), tokens.end());
  return all;
}

}  // namespace

void fuzz_tiktoken_ranks(std::string_view bytes) {
  try {
    const std::vector<std::string> tokens = read_tiktoken_ranks(bytes);
    std::string joined;
    for (const std::string& token : tokens) joined += token;
    use(with_all_bytes(tokens), sample(joined));
  } catch (const Error& error) {
    require(!error.message().empty(), "an error has a message");
  }
}

}  // namespace flowrun::tokenizers
