#pragma once

// What the throwing test plugins throw, and where.

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/node.hpp>

namespace flowrun::test {

/// Throws what its parameters say once a named call is reached for the n-th time, or at the document of that number.
class Thrower {
 public:
  /// Declares the parameters. `calls` are the places that the plugin reports; the first one is the default.
  static void describe(Descriptor& descriptor, const std::vector<std::string>& calls) {
    descriptor.parameter(string("call").defaults(calls.front().c_str()).choices(calls).about("The call that throws."))
        .parameter(integer("at").defaults(0).min_value(-1).about("The number of the call or document, from 0, at which it throws; -1: always. Not for calls made once."))
        .parameter(string("what").defaults("runtime_error").choices({"runtime_error", "int", "bad_alloc", "error"}).about("What is thrown."))
        .parameter(string("code").defaults("kInternal").choices({"kInvalidArgument", "kNotFound", "kCorruptData", "kIo", "kOutOfMemory", "kUnavailable",
                                                                  "kUnsupported", "kCancelled", "kInternal"}).about("Code of the flowrun::Error of what = \"error\"."));
  }
  explicit Thrower(const Params& params)
      : call_(params.string("call")), what_(params.string("what")), code_(params.string("code")), at_(params.integer("at")) {
    reach("create");
  }

  /// Says that `call`, made once in a node's life, is reached. [any]
  void reach(std::string_view call) const {
    if (call == call_) raise();
  }
  /// Says that `call` is reached for the n-th time, or for document n. [any]
  void reach(std::string_view call, std::int64_t n) const {
    if (call == call_ && (at_ == -1 || at_ == n)) raise();
  }

 private:
  [[noreturn]] void raise() const {
    const std::string message = "thrown by the test in '" + call_ + "'";
    if (what_ == "int") throw 42;
    if (what_ == "bad_alloc") throw std::bad_alloc();
    if (what_ == "runtime_error") throw std::runtime_error(message);
    for (int value = 1; value <= static_cast<int>(Code::kInternal); ++value)
      if (code_ == code_name(static_cast<Code>(value))) throw Error(static_cast<Code>(value), message);
    throw std::logic_error("unknown code " + code_);
  }

  std::string call_, what_, code_;
  std::int64_t at_;
};

}  // namespace flowrun::test
