#pragma once

// What a piece of code throws, as a value that a test can compare.

#include <string>
#include <utility>

#include "../error.hpp"

namespace flowrun::testing {

/// Returns code and whole text, contexts included, of the Error that `body` throws; kInternal and "nothing was thrown" where it throws none.
template <class Body>
std::pair<Code, std::string> error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {Code::kInternal, "nothing was thrown"};
}

/// Returns the text of `error_of`.
template <class Body>
std::string message_of(Body&& body) {
  return error_of(std::forward<Body>(body)).second;
}

}  // namespace flowrun::testing
