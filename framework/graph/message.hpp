#pragma once

// Messages and the credits that they hold. A source acquires credits for what it emits; a message derived from another shares its parent's and
// adds its own bytes without waiting; all return in the destructor. Only sources ever wait, and they park instead of blocking a thread.

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <flowrun/message.hpp>

namespace flowrun::graph {

/// The bytes that all messages of a run may hold together. [any thread]
class CreditAccount {
 public:
  explicit CreditAccount(std::int64_t bytes) : total_(bytes), free_(bytes) {}

  /// Takes `bytes` if so many are free, or if nothing is out (an oversize message enters an empty account). Otherwise keeps `wake`, which
  /// the next release that finds room calls once, and returns false. `wake` must not emit by itself, but schedule a task that does.
  bool acquire_or_park(std::int64_t bytes, std::function<void()> wake);
  /// Takes `bytes` without waiting; the account may go below zero.
  void charge(std::int64_t bytes) noexcept { free_.fetch_sub(bytes, std::memory_order_relaxed); }
  void release(std::int64_t bytes) noexcept;
  /// Lets one of those that are parked take its bytes although they are not free, and wakes them all. Returns whether anyone was parked. For a
  /// flow at rest: a node keeps batches, and with them the credits that the sources wait for.
  bool overdraw() noexcept;
  /// Forgets all that are parked: their stage has ended.
  void forget_parked() noexcept;
  std::int64_t outstanding() const noexcept { return total_ - free_.load(std::memory_order_relaxed); }
  std::int64_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t total_;
  std::atomic<std::int64_t> free_;
  std::atomic<std::int64_t> peak_{0};
  std::atomic<int> parked_count_{0};
  std::atomic<bool> overdraft_{false};           // the next acquire need not find room
  std::mutex mutex_;                             // protects parked_
  std::vector<std::function<void()>> parked_;
};

/// An immutable batch with its credits. The array is the first member: a plugin is lent `&array`, and `retain` finds its way back.
///
/// Batch and credits have a count each, in one block of memory: the array is released with the last message, the credits only when the
/// messages derived from it have gone as well.
struct Payload {
  ArrowArray array{};
  std::atomic<std::int64_t> references{1};
  std::atomic<std::int64_t> credit_references{1};  ///< derived payloads, and one for all of `references`
  CreditAccount* account = nullptr;                ///< null: holds no credits
  std::int64_t credit_bytes = 0;
  Payload* parent = nullptr;  ///< whose credits are shared
};

/// Counted reference to a Payload; may be null: an empty batch.
class Message {
 public:
  Message() = default;
  /// Takes over `array`, and with it `bytes` that `account` has given already (null: none). The credits of `parent` stay out as well until the
  /// new message and all that derive from it have gone.
  static Message adopt(OwnedArray array, CreditAccount* account, std::int64_t bytes, const Message& parent) {
    Message message;
    message.payload_ = new Payload;
    array.move_to(&message.payload_->array);
    message.payload_->account = account;
    message.payload_->credit_bytes = bytes;
    if (parent) {
      parent.payload_->credit_references.fetch_add(1, std::memory_order_relaxed);
      message.payload_->parent = parent.payload_;
    }
    return message;
  }
  static Message adopt(OwnedArray array) { return adopt(std::move(array), nullptr, 0, Message()); }
  Message(const Message& other) noexcept : payload_(other.payload_) {
    if (payload_) payload_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Message(Message&& other) noexcept : payload_(std::exchange(other.payload_, nullptr)) {}
  Message& operator=(Message other) noexcept {
    std::swap(payload_, other.payload_);
    return *this;
  }
  ~Message() { drop(payload_); }

  explicit operator bool() const noexcept { return payload_ != nullptr; }
  const ArrowArray& array() const noexcept { return payload_->array; }
  std::int64_t rows() const noexcept { return payload_ ? payload_->array.length : 0; }

  /// The host's side of `flowrun_call.retain`: `out` becomes one more owner of a lent payload.
  static void retain(const ArrowArray* lent, ArrowArray* out) noexcept {
    auto* payload = reinterpret_cast<Payload*>(const_cast<ArrowArray*>(lent));
    payload->references.fetch_add(1, std::memory_order_relaxed);
    *out = *lent;
    out->private_data = payload;
    out->release = release_retained;
  }
  /// Returns whether an array is a retained one, which takes no memory of its own.
  static bool is_retained(const ArrowArray& array) noexcept { return array.release == release_retained; }

  /// Returns rows [first, first + n) of this message, sharing its buffers and credits.
  Message slice(std::int64_t first, std::int64_t n) const {
    ArrowArray part;
    retain(&payload_->array, &part);
    part.offset += first;
    part.length = n;
    part.null_count = 0;
    return adopt(OwnedArray(std::move(part)));  // it owns this payload, and so its credits
  }

 private:
  static void release_retained(ArrowArray* array) {
    drop(static_cast<Payload*>(array->private_data));
    array->release = nullptr;
  }
  static void drop(Payload* payload) noexcept {
    if (!payload || payload->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (payload->array.release) payload->array.release(&payload->array);
    while (payload && payload->credit_references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Payload* const parent = payload->parent;
      if (payload->credit_bytes != 0) payload->account->release(payload->credit_bytes);
      delete payload;
      payload = parent;
    }
  }

  Payload* payload_ = nullptr;
};

/// What flows through oneTBB. Sequence numbers of one stream are dense from 0; the end carries the number after the last batch.
struct Envelope {
  std::uint64_t sequence = 0;
  std::uint32_t input = 0;  ///< which of the consumer's streams
  bool end = false;
  Message message;
};

/// Returns the memory that an array's buffers take, from its schema and lengths.
std::int64_t array_bytes(const ArrowArray& array, const Field& schema) noexcept;

}  // namespace flowrun::graph
