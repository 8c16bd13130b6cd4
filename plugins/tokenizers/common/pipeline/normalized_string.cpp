#include "normalized_string.hpp"

#include <algorithm>
#include <limits>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

std::uint32_t narrow(std::size_t n) { return static_cast<std::uint32_t>(n); }

std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  for (std::size_t at = 0; at < text.size();) characters.push_back(next_code_point(text, at));
  return characters;
}

}  // namespace

NormalizedString::NormalizedString(std::string_view text) : text_(text) {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max()) throw Error(Code::kUnsupported, "a text of " + std::to_string(text.size()) + " bytes, expected below 4 GiB");
  original_ = {0, narrow(text.size())};
  origins_.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    next_code_point(text, at);
    origins_.insert(origins_.end(), at - begin, Range{narrow(begin), narrow(at)});
  }
}

Range NormalizedString::original_of(Range range) const {
  if (range.begin == range.end) return {original_.begin + range.begin, original_.begin + range.end};
  return {origins_[range.begin].begin, origins_[range.end - 1].end};
}

NormalizedString NormalizedString::slice(Range range) const {
  NormalizedString part;
  part.text_ = text_.substr(range.begin, range.end - range.begin);
  part.origins_.assign(origins_.begin() + range.begin, origins_.begin() + range.end);
  part.original_ = original_of(range);
  return part;
}

/// The whole of the origin as bytes of the text: from the first byte that came from somewhere. Characters that were put before it came from nowhere and
/// stay outside, as they do in the library.
Range NormalizedString::whole_by_origin() const {
  if (original_.begin == original_.end) return {};
  std::uint32_t begin = 0;
  while (begin < origins_.size() && origins_[begin].begin == origins_[begin].end) ++begin;
  const std::uint32_t end = narrow(origins_.size());
  return {std::min(begin, end), end};
}

void NormalizedString::check_growth(std::size_t bytes) const {
  constexpr std::size_t kFree = 1 << 16, kTimes = 128;
  const std::size_t original = original_.end - original_.begin;
  const std::size_t most = std::min<std::size_t>(kFree + kTimes * original, std::numeric_limits<std::uint32_t>::max());
  if (bytes > most)
    throw Error(Code::kUnsupported, "the normalizer or pre-tokenizer makes more than " + std::to_string(most) + " bytes of a text of " + std::to_string(original));
}

void NormalizedString::transform(std::span<const MappedChar> chars, std::size_t removed_first) {
  if (!text_.empty()) transform_range(whole_by_origin(), chars, removed_first);
}

void NormalizedString::transform_range(Range range, std::span<const MappedChar> chars, std::size_t removed_first) {
  std::size_t at = range.begin;  // of the next character that is replaced
  const auto skip = [&](std::size_t count) {
    for (; count > 0 && at < range.end; --count) next_code_point(text_, at);
  };
  skip(removed_first);
  std::string text;
  std::vector<Range> origins;
  for (const MappedChar& c : chars) {
    const bool inserted = c.change > 0;
    Range origin{original_.begin, original_.begin};
    // The library ends here: Replace with an empty pattern leaves a text whose characters have lost their places.
    if (!inserted && at >= origins_.size()) throw Error(Code::kInvalidArgument, "a component maps a character that is not there: is there a Replace with an empty pattern before it?");
    if (!inserted) origin = origins_[at];
    else if (at >= 1) origin = origins_[at - 1];
    if (!inserted) skip(1 + static_cast<std::size_t>(-c.change));
    append_utf8(c.code_point, text);
    origins.resize(text.size(), origin);
  }
  check_growth(text_.size() - (range.end - range.begin) + text.size());
  text_.replace(range.begin, range.end - range.begin, text);
  origins_.erase(origins_.begin() + range.begin, origins_.begin() + range.end);
  origins_.insert(origins_.begin() + range.begin, origins.begin(), origins.end());
}

void NormalizedString::filter(const std::function<bool(char32_t)>& keep) {
  std::vector<MappedChar> chars;
  std::size_t removed_first = 0;
  for (std::size_t at = 0; at < text_.size();) {
    const char32_t c = next_code_point(text_, at);
    if (keep(c)) chars.push_back({c, 0});
    else if (chars.empty()) ++removed_first;
    else --chars.back().change;
  }
  transform(chars, removed_first);
}

void NormalizedString::map(const std::function<char32_t(char32_t)>& function) {
  std::vector<MappedChar> chars;
  for (std::size_t at = 0; at < text_.size();) chars.push_back({function(next_code_point(text_, at)), 0});
  transform(chars);
}

void NormalizedString::prepend(std::string_view prefix) {
  if (text_.empty()) return;
  check_growth(text_.size() + prefix.size());
  std::vector<MappedChar> chars;
  for (const char32_t c : characters_of(prefix)) chars.push_back({c, chars.empty() ? 0 : 1});
  std::size_t end = 0;
  const char32_t first = next_code_point(text_, end);
  chars.push_back({first, 1});
  transform_range({0, narrow(end)}, chars);
}

void NormalizedString::replace(std::span<const PatternPart> parts, std::string_view content) {
  std::string text;
  std::vector<Range> origins;
  for (const PatternPart& part : parts) {
    if (!part.matched) {
      text.append(text_, part.range.begin, part.range.end - part.range.begin);
      origins.insert(origins.end(), origins_.begin() + part.range.begin, origins_.begin() + part.range.end);
      continue;
    }
    // All of it counts as inserted behind what it replaces.
    const Range origin = part.range.end >= 1 ? origins_[part.range.end - 1] : Range{original_.begin, original_.begin};
    check_growth(text.size() + content.size());
    text += content;
    origins.resize(text.size(), origin);
  }
  text_ = std::move(text);
  origins_ = std::move(origins);
}

void NormalizedString::strip(bool left, bool right) {
  const std::u32string characters = characters_of(text_);
  std::size_t leading = 0, trailing = 0;
  while (left && leading < characters.size() && is_white_space(characters[leading])) ++leading;
  while (right && trailing < characters.size() && is_white_space(characters[characters.size() - 1 - trailing])) ++trailing;
  if (leading == 0 && trailing == 0) return;
  std::vector<MappedChar> chars;
  for (std::size_t i = leading; i + trailing < characters.size(); ++i) {
    // The library compares a number of characters with a number of bytes here; offsets are then equal all the same, since what is
    // removed at the end leaves nothing behind it.
    const bool last = i + trailing + 1 == text_.size();
    chars.push_back({characters[i], last ? -static_cast<std::int32_t>(trailing) : 0});
  }
  transform(chars, leading);
}

void NormalizedString::lowercase() {
  std::vector<MappedChar> chars;
  for (std::size_t at = 0; at < text_.size();) {
    bool first = true;
    for (const char32_t c : to_lowercase(next_code_point(text_, at))) chars.push_back({c, std::exchange(first, false) ? 0 : 1});
  }
  transform(chars);
}

namespace {

std::vector<Range> merge_with_previous(std::span<const PatternPart> parts) {
  std::vector<Range> ranges;
  bool previous = false;
  for (const PatternPart& part : parts) {
    if (part.matched && !previous && !ranges.empty()) ranges.back().end = part.range.end;
    else ranges.push_back(part.range);
    previous = part.matched;
  }
  return ranges;
}

std::vector<Range> merge_with_next(std::span<const PatternPart> parts) {
  std::vector<Range> ranges;
  bool previous = false;
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (parts[i].matched && !previous && !ranges.empty()) ranges.back().begin = parts[i].range.begin;
    else ranges.push_back(parts[i].range);
    previous = parts[i].matched;
  }
  std::reverse(ranges.begin(), ranges.end());
  return ranges;
}

std::vector<Range> merge_alike(std::span<const PatternPart> parts) {
  std::vector<Range> ranges;
  bool previous = false;
  for (const PatternPart& part : parts) {
    if (part.matched == previous && !ranges.empty()) ranges.back().end = part.range.end;
    else ranges.push_back(part.range);
    previous = part.matched;
  }
  return ranges;
}

std::vector<Range> ranges_of(std::span<const PatternPart> parts, SplitBehavior behavior) {
  if (behavior == SplitBehavior::kMergedWithPrevious) return merge_with_previous(parts);
  if (behavior == SplitBehavior::kMergedWithNext) return merge_with_next(parts);
  if (behavior == SplitBehavior::kContiguous) return merge_alike(parts);
  std::vector<Range> ranges;
  for (const PatternPart& part : parts)
    if (behavior == SplitBehavior::kIsolated || !part.matched) ranges.push_back(part.range);
  return ranges;
}

}  // namespace

std::vector<NormalizedString> NormalizedString::split(std::span<const PatternPart> parts, SplitBehavior behavior) const {
  std::vector<NormalizedString> pieces;
  for (const Range& range : ranges_of(parts, behavior)) pieces.push_back(slice(range));
  return pieces;
}

std::vector<PatternPart> match_characters(std::string_view text, const std::function<bool(char32_t)>& matches) {
  std::vector<PatternPart> parts;
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (!matches(next_code_point(text, at))) continue;
    if (last != begin) parts.push_back({{narrow(last), narrow(begin)}, false});
    parts.push_back({{narrow(begin), narrow(at)}, true});
    last = at;
  }
  if (last != text.size() || text.empty()) parts.push_back({{narrow(last), narrow(text.size())}, false});
  return parts;
}

void invert(std::vector<PatternPart>& parts) {
  for (PatternPart& part : parts) part.matched = !part.matched;
}

}  // namespace flowrun::tokenizers
