#pragma once

// The published patterns by the names that graph files use, spelled as in tokenizer.json files, so that each has a scanner.

#include <string>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

struct NamedPattern {
  std::string_view name;
  std::string_view expression;
};

/// gpt2: also r50k_base and p50k_base. cl100k: GPT-4, spelled as means the same to Oniguruma as tiktoken's to tiktoken: without the last plus of
/// `\p{N}{1,3}+`, which is possessive only there. llama3: Llama 3. o200k: GPT-4o and gpt-oss. qwen2: Qwen 2 and 3, as Llama 3 with single digits.
inline constexpr NamedPattern kNamedPatterns[] = {
    {"gpt2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"cl100k", R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"},
    {"o200k",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"llama3", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

inline std::vector<std::string> pattern_names() {
  std::vector<std::string> names;
  for (const NamedPattern& pattern : kNamedPatterns) names.emplace_back(pattern.name);
  return names;
}

/// Returns the expression of a name, or "" for one that is not known.
constexpr std::string_view expression_named(std::string_view name) noexcept {
  for (const NamedPattern& pattern : kNamedPatterns)
    if (pattern.name == name) return pattern.expression;
  return {};
}

}  // namespace flowrun::tokenizers
