#include "json_paths.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <utility>

namespace flowrun::readers {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw Error(Code::kInvalidArgument, "path '" + std::string(text) + "' is not understood, expected keys with '.' between them, as in \"outer.inner\" or \"list[].key\"");
}

/// Takes a key off the start of `rest`: to the next '.' or '['.
std::string take_key(std::string_view& rest, std::string_view text) {
  std::string key;
  while (!rest.empty() && rest[0] != '.' && rest[0] != '[') {
    if (rest[0] == '\\') rest.remove_prefix(1);
    if (rest.empty()) refuse(text);
    key += rest[0];
    rest.remove_prefix(1);
  }
  if (key.empty()) refuse(text);
  return key;
}

}  // namespace

std::vector<PathStep> read_path(std::string_view text) {
  std::vector<PathStep> steps;
  std::string_view rest = text;
  while (true) {
    PathStep step{take_key(rest, text), rest.starts_with("[]")};
    if (step.every_item) rest.remove_prefix(2);
    steps.push_back(std::move(step));
    if (rest.empty()) return steps;
    if (rest[0] != '.') refuse(text);
    rest.remove_prefix(1);
  }
}

void WantedKey::add(std::string_view text, std::size_t target) {
  WantedKey* at = this;
  const auto conflict = [&](const WantedKey& other) {
    throw Error(Code::kInvalidArgument, "'" + std::string(text) + "' and '" + other.path + "' cannot both be read: one lies inside the other");
  };
  for (const PathStep& step : read_path(text)) {
    if (!at->targets.empty()) conflict(*at);
    at->below.push_back(target);
    WantedKey* next = at->find(step.key);
    if (next == nullptr) {
      std::string so_far = (at->path.empty() ? "" : at->path + ".") + step.key + (step.every_item ? "[]" : "");
      next = &at->keys.emplace_back();
      next->key = step.key;
      next->every_item = step.every_item;
      next->path = std::move(so_far);
    }
    if (next->every_item != step.every_item) conflict(*next);
    at = next;
  }
  if (!at->keys.empty()) conflict(at->keys[0]);
  at->below.push_back(target);
  at->targets.push_back(target);
}

void WantedKey::note_while_missing(std::string_view name, WantedKey* wanted) {
  if (wanted != nullptr && !wanted->found) {
    wanted->found = true;
    ++found_count_;
  }
  if (names_left_ > 0) {
    --names_left_;
    keep_name(name);
  }
}

void WantedKey::keep_name(std::string_view name) {
  constexpr std::size_t kMostNames = 256;
  if (names.size() < kMostNames && std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

void WantedKey::merge(const WantedKey& other) {
  found = found || other.found;
  for (const std::string& name : other.names) keep_name(name);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i].merge(other.keys[i]);
}

const WantedKey* WantedKey::find(std::string_view name) const noexcept {
  const auto at = std::find_if(keys.begin(), keys.end(), [&](const WantedKey& wanted) { return wanted.key == name; });
  return at == keys.end() ? nullptr : &*at;
}

}  // namespace flowrun::readers
