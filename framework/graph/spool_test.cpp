#include "graph/spool.hpp"

#include <filesystem>
#include <fstream>
#include <random>

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include "graph/message.hpp"

namespace flowrun::graph {
namespace {

using testing::TemporaryFolder;

/// A documents batch with a nullable boolean and a list beside, so that every layout is written.
Field wide_schema() {
  Field schema = fields::documents();
  schema.children.push_back({"flag", "b", true, {}});
  schema.children.push_back(fields::list_uint32("numbers"));
  schema.children.push_back(fields::float64("score"));
  return schema;
}

struct Row {
  std::string id, text;
  int flag;  ///< -1: null
  std::vector<std::uint32_t> numbers;
  double score;
  bool operator==(const Row&) const = default;
};

std::vector<Row> random_rows(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Row> rows(n);
  for (std::size_t i = 0; i < n; ++i) {
    rows[i].id = std::to_string(i);
    rows[i].text.assign(random() % 3000, static_cast<char>('a' + random() % 26));
    rows[i].flag = static_cast<int>(random() % 3) - 1;
    rows[i].numbers.assign(random() % 5, static_cast<std::uint32_t>(random()));
    rows[i].score = static_cast<double>(random() % 1000) / 8;
  }
  return rows;
}

OwnedArray batch_of(const std::vector<Row>& rows, std::size_t begin, std::size_t end) {
  StringBuilder ids, texts, empty, empty2;
  ListBuilder numbers;
  std::vector<double> scores;
  auto flags = std::make_unique<detail::ArrayHolder>();
  const std::size_t n = end - begin;
  flags->buffers[0].assign((n + 7) / 8, 0);
  flags->buffers[2].assign((n + 7) / 8, 0);
  std::int64_t nulls = 0;
  for (std::size_t i = begin; i < end; ++i) {
    ids.append(rows[i].id);
    texts.append(rows[i].text);
    empty.append("");
    empty2.append("");
    numbers.append(rows[i].numbers);
    scores.push_back(rows[i].score);
    const auto row = static_cast<std::int64_t>(i - begin);
    if (rows[i].flag == 1) detail::set_bit(flags->buffers[0], row);
    if (rows[i].flag >= 0) detail::set_bit(flags->buffers[2], row);
    else ++nulls;
  }
  flags->pointers[0] = flags->buffers[2].data();
  flags->pointers[1] = flags->buffers[0].data();
  std::vector<OwnedArray> columns;
  columns.push_back(ids.finish());
  columns.push_back(texts.finish());
  columns.push_back(empty.finish());
  columns.push_back(empty2.finish());
  columns.push_back(detail::make_array(std::move(flags), static_cast<std::int64_t>(n), 2, nulls));
  columns.push_back(numbers.finish());
  columns.push_back(make_column(scores));
  return make_batch(std::move(columns), static_cast<std::int64_t>(n));
}

std::vector<Row> rows_of(const ArrowArray& batch) {
  const Field schema = wide_schema();
  const BatchView view(batch, schema);
  const auto ids = view.strings("id"), texts = view.strings("text");
  const auto numbers = view.lists("numbers");
  const auto* scores = view.values<double>("score", "g");
  const ArrowArray& flags = *batch.children[4];
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < batch.length; ++i) {
    const std::int64_t at = i + batch.offset + flags.offset;
    const bool valid = flags.null_count == 0 || flags.buffers[0] == nullptr || detail::bit(flags.buffers[0], at);
    rows.push_back({std::string(ids[i]), std::string(texts[i]), valid ? detail::bit(flags.buffers[1], at) : -1, {numbers[i].begin(), numbers[i].end()}, scores[i]});
  }
  return rows;
}

std::string write_spool(const std::string& path, const std::vector<Row>& rows, std::size_t batch) {
  SpoolWriter writer(path, wide_schema());
  for (std::size_t i = 0; i < rows.size(); i += batch) writer.append(batch_of(rows, i, std::min(rows.size(), i + batch)).get());
  writer.finish();
  return io::read_file(path);
}

TEST(Spool, GivesBackEveryRowByPosition) {
  const TemporaryFolder folder;
  const auto rows = random_rows(3000, 1);
  write_spool(folder.path("data.spool"), rows, 100);
  SpoolReader reader(folder.path("data.spool"));
  EXPECT_EQ(reader.schema(), wide_schema());
  ASSERT_EQ(reader.rows(), 3000);
  EXPECT_GT(reader.block_count(), 3);
  EXPECT_EQ(rows_of(reader.read(0, 3000).get()), rows);
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t first = static_cast<std::int64_t>(random() % 3000), n = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(3001 - first));
    ASSERT_EQ(rows_of(reader.read(first, n).get()), std::vector<Row>(rows.begin() + first, rows.begin() + first + n)) << first << " + " << n;
  }
  EXPECT_THROW(reader.read(2999, 2), Error);
  EXPECT_THROW(reader.read(-1, 1), Error);
}

TEST(Spool, ItsBytesDoNotDependOnBatches) {
  const TemporaryFolder folder;
  const auto rows = random_rows(2000, 3);
  const std::string expected = write_spool(folder.path("a"), rows, 1);
  EXPECT_EQ(write_spool(folder.path("b"), rows, 7), expected);
  EXPECT_EQ(write_spool(folder.path("c"), rows, 2000), expected);
}

TEST(Spool, AnEmptyStreamIsASpool) {
  const TemporaryFolder folder;
  write_spool(folder.path("a"), {}, 1);
  SpoolReader reader(folder.path("a"));
  EXPECT_EQ(reader.rows(), 0);
  EXPECT_EQ(reader.block_count(), 0);
}

TEST(Spool, NamesDamageInsteadOfReadingIt) {
  const TemporaryFolder folder;
  const std::string good = write_spool(folder.path("good"), random_rows(300, 4), 50);
  const auto read_all = [&](const std::string& bytes) {
    const std::string path = folder.write("damaged", bytes);
    try {
      SpoolReader reader(path);
      reader.read(0, reader.rows());
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(read_all(good), "");
  std::mt19937_64 random(5);
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = good;
    if (i % 3 == 0) bytes.resize(random() % bytes.size());
    else bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    const std::string message = read_all(bytes);
    if (message.empty()) continue;
    ++found;
    EXPECT_NE(message.find("damaged"), std::string::npos) << message;
  }
  EXPECT_GT(found, 280);  // a flipped bit in the schema's names may go unseen here; the artifact's SHA-256 sees it
}

TEST(SpoolDataset, GivesLengthsWithoutReadingTokens) {
  const TemporaryFolder folder;
  const Field schema = fields::tokens();
  SpoolBody body(folder.path(), schema);
  std::vector<std::uint32_t> lengths;
  const flowrun_call call{};
  for (int b = 0; b < 20; ++b) {
    StringBuilder ids, domains;
    std::vector<std::int64_t> bytes;
    ListBuilder tokens;
    for (int i = 0; i < 50; ++i) {
      const std::uint32_t length = static_cast<std::uint32_t>((b * 50 + i) % 97);
      ids.append(std::to_string(b * 50 + i));
      domains.append("d");
      bytes.push_back(length * 4);
      tokens.append(std::vector<std::uint32_t>(length, static_cast<std::uint32_t>(b)));
      lengths.push_back(length);
    }
    std::vector<OwnedArray> columns;
    columns.push_back(ids.finish());
    columns.push_back(domains.finish());
    columns.push_back(make_column(bytes));
    columns.push_back(tokens.finish());
    ASSERT_EQ(body.process(&call, 0, Message::adopt(make_batch(std::move(columns), 50)), {}), FLOWRUN_OK);
  }
  ASSERT_EQ(body.finish(&call, {}), FLOWRUN_OK);
  SpoolDataset dataset(folder.path());
  ASSERT_EQ(dataset.table()->count(dataset.table()->self), 1000);
  OwnedArray index, data;
  ASSERT_EQ(dataset.table()->index(dataset.table()->self, &call, 0, 1000, index.address()), FLOWRUN_OK);
  ASSERT_EQ(dataset.table()->read(dataset.table()->self, &call, 990, 10, data.address()), FLOWRUN_OK);
  const Field columns = index_schema(schema);
  EXPECT_EQ(columns.find("input_ids"), -1);
  const auto* found = BatchView(index.get(), columns).values<std::uint32_t>("length", "I");
  EXPECT_EQ(std::vector<std::uint32_t>(found, found + 1000), lengths);
  EXPECT_EQ(TokensView(data.get(), schema).input_ids[9].size(), lengths[999]);
}

}  // namespace
}  // namespace flowrun::graph
