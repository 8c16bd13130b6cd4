#include "readers/common/window.hpp"

#include <algorithm>
#include <cstring>

namespace flowrun::readers {
namespace {

constexpr std::size_t kFirstCapacity = 256 << 10;

}  // namespace

Window::Window(const Call& call, StoredFile& file) : file_(&file), capacity_(kFirstCapacity), buffer_(new char[kFirstCapacity + kPadding]) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  while (data().size() < kByteOrderMark.size() && extend(call)) {
  }
  if (data().starts_with(kByteOrderMark)) consume(kByteOrderMark.size());
}

bool Window::extend(const Call& call) {
  call.check_stop();
  if (end_ == capacity_) make_room();
  const std::size_t got = file_->read(buffer_.get() + end_, capacity_ - end_);
  end_ += got;
  return got > 0;
}

/// Moves the bytes to the front where that frees at least half, else doubles the buffer: both cost a constant for each byte read.
void Window::make_room() {
  const std::size_t size = end_ - begin_;
  if (size > capacity_ / 2) {
    std::unique_ptr<char[]> larger(new char[2 * capacity_ + kPadding]);
    std::memcpy(larger.get(), buffer_.get() + begin_, size);
    buffer_ = std::move(larger);
    capacity_ *= 2;
  } else {
    std::memmove(buffer_.get(), buffer_.get() + begin_, size);
  }
  begin_ = 0;
  end_ = size;
}

std::size_t Window::line_end(const Call& call, std::size_t from, std::size_t limit) {
  while (true) {
    const std::string_view bytes = data();
    const std::size_t end = std::min(limit, bytes.size());
    if (from < end) {
      if (const void* found = std::memchr(bytes.data() + from, '\n', end - from))
        return static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) + 1;
      from = end;
    }
    if (bytes.size() >= limit) return std::string_view::npos;
    if (!extend(call)) return data().size();
  }
}

}  // namespace flowrun::readers
