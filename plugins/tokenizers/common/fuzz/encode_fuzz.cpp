#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <flowrun/error.hpp>

#include "properties.hpp"
#include "targets.hpp"
#include "tokenizers/common/pipeline/document_encoder.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace flowrun::tokenizers {
namespace {

using Ids = std::vector<std::uint32_t>;

/// One golden tokenizer in all its forms.
struct Subject {
  std::unique_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<DocumentTokenizer::Encoder> encoder;
  std::unique_ptr<const bpe::Bpe> bpe;  // null where it is not byte-level
  bool lossless = false;                // decoding gives the text back
  bool in_order = true;                 // offsets never go back
};

std::unique_ptr<const bpe::Bpe> byte_level_bpe(const Json& file) {
  try {
    return std::make_unique<const bpe::Bpe>(bpe::read_byte_level_model(file));
  } catch (const Error&) {
    return nullptr;
  }
}

/// Byte-level from end to end, and nothing of the text is changed or taken away.
bool is_lossless(const Json& file) {
  const Json& decoder = file.at("decoder");
  return file.at("model").at("type") == "BPE" && decoder.is_object() && decoder.at("type") == "ByteLevel" && file.at("normalizer").is_null() &&
         !file.at("pre_tokenizer").value("add_prefix_space", false);
}

/// A post-processor that trims offsets makes an empty range of a token that is a space put before a word, behind the range of the word itself: so does the
/// library.
bool is_in_order(const Json& file) {
  const Json& processor = file.at("post_processor");
  return !processor.is_object() || !processor.value("trim_offsets", false) || !file.at("pre_tokenizer").value("add_prefix_space", false);
}

Subject make_subject(const std::string& name, const Json& file) {
  // An encoder of documents takes a file.
  const auto path = std::filesystem::temp_directory_path() / ("flowrun_encode_fuzz_" + name + "_" + std::to_string(std::hash<std::string>{}(file.dump())) + ".json");
  std::ofstream(path, std::ios::binary) << file.dump();
  Subject subject;
  subject.tokenizer = std::make_unique<const Tokenizer>(build_tokenizer(file));
  subject.encoder = std::make_unique<DocumentTokenizer::Encoder>(std::make_shared<const DocumentTokenizer>(path.string(), subject.tokenizer->model_type()));
  subject.bpe = byte_level_bpe(file);
  subject.lossless = is_lossless(file);
  subject.in_order = is_in_order(file);
  std::filesystem::remove(path);
  return subject;
}

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = [] {
    std::ifstream file(std::string(FLOWRUN_TEST_SOURCE_DIR) + "/../pipeline/testdata/tokenizers.json", std::ios::binary);
    require(static_cast<bool>(file), "the golden tokenizers can be read");
    const Json files = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    std::vector<Subject> list;
    for (const auto& [name, tokenizer] : files.items()) list.push_back(make_subject(name, tokenizer));
    return list;
  }();
  return all;
}

/// The encoder of documents and the pipeline that it is a short cut of, both of which may refuse the text.
void require_equal_ids(const Subject& subject, std::string_view text) {
  Ids ids;
  bool refused = false;
  try {
    subject.encoder->encode(text, ids);
  } catch (const Error&) {
    refused = true;
  }
  try {
    const Encoding encoding = subject.tokenizer->encode(text, {.add_special_tokens = false, .split_special = true, .limit = false});
    require(!refused && ids == encoding.ids, "documents get the ids of the pipeline");
  } catch (const Error&) {
    require(refused, "the encoder of documents refuses what the pipeline refuses");
  }
}

void require_equal_algorithms(const bpe::Bpe& bpe, std::string_view text) {
  if (text.empty()) return;
  bpe::Bpe::Scratch scratch;
  Ids by_search, by_heap;
  bpe.encode_pretoken(text, scratch, by_search);
  bpe.encode_by_heap(text, scratch, by_heap);
  require(by_search == by_heap, "search and heap give equal ids");
  require(bpe.decode(by_search) == text, "the ids spell the text");
}

}  // namespace

void fuzz_encode(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const Subject& subject = subjects()[static_cast<unsigned char>(bytes[0]) % subjects().size()];
  const unsigned options = static_cast<unsigned char>(bytes[1]);
  const std::string_view text = bytes.substr(2);
  if (subject.bpe) require_equal_algorithms(*subject.bpe, text);
  if (replace_ill_formed(text) != text) {
    // Text that is no UTF-8 is refused before it comes here; should it come, nothing may break.
    try {
      Ids ids;
      subject.encoder->encode(text, ids);
      subject.tokenizer->encode(text);
    } catch (const Error&) {
    }
    return;
  }
  require_equal_ids(subject, text);
  try {
    const Encoding encoding = subject.tokenizer->encode(text, {.add_special_tokens = (options & 1) != 0, .split_special = (options & 2) != 0, .limit = (options & 4) != 0});
    require_sound(encoding, text);
    subject.tokenizer->decode(encoding.ids, (options & 8) != 0);
    const Encoding whole = subject.tokenizer->encode(text, {.add_special_tokens = false, .split_special = (options & 2) != 0, .limit = false});
    if (subject.in_order) require_in_order(whole);
    if (!subject.lossless) return;
    require_slices(whole, text);
    require(subject.tokenizer->decode(whole.ids, false) == text, "what is decoded is the text");
  } catch (const Error&) {
  }
}

}  // namespace flowrun::tokenizers
