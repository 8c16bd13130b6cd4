#include <flowrun/dataset.hpp>

#include <flowrun/testing/dataset.hpp>
#include <flowrun/testing/host.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowrun {
namespace {

using testing::MemoryDataset;
using testing::TokenRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<TokenRow> rows_named(const std::string& prefix, int count) {
  std::vector<TokenRow> rows;
  for (int i = 0; i < count; ++i) rows.push_back({prefix + std::to_string(i), prefix, i, std::vector<std::uint32_t>(static_cast<std::size_t>(i), 9)});
  return rows;
}

class ConcatenatedDatasetTest : public ::testing::Test {
 protected:
  std::vector<std::string> ids(const OwnedArray& batch, const Field& schema) {
    std::vector<std::string> out;
    const auto column = BatchView(batch.get(), schema).strings("id");
    for (std::int64_t i = 0; i < batch.get().length; ++i) out.emplace_back(column[i]);
    return out;
  }

  testing::Journal journal_;
  testing::LeaseBook book_{journal_};
  testing::HostCall host_{journal_, book_};
  Call call_{host_.table()};
  MemoryDataset a_{rows_named("a", 3)}, empty_{{}}, b_{rows_named("b", 4)};
};

TEST_F(ConcatenatedDatasetTest, ReadsAcrossBorders) {
  const std::vector<Dataset> parts{Dataset(a_.table()), Dataset(empty_.table()), Dataset(b_.table())};
  const ConcatenatedDataset all(parts);
  EXPECT_EQ(all.count(), 7);
  EXPECT_THAT(ids(all.read(call_, 1, 4), all.schema()), ElementsAre("a1", "a2", "b0", "b1"));
  EXPECT_THAT(ids(all.index(call_, 5, 2), all.index_schema()), ElementsAre("b2", "b3"));
  EXPECT_THAT(ids(all.read(call_, 7, 0), all.schema()), ElementsAre());
  EXPECT_THROW(all.read(call_, 5, 3), Error);
}

TEST_F(ConcatenatedDatasetTest, ReadsAnyRowsAndAsksForNeighboursTogether) {
  const std::vector<Dataset> parts{Dataset(a_.table()), Dataset(b_.table())};
  const ConcatenatedDataset all(parts);
  EXPECT_THAT(ids(all.read(call_, std::vector<std::int64_t>{4, 0, 5, 4, 2}), all.schema()), ElementsAre("b1", "a0", "b2", "b1", "a2"));
  EXPECT_EQ(a_.read_calls(), 2);  // rows 0 and 2
  EXPECT_EQ(b_.read_calls(), 1);  // rows 1 and 2 at once
}

TEST_F(ConcatenatedDatasetTest, LetsOnlyTheLastBeEndless) {
  MemoryDataset endless(rows_named("e", 2), true);
  const std::vector<Dataset> good{Dataset(a_.table()), Dataset(endless.table())}, bad{Dataset(endless.table()), Dataset(a_.table())};
  const ConcatenatedDataset all(good);
  EXPECT_EQ(all.count(), -1);
  EXPECT_THAT(ids(all.read(call_, 2, 4), all.schema()), ElementsAre("a2", "e0", "e1", "e0"));
  try {
    ConcatenatedDataset refused(bad);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("without end is followed by another"));
  }
}

TEST_F(ConcatenatedDatasetTest, LeavesTheHostsExplanationAlone) {
  const Dataset data(a_.table());
  const flowrun_status status = guarded(host_.table(), [&] { data.read(call_, 2, 5); });
  try {
    host_.check(status, "read");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "rows 2 to 7 of a dataset of 3");
  }
  EXPECT_TRUE(journal_.violations.empty()) << "fail was called more than once";
}

}  // namespace
}  // namespace flowrun
