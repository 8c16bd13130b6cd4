#include "tiktoken_bpe.hpp"

#include <bitset>
#include <string_view>
#include <utility>

#include <flowrun/error.hpp>

#include "ranked_merges.hpp"

namespace flowrun::tokenizers {

TiktokenBpe tiktoken_to_bpe(const std::vector<std::string>& tokens) {
  std::vector<RankedToken> ranked;
  std::bitset<256> bytes;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) continue;
    if (tokens[id].size() == 1) bytes.set(static_cast<unsigned char>(tokens[id][0]));
    ranked.push_back({tokens[id], static_cast<std::uint32_t>(id)});
  }
  for (std::size_t byte = 0; byte < bytes.size(); ++byte)
    if (!bytes[byte]) throw Error(Code::kUnsupported, "byte " + std::to_string(byte) + " is not a token");
  RankedMerges found = find_ranked_merges(ranked, [](std::string_view, std::size_t) noexcept { return std::size_t{1}; });
  return {{tokens, std::move(found.merges), {}}, std::move(found.whole_only)};
}

}  // namespace flowrun::tokenizers
