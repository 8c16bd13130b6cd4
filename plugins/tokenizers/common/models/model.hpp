#pragma once

// What every model of a tokenizer gives: the ids of one pre-token, and the names of the ids.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

/// Names a piece of a pre-token: its id, and the bytes `begin` up to `end` of the pre-token that it stands for.
struct Token {
  std::uint32_t id;
  std::uint32_t begin;
  std::uint32_t end;
  bool operator==(const Token&) const = default;
};

/// Working memory of one thread, reused between calls; what is in it is its model's own affair.
class Scratch {
 public:
  virtual ~Scratch() = default;
};

/// Splits pre-tokens into tokens of a vocabulary. Immutable: any number of threads may use one at once, each with its own Scratch.
class Model {
 public:
  virtual ~Model() = default;

  /// Makes the working memory that `tokenize` wants. It may be used with every model of the same class.
  virtual std::unique_ptr<Scratch> make_scratch() const { return std::make_unique<Scratch>(); }

  /// Appends the tokens of one pre-token (UTF-8) to `out`, in order. `scratch` was made by a model of this class.
  /// Throws kInvalidArgument where the unknown token is needed and is not in the vocabulary, kUnsupported from 4 GiB on; `out` then holds
  /// what it held before.
  virtual void tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const = 0;

  /// Returns the id of `token`, spelt as in the vocabulary, prefix and suffix included.
  virtual std::optional<std::uint32_t> token_to_id(std::string_view token) const = 0;

  /// Returns how the vocabulary spells `id`; the view lives as long as the model.
  virtual std::optional<std::string_view> id_to_token(std::uint32_t id) const = 0;

  /// Returns how a token of `pretoken` is shown: as the vocabulary spells it, unless unknown text stands for itself.
  virtual std::string_view spelling(const Token& token, std::string_view pretoken) const {
    (void)pretoken;
    return id_to_token(token.id).value_or("");
  }

  /// Returns the number of distinct tokens; ids may have gaps, so they may be larger.
  virtual std::size_t vocab_size() const = 0;

 protected:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
};

}  // namespace flowrun::tokenizers
