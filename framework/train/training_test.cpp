#include "train/training.hpp"

#include <gtest/gtest.h>

#include <vector>

#include <flowrun/node.hpp>
#include <flowrun/testing/errors.hpp>

namespace flowrun::train {
namespace {

using testing::message_of;

/// Gives `rows` rows of `columns` tokens for every read, and labels of `label_columns` where that is not 0.
class FixedShape final : public SequenceSource {
 public:
  FixedShape(std::int64_t rows, std::int64_t columns, std::int64_t label_columns = 0) : rows_(rows), columns_(columns), label_columns_(label_columns) {}
  std::int64_t count() override { return -1; }
  std::int64_t sequence_length() override { return columns_; }
  void read(std::int64_t, std::int64_t, flowrun_batch* out) override {
    BatchBuilder builder;
    builder.add("input_ids", std::vector<std::int64_t>(static_cast<std::size_t>(rows_ * columns_), 7), rows_, columns_);
    if (label_columns_ != 0) builder.add("labels", std::vector<std::int64_t>(static_cast<std::size_t>(rows_ * label_columns_), 7), rows_, label_columns_);
    builder.move_to(out);
  }

 private:
  std::int64_t rows_, columns_, label_columns_;
};

TEST(ReadSequences, GivesARowForEachPosition) {
  FixedShape source(3, 16, 16);
  std::vector<std::int64_t> positions;
  const native::Batch batch = read_sequences(source, 40, 3, positions);
  EXPECT_EQ(batch.input_ids.sizes(), (std::vector<std::int64_t>{3, 16}));
  EXPECT_EQ(batch.labels.sizes(), batch.input_ids.sizes());
  EXPECT_EQ(positions, (std::vector<std::int64_t>{40, 41, 42}));
}

TEST(ReadSequences, GivesSeveralShorterRowsInThePlaceOfOne) {
  FixedShape source(6, 8);
  std::vector<std::int64_t> positions;
  const native::Batch batch = read_sequences(source, 40, 3, positions);
  EXPECT_EQ(batch.input_ids.sizes(), (std::vector<std::int64_t>{6, 8}));
  // Each row has a position of its own, so that no two rows are masked alike.
  const std::int64_t second = std::int64_t{1} << 40;
  EXPECT_EQ(positions, (std::vector<std::int64_t>{40, 40 + second, 41, 41 + second, 42, 42 + second}));
  EXPECT_EQ(std::vector<std::int64_t>(batch.positions.begin(), batch.positions.end()), positions);
}

TEST(ReadSequences, RefusesWhatItsSourceDoesNotPromise) {
  std::vector<std::int64_t> positions;
  for (const std::int64_t rows : {0, 2, 4}) {
    FixedShape source(rows, 8);
    EXPECT_EQ(message_of([&] { read_sequences(source, 0, 3, positions); }), "tensor 'input_ids' of a batch must be int32 or int64 [3 k, T] on the CPU");
  }
  FixedShape source(3, 8, 7);
  EXPECT_EQ(message_of([&] { read_sequences(source, 9, 3, positions); }), "the batch of sequences 9 to 12 has tensors 'input_ids' and 'labels' of different shapes");
}

}  // namespace
}  // namespace flowrun::train
