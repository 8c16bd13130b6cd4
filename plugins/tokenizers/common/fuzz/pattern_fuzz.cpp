#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/error.hpp>

#include "properties.hpp"
#include "targets.hpp"
#include "tokenizers/common/pattern/pattern.hpp"
#include "tokenizers/common/pattern/scanners.hpp"

namespace flowrun::tokenizers {
namespace {

// The patterns of GPT-2, Llama 3, Qwen2 and o200k_base, which both the engine and a scanner read.
constexpr const char* kPublished[] = {
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
};

struct Published {
  Scanner scanner;
  Pattern pattern;
};

const std::vector<Published>& published() {
  static const std::vector<Published> all = [] {
    std::vector<Published> list;
    for (const char* const pattern : kPublished) list.push_back({find_scanner(pattern), Pattern::compile(pattern)});
    return list;
  }();
  return all;
}

void require_scanner_cuts_as(const Published& both, std::string_view text) {
  require(both.scanner != nullptr, "a published pattern has a scanner");
  Pattern::Scratch scratch;
  Pattern::Matches matches(both.pattern, text, scratch);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = both.scanner(text, begin);
    require(matches.next() == Pattern::Match{begin, end}, "a scanner cuts as its pattern");
    begin = end;
  }
  require(!matches.next(), "a pattern's matches end with the text");
}

void require_sound_matches(const Pattern& pattern, std::string_view text) {
  Pattern::Scratch when_needed, always(Pattern::Scratch::Memory::kAlways);
  Pattern::Matches matches(pattern, text, when_needed), again(pattern, text, always);
  for (std::size_t last = 0;;) {
    const auto match = matches.next();
    require(match == again.next(), "what is remembered does not change a match");
    if (!match) return;
    require(match->begin >= last && match->begin <= match->end && match->end <= text.size(), "matches are in order and in the text");
    last = match->end;
  }
}

}  // namespace

void fuzz_pattern(std::string_view bytes) {
  const std::size_t zero = bytes.find('\0');
  const std::string_view text = zero == std::string_view::npos ? "don't stop 123 \xC3\xA9t\xC3\xA9\n" : bytes.substr(zero + 1);
  try {
    require_sound_matches(Pattern::compile(bytes.substr(0, zero)), text);
  } catch (const Error& error) {
    require(!error.message().empty(), "an error has a message");
  }
  for (const Published& both : published()) require_scanner_cuts_as(both, text);
}

}  // namespace flowrun::tokenizers
