#pragma once

// Starts programs as a user does: arguments, environment and folder in; exit code or signal, stdout and stderr out.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <map>
#include <ostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace flowrun::testing {

/// How a process ended.
struct Finished {
  int exit_code = -1;      ///< -1: it did not exit
  int signal = 0;          ///< that killed it
  bool timed_out = false;  ///< it was killed because it took too long
  std::string out, err;
};

inline std::ostream& operator<<(std::ostream& stream, const Finished& finished) {
  if (finished.timed_out) stream << "took too long and was killed";
  else if (finished.signal != 0) stream << "died of signal " << finished.signal;
  else stream << "exit code " << finished.exit_code;
  return stream << "\nstdout:\n" << finished.out << "\nstderr:\n" << finished.err;
}

/// What a program is started with.
struct Command {
  std::vector<std::string> arguments;              ///< the program first, by its path
  std::string folder = "/";                        ///< its current directory
  std::map<std::string, std::string> environment = {};  ///< added to ours
};

/// A running child. Killed by the destructor if nobody waited.
class Process {
 public:
  explicit Process(const Command& command) {
    std::array<int, 2> out = make_pipe(), err = make_pipe();
    // Everything that allocates is done before fork: the tests have threads.
    std::vector<char*> arguments;
    for (const auto& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    std::vector<std::string> variables;
    for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
    std::vector<char*> environment;
    for (auto& variable : variables) environment.push_back(variable.data());
    for (char** own = environ; *own != nullptr; ++own)
      if (const std::string text = *own; !command.environment.contains(text.substr(0, text.find('=')))) environment.push_back(*own);
    environment.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      if (::chdir(command.folder.c_str()) == 0) ::execvpe(arguments[0], arguments.data(), environment.data());
      ::_exit(127);
    }
    ::close(out[1]);
    ::close(err[1]);
    pipes_ = {out[0], err[0]};
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    for (const int pipe : pipes_)
      if (pipe >= 0) ::close(pipe);
  }

  pid_t pid() const noexcept { return pid_; }
  void send(int signal) const { ::kill(pid_, signal); }

  /// Reads all that it prints until it ends; kills it after `seconds`.
  Finished wait(double seconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (pipes_[0] >= 0 || pipes_[1] >= 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
      if (left <= 0 && !finished_.timed_out) {
        finished_.timed_out = true;
        ::kill(pid_, SIGKILL);
      }
      read_some(finished_.timed_out ? 1000 : static_cast<int>(left));
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (WIFEXITED(status)) finished_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) finished_.signal = WTERMSIG(status);
    return std::move(finished_);
  }

 private:
  static std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    return ends;
  }

  void read_some(int timeout_ms) {
    std::array<pollfd, 2> polls{{{pipes_[0], POLLIN, 0}, {pipes_[1], POLLIN, 0}}};  // poll ignores the closed ones: -1
    if (::poll(polls.data(), polls.size(), timeout_ms) <= 0) return;
    for (std::size_t i = 0; i < polls.size(); ++i) {
      if (polls[i].revents == 0) continue;
      std::array<char, 1 << 16> buffer;
      const ssize_t got = ::read(pipes_[i], buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got > 0) {
        (i == 0 ? finished_.out : finished_.err).append(buffer.data(), static_cast<std::size_t>(got));
      } else {
        ::close(pipes_[i]);
        pipes_[i] = -1;
      }
    }
  }

  pid_t pid_ = -1;
  std::array<int, 2> pipes_{-1, -1};
  Finished finished_;
};

/// Runs a program to its end.
inline Finished run(const Command& command, double seconds = 120) { return Process(command).wait(seconds); }

}  // namespace flowrun::testing
