#pragma once

// The matrices of a fastText model (src/densematrix.cc, quantmatrix.cc, productquantizer.cc): rows of floats, or of codes of a product
// quantizer (Jegou et al. 2011; Joulin et al. 2016, arXiv:1612.03651). Sums run in fastText's order, so that they are its numbers.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace flowrun::filters::fasttext {

class Matrix {
 public:
  virtual ~Matrix() = default;
  virtual std::size_t rows() const noexcept = 0;
  virtual std::size_t columns() const noexcept = 0;
  /// Adds rows to `sum`, one after the other.
  virtual void add_rows(std::span<const std::uint32_t> rows, std::span<float> sum) const noexcept = 0;
  /// Returns the scalar product of a row and a vector.
  virtual float dot(std::size_t row, std::span<const float> vector) const noexcept = 0;
};

class DenseMatrix final : public Matrix {
 public:
  /// `values` is row-major, rows * columns.
  DenseMatrix(std::size_t columns, std::vector<float> values) : columns_(columns), values_(std::move(values)) {}
  std::size_t rows() const noexcept override { return values_.size() / columns_; }
  std::size_t columns() const noexcept override { return columns_; }
  void add_rows(std::span<const std::uint32_t> rows, std::span<float> sum) const noexcept override;
  float dot(std::size_t row, std::span<const float> vector) const noexcept override;
  float* row(std::size_t i) noexcept { return values_.data() + i * columns_; }
  const std::vector<float>& values() const noexcept { return values_; }

 private:
  std::size_t columns_;
  std::vector<float> values_;
};

/// A vector as codes: each code stands for `part` of its numbers, the last for what is left, which codebooks of 256 entries give.
struct ProductQuantizer {
  static constexpr std::size_t kCentroids = 256;
  std::size_t dimension = 0, parts = 0, part = 0, last_part = 0;  ///< parts = ceil(dimension / part)
  std::vector<float> centroids;                                   ///< dimension * kCentroids, codebook after codebook
  std::size_t part_size(std::size_t i) const noexcept { return i + 1 == parts ? last_part : part; }
  const float* centroid(std::size_t i, std::uint8_t code) const noexcept { return centroids.data() + i * kCentroids * part + code * part_size(i); }
};

class QuantizedMatrix final : public Matrix {
 public:
  /// `codes` are rows * quantizer.parts. `norms` is empty, or has one number for each row.
  QuantizedMatrix(ProductQuantizer quantizer, std::vector<std::uint8_t> codes, std::vector<float> norms);
  std::size_t rows() const noexcept override { return codes_.size() / quantizer_.parts; }
  std::size_t columns() const noexcept override { return quantizer_.dimension; }
  void add_rows(std::span<const std::uint32_t> rows, std::span<float> sum) const noexcept override;
  float dot(std::size_t row, std::span<const float> vector) const noexcept override;

 private:
  float norm(std::size_t row) const noexcept { return norms_.empty() ? 1 : norms_[row]; }

  ProductQuantizer quantizer_;
  std::vector<std::uint8_t> codes_;
  std::vector<float> norms_;
};

}  // namespace flowrun::filters::fasttext
