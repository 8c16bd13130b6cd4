// Teaches libFuzzer JSON: most changes of bytes make no JSON at all, so half of the time a value of the tree is replaced, removed, doubled or exchanged.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Json = nlohmann::json;

/// Returns a value somewhere in the tree; its parent too where it has one.
std::pair<Json*, Json*> somewhere(Json& root, std::minstd_rand& random) {
  Json *at = &root, *parent = nullptr;
  while (at->is_structured() && !at->empty() && random() % 6 != 0) {
    parent = at;
    at = &*std::next(at->begin(), static_cast<long>(random() % at->size()));
  }
  return {at, parent};
}

/// A string changed by libFuzzer, which knows what the code compares strings with.
std::string changed(std::string text) {
  constexpr std::size_t kSizeMax = 64;
  const std::size_t size = std::min(text.size(), kSizeMax);
  text.resize(kSizeMax);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, kSizeMax));
  return text;
}

Json replacement(const Json& old, std::minstd_rand& random) {
  if (old.is_string() && random() % 2 == 0) return changed(old.get<std::string>());
  if (old.is_number() && random() % 2 == 0) return old.get<double>() + static_cast<double>(random() % 5) - 2;
  const Json values[] = {nullptr, true, false, -1, 0, 1, 255, 16777216, 2147483647, 2147483648u, 4294967295u, 1e300, "", "a", " ", std::string(300, 'a'), Json::array(), Json::object()};
  return values[random() % std::size(values)];
}

void mutate(Json& root, std::minstd_rand& random) {
  const auto [at, parent] = somewhere(root, random);
  switch (random() % 5) {
    case 0: *at = replacement(*at, random); break;
    case 1: *at = Json(*somewhere(root, random).first); break;
    case 2:
      if (at->is_array() && !at->empty()) at->push_back(Json((*at)[random() % at->size()]));
      else if (at->is_object()) (*at)[changed("type")] = replacement(Json(), random);
      break;
    case 3:
      if (at->is_structured() && !at->empty()) at->erase(std::next(at->begin(), static_cast<long>(random() % at->size())));
      break;
    default:
      if (parent != nullptr) std::swap(*at, *std::next(parent->begin(), static_cast<long>(random() % parent->size())));
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 2 == 0) {
    Json root = Json::parse(data, data + size, nullptr, false);
    if (!root.is_discarded()) {
      mutate(root, random);
      const std::string text = root.dump(-1, ' ', false, Json::error_handler_t::replace);
      if (text.size() <= max_size) {
        std::memcpy(data, text.data(), text.size());
        return text.size();
      }
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
