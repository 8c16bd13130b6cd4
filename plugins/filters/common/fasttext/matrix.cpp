#include "filters/common/fasttext/matrix.hpp"

#include <utility>

namespace flowrun::filters::fasttext {

void DenseMatrix::add_rows(std::span<const std::uint32_t> rows, std::span<float> sum) const noexcept {
  for (const std::uint32_t row : rows) {
    const float* values = values_.data() + row * columns_;
    for (std::size_t i = 0; i < columns_; ++i) sum[i] += values[i];
  }
}

float DenseMatrix::dot(std::size_t row, std::span<const float> vector) const noexcept {
  const float* values = values_.data() + row * columns_;
  float product = 0;
  for (std::size_t i = 0; i < columns_; ++i) product += values[i] * vector[i];
  return product;
}

QuantizedMatrix::QuantizedMatrix(ProductQuantizer quantizer, std::vector<std::uint8_t> codes, std::vector<float> norms)
    : quantizer_(std::move(quantizer)), codes_(std::move(codes)), norms_(std::move(norms)) {}

void QuantizedMatrix::add_rows(std::span<const std::uint32_t> rows, std::span<float> sum) const noexcept {
  for (const std::uint32_t row : rows) {
    const std::uint8_t* codes = codes_.data() + row * quantizer_.parts;
    const float scale = norm(row);
    float* to = sum.data();
    for (std::size_t i = 0; i < quantizer_.parts; ++i) {
      const float* values = quantizer_.centroid(i, codes[i]);
      for (std::size_t j = 0; j < quantizer_.part_size(i); ++j) *to++ += scale * values[j];
    }
  }
}

float QuantizedMatrix::dot(std::size_t row, std::span<const float> vector) const noexcept {
  const std::uint8_t* codes = codes_.data() + row * quantizer_.parts;
  const float* from = vector.data();
  float product = 0;
  for (std::size_t i = 0; i < quantizer_.parts; ++i) {
    const float* values = quantizer_.centroid(i, codes[i]);
    for (std::size_t j = 0; j < quantizer_.part_size(i); ++j) product += *from++ * values[j];
  }
  return product * norm(row);
}

}  // namespace flowrun::filters::fasttext
