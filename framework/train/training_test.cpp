#include "train/training.hpp"

#include <gtest/gtest.h>

#include <vector>

#include <flowrun/node.hpp>
#include <flowrun/testing/errors.hpp>

namespace flowrun::train {
namespace {

using testing::message_of;

/// Gives `rows` rows of `columns` tokens for every read of places of `place_tokens`, and labels of `label_columns` where that is not 0.
class FixedShape final : public SequenceSource {
 public:
  FixedShape(std::int64_t rows, std::int64_t columns, std::int64_t place_tokens, std::int64_t label_columns = 0)
      : rows_(rows), columns_(columns), place_tokens_(place_tokens), label_columns_(label_columns) {}
  std::int64_t count() override { return -1; }
  std::int64_t sequence_length() override { return place_tokens_; }
  void read(std::int64_t, std::int64_t, flowrun_batch* out) override {
    BatchBuilder builder;
    builder.add("input_ids", std::vector<std::int64_t>(static_cast<std::size_t>(rows_ * columns_), 7), rows_, columns_);
    if (label_columns_ != 0) builder.add("labels", std::vector<std::int64_t>(static_cast<std::size_t>(rows_ * label_columns_), 7), rows_, label_columns_);
    builder.move_to(out);
  }

 private:
  std::int64_t rows_, columns_, place_tokens_, label_columns_;
};

TEST(ReadSequences, GivesARowForEachPosition) {
  FixedShape source(3, 16, 16, 16);
  const Sequences read = read_sequences(source, 40, 3);
  EXPECT_EQ(read.batch.input_ids.sizes(), (std::vector<std::int64_t>{3, 16}));
  EXPECT_EQ(read.batch.labels.sizes(), read.batch.input_ids.sizes());
  EXPECT_EQ(read.positions, (std::vector<std::int64_t>{40, 41, 42}));
  EXPECT_EQ(read.places, 3);
}

constexpr std::int64_t kSecondRow = std::int64_t{1} << 40;  ///< each row has a position of its own, so that no two rows are masked alike

TEST(ReadSequences, GivesSeveralShorterRowsInThePlaceOfOne) {
  FixedShape source(6, 8, 16);
  const Sequences read = read_sequences(source, 40, 3);
  EXPECT_EQ(read.batch.input_ids.sizes(), (std::vector<std::int64_t>{6, 8}));
  EXPECT_EQ(read.positions, (std::vector<std::int64_t>{40, 40 + kSecondRow, 41, 41 + kSecondRow, 42, 42 + kSecondRow}));
  EXPECT_EQ(std::vector<std::int64_t>(read.batch.positions.begin(), read.batch.positions.end()), read.positions);
  EXPECT_EQ(read.places, 3);
}

TEST(ReadSequences, EndsWhereTheLengthOfRowsChanges) {
  FixedShape shorter(4, 8, 16);  // two of the three places that were asked for
  const Sequences read = read_sequences(shorter, 40, 3);
  EXPECT_EQ(read.positions, (std::vector<std::int64_t>{40, 40 + kSecondRow, 41, 41 + kSecondRow}));
  EXPECT_EQ(read.places, 2);
  FixedShape whole(1, 16, 16);
  EXPECT_EQ(read_sequences(whole, 40, 3).places, 1);
  EXPECT_EQ(read_sequences(whole, 40, 3).positions, (std::vector<std::int64_t>{40}));
  // A read of four rows for four places is one of all of them, however long a place is said to be: some packers give a token more for the last target.
  FixedShape longer(4, 17, 16);
  EXPECT_EQ(read_sequences(longer, 40, 4).places, 4);
}

TEST(ReadSequences, RefusesWhatItsSourceDoesNotPromise) {
  FixedShape none(0, 8, 8);
  EXPECT_EQ(message_of([&] { read_sequences(none, 0, 3); }), "tensor 'input_ids' of a batch must be int32 or int64 [3 k, T] on the CPU");
  FixedShape more(4, 8, 8), part(3, 8, 16), unknown(2, 8, 0);
  EXPECT_EQ(message_of([&] { read_sequences(more, 9, 3); }), "the batch of sequences 9 to 12 has 4 rows, expected a multiple of 3, or whole places of 8 tokens");
  EXPECT_EQ(message_of([&] { read_sequences(part, 9, 2); }), "the batch of sequences 9 to 11 has 3 rows, expected a multiple of 2, or whole places of 16 tokens");
  EXPECT_EQ(message_of([&] { read_sequences(unknown, 9, 3); }), "the batch of sequences 9 to 12 has 2 rows, expected a multiple of 3, or whole places of 0 tokens");
  FixedShape source(3, 8, 8, 7);
  EXPECT_EQ(message_of([&] { read_sequences(source, 9, 3); }), "the batch of sequences 9 to 12 has tensors 'input_ids' and 'labels' of different shapes");
}

}  // namespace
}  // namespace flowrun::train
