#include "word_list.hpp"

#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {

void WordList::reserve(std::size_t words, std::size_t bytes) {
  text_.reserve(bytes + words);
  ends_.reserve(words);
  counts_.reserve(words);
}

void WordList::add(std::string_view word, std::uint64_t count) {
  if (word.empty()) return;
  const std::size_t size = text_.size() + word.size() + 1;
  if (size > std::numeric_limits<std::uint32_t>::max())
    throw Error(Code::kUnsupported, "the distinct words have " + std::to_string(size) + " bytes together with an end for each, expected below 4 GiB");
  text_ += word;
  text_ += kWordEnd;
  ends_.push_back(static_cast<std::uint32_t>(size));
  counts_.push_back(count);
}

WordList take_words(WordCounter& counts, const std::string& folder) {
  const std::size_t memory_bytes = counts.options().memory_bytes;
  if (counts.memory_bytes() > memory_bytes / 4) counts.release_memory();
  // Read twice, for a list that grew would be there twice now and then.
  std::size_t words = 0, bytes = 0;
  counts.for_each([&](std::string_view word, std::uint64_t) {
    ++words;
    bytes += word.size();
  });
  WordList list;
  list.reserve(words, bytes);
  counts.for_each([&](std::string_view word, std::uint64_t count) { list.add(word, count); });
  counts = WordCounter({memory_bytes, folder});
  give_back_memory();
  return list;
}

void give_back_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace flowrun::tokenizers
