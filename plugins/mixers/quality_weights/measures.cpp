#include "measures.hpp"

#include <flowrun/error.hpp>

#include <xxhash.h>
#include <zstd.h>

#include <iterator>

namespace flowrun::mixers {
namespace {

/// zstd's own default: fast, and near enough to its best for a comparison of domains.
constexpr int kLevel = 3;

}  // namespace

void CompressionSample::add(std::string_view id, std::string_view text) {
  const std::uint64_t hash = XXH3_64bits(id.data(), id.size());
  if (hash >= limit_) return;
  const auto [place, is_new] = documents_.emplace(hash, text.substr(0, kDocumentBytesMax));
  if (is_new) bytes_ += place->second.size();
  // What goes has the largest hashes, and nothing above them comes again: what stays is the beginning of all documents in the order of their hashes.
  while (bytes_ > sample_bytes_) {
    const auto last = std::prev(documents_.end());
    limit_ = last->first;
    bytes_ -= last->second.size();
    documents_.erase(last);
  }
}

CompressionSample::Result CompressionSample::compress() const {
  std::string text;
  text.reserve(bytes_);
  for (const auto& [hash, document] : documents_) text += document;
  std::string compressed(ZSTD_compressBound(text.size()), '\0');
  const std::size_t bytes = ZSTD_compress(compressed.data(), compressed.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(bytes)) throw Error(Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(bytes));
  return {static_cast<std::int64_t>(text.size()), static_cast<std::int64_t>(bytes)};
}

void DuplicateShare::add(std::string_view text) {
  const std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  if (!is_sampled(hash)) return;
  ++counts_[hash];
  while (counts_.size() > hashes_max_) {
    ++zero_bits_;
    std::erase_if(counts_, [this](const auto& entry) { return !is_sampled(entry.first); });
  }
}

double DuplicateShare::share() const noexcept {
  std::int64_t texts = 0;
  for (const auto& [hash, count] : counts_) texts += count;
  return texts == 0 ? 0 : 1 - static_cast<double>(counts_.size()) / static_cast<double>(texts);
}

}  // namespace flowrun::mixers
