// Plain numbers with the JSON index of writers/token_shards: {"format": "raw_tokens", "version": 1, "dtype", "documents", "tokens", "lengths"}.

#include <flowrun/error.hpp>

#include <simdjson.h>

#include <string>
#include <utility>
#include <vector>

#include "stored_numbers.hpp"
#include "token_reader.hpp"

namespace flowrun::readers {
namespace {

namespace ondemand = simdjson::ondemand;

[[noreturn]] void damaged(const std::string& message) { throw Error(Code::kCorruptData, "the index " + message); }

struct RawIndex {
  TokenType type = TokenType::kUint32;
  std::int64_t documents = -1, tokens = -1;
  std::vector<std::int64_t> lengths;
};

class IndexParser {
 public:
  RawIndex parse(const std::string& path) {
    simdjson::padded_string json;
    if (const auto error = simdjson::padded_string::load(path).get(json)) throw Error(Code::kIo, path + ": cannot be read: " + simdjson::error_message(error));
    ondemand::parser parser;
    ondemand::document document;
    check(parser.iterate(json).get(document));
    ondemand::object object;
    check(document.get_object().get(object));
    for (auto result : object) {
      ondemand::field field;
      check(std::move(result).get(field));
      std::string_view key;
      check(field.unescaped_key().get(key));
      read_value(std::string(key), field.value());
    }
    if (format_ != "raw_tokens" || version_ != 1) damaged("has format '" + format_ + "' and version " + std::to_string(version_) + ", expected 'raw_tokens' and 1");
    if (index_.documents != static_cast<std::int64_t>(index_.lengths.size()))
      damaged("has " + std::to_string(index_.lengths.size()) + " lengths, expected " + std::to_string(index_.documents) + " ('documents')");
    return std::move(index_);
  }

 private:
  static void check(simdjson::error_code error) {
    if (error != simdjson::SUCCESS) damaged(std::string("is not the JSON that writers/token_shards writes: ") + simdjson::error_message(error));
  }
  static std::int64_t integer(ondemand::value value) {
    std::int64_t out = 0;
    check(value.get_int64().get(out));
    return out;
  }
  static std::string string(ondemand::value value) {
    std::string_view out;
    check(value.get_string().get(out));
    return std::string(out);
  }

  void read_value(const std::string& key, ondemand::value value) {
    if (key == "format") format_ = string(value);
    if (key == "version") version_ = integer(value);
    if (key == "documents") index_.documents = integer(value);
    if (key == "tokens") index_.tokens = integer(value);
    if (key == "lengths") {
      ondemand::array lengths;
      check(value.get_array().get(lengths));
      for (auto item : lengths) {
        std::int64_t length = 0;
        check(item.get_int64().get(length));
        index_.lengths.push_back(length);
      }
    }
    if (key == "dtype") {
      const std::string name = string(value);
      if (name != "uint16" && name != "uint32") damaged("has dtype '" + name + "', expected 'uint16' or 'uint32'");
      index_.type = name == "uint16" ? TokenType::kUint16 : TokenType::kUint32;
    }
  }

  RawIndex index_;
  std::string format_;
  std::int64_t version_ = 0;
};

class RawReader : public TokenReader {
 public:
  RawReader(const std::string& index_path, const std::string& bin_path) : index_(IndexParser().parse(index_path)), bin_(bin_path) {
    const auto width = static_cast<std::int64_t>(bytes_of(index_.type));
    if (index_.tokens < 0 || bin_.size() % width != 0 || bin_.size() / width != index_.tokens)
      throw Error(Code::kCorruptData, "the .bin file has " + std::to_string(bin_.size()) + " bytes, expected " + std::to_string(index_.tokens) + " tokens of " + std::to_string(width));
  }

  Step next(const Call&, TokenRecord& record, TokenRefusal&) override {
    if (document_ == index_.lengths.size()) {
      if (token_ != index_.tokens) damaged("has lengths of together " + std::to_string(token_) + " tokens, expected " + std::to_string(index_.tokens));
      return Step::kEnd;
    }
    record.number = static_cast<std::int64_t>(document_);
    const std::int64_t length = index_.lengths[document_++];
    if (length < 0 || length > index_.tokens - token_)
      damaged("gives document " + std::to_string(record.number) + " " + std::to_string(length) + " tokens, expected at most the " + std::to_string(index_.tokens - token_) + " that are left");
    record.input_ids.clear();
    bin_.append_tokens(index_.type, token_ * static_cast<std::int64_t>(bytes_of(index_.type)), length, record.input_ids);
    token_ += length;
    return Step::kRecord;
  }

 private:
  RawIndex index_;
  StoredNumbers bin_;
  std::size_t document_ = 0;
  std::int64_t token_ = 0;
};

}  // namespace

std::unique_ptr<TokenReader> read_raw(const std::string& index_path, const std::string& bin_path) { return std::make_unique<RawReader>(index_path, bin_path); }

}  // namespace flowrun::readers
