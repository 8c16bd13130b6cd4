#include "tiktoken_file.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

#include <flowrun/error.hpp>
#include <openssl/evp.h>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/models/tiktoken_bpe.hpp"
#include "tokenizers/common/models/tiktoken_ranks.hpp"
#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/pattern/scanners.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

struct Published {
  std::string_view sha256;
  std::string_view pattern;
  std::vector<NamedId> special_tokens;
  std::string_view bos_token, eos_token;
};

constexpr const char* kEndOfText = "<|endoftext|>";

// As Llama 3 names them; later Llamas have the same file and other names for some of those that are reserved here.
std::vector<NamedId> llama3_special_tokens() {
  const auto reserved = [](std::size_t n) { return "<|reserved_special_token_" + std::to_string(n) + "|>"; };
  std::vector<std::string> names = {"<|begin_of_text|>", "<|end_of_text|>", reserved(0), reserved(1), reserved(2), reserved(3), "<|start_header_id|>", "<|end_header_id|>", reserved(4), "<|eot_id|>"};
  for (std::size_t n = 5; n <= 250; ++n) names.push_back(reserved(n));
  std::vector<NamedId> tokens;
  for (const std::string& name : names) tokens.emplace_back(name, static_cast<std::uint32_t>(128'000 + tokens.size()));
  return tokens;
}

// Sources: tiktoken 0.14.0, tiktoken_ext/openai_public.py; github.com/meta-llama/llama3, llama/tokenizer.py, whose tokenizer.model has that digest on
// huggingface.co/meta-llama.
std::vector<Published> published() {
  return {{"306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", "gpt2", {{kEndOfText, 50256}}, kEndOfText, kEndOfText},
          {"94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069", "gpt2", {{kEndOfText, 50256}}, kEndOfText, kEndOfText},
          {"223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
           "cl100k",
           {{kEndOfText, 100257}, {"<|fim_prefix|>", 100258}, {"<|fim_middle|>", 100259}, {"<|fim_suffix|>", 100260}, {"<|endofprompt|>", 100276}},
           kEndOfText,
           kEndOfText},
          {"446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", "o200k", {{kEndOfText, 199999}, {"<|endofprompt|>", 200018}}, kEndOfText, kEndOfText},
          {"82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55", "llama3", llama3_special_tokens(), "<|begin_of_text|>", "<|end_of_text|>"}};
}

std::string sha256_hex(std::string_view content) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(content.data(), content.size(), digest, &size, EVP_sha256(), nullptr) != 1) throw Error(Code::kInternal, "SHA-256 failed");
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += {"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]};
  return hex;
}

std::string all_names() {
  std::string names;
  const std::vector<std::string> all = pattern_names();
  for (const std::string& name : all) names += (names.empty() ? "" : name == all.back() ? " or " : ", ") + name;
  return names;
}

std::string expression_of(std::string_view pattern) {
  const std::string_view expression = expression_named(pattern);
  if (expression.empty()) throw Error(Code::kInvalidArgument, "the pattern is '" + std::string(pattern) + "', expected " + all_names());
  return std::string(expression);
}

// tiktoken leaves out what an expression does not match; those that have a name match every character.
OrderedJson split_of(const std::string& expression) {
  const bool tiktokens_own = find_scanner(expression) == nullptr && find_scanner(expression, Dialect::kTiktoken) != nullptr;
  const std::string pattern = tiktokens_own ? expression_of("cl100k") : expression;
  const bool complete = find_scanner(pattern) != nullptr;
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", complete ? "Isolated" : "Removed"}, {"invert", !complete}};
}

OrderedJson byte_level() { return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}}; }

std::vector<NamedId> after_the_ranks(const std::vector<std::string>& contents, std::size_t first_id) {
  std::vector<NamedId> tokens;
  for (const std::string& content : contents) tokens.emplace_back(content, static_cast<std::uint32_t>(first_id + tokens.size()));
  return tokens;
}

void check_special_tokens(const std::vector<NamedId>& special_tokens, const std::vector<NamedId>& vocab) {
  std::set<std::string_view> seen;
  for (const auto& [content, id] : special_tokens) {
    const std::string name = "the special token '" + content + "'";
    if (content.empty()) throw Error(Code::kInvalidArgument, "a special token is empty");
    if (find_malformed_utf8(content) != std::string_view::npos) throw Error(Code::kInvalidArgument, "special token " + std::to_string(seen.size()) + " is not UTF-8");
    if (!seen.insert(content).second) throw Error(Code::kInvalidArgument, name + " is there twice");
  }
  for (const auto& [token, id] : vocab)
    if (seen.contains(token)) throw Error(Code::kInvalidArgument, "the special token '" + token + "' is spelled as the token of rank " + std::to_string(id));
}

BpeText model_of(const std::vector<std::string>& tokens) {
  const TiktokenBpe converted = tiktoken_to_bpe(tokens);
  std::vector<std::string> spellings;
  spellings.reserve(tokens.size());
  for (const std::string& token : tokens) spellings.push_back(bpe::byte_level_encode(token));
  BpeText model;
  model.ignore_merges = true;  // a pre-token that is a token is that token
  for (std::uint32_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) model.vocab.emplace_back(spellings[id], id);
  for (const bpe::BpeMerge& merge : converted.model.merges) model.merges.emplace_back(spellings[merge.left], spellings[merge.right]);
  return model;
}

}  // namespace

bool is_rank_file(std::string_view content) {
  while (content.starts_with('\n') || content.starts_with("\r\n")) content.remove_prefix(content[0] == '\n' ? 1 : 2);
  std::string_view line = content.substr(0, content.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == line.size()) return false;
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  return line.substr(0, space).find_first_not_of(kBase64) == std::string_view::npos && line.find_first_not_of("0123456789", space + 1) == std::string_view::npos;
}

TokenizerFiles ranks_to_tokenizer(std::string_view content, const RankOptions& options) {
  const std::vector<std::string> tokens = read_tiktoken_ranks(content);
  const std::string digest = sha256_hex(content);
  const auto files = published();
  const auto known = std::find_if(files.begin(), files.end(), [&](const Published& file) { return file.sha256 == digest; });
  std::string expression = options.expression;
  if (expression.empty() && options.pattern.empty() && known == files.end())
    throw Error(Code::kInvalidArgument, "ranks of tiktoken do not say by which pattern they cut text, and these (SHA-256 " + digest + ") are of no published encoding that is known here: set 'pattern' to " +
                                            all_names() + ", or 'expression' to a regular expression");
  if (expression.empty()) expression = expression_of(options.pattern.empty() ? known->pattern : options.pattern);

  TokenizerText file;
  std::vector<std::pair<std::string, std::string>> named;
  if (!options.special_tokens.empty() || known == files.end()) {
    file.special_tokens = after_the_ranks(options.special_tokens, tokens.size());
  } else {
    file.special_tokens = known->special_tokens;
    named = {{"bos_token", std::string(known->bos_token)}, {"eos_token", std::string(known->eos_token)}};
  }
  BpeText model = model_of(tokens);
  check_special_tokens(file.special_tokens, model.vocab);
  // The library gives a special token the id that it has in the vocabulary, else the next free one: there may be gaps.
  model.vocab.insert(model.vocab.end(), file.special_tokens.begin(), file.special_tokens.end());
  std::sort(model.vocab.begin(), model.vocab.end(), [](const NamedId& a, const NamedId& b) { return a.second < b.second; });
  file.model = model.text();
  file.pre_tokenizer = {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({split_of(expression), byte_level()})}};
  file.post_processor = file.decoder = byte_level();
  return {file.text(), tokenizer_config(named)};
}

}  // namespace flowrun::tokenizers
