#pragma once

// Documents made of nothing: what document `n` says depends on `n` and the parameters alone, so tests know every byte in advance.

#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include <flowrun/node.hpp>
#include <flowrun/philox.hpp>

namespace flowrun::test {

/// Returns the number at the end of an id, -1 if there is none: 12 for "n-12" and for "a.txt#12".
inline std::int64_t trailing_number(std::string_view id) {
  const std::size_t start = id.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
  std::int64_t number = -1;
  std::from_chars(id.data() + start, id.data() + id.size(), number);
  return number;
}

/// What the numbered documents look like.
struct Numbers {
  std::int64_t units, documents, text_bytes, copies_every;
  std::string prefix, domain;

  static void describe(Descriptor& descriptor) {
    descriptor.output(Port("out", "documents").domain_from("domain"))
        .parameter(integer("units").defaults(4).range(0, 1e6).about("Units that the host reads independently."))
        .parameter(integer("documents").defaults(100).range(0, 1e9).unit("documents").about("Documents in each unit."))
        .parameter(integer("text_bytes").defaults(64).range(0, 1e9).unit("bytes").about("Length of each text, at least that of its first line."))
        .parameter(integer("copies_every").defaults(0).range(0, 1e9).unit("documents").about("Every so many, a document repeats the text of number 0; 0: never."))
        .parameter(string("id_prefix").defaults("n").about("What an id begins with."))
        .parameter(string("domain").defaults("numbers").about("Domain of every document."));
  }
  explicit Numbers(const Params& params)
      : units(params.integer("units")), documents(params.integer("documents")), text_bytes(params.integer("text_bytes")),
        copies_every(params.integer("copies_every")), prefix(params.string("id_prefix")), domain(params.string("domain")) {}

  std::string id(std::int64_t n) const { return prefix + "-" + std::to_string(n); }
  std::string text(std::int64_t n) const {
    static constexpr const char* kWords[] = {"ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibex", "jay", "kiwi", "lynx", "mole", "newt", "owl", "pig"};
    if (copies_every > 0 && n % copies_every == 0) n = 0;
    std::string text = "number " + std::to_string(n) + " of " + prefix + ".\n";
    for (std::uint64_t word = 0; static_cast<std::int64_t>(text.size()) < text_bytes; ++word)
      (text += kWords[philox_u64(0, static_cast<std::uint64_t>(n), word) & 15]) += ' ';
    if (static_cast<std::int64_t>(text.size()) > text_bytes && text_bytes > 40) text.resize(static_cast<std::size_t>(text_bytes));
    return text;
  }
};

/// Reads one unit of them.
class NumbersCursor : public Cursor {
 public:
  NumbersCursor(const Numbers& numbers, std::int64_t unit, std::int64_t batch_bytes, std::int64_t batch_documents)
      : numbers_(numbers), next_(unit * numbers.documents), end_(next_ + numbers.documents), batch_(batch_bytes, batch_documents) {}
  bool next(const Call& call, OwnedArray& out) override {
    call.check_stop();
    while (next_ < end_ && !batch_.full()) {
      const std::string text = numbers_.text(next_);
      if (batch_.must_end_before(static_cast<std::int64_t>(text.size()))) break;
      batch_.append(numbers_.id(next_), text, numbers_.domain, "test");
      ++next_;
    }
    out = batch_.finish();
    return next_ == end_;
  }

 private:
  const Numbers& numbers_;
  std::int64_t next_, end_;
  DocumentsBuilder batch_;
};

}  // namespace flowrun::test
