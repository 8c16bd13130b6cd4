#pragma once

// GPT-2's printable spelling of bytes, as tokenizer.json has it: each byte is one character. Bytes that are printable in Latin-1 stand for
// themselves, the 68 others for U+0100 onwards, in order ("Ġ" is a space, "Ċ" a line feed).
// Source: Radford et al. 2019, github.com/openai/gpt-2, src/encoder.py, bytes_to_unicode.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flowrun::bpe {

/// Returns the printable spelling of `bytes`, UTF-8.
std::string byte_level_encode(std::string_view bytes);

/// Returns the bytes that `text` spells, or nothing where it holds a character that stands for no byte.
std::optional<std::string> byte_level_decode(std::string_view text);

/// Returns the 256 bytes in the order of their characters, which is that of the initial alphabet in Hugging Face's trainer.
std::array<std::uint8_t, 256> byte_level_order();

}  // namespace flowrun::bpe
