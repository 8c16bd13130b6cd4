#include <cstdint>
#include <string>
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

void use(const std::vector<std::string>& tokens, std::string_view text) {
  const TiktokenModel model(tokens);
  const auto scratch = model.make_scratch();
  std::vector<Token> found;
  model.tokenize(text, found, *scratch);
  std::vector<std::uint32_t> ids;
  std::string spelt;
  for (const Token& token : found) {
    ids.push_back(token.id);
    spelt += tokens.at(token.id);
  }
  require(spelt == text, "the ids of TiktokenModel spell the text");

  const TiktokenBpe converted = tiktoken_to_bpe(tokens);
  if (!converted.whole_only.empty()) return;  // those are looked up by whoever encodes
  const bpe::Bpe bpe(converted.model);
  bpe::Bpe::Scratch work;
  std::vector<std::uint32_t> by_search, by_heap;
  bpe.encode_pretoken(text, work, by_search);
  bpe.encode_by_heap(text, work, by_heap);
  require(by_search == ids && by_heap == ids, "bpe::Bpe gives the ids of TiktokenModel");
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
