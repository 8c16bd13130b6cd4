#include "windows.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace flowrun::evaluators {
namespace {

std::vector<std::uint32_t> counted(std::uint32_t n) {
  std::vector<std::uint32_t> ids(n);
  std::iota(ids.begin(), ids.end(), 0u);
  return ids;
}

TEST(WindowGroups, CutsDocumentsAndKeepsTheRest) {
  std::vector<WindowGroup> given;
  WindowGroups groups(4, 8, [&](const WindowGroup& group) { given.push_back(group); });
  groups.add(0, "books", counted(10));
  groups.add(1, "books", counted(2));
  ASSERT_EQ(given.size(), 1u);  // two windows of four fill a group
  EXPECT_EQ(given[0].ids, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  groups.finish();
  ASSERT_EQ(given.size(), 2u);
  EXPECT_EQ(given[1].length, 2);
  EXPECT_EQ(given[1].ids, (std::vector<std::int64_t>{8, 9, 0, 1}));
  EXPECT_EQ(given[1].positions, (std::vector<std::int64_t>{2, 1 << 24}));
}

TEST(WindowGroups, DomainsAndLengthsStayApart) {
  std::vector<WindowGroup> given;
  WindowGroups groups(4, 1000, [&](const WindowGroup& group) { given.push_back(group); });
  groups.add(0, "web", counted(5));
  groups.add(1, "books", counted(4));
  groups.finish();
  ASSERT_EQ(given.size(), 3u);
  EXPECT_EQ(given[0].domain, "books");
  EXPECT_EQ(given[1].domain, "web");
  EXPECT_EQ(given[1].length, 1);
  EXPECT_EQ(given[2].length, 4);
}

TEST(WindowGroups, AnEmptyDocumentGivesNothing) {
  WindowGroups groups(4, 8, [](const WindowGroup&) { FAIL(); });
  groups.add(0, "books", {});
  groups.finish();
}

TEST(DocumentStride, TakesAllWithoutLimit) {
  const std::vector<std::uint32_t> lengths = {5, 5, 5};
  EXPECT_EQ(document_stride(lengths, 0), 1);
  EXPECT_EQ(document_stride(lengths, 15), 1);
}

TEST(DocumentStride, NeverGoesOverTheLimitButForTheFirst) {
  const std::vector<std::uint32_t> lengths(100, 10);
  for (const std::int64_t limit : {10, 15, 55, 200, 333, 999}) {
    const std::int64_t stride = document_stride(lengths, limit);
    EXPECT_LE((100 + stride - 1) / stride * 10, limit);
    if (stride == 1) continue;
    EXPECT_GT((100 + stride - 2) / (stride - 1) * 10, limit) << "a smaller stride would do";
  }
  EXPECT_EQ(document_stride(lengths, 5), 100);
  EXPECT_EQ(document_stride({}, 5), 1);
}

}  // namespace
}  // namespace flowrun::evaluators
