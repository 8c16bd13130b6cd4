#include "tokenizer_json.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "byte_level.hpp"
#include "flat_map.hpp"
#include "json_object.hpp"

namespace flowrun::bpe {
namespace {

using tokenizers::Json;
using tokenizers::parse_json;
using tokenizers::read_id;
using tokenizers::shown;
using Object = tokenizers::JsonObject;

[[noreturn]] void corrupt(const std::string& message) { tokenizers::refuse_corrupt(message); }
[[noreturn]] void unsupported(const std::string& message) { tokenizers::refuse_unsupported(message); }

// `null`, or a component that is ByteLevel, whose other keys concern offsets alone.
void expect_byte_level(const Object& root, const char* key, bool may_be_null) {
  const Json& value = root.at(key);
  if (value.is_null() && may_be_null) return;
  if (value.is_null()) unsupported("'" + std::string(key) + "' is null, expected a ByteLevel");
  const Object component(value, key);
  component.expect("type", {"ByteLevel"});
  component.string_at("type");
  component.expect_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
}

class Reader {
 public:
  explicit Reader(const Json& root) : root_(root, ""), model_(root_.at("model"), "model") {}

  // The model alone: what stands around it, and added tokens that are looked for in texts, are the caller's affair.
  BpeModel read_model() && {
    model_only_ = true;
    check_model();
    return read();
  }
  BpeModel read_whole() && {
    check_components();
    check_model();
    model_.expect("ignore_merges", {false});
    return read();
  }

 private:
  BpeModel read() {
    read_vocab();
    read_added_tokens();
    fill_tokens();
    read_merges();
    return std::move(result_);
  }

  void check_components() const {
    root_.expect_keys({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"});
    root_.expect("version", {"1.0"});
    for (const char* const key : {"truncation", "padding", "normalizer"}) root_.expect(key, {nullptr});
    expect_byte_level(root_, "pre_tokenizer", false);
    const Object pre_tokenizer(root_.at("pre_tokenizer"), "pre_tokenizer");
    pre_tokenizer.at("add_prefix_space");
    pre_tokenizer.expect("add_prefix_space", {false});
    pre_tokenizer.expect("use_regex", {true});
    expect_byte_level(root_, "post_processor", true);
    expect_byte_level(root_, "decoder", false);
  }

  void check_model() const {
    model_.expect_keys({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
                        "ignore_merges", "vocab", "merges"});
    model_.expect("type", {"BPE"});
    model_.expect("dropout", {nullptr, 0.0});
    // The first published files of GPT-2 have "" for none.
    for (const char* const key : {"continuing_subword_prefix", "end_of_word_suffix"}) model_.expect(key, {nullptr, ""});
    model_.expect("byte_fallback", {false});
  }

  void read_vocab() {
    const Json& vocab = model_.at("vocab");
    if (!vocab.is_object()) corrupt("'model.vocab' is " + shown(vocab) + ", expected an object");
    for (const auto& [token, id] : vocab.items()) spellings_.emplace(token, read_id(id, "model.vocab[" + shown(token) + "]"));
  }

  void read_added_tokens() {
    const Json* const added = root_.find("added_tokens");
    if (added == nullptr || added->is_null()) return;
    if (!added->is_array()) corrupt("'added_tokens' is " + shown(*added) + ", expected an array");
    for (std::size_t i = 0; i < added->size(); ++i) {
      const Object token((*added)[i], "added_tokens[" + std::to_string(i) + "]");
      // One that is not special is looked for in the text, so it would change the ids of ordinary documents.
      token.at("special");
      if (!model_only_) token.expect("special", {true});
      const std::string& content = token.string_at("content");
      const std::uint32_t id = read_id(token.at("id"), token.path_of("id"));
      if (const auto [known, fresh] = spellings_.emplace(content, id); !fresh && known->second != id)
        corrupt("'" + token.path_of("id") + "' is " + std::to_string(id) + ", expected " + std::to_string(known->second) + " as in 'model.vocab'");
      result_.specials.push_back({id, content});
    }
    auto& specials = result_.specials;
    std::sort(specials.begin(), specials.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    const auto twice = std::adjacent_find(specials.begin(), specials.end(), [](const auto& a, const auto& b) { return a.id == b.id; });
    if (twice != specials.end()) corrupt("the id " + std::to_string(twice->id) + " stands twice in 'added_tokens'");
  }

  // Ids without gaps: then a vocabulary takes no more memory than its file, and no id decodes to nothing. The model alone may have some (cl100k_base has
  // 16, between its ranks and its special tokens), whose tokens stay empty.
  void fill_tokens() {
    constexpr std::uint32_t kFree = PairMap::kAbsent;
    result_.tokens.resize(model_only_ ? size_with_gaps() : spellings_.size());
    special_.resize(result_.tokens.size());
    for (const SpecialToken& token : result_.specials)
      if (token.id < special_.size()) special_[token.id] = true;  // the loop below refuses the others
    std::vector<std::uint32_t> taken(result_.tokens.size(), kFree);
    std::vector<bool> byte_seen(256, false);
    for (const auto& [spelling, id] : spellings_) {
      if (id >= taken.size())
        corrupt("the id " + std::to_string(id) + " of " + shown(spelling) + " is not below the number of tokens, " + std::to_string(taken.size()));
      if (taken[id] != kFree) corrupt("the id " + std::to_string(id) + " stands for two tokens, one of them " + shown(spelling));
      taken[id] = id;
      auto bytes = byte_level_decode(spelling);
      if (special_[id]) {
        result_.tokens[id] = bytes ? *bytes : spelling;  // as theirs decodes it
        continue;
      }
      if (!bytes || bytes->empty()) unsupported("the token " + shown(spelling) + " is not made of the characters of byte-level BPE");
      if (bytes->size() == 1) byte_seen[static_cast<unsigned char>((*bytes)[0])] = true;
      result_.tokens[id] = std::move(*bytes);
    }
    for (std::size_t byte = 0; byte < 256; ++byte)
      if (!byte_seen[byte])
        unsupported("'model.vocab' lacks byte " + std::to_string(byte) + ", spelled " + shown(byte_level_encode(std::string(1, static_cast<char>(byte)))));
  }

  // More gaps than these are damage, for which there is no memory.
  std::size_t size_with_gaps() const {
    constexpr std::size_t kGapsMax = 65'536;
    std::size_t size = spellings_.size();
    for (const auto& [spelling, id] : spellings_)
      if (id < spellings_.size() + kGapsMax) size = std::max(size, id + std::size_t{1});
    return size;
  }

  void read_merges() {
    const Json& merges = model_.at("merges");
    if (!merges.is_array()) corrupt("'model.merges' is " + shown(merges) + ", expected an array");
    PairMap seen(merges.size());
    for (std::size_t i = 0; i < merges.size(); ++i) {
      const std::string path = "model.merges[" + std::to_string(i) + "]";
      const auto [left, right] = read_pair(merges[i], path);
      const BpeMerge merge{id_of(left, path), id_of(right, path), id_of(left + right, path)};
      if (special_[merge.left] || special_[merge.right] || special_[merge.result])
        unsupported("'" + path + "' is " + shown(merges[i]) + ", of which one is a special token");
      if (seen.insert(pair_key(merge.left, merge.right), static_cast<std::uint32_t>(i)) != i)
        unsupported("'" + path + "' is " + shown(merges[i]) + ", which stands twice");
      result_.merges.push_back(merge);
    }
  }

  static std::pair<std::string, std::string> read_pair(const Json& merge, const std::string& path) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const std::size_t space = text.find(' ');
      if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) return {text.substr(0, space), text.substr(space + 1)};
    }
    corrupt("'" + path + "' is " + shown(merge) + ", expected two tokens");
  }

  std::uint32_t id_of(const std::string& spelling, const std::string& path) const {
    const auto found = spellings_.find(spelling);
    if (found == spellings_.end()) corrupt("'" + path + "' needs the token " + shown(spelling) + ", which is not in 'model.vocab'");
    return found->second;
  }

  Object root_, model_;
  bool model_only_ = false;
  std::unordered_map<std::string, std::uint32_t> spellings_;
  std::vector<bool> special_;  // by id
  BpeModel result_;
};

std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

// A special token is spelled as it is, any other in printable characters.
std::vector<std::string> spellings_of(const BpeModel& model) {
  std::vector<std::string> spellings;
  spellings.reserve(model.tokens.size());
  for (const std::string& token : model.tokens) spellings.push_back(byte_level_encode(token));
  for (const SpecialToken& special : model.specials) spellings[special.id] = special.content;
  return spellings;
}

}  // namespace

BpeModel read_tokenizer_json(std::string_view json) {
  const Json root = parse_json(json);
  return Reader(root).read_whole();
}

BpeModel read_byte_level_model(const tokenizers::Json& root) { return Reader(root).read_model(); }

BpeModel load_tokenizer_json(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Code::kNotFound, "'" + path + "' cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Error(Code::kIo, "'" + path + "' cannot be read");
  try {
    return read_tokenizer_json(text);
  } catch (Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
}

// Written by hand, because the order of keys and of the vocabulary matters to those who compare files, and a JSON object has none.
std::string write_tokenizer_json(const BpeModel& model, std::string_view split) {
  const std::vector<std::string> spellings = spellings_of(model);
  std::string out = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [";
  const char* separator = "";
  for (const SpecialToken& special : model.specials) {
    out += std::string(separator) + "\n    {\n      \"id\": " + std::to_string(special.id) + ",\n      \"content\": " + quoted(special.content) +
           ",\n      \"single_word\": false,\n      \"lstrip\": false,\n      \"rstrip\": false,\n      \"normalized\": false,\n      \"special\": true\n    }";
    separator = ",";
  }
  out += model.specials.empty() ? "]" : "\n  ]";
  const auto byte_level = [](const std::string& indent, bool add_prefix_space, bool use_regex) {
    return "{\n" + indent + "  \"type\": \"ByteLevel\",\n" + indent + "  \"add_prefix_space\": " + (add_prefix_space ? "true" : "false") + ",\n" + indent +
           "  \"trim_offsets\": true,\n" + indent + "  \"use_regex\": " + (use_regex ? "true" : "false") + "\n" + indent + "}";
  };
  const std::string pre_tokenizer =
      split.empty() ? byte_level("  ", false, true)
                    : "{\n    \"type\": \"Sequence\",\n    \"pretokenizers\": [\n      {\n        \"type\": \"Split\",\n        \"pattern\": {\n          \"Regex\": " +
                          quoted(std::string(split)) + "\n        },\n        \"behavior\": \"Isolated\",\n        \"invert\": false\n      },\n      " +
                          byte_level("      ", false, false) + "\n    ]\n  }";
  // The decoder ignores its three keys; these are its defaults.
  out += ",\n  \"normalizer\": null,\n  \"pre_tokenizer\": " + pre_tokenizer + ",\n  \"post_processor\": " + byte_level("  ", false, true) +
         ",\n  \"decoder\": " + byte_level("  ", true, true);
  out +=
      ",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n    \"continuing_subword_prefix\": null,\n"
      "    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n    \"vocab\": {";
  separator = "";
  for (std::size_t id = 0; id < spellings.size(); ++id) {
    out += std::string(separator) + "\n      " + quoted(spellings[id]) + ": " + std::to_string(id);
    separator = ",";
  }
  out += "\n    },\n    \"merges\": [";
  separator = "";
  for (const BpeMerge& merge : model.merges) {
    out += std::string(separator) + "\n      [\n        " + quoted(spellings[merge.left]) + ",\n        " + quoted(spellings[merge.right]) + "\n      ]";
    separator = ",";
  }
  out += model.merges.empty() ? "]" : "\n    ]";
  out += "\n  }\n}";
  return out;
}

std::string write_tokenizer_config_json(std::uint64_t model_max_length) {
  nlohmann::ordered_json config;
  config["bos_token"] = kEndOfText;
  config["eos_token"] = kEndOfText;
  config["pad_token"] = kPad;
  config["mask_token"] = kMask;
  // transformers would otherwise take the space before punctuation out of what it decodes.
  config["clean_up_tokenization_spaces"] = false;
  if (model_max_length != 0) config["model_max_length"] = model_max_length;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return config.dump(2) + "\n";
}

}  // namespace flowrun::bpe
