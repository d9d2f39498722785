// Result<T>: a value, or the Error that kept it from being.
//
// Errors are for peers, data and the world being wrong. They carry one clear
// sentence for a person; who may act on the kind of failure gets an exit code.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace gatebook::base {

// Exit codes of the commands (sysexits.h where it has a name for them).
enum class ExitCode : int {
  kOk = 0,
  kNegative = 1,       // nothing matched, errors found
  kUsage = 2,
  kUnavailable = 69,   // a needed service is unreachable
  kCannotCreate = 73,
  kInputOutput = 74,
  kConfig = 78,
};

struct Error {
  std::string message;
  ExitCode exit_code = ExitCode::kNegative;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Requires: ok().
  T& value() & {
    CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Requires: !ok().
  const Error& error() const {
    CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace gatebook::base
