#pragma once

#include <flowrun/error.hpp>

namespace flowrun::run {

/// The process's exit codes (docs/cli.md).
enum ExitCode : int {
  kOk = 0,
  kCheckFailed = 1,
  kUsage = 2,
  kDamagedInput = 65,
  kNoInput = 66,
  kUnavailableExit = 69,
  kInternalExit = 70,
  kCannotCreate = 73,
  kIoExit = 74,
  kStoppedByUsr1 = 75,
  kInvalidGraph = 78,
  kLossNotFinite = 80,
  kInterrupted = 130,
  kTerminated = 143,
};

/// Returns the exit code of a run that ends by an error of this code.
inline int exit_code_of(Code code) noexcept {
  switch (code) {
    case Code::kCorruptData: return kDamagedInput;
    case Code::kNotFound: return kNoInput;
    case Code::kUnavailable:
    case Code::kUnsupported: return kUnavailableExit;
    case Code::kIo: return kIoExit;
    default: return kInternalExit;
  }
}

/// Ends a run with an exit code that its error code does not give: 73, 78, 80, ...
class ExitError : public Error {
 public:
  ExitError(int exit_code, Code code, std::string message) : Error(code, std::move(message)), exit_code_(exit_code) {}
  int exit_code() const noexcept { return exit_code_; }

 private:
  int exit_code_;
};

/// Returns the exit code of a command that ends by this error.
inline int exit_code_of(const Error& error) noexcept {
  const auto* with_code = dynamic_cast<const ExitError*>(&error);
  return with_code ? with_code->exit_code() : exit_code_of(error.code());
}

}  // namespace flowrun::run
