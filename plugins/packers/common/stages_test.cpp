#include "packers/common/stages.hpp"

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <vector>

namespace flowrun::packers {
namespace {

TEST(Sections, AreFoundByTheirPlaces) {
  const std::vector<Section> sections{{0, 4, 0, 0}, {1, 8, 40, 2}, {2, 8, 41, 2}, {3, 4, 90, 5}};  // the second one fills no place
  const std::vector<std::size_t> expected{0, 0, 2, 2, 2, 3, 3};
  for (std::size_t place = 0; place < expected.size(); ++place) EXPECT_EQ(section_of(sections, static_cast<std::int64_t>(place)), expected[place]) << place;
}

TEST(Sections, SurviveSaveAndLoad) {
  const testing::TemporaryFolder folder;
  const std::vector<Section> sections{{0, 4, 0, 0}, {4'000'000'000u, std::int64_t{1} << 24, std::int64_t{1} << 60, 7}};
  save_sections(folder.path("stages"), "packers/test", sections);
  EXPECT_EQ(load_sections(folder.path("stages"), "packers/test"), sections);
  EXPECT_EQ(testing::error_of([&] { load_sections(folder.path("stages"), "packers/other"); }).first, Code::kCorruptData);
}

}  // namespace
}  // namespace flowrun::packers
