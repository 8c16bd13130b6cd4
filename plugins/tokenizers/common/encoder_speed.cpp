#include "encoder_speed.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <functional>
#include <istream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>
#include <span>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>
#include <flowrun/message.hpp>

#include "pipeline/document_encoder.hpp"

namespace flowrun::tokenizers {
namespace {

using Slice = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchBytes = 512 * 1024;  // what the readers send down a graph at once

std::vector<Slice> read_slices(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Code::kNotFound, "'" + path + "' cannot be opened");
  std::vector<Slice> slices;
  for (std::string line; std::getline(file, line);) slices.push_back(nlohmann::json::parse(line).get<Slice>());
  return slices;
}

std::string model_type_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Code::kNotFound, "'" + path + "' cannot be opened");
  const auto root = nlohmann::json::parse(file);
  return root.at("model").value("type", "BPE");
}

/// Where the batches of a slice begin; the last element is where the slice ends.
std::vector<std::size_t> batches_of(const Slice& slice) {
  std::vector<std::size_t> begins{0};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < slice.size(); ++i) {
    bytes += slice[i].size();
    if (bytes < kBatchBytes && i + 1 < slice.size()) continue;
    begins.push_back(i + 1);
    bytes = 0;
  }
  return begins;
}

/// Gives each thread the next batch until there is none. `columns[i]` becomes the ids of batch i.
class SliceRun {
 public:
  SliceRun(const Slice& slice, std::vector<DocumentTokenizer::Encoder>& encoders) : slice_(slice), begins_(batches_of(slice)), encoders_(encoders) {
    columns_.resize(begins_.size() - 1);
  }

  void run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < encoders_.size(); ++i) threads.emplace_back([this, i] { work(encoders_[i]); });
    work(encoders_[0]);
  }

  const std::vector<OwnedArray>& columns() const noexcept { return columns_; }

 private:
  void work(DocumentTokenizer::Encoder& encoder) {
    for (std::size_t batch = next_++; batch < columns_.size(); batch = next_++) {
      const auto begin = slice_.begin() + static_cast<std::ptrdiff_t>(begins_[batch]), end = slice_.begin() + static_cast<std::ptrdiff_t>(begins_[batch + 1]);
      ListBuilder ids;
      ids.reserve(ids_expected(std::transform_reduce(begin, end, std::size_t{0}, std::plus<>(), [](const std::string& text) { return text.size(); })));
      for (auto text = begin; text != end; ++text) {
        encoder.encode(*text, ids.values());
        ids.end_row();
      }
      columns_[batch] = ids.finish();
    }
  }

  const Slice& slice_;
  std::vector<std::size_t> begins_;
  std::vector<DocumentTokenizer::Encoder>& encoders_;
  std::vector<OwnedArray> columns_;
  std::atomic<std::size_t> next_{0};
};

std::span<const std::uint32_t> values_of(const ArrowArray& list) {
  return {static_cast<const std::uint32_t*>(list.children[0]->buffers[1]), static_cast<std::size_t>(list.children[0]->length)};
}

void write_ids(const std::string& path, const std::vector<OwnedArray>& columns) {
  std::vector<std::uint32_t> counts, ids;
  for (const OwnedArray& column : columns) {
    const auto* const offsets = static_cast<const std::int32_t*>(column.get().buffers[1]);
    for (std::int64_t row = 0; row < column.get().length; ++row) counts.push_back(static_cast<std::uint32_t>(offsets[row + 1] - offsets[row]));
    const auto values = values_of(column.get());
    ids.insert(ids.end(), values.begin(), values.end());
  }
  std::ofstream file(path, std::ios::binary);
  for (const auto* const list : {&counts, &ids}) file.write(reinterpret_cast<const char*>(list->data()), static_cast<std::streamsize>(list->size() * 4));
  if (!file.flush()) throw Error(Code::kIo, "'" + path + "' cannot be written");
}

}  // namespace

void measure_encoder(const std::string& tokenizer_path, const std::string& slices_path, std::size_t threads, std::istream& requests, std::ostream& answers) {
  const auto slices = read_slices(slices_path);
  const auto tokenizer = std::make_shared<const DocumentTokenizer>(tokenizer_path, model_type_of(tokenizer_path));
  std::vector<DocumentTokenizer::Encoder> encoders;
  for (std::size_t i = 0; i < threads; ++i) encoders.emplace_back(tokenizer);
  for (std::string line; std::getline(requests, line);) {
    std::istringstream request(line);
    std::size_t number = 0;
    if (!(request >> number) || number >= slices.size())
      throw Error(Code::kInvalidArgument, "request '" + line + "' names no slice: expected a number below " + std::to_string(slices.size()));
    SliceRun run(slices[number], encoders);
    const auto start = Clock::now();
    const std::clock_t cpu_start = std::clock();
    run.run();
    const double cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::size_t bytes = 0, tokens = 0;
    for (const std::string& document : slices[number]) bytes += document.size();
    for (const OwnedArray& column : run.columns()) tokens += values_of(column.get()).size();
    if (std::string path; request >> path) write_ids(path, run.columns());
    answers << nlohmann::json{{"seconds", seconds}, {"cpu_seconds", cpu_seconds}, {"bytes", bytes}, {"tokens", tokens}} << std::endl;
  }
}

}  // namespace flowrun::tokenizers
