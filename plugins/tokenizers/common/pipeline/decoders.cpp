#include "decoders.hpp"

#include <charconv>
#include <functional>
#include <optional>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using Tokens = std::vector<std::string>;
constexpr const char* kReplacement = "\xEF\xBF\xBD";

class Function final : public Decoder {
 public:
  explicit Function(std::function<Tokens(Tokens)> body) : body_(std::move(body)) {}
  Tokens apply(Tokens tokens) const override { return body_(std::move(tokens)); }

 private:
  std::function<Tokens(Tokens)> body_;
};

std::unique_ptr<Decoder> make(std::function<Tokens(Tokens)> body) { return std::make_unique<Function>(std::move(body)); }

/// Replaces every `from`, left to right; an empty one stands before every character and at the end.
std::string replaced(const std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  if (from.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      next_code_point(text, at);
      out.append(to).append(text, begin, at - begin);
    }
    return out.append(to);
  }
  std::size_t last = 0;
  for (std::size_t found; (found = text.find(from, last)) != std::string::npos; last = found + from.size()) out.append(text, last, found - last) += to;
  return out += text.substr(last);
}

constexpr std::size_t kGrowthFree = 1 << 20;

std::size_t bytes_of(const Tokens& tokens) {
  std::size_t bytes = 0;
  for (const std::string& token : tokens) bytes += token.size();
  return bytes;
}

[[noreturn]] void refuse_growth() { throw Error(Code::kUnsupported, "the decoder makes more of the tokens than 128 times their bytes"); }

/// The clean-up of English that BERT's tokenizers do.
std::string cleaned_up(std::string text) {
  constexpr std::pair<const char*, const char*> kRules[] = {{" .", "."},     {" ?", "?"},     {" !", "!"},           {" ,", ","},   {" ' ", "'"}, {" n't", "n't"},
                                                            {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) text = replaced(text, from, to);
  return text;
}

/// Returns the byte that "<0x41>" spells.
std::optional<char> fallback_byte(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  unsigned value = 0;
  const char* const first = token.data() + (token[3] == '+' ? 4 : 3);  // Rust's parser takes a sign
  const auto result = std::from_chars(first, token.data() + 5, value, 16);
  if (result.ec != std::errc() || result.ptr != token.data() + 5) return std::nullopt;
  return static_cast<char>(value);
}

bool is_well_formed(std::string_view bytes) { return replace_ill_formed(bytes) == bytes; }

Tokens joined_fallback_bytes(const Tokens& tokens) {
  Tokens out;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (is_well_formed(bytes)) out.push_back(bytes);
    else out.insert(out.end(), bytes.size(), kReplacement);
    bytes.clear();
  };
  for (const std::string& token : tokens) {
    if (const auto byte = fallback_byte(token)) {
      bytes += *byte;
      continue;
    }
    flush();
    out.push_back(token);
  }
  flush();
  return out;
}

/// Returns the end of the well-formed character at `at`, or, where there is none, of the longest part that could have begun one (`well_formed` false).
std::size_t character_end(std::string_view bytes, std::size_t at, bool& well_formed) {
  const auto byte = [&](std::size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
  const unsigned lead = byte(at);
  well_formed = lead < 0x80;
  if (well_formed || lead < 0xC2 || lead > 0xF4) return at + 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(at + 1) < low || byte(at + 1) > high) return at + 1;
  for (std::size_t i = 2; i < length; ++i)
    if (byte(at + i) < 0x80 || byte(at + i) > 0xBF) return at + i;
  well_formed = true;
  return at + length;
}

}  // namespace

std::string replace_ill_formed(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    bool well_formed = false;
    const std::size_t end = character_end(bytes, at, well_formed);
    if (well_formed) out += bytes.substr(at, end - at);
    else out += kReplacement;
    at = end;
  }
  return out;
}

std::unique_ptr<Decoder> make_bpe_decoder(std::string suffix) {
  return make([suffix = std::move(suffix)](Tokens tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = replaced(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
    return tokens;
  });
}

std::unique_ptr<Decoder> make_byte_fallback_decoder() { return make([](Tokens tokens) { return joined_fallback_bytes(tokens); }); }

std::unique_ptr<Decoder> make_byte_level_decoder() {
  return make([](Tokens tokens) {
    std::string bytes;
    for (const std::string& token : tokens) bytes += bpe::byte_level_decode(token).value_or(token);
    return Tokens{replace_ill_formed(bytes)};
  });
}

std::unique_ptr<Decoder> make_ctc_decoder(std::string pad_token, std::string word_delimiter_token, bool cleanup) {
  return make([=](const Tokens& tokens) {
    Tokens out;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i] == tokens[i - 1]) continue;
      std::string text = replaced(tokens[i], pad_token, "");
      if (cleanup) text = replaced(cleaned_up(std::move(text)), word_delimiter_token, " ");
      if (!text.empty()) out.push_back(std::move(text));
    }
    return out;
  });
}

std::unique_ptr<Decoder> make_fuse_decoder() {
  return make([](const Tokens& tokens) {
    std::string all;
    for (const std::string& token : tokens) all += token;
    return Tokens{std::move(all)};
  });
}

std::unique_ptr<Decoder> make_metaspace_decoder(char32_t replacement, PrependScheme scheme) {
  return make([=](const Tokens& tokens) {
    std::string spelling;
    append_utf8(replacement, spelling);
    Tokens out;
    for (const std::string& token : tokens) out.push_back(replaced(token, spelling, out.empty() && scheme != PrependScheme::kNever ? "" : " "));
    return out;
  });
}

std::unique_ptr<Decoder> make_replace_decoder(TextPattern pattern, std::string content) {
  return make([pattern = std::move(pattern), content = std::move(content)](Tokens tokens) {
    // A step of many may not make more of its tokens than this; what many steps may, Sequence says.
    std::size_t room = kGrowthFree + 16 * bytes_of(tokens);
    for (std::string& token : tokens) {
      std::string out;
      for (const PatternPart& part : pattern.parts(token)) {
        if (part.matched) {
          if (content.size() > room) refuse_growth();
          room -= content.size();
          out += content;
        } else {
          out.append(token, part.range.begin, part.range.end - part.range.begin);
        }
      }
      token = std::move(out);
    }
    return tokens;
  });
}

std::unique_ptr<Decoder> make_sequence(std::vector<std::unique_ptr<Decoder>> steps) {
  const auto shared = std::make_shared<const std::vector<std::unique_ptr<Decoder>>>(std::move(steps));
  return make([shared](Tokens tokens) {
    const std::size_t most = kGrowthFree + 128 * bytes_of(tokens);
    for (const auto& step : *shared) {
      tokens = step->apply(std::move(tokens));
      if (bytes_of(tokens) > most) refuse_growth();
    }
    return tokens;
  });
}

std::unique_ptr<Decoder> make_strip_decoder(char32_t content, std::size_t start, std::size_t stop) {
  return make([=](Tokens tokens) {
    std::string spelling;
    append_utf8(content, spelling);
    for (std::string& token : tokens) {
      std::string_view text = token;
      for (std::size_t i = 0; i < start && text.starts_with(spelling); ++i) text.remove_prefix(spelling.size());
      for (std::size_t i = 0; i < stop && text.ends_with(spelling); ++i) text.remove_suffix(spelling.size());
      token = std::string(text);
    }
    return tokens;
  });
}

std::unique_ptr<Decoder> make_word_piece_decoder(std::string prefix, bool cleanup) {
  return make([=](Tokens tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) tokens[i] = tokens[i].starts_with(prefix) ? tokens[i].substr(prefix.size()) : " " + tokens[i];
      if (cleanup) tokens[i] = cleaned_up(std::move(tokens[i]));
    }
    return tokens;
  });
}

}  // namespace flowrun::tokenizers
