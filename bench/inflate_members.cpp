// How fast libdeflate alone decodes a file of gzip members from memory: the bound of reading WARC.gz.
//
//     inflate_members FILE.gz      prints the bytes of text and the CPU seconds

#include <libdeflate.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace {

/// Decodes all members, and returns the size of their text; -1 where the file is damaged.
std::int64_t inflate_all(const std::string& data, libdeflate_decompressor& decompressor, std::vector<char>& text) {
  std::int64_t total = 0;
  for (std::size_t at = 0; at < data.size();) {
    std::size_t used = 0, written = 0;
    const libdeflate_result result = libdeflate_gzip_decompress_ex(&decompressor, data.data() + at, data.size() - at, text.data(), text.size(), &used, &written);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) text.resize(2 * text.size());
    else if (result != LIBDEFLATE_SUCCESS) return -1;
    else at += used, total += static_cast<std::int64_t>(written);
  }
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: inflate_members FILE.gz\n", stderr), 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string data((std::istreambuf_iterator<char>(file)), {});
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::vector<char> text(1 << 20);
  if (!decompressor || inflate_all(data, *decompressor, text) < 0) return std::fprintf(stderr, "inflate_members: %s is no file of gzip members\n", argv[1]), 1;
  const std::clock_t before = std::clock();
  const std::int64_t bytes = inflate_all(data, *decompressor, text);
  std::printf("%lld %.4f\n", static_cast<long long>(bytes), static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
  return 0;
}
