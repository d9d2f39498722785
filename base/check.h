// CHECK: our own bugs end the process.
//
// A failed CHECK is a fault of this program, never of a peer, of data or of the
// world; those are Error values (base/result.h). Prints the place and aborts.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace gatebook::base {

[[noreturn]] inline void CheckFailed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "gatebook: bug: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace gatebook::base

#define CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::gatebook::base::CheckFailed(#expression, __FILE__, __LINE__))
