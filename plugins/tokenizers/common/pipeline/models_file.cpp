#include "models_file.hpp"

#include <charconv>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "tokenizers/common/models/general_bpe.hpp"
#include "tokenizers/common/models/word_level.hpp"
#include "tokenizers/common/models/word_piece.hpp"
#include "tokenizers/common/tokenizer_json.hpp"
#include "unigram_model.hpp"

namespace flowrun::tokenizers {
namespace {

std::vector<VocabularyEntry> read_vocabulary(const JsonObject& model) {
  const JsonObject vocab(model.at("vocab"), model.path_of("vocab"));
  std::vector<VocabularyEntry> entries;
  entries.reserve(vocab.value().size());
  std::unordered_map<std::uint32_t, const std::string*> seen;
  for (const auto& [token, id] : vocab.value().items()) {
    const std::string path = vocab.path() + "[" + shown(token) + "]";
    entries.push_back({token, read_id(id, path)});
    // The library spells such an id by chance, as one token or the other.
    if (const auto [other, fresh] = seen.emplace(entries.back().id, &token); !fresh)
      refuse_corrupt("'" + path + "' is " + shown(id) + ", which is the id of " + shown(*other->second) + " too");
  }
  return entries;
}

std::unique_ptr<Model> read_bpe(const JsonObject& model) {
  model.expect_keys({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
  GeneralBpe::Options options;
  if (const Json* const dropout = model.find("dropout"); dropout != nullptr && !dropout->is_null()) {
    if (!dropout->is_number()) refuse_corrupt("'" + model.path_of("dropout") + "' is " + shown(*dropout) + ", expected a number");
    options.dropout = dropout->get<double>();
    if (*options.dropout != 0) refuse_unsupported("'" + model.path_of("dropout") + "' is " + shown(*dropout) + ", expected null or 0: ids must not depend on chance");
  }
  options.unk_token = model.optional_string("unk_token");
  options.continuing_subword_prefix = model.optional_string("continuing_subword_prefix");
  options.end_of_word_suffix = model.optional_string("end_of_word_suffix");
  options.fuse_unk = model.boolean_or("fuse_unk", false);
  options.byte_fallback = model.boolean_or("byte_fallback", false);
  options.ignore_merges = model.boolean_or("ignore_merges", false);
  const Json& list = model.array_at("merges");
  GeneralBpe::Merges merges;
  merges.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) merges.push_back(bpe::read_merge(list[i], model.path_of("merges") + "[" + std::to_string(i) + "]"));
  return std::make_unique<GeneralBpe>(read_vocabulary(model), merges, std::move(options));
}

std::unique_ptr<Model> read_word_piece(const JsonObject& model) {
  model.expect_keys({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPiece::Options options;
  options.unk_token = model.string_at("unk_token");
  options.continuing_subword_prefix = model.string_at("continuing_subword_prefix");
  options.max_input_chars_per_word = model.count_at("max_input_chars_per_word");
  return std::make_unique<WordPiece>(read_vocabulary(model), std::move(options));
}

std::unique_ptr<Model> read_word_level(const JsonObject& model) {
  model.expect_keys({"type", "unk_token", "vocab"});
  return std::make_unique<WordLevel>(read_vocabulary(model), model.string_at("unk_token"));
}

std::unique_ptr<Model> read_unigram(const JsonObject& model) {
  model.expect_keys({"type", "unk_id", "vocab", "byte_fallback"});
  UnigramVocabulary vocabulary;
  const Json& list = model.array_at("vocab");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& entry = list[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
      refuse_corrupt("'" + model.path_of("vocab") + "[" + std::to_string(i) + "]' is " + shown(entry) + ", expected a token and its score");
    vocabulary.pieces.emplace_back(entry[0].get<std::string>(), score_as_read_by_tokenizers(entry[1].get<double>()));
  }
  if (const Json* const id = model.find("unk_id"); id != nullptr && !id->is_null()) vocabulary.unk_id = read_id(*id, model.path_of("unk_id"));
  vocabulary.byte_fallback = model.boolean_or("byte_fallback", false);
  return std::make_unique<UnigramModel>(std::move(vocabulary));
}

}  // namespace

double score_as_read_by_tokenizers(double score) {
  char text[32];
  // The shortest digits, as the library and Python write them: "-d.ddde-dd".
  const std::string_view written(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, std::abs(score), std::chars_format::scientific).ptr - text));
  const std::size_t e = written.find('e');
  if (e == std::string_view::npos) return score;  // no finite number
  std::uint64_t digits = 0;
  int exponent = 0;
  const std::size_t sign_end = e + (written[e + 1] == '+' ? 2 : 1);
  std::from_chars(written.data() + sign_end, written.data() + written.size(), exponent);
  for (std::size_t i = 0; i < e; ++i) {
    if (written[i] == '.') continue;
    digits = digits * 10 + static_cast<std::uint64_t>(written[i] - '0');
    if (i > 0) --exponent;
  }
  double read = static_cast<double>(digits);
  constexpr int kLargestPower = 308;
  for (; exponent < -kLargestPower; exponent += kLargestPower) read /= 1e308;
  const std::string name = "1e" + std::to_string(std::abs(exponent));
  double power = 1;
  std::from_chars(name.data(), name.data() + name.size(), power);
  read = exponent < 0 ? read / power : read * power;
  return std::signbit(score) ? -read : read;
}

std::string model_type_of(const JsonObject& model) {
  if (model.find("type") != nullptr) return model.string_at("type");
  if (model.find("merges") != nullptr) return "BPE";
  if (model.at("vocab").is_array()) return "Unigram";
  return model.find("max_input_chars_per_word") != nullptr ? "WordPiece" : "WordLevel";
}

std::unique_ptr<Model> read_model(const JsonObject& model) {
  const std::string type = model_type_of(model);
  try {
    if (type == "BPE") return read_bpe(model);
    if (type == "WordPiece") return read_word_piece(model);
    if (type == "WordLevel") return read_word_level(model);
    if (type == "Unigram") return read_unigram(model);
  } catch (Error& error) {
    if (error.code() == Code::kInvalidArgument) refuse_corrupt("'" + model.path() + "': " + error.message());
    if (!std::string_view(error.message()).starts_with("tokenizer.json: ")) error.add_context("in 'model' of tokenizer.json");
    throw;
  }
  refuse_unsupported("'" + model.path_of("type") + "' is " + shown(type) + ", expected BPE, WordPiece, WordLevel or Unigram");
}

}  // namespace flowrun::tokenizers
