#include "filters/common/word_finder.hpp"

#include <flowrun/error.hpp>

namespace flowrun::filters {

WordFinder::WordFinder(const std::vector<std::string>& words) {
  std::size_t states = 1;
  for (const std::string& word : words) {
    states += word.size();
    for (const char byte : word)
      if (std::uint16_t& number = class_of_[static_cast<unsigned char>(byte)]; number == 0) number = static_cast<std::uint16_t>(classes_++);
  }
  if (states > kMaxTableBytes / (classes_ * sizeof(std::uint32_t)))
    throw Error(Code::kUnsupported, "the list's " + std::to_string(words.size()) + " words of " + std::to_string(states - 1) + " bytes would take more than " + std::to_string(kMaxTableBytes >> 20) +
                                        " MiB: a shorter list is needed");
  next_.assign(classes_, 0);
  words_at_.assign(1, kNone);
  for (std::size_t i = 0; i < words.size(); ++i) add_word(words[i], static_cast<std::uint32_t>(i));
  link_states();
}

void WordFinder::add_word(std::string_view word, std::uint32_t number) {
  std::size_t state = 0;
  for (const char byte : word) {
    const std::size_t edge = state * classes_ + class_of_[static_cast<unsigned char>(byte)];
    if (next_[edge] == 0) {
      next_[edge] = static_cast<std::uint32_t>(words_at_.size());
      words_at_.push_back(kNone);
      next_.resize(next_.size() + classes_, 0);
    }
    state = next_[edge];
  }
  if (state != 0) words_at_[state] = number;
}

/// Gives every state the edges that it has not from its longest proper suffix that is a state, shorter states first.
void WordFinder::link_states() {
  std::vector<std::uint32_t> suffix(words_at_.size(), 0), queue{0};
  shorter_.assign(words_at_.size(), 0);
  queue.reserve(words_at_.size());
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const std::uint32_t state = queue[at];
    for (std::size_t c = 1; c < classes_; ++c) {
      std::uint32_t& target = next_[state * classes_ + c];
      const std::uint32_t of_suffix = state == 0 ? 0 : next_[suffix[state] * classes_ + c];
      if (target == 0) {
        target = of_suffix;
        continue;
      }
      suffix[target] = of_suffix;
      shorter_[target] = words_at_[of_suffix] != kNone ? of_suffix : shorter_[of_suffix];
      queue.push_back(target);
    }
  }
}

}  // namespace flowrun::filters
