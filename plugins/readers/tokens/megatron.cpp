// Megatron-LM's IndexedDataset, as megatron/core/datasets/indexed_dataset.py (megatron-core 0.16.1) writes it. Little-endian, without padding:
//
//   "MMIDIDX" 0 0, version 1 (u64), code of the tokens' type (u8), sequences S (u64), document marks D (u64),
//   lengths in tokens (i32 * S), places in the .bin file in bytes (i64 * S), the first sequence of each document and the end (i64 * D), modes (i8 * S, or none)

#include <flowrun/error.hpp>

#include <string>
#include <string_view>
#include <utility>

#include "stored_numbers.hpp"
#include "token_reader.hpp"

namespace flowrun::readers {
namespace {

constexpr std::string_view kMagic{"MMIDIDX\0\0", 9};
constexpr std::int64_t kHeaderBytes = 34;

[[noreturn]] void damaged(const std::string& message) { throw Error(Code::kCorruptData, message); }
std::string text(std::int64_t number) { return std::to_string(number); }

class MegatronReader : public TokenReader {
 public:
  MegatronReader(const std::string& index_path, const std::string& bin_path) : lengths_(index_path), pointers_(index_path), marks_(index_path), bin_(bin_path) {
    read_header();
    next_sequence_ = document_count_ == 0 ? 0 : mark(0);
    if (next_sequence_ != 0) damaged("the first document of the index begins at sequence " + text(next_sequence_) + ", expected 0");
  }

  Step next(const Call&, TokenRecord& record, TokenRefusal& refusal) override {
    if (document_ == document_count_) return Step::kEnd;
    record.number = document_++;
    record.input_ids.clear();
    const std::int64_t end = mark(document_);
    const bool is_last = document_ == document_count_;
    if (end < next_sequence_ || end > sequence_count_ || (is_last && end != sequence_count_))
      damaged("document " + text(record.number) + " of the index ends before sequence " + text(end) + ", expected " +
              (is_last ? text(sequence_count_) : text(next_sequence_) + " to " + text(sequence_count_)));
    bool good = true;
    for (; next_sequence_ < end; ++next_sequence_) good &= append_sequence(next_sequence_, record.input_ids);
    if (good) return Step::kRecord;
    refusal = {record.number, "bad_token", "a token is negative or above 4294967295", -1};
    return Step::kRefused;
  }

 private:
  void read_header() {
    const std::int64_t bytes = lengths_.size();
    if (bytes < kHeaderBytes) damaged("the index has " + text(bytes) + " bytes, expected at least " + text(kHeaderBytes));
    std::string magic(kMagic.size(), '\0');
    lengths_.read(0, magic.size(), magic.data());
    if (magic != kMagic) damaged("the index does not begin with \"MMIDIDX\", expected an index of Megatron-LM's IndexedDataset");
    if (const auto version = lengths_.number<std::uint64_t>(9); version != 1) damaged("the index has version " + std::to_string(version) + ", expected 1");
    const auto code = lengths_.number<std::uint8_t>(17);
    type_ = static_cast<TokenType>(code);
    if (bytes_of(type_) == 0 || type_ == TokenType::kUint32) damaged("the index names tokens of type " + std::to_string(code) + ", expected 1 to 5 or 8, the integers");
    const auto sequences = lengths_.number<std::uint64_t>(18), marks = lengths_.number<std::uint64_t>(26);
    const auto rest = static_cast<std::uint64_t>(bytes - kHeaderBytes);
    // Compared in parts that cannot overflow.
    const bool fits = sequences <= rest / 12 && marks <= (rest - sequences * 12) / 8;
    const std::uint64_t left = fits ? rest - sequences * 12 - marks * 8 : 0;
    if (!fits || (left != 0 && left != sequences))
      damaged("the index has " + text(bytes) + " bytes, expected 34 + 12 * " + std::to_string(sequences) + " sequences + 8 * " + std::to_string(marks) + " marks of documents");
    if (marks == 0 && sequences != 0) damaged("the index has no marks of documents, expected at least 1");
    sequence_count_ = static_cast<std::int64_t>(sequences);
    document_count_ = marks == 0 ? 0 : static_cast<std::int64_t>(marks) - 1;
    if (marks == 1 && mark(0) != sequence_count_) damaged("the index has " + text(sequence_count_) + " sequences in no document");
  }

  std::int64_t mark(std::int64_t document) { return marks_.number<std::int64_t>(kHeaderBytes + sequence_count_ * 12 + document * 8); }

  bool append_sequence(std::int64_t sequence, std::vector<std::uint32_t>& out) {
    const auto length = std::int64_t{lengths_.number<std::int32_t>(kHeaderBytes + sequence * 4)};
    const auto place = pointers_.number<std::int64_t>(kHeaderBytes + sequence_count_ * 4 + sequence * 8);
    const auto width = static_cast<std::int64_t>(bytes_of(type_));
    if (length < 0 || place < 0 || place > bin_.size() || length > (bin_.size() - place) / width)
      damaged("sequence " + text(sequence) + " of the index has " + text(length) + " tokens of " + text(width) + " bytes at byte " + text(place) + ", expected a part of the .bin file's " +
              text(bin_.size()) + " bytes");
    return bin_.append_tokens(type_, place, length, out);
  }

  StoredNumbers lengths_, pointers_, marks_;  ///< three places of one file, each with its buffer
  StoredNumbers bin_;
  TokenType type_{};
  std::int64_t sequence_count_ = 0, document_count_ = 0, document_ = 0, next_sequence_ = 0;
};

}  // namespace

std::unique_ptr<TokenReader> read_megatron(const std::string& index_path, const std::string& bin_path) { return std::make_unique<MegatronReader>(index_path, bin_path); }

}  // namespace flowrun::readers
