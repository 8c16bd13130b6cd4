#include "pattern.hpp"

#include <algorithm>
#include <string>

#include <flowrun/error.hpp>

#include "code_points.hpp"
#include "program.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::size_t kNowhere = ~std::size_t{0};
constexpr unsigned kPositionBits = 40;
constexpr std::uint64_t kPositionMask = (std::uint64_t{1} << kPositionBits) - 1;

// What a text may cost before anything is remembered: some steps, and some for each byte that matches have moved on. With the patterns of published
// tokenizers prose takes 6 steps a byte and tables of numbers 15, so neither pays for a memory. Linear time follows for any constants.
constexpr std::uint64_t kFreeSteps = 1024;
constexpr std::uint64_t kFreeStepsPerByte = 32;

// Place 0 is the end, which is never remembered, so that no key is 0.
std::uint64_t key_of(std::uint32_t place, std::size_t position) { return std::uint64_t{place} << kPositionBits | position; }

}  // namespace

void Pattern::Scratch::Memo::clear() noexcept {
  if (used_ != 0) std::fill(slots_.begin(), slots_.end(), Slot{});
  // A text that needed much leaves no more behind than a small one needs.
  if (slots_.size() > 4096) slots_.clear();
  used_ = 0;
}

Pattern::Scratch::Memo::Slot& Pattern::Scratch::Memo::slot_of(std::uint64_t key) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = (key * 0x9E3779B97F4A7C15u) >> 20 & mask;
  while (slots_[i].key != 0 && slots_[i].key != key) i = (i + 1) & mask;
  return slots_[i];
}

const std::uint64_t* Pattern::Scratch::Memo::find_or_insert(std::uint64_t key) {
  if (used_ * 2 >= slots_.size()) make_room();
  Slot& slot = slot_of(key);
  if (slot.key == key) return &slot.value;
  slot = {key, kFails};
  ++used_;
  return nullptr;
}

void Pattern::Scratch::Memo::assign(std::uint64_t key, std::uint64_t value) noexcept {
  Slot& slot = slot_of(key);
  // One that is no longer there lay before the floor.
  if (slot.key == key) slot.value = value;
}

void Pattern::Scratch::Memo::make_room() {
  const auto live = [this](const Slot& slot) { return slot.key != 0 && (slot.key & kPositionMask) >= floor_; };
  used_ = static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), live));
  if (used_ > used_max_)
    throw Error(Code::kUnsupported, "a pattern must remember more than " + std::to_string(used_max_) + " ways to match the text: its repeat counts are too large");
  std::vector<Slot> old = std::move(slots_);
  std::size_t size = 1024;
  while (size < used_ * 4) size *= 2;
  slots_.assign(size, Slot{});
  for (const Slot& slot : old)
    if (live(slot)) slot_of(slot.key) = slot;
}

void Pattern::Scratch::begin_text(std::size_t bytes) noexcept {
  memo_.clear();
  memo_.set_text_bytes(bytes);
  memo_.set_floor(0);
  resumptions_.clear();  // a search that threw leaves its own behind
  trail_.clear();
  free_steps_end_ = 0;
  allow(steps_ + kFreeSteps);
}

void Pattern::Scratch::allow(std::uint64_t steps) noexcept {
  if (memory_ == Memory::kWhenNeeded) free_steps_end_ += steps;
}

/// One search: a program, a text and the scratch.
class Matcher {
 public:
  Matcher(const Program& program, std::string_view text, Pattern::Scratch& scratch)
      : program_(program), begin_(reinterpret_cast<const unsigned char*>(text.data())), size_(text.size()), scratch_(scratch) {}

  std::optional<Pattern::Match> search(std::size_t from) {
    scratch_.memo_.set_floor(from > program_.look_behind_bytes ? from - program_.look_behind_bytes : 0);
    for (std::size_t begin = from; begin <= size_;) {
      ++scratch_.steps_;
      if (begin == size_ ? program_.first_bytes.all() : program_.first_bytes.test(begin_[begin])) {
        const std::size_t end = run(program_.start, begin);
        if (end != kNowhere) return Pattern::Match{begin, end};
      }
      begin += begin < size_ ? decode_at(begin_ + begin, begin_ + size_).bytes : 1;
    }
    return std::nullopt;
  }

 private:
  using Op = Instruction::Op;

  // Returns where the run from `place` at `position` ends, in the order of preference, or kNowhere. Runs within runs are as deep as atomic groups
  // and look-arounds are nested.
  std::size_t run(std::uint32_t place, std::size_t position) {
    const std::size_t bottom = scratch_.resumptions_.size(), trail_bottom = scratch_.trail_.size();
    std::size_t end = kNowhere;
    while (true) {
      if (advance(place, position, end)) break;
      if (scratch_.resumptions_.size() == bottom) break;
      resume(place, position);
    }
    // What lies on the way to the end leads there again.
    if (end != kNowhere)
      for (std::size_t i = trail_bottom; i < scratch_.trail_.size(); ++i) scratch_.memo_.assign(scratch_.trail_[i], end + 1);
    scratch_.trail_.resize(trail_bottom);
    scratch_.resumptions_.resize(bottom);
    return end;
  }

  void resume(std::uint32_t& place, std::size_t& position) {
    Pattern::Scratch::Resumption& top = scratch_.resumptions_.back();
    if (top.position != top.lowest) top.position -= decode_before(begin_, begin_ + top.position).bytes;
    place = top.place;
    position = top.position;
    scratch_.trail_.resize(top.trail_size);
    if (top.position == top.lowest) scratch_.resumptions_.pop_back();
  }

  // Goes on until the run ends (true, and sets `end`) or fails.
  bool advance(std::uint32_t place, std::size_t position, std::size_t& end) {
    for (;;) {
      const Instruction& instruction = program_.code[place];
      ++scratch_.steps_;
      switch (instruction.op) {
        case Op::kSet:
          if (!take(instruction.operand, position)) return false;
          place = instruction.next;
          break;
        case Op::kSetBefore:
          if (!take_before(instruction.operand, position)) return false;
          place = instruction.next;
          break;
        case Op::kSplit:
          if (scratch_.steps_ < scratch_.free_steps_end_) {
            if (skip_run(place, position)) {
              place = instruction.other;
              break;
            }
          } else if (const std::uint64_t* const known = remembered(place, position)) {
            if (*known == Pattern::Scratch::Memo::kFails) return false;
            end = *known - 1;
            return true;
          }
          scratch_.resumptions_.push_back({instruction.other, position, position, scratch_.trail_.size()});
          place = instruction.next;
          break;
        case Op::kAnchor:
          if (!holds(static_cast<Anchor>(instruction.operand), position)) return false;
          place = instruction.next;
          break;
        case Op::kAtomic: {
          const std::size_t body_end = run(instruction.body, position);
          if (body_end == kNowhere) return false;
          place = body_end == position ? instruction.next : instruction.other;
          position = body_end;
          break;
        }
        case Op::kLookAround:
          if ((run(instruction.body, position) == kNowhere) != (instruction.operand == 1)) return false;
          place = instruction.next;
          break;
        case Op::kEnd:
          end = position;
          return true;
      }
    }
  }

  const std::uint64_t* remembered(std::uint32_t place, std::size_t position) {
    const std::uint64_t key = key_of(place, position);
    const std::uint64_t* const known = scratch_.memo_.find_or_insert(key);
    if (known == nullptr) scratch_.trail_.push_back(key);
    return known;
  }

  bool take(std::uint32_t set, std::size_t& position) const {
    if (position == size_) return false;
    const Character character = decode_at(begin_ + position, begin_ + size_);
    if (!program_.sets[set].contains(character.code_point)) return false;
    position += character.bytes;
    return true;
  }

  bool take_before(std::uint32_t set, std::size_t& position) const {
    if (position == 0) return false;
    const Character character = decode_before(begin_, begin_ + position);
    if (!program_.sets[set].contains(character.code_point)) return false;
    position -= character.bytes;
    return true;
  }

  // A loop over one set, which most loops are: takes all that it can at once, and leaves one resumption for all the places to stop before.
  bool skip_run(std::uint32_t place, std::size_t& position) {
    const Instruction& split = program_.code[place];
    const Instruction& body = program_.code[split.next];
    if (body.op != Op::kSet || body.next != place) return false;
    const std::size_t lowest = position;
    while (take(body.operand, position)) ++scratch_.steps_;
    if (position != lowest) scratch_.resumptions_.push_back({split.other, position, lowest, scratch_.trail_.size()});
    return true;
  }

  bool holds(Anchor anchor, std::size_t position) const {
    const bool at_end = position == size_;
    switch (anchor) {
      case Anchor::kTextBegin: return position == 0;
      case Anchor::kTextEnd: return at_end;
      case Anchor::kTextEndOrLastNewline: return at_end || (position + 1 == size_ && begin_[position] == '\n');
      // There is no line behind a newline that ends the text.
      case Anchor::kLineBegin: return position == 0 || (!at_end && begin_[position - 1] == '\n');
      case Anchor::kLineEnd: return at_end || begin_[position] == '\n';
      case Anchor::kWordBoundary: return is_word_boundary(position);
      case Anchor::kNoWordBoundary: return !is_word_boundary(position);
    }
    return false;
  }

  bool is_word_boundary(std::size_t position) const {
    const bool before = position != 0 && word_set().contains(decode_before(begin_, begin_ + position).code_point);
    const bool after = position != size_ && word_set().contains(decode_at(begin_ + position, begin_ + size_).code_point);
    return before != after;
  }

  const Program& program_;
  const unsigned char* const begin_;
  const std::size_t size_;
  Pattern::Scratch& scratch_;
};

Pattern Pattern::compile(std::string_view expression) { return Pattern(std::make_shared<const Program>(compile_program(expression))); }

std::optional<Pattern::Match> Pattern::find(std::string_view text, std::size_t from, Scratch& scratch) const {
  scratch.begin_text(text.size());
  return Matcher(*program_, text, scratch).search(from);
}

Pattern::Matches::Matches(const Pattern& pattern, std::string_view text, Scratch& scratch) noexcept
    : program_(*pattern.program_), text_(text), scratch_(scratch), last_end_(kNowhere) {
  scratch_.begin_text(text.size());
}

std::optional<Pattern::Match> Pattern::Matches::next() {
  Matcher matcher(program_, text_, scratch_);
  while (from_ <= text_.size()) {
    const std::optional<Match> match = matcher.search(from_);
    if (!match) break;
    scratch_.allow(kFreeStepsPerByte * (match->end - from_));
    if (match->end != match->begin || match->end != last_end_) {
      from_ = last_end_ = match->end;
      return match;
    }
    // An empty match where the last one ended: the search goes on one character later.
    const auto* const base = reinterpret_cast<const unsigned char*>(text_.data());
    from_ += from_ < text_.size() ? decode_at(base + from_, base + text_.size()).bytes : 1;
  }
  from_ = text_.size() + 1;
  return std::nullopt;
}

}  // namespace flowrun::tokenizers
