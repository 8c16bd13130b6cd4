#include "tokenizer_json.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "byte_level.hpp"
#include "flat_map.hpp"
#include "json_object.hpp"
#include "tokenizer_layout.hpp"

namespace flowrun::bpe {
namespace {

using OrderedJson = nlohmann::ordered_json;
using tokenizers::Json;
using tokenizers::read_id;
using tokenizers::shown;
using Object = tokenizers::JsonObject;

[[noreturn]] void corrupt(const std::string& message) { tokenizers::refuse_corrupt(message); }
[[noreturn]] void unsupported(const std::string& message) { tokenizers::refuse_unsupported(message); }

class Reader {
 public:
  explicit Reader(const Json& root) : root_(root, ""), model_(root_.at("model"), "model") {}

  BpeModel read() && {
    check_model();
    read_vocab();
    read_added_tokens();
    fill_tokens();
    read_merges();
    return std::move(result_);
  }

 private:
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
      token.at("special");
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

  // Ids may have gaps, whose tokens stay empty: cl100k_base has 16, between its ranks and its special tokens.
  void fill_tokens() {
    constexpr std::uint32_t kFree = PairMap::kAbsent;
    result_.tokens.resize(size_with_gaps());
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
      const auto [left, right] = read_merge(merges[i], path);
      const BpeMerge merge{id_of(left, path), id_of(right, path), id_of(left + right, path)};
      if (special_[merge.left] || special_[merge.right] || special_[merge.result])
        unsupported("'" + path + "' is " + shown(merges[i]) + ", of which one is a special token");
      if (seen.insert(pair_key(merge.left, merge.right), static_cast<std::uint32_t>(i)) != i)
        unsupported("'" + path + "' is " + shown(merges[i]) + ", which stands twice");
      result_.merges.push_back(merge);
    }
  }

  std::uint32_t id_of(const std::string& spelling, const std::string& path) const {
    const auto found = spellings_.find(spelling);
    if (found == spellings_.end()) corrupt("'" + path + "' needs the token " + shown(spelling) + ", which is not in 'model.vocab'");
    return found->second;
  }

  Object root_, model_;
  std::unordered_map<std::string, std::uint32_t> spellings_;
  std::vector<bool> special_;  // by id
  BpeModel result_;
};

// A special token is spelled as it is, any other in printable characters.
std::vector<std::string> spellings_of(const BpeModel& model) {
  std::vector<std::string> spellings;
  spellings.reserve(model.tokens.size());
  for (const std::string& token : model.tokens) spellings.push_back(byte_level_encode(token));
  for (const SpecialToken& special : model.specials) spellings[special.id] = special.content;
  return spellings;
}

// A decoder ignores the three keys, of which `true` is the default.
OrderedJson byte_level(bool add_prefix_space, bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", add_prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

OrderedJson pre_tokenizer_of(std::string_view split) {
  if (split.empty()) return byte_level(false, true);
  const OrderedJson cut = {{"type", "Split"}, {"pattern", {{"Regex", std::string(split)}}}, {"behavior", "Isolated"}, {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", OrderedJson::array({cut, byte_level(false, false)})}};
}

}  // namespace

BpeModel read_byte_level_model(const Json& root) { return Reader(root).read(); }

std::pair<std::string, std::string> read_merge(const Json& merge, const std::string& path) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) return {text.substr(0, space), text.substr(space + 1)};
  }
  corrupt("'" + path + "' is " + shown(merge) + ", expected two tokens");
}

std::string write_tokenizer_json(const BpeModel& model, std::string_view split) {
  std::vector<tokenizers::NamedId> specials;
  for (const SpecialToken& special : model.specials) specials.emplace_back(special.content, special.id);
  OrderedJson root = tokenizers::begin_tokenizer_json(specials);
  root["normalizer"] = nullptr;
  root["pre_tokenizer"] = pre_tokenizer_of(split);
  root["post_processor"] = byte_level(false, true);
  root["decoder"] = byte_level(true, true);
  root["model"] = {{"type", "BPE"}, {"dropout", nullptr}, {"unk_token", nullptr}, {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr}, {"fuse_unk", false}, {"byte_fallback", false}, {"ignore_merges", false}};
  const std::vector<std::string> spellings = spellings_of(model);
  tokenizers::ModelLists lists;
  lists.has_merges = true;
  lists.vocab.reserve(spellings.size());
  for (std::size_t id = 0; id < spellings.size(); ++id) lists.vocab.push_back(tokenizers::vocab_entry(spellings[id], static_cast<std::uint32_t>(id)));
  lists.merges.reserve(model.merges.size());
  for (const BpeMerge& merge : model.merges)
    lists.merges.push_back(tokenizers::pair_entry(tokenizers::json_string(spellings[merge.left]), tokenizers::json_string(spellings[merge.right])));
  return tokenizers::finish_tokenizer_json(std::move(root), lists);
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
