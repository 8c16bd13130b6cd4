#pragma once

// From tokens back to text, as Hugging Face tokenizers 0.23.3 does it (decoders/*.rs): each step maps a list of tokens to another, and the last one's
// are joined.

#include <memory>
#include <string>
#include <vector>

#include "pre_tokenizers.hpp"

namespace flowrun::tokenizers {

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual std::vector<std::string> apply(std::vector<std::string> tokens) const = 0;
};

std::unique_ptr<Decoder> make_bpe_decoder(std::string suffix);
/// "<0x41>" tokens in a row to the text that they spell, or to U+FFFD each.
std::unique_ptr<Decoder> make_byte_fallback_decoder();
std::unique_ptr<Decoder> make_byte_level_decoder();
std::unique_ptr<Decoder> make_ctc_decoder(std::string pad_token, std::string word_delimiter_token, bool cleanup);
std::unique_ptr<Decoder> make_fuse_decoder();
std::unique_ptr<Decoder> make_metaspace_decoder(char32_t replacement, PrependScheme scheme);
std::unique_ptr<Decoder> make_replace_decoder(TextPattern pattern, std::string content);
std::unique_ptr<Decoder> make_sequence(std::vector<std::unique_ptr<Decoder>> steps);
std::unique_ptr<Decoder> make_strip_decoder(char32_t content, std::size_t start, std::size_t stop);
std::unique_ptr<Decoder> make_word_piece_decoder(std::string prefix, bool cleanup);

/// Returns `bytes` with every ill-formed part replaced by U+FFFD, as Unicode recommends and Rust's from_utf8_lossy does.
std::string replace_ill_formed(std::string_view bytes);

}  // namespace flowrun::tokenizers
