#include "common/text/english/tables.hpp"

namespace flowrun::text::english {
namespace {
#include "common/text/english/tables.inc"
}  // namespace

std::span<const ClassRange> class_ranges() noexcept { return kClassRanges; }
std::span<const std::string_view> units() noexcept { return kAfterDigit; }
std::size_t longest_unit() noexcept { return kLongestUnit; }
std::span<const std::array<std::string_view, 3>> exception_table() noexcept { return kExceptions; }

}  // namespace flowrun::text::english
