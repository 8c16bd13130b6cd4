#include "properties.hpp"

#include <algorithm>
#include <iterator>

namespace flowrun::tokenizers {
namespace {

struct Range {
  char32_t first, last;
};

constexpr Range kChineseBert[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
                                  {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
constexpr Range kRemovedByNmt[] = {{0x01, 0x08}, {0x0B, 0x0B}, {0x0E, 0x1F}, {0x7F, 0x7F}, {0x8F, 0x8F}, {0x9F, 0x9F}};
constexpr Range kSpacesOfNmt[] = {{0x09, 0x0A},     {0x0C, 0x0D},     {0x1680, 0x1680}, {0x200B, 0x200F},
                                  {0x2028, 0x2029}, {0x2581, 0x2581}, {0xFEFF, 0xFEFF}, {0xFFFD, 0xFFFD}};

template <std::size_t N>
bool contains(const Range (&ranges)[N], char32_t code_point) noexcept {
  return std::any_of(std::begin(ranges), std::end(ranges), [=](Range r) { return code_point >= r.first && code_point <= r.last; });
}

}  // namespace

bool is_chinese_bert(char32_t code_point) noexcept { return code_point >= 0x3400 && contains(kChineseBert, code_point); }

bool is_removed_by_nmt(char32_t code_point) noexcept { return contains(kRemovedByNmt, code_point); }

char32_t mapped_by_nmt(char32_t code_point) noexcept { return contains(kSpacesOfNmt, code_point) ? U' ' : code_point; }

}  // namespace flowrun::tokenizers
