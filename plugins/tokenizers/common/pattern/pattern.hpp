#pragma once

// Regular expressions as tokenizer.json files have them, in the syntax and with the results of Oniguruma 6.9 (ONIG_SYNTAX_ONIGURUMA, Unicode 16),
// which Hugging Face tokenizers uses. Compared with tokenizers 0.23.3; see make_pattern_goldens.py.
//
// A backtracking matcher that remembers what it has tried: where it gets from an instruction at a position depends on nothing else, so nothing
// is tried twice, and the time is linear in the text for every pattern. Back-references would break that, and are refused with everything
// else that is not here: calls of groups, conditionals, absent operators, callouts, \G, \K, \N, \O, \X, \y, atomic groups in look-behinds, and a few
// places where Oniguruma 6.9 itself is at odds with its documentation.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace flowrun::tokenizers {

struct Program;

/// A compiled regular expression; immutable, for any number of threads, each with its own Scratch.
class Pattern {
 public:
  /// A match, from byte `begin` to before byte `end` of the text; it may be empty.
  struct Match {
    std::size_t begin, end;
    bool operator==(const Match&) const = default;
  };
  class Scratch;
  class Matches;

  /// Compiles `expression`, which is UTF-8. Throws `Error`: kUnsupported for what Oniguruma may take and this engine does not, kInvalidArgument for what
  /// Oniguruma refuses too; the message names the construct and its byte offset.
  static Pattern compile(std::string_view expression);

  /// Returns the first match that begins at byte `from` or later. Look-behinds and anchors see all of `text`, which is UTF-8 and below 2^40 bytes.
  ///
  /// Time is linear in what is read of the text. To walk over a text use `Matches`, whose time is linear for all matches together. Throws kUnsupported where
  /// the pattern must remember more than a million places and eight for each byte of the text, as patterns with large repeat counts may.
  std::optional<Match> find(std::string_view text, std::size_t from, Scratch& scratch) const;

 private:
  explicit Pattern(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

/// What a thread needs to match: its memory is kept for the next text. It may serve any number of patterns, one after another.
class Pattern::Scratch {
 public:
  /// States when a search begins to remember what it has tried: by default, when it has taken more steps than real text needs.
  enum class Memory { kWhenNeeded, kAlways };
  explicit Scratch(Memory memory = Memory::kWhenNeeded) : memory_(memory) {}

  /// Returns how many instructions and characters have been tried since it was made.
  std::uint64_t steps() const noexcept { return steps_; }

 private:
  friend class Matcher;
  friend class Pattern;
  friend class Matches;

  // Where a run goes on if it fails: at `place` and `position`, and then at each character before that down to `lowest`.
  struct Resumption {
    std::uint32_t place;
    std::size_t position, lowest;
    std::size_t trail_size;
  };

  // A hash map from (place, position) to where a run from there ends.
  class Memo {
   public:
    static constexpr std::uint64_t kFails = 0;  // any other value is the end plus one
    // Published patterns need none, others a few for each byte of a long match; only large repeat counts need more.
    static constexpr std::size_t kUsedMax = 1 << 20, kUsedMaxPerByte = 8;
    void clear() noexcept;
    /// Forgets positions before `floor` when it needs room.
    void set_floor(std::size_t floor) noexcept { floor_ = floor; }
    /// States the text that is searched: what is remembered may take memory as it does, and no more.
    void set_text_bytes(std::size_t bytes) noexcept { used_max_ = kUsedMax + kUsedMaxPerByte * bytes; }
    /// Returns the value of `key`, or null if there was none; then it is there now, as kFails.
    const std::uint64_t* find_or_insert(std::uint64_t key);
    void assign(std::uint64_t key, std::uint64_t value) noexcept;

   private:
    struct Slot {
      std::uint64_t key = 0, value = 0;
    };
    Slot& slot_of(std::uint64_t key) noexcept;
    void make_room();

    std::vector<Slot> slots_;
    std::size_t used_ = 0, floor_ = 0;
    std::size_t used_max_ = kUsedMax;
  };

  void begin_text(std::size_t bytes) noexcept;
  void allow(std::uint64_t steps) noexcept;

  Memory memory_;
  std::vector<Resumption> resumptions_;
  std::vector<std::uint64_t> trail_;  // keys of the memo on the way from where each run began to where it is
  Memo memo_;
  std::uint64_t steps_ = 0;
  std::uint64_t free_steps_end_ = 0;  // up to this count nothing is remembered, which is faster
};

/// The matches of a pattern in a text, from left to right, as the `find_iter` of the onig crate gives them: they do not overlap, and there is no
/// empty match where the last match ended. All three arguments must outlive it, and only one of them may use the scratch at a time.
class Pattern::Matches {
 public:
  Matches(const Pattern& pattern, std::string_view text, Scratch& scratch) noexcept;
  /// Returns the next match, or nothing at the end. Throws as `find`.
  std::optional<Match> next();

 private:
  const Program& program_;
  std::string_view text_;
  Scratch& scratch_;
  std::size_t from_ = 0;
  std::size_t last_end_;
};

}  // namespace flowrun::tokenizers
