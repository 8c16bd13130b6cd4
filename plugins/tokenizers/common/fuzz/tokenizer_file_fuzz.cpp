#include <flowrun/error.hpp>

#include "properties.hpp"
#include "targets.hpp"
#include "tokenizers/common/pipeline/fast_bpe.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::string_view kTexts[] = {
    "",
    "a",
    "Hello, world!  don't 12345\n\t x",
    "Straße 東京 \xE2\x96\x81meta <s>[MASK]</s> I\xCC\x87 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA6 \xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xB7",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

void use(const Tokenizer& tokenizer, std::string_view text) {
  try {
    const Encoding encoding = tokenizer.encode(text);
    require_sound(encoding, text);
    tokenizer.decode(encoding.ids, true);
    tokenizer.decode(encoding.ids, false);
    require_sound(tokenizer.encode(text, {.add_special_tokens = false, .split_special = true, .limit = false}), text);
  } catch (const Error&) {
    // Text that the model has no token for, or that the normalizer makes too much of.
  }
}

}  // namespace

void fuzz_tokenizer_file(std::string_view bytes) {
  try {
    const Json root = parse_json(bytes);
    const Tokenizer tokenizer = build_tokenizer(root);
    for (const std::string_view text : kTexts) use(tokenizer, text);
    if (const auto fast = FastBpe::make(root)) {
      const auto encoder = fast->make_encoder();
      for (const std::string_view text : kTexts) {
        if (!fast->fits(text)) continue;
        std::vector<std::uint32_t> ids;
        encoder->encode(text, ids);
        require(ids == tokenizer.encode(text, {.add_special_tokens = false, .split_special = true, .limit = false}).ids, "the fast path gives the pipeline's ids");
      }
    }
  } catch (const Error& error) {
    require(!error.message().empty(), "an error has a message");
  }
}

}  // namespace flowrun::tokenizers
