// Threads with a name, which `top -H` and debuggers show, and a priority.
//
// Who serves visitors goes first: threads that work for others take a lower share of a core that they have to
// share with a worker. On a core of their own they are as fast as ever.
//
// Thread: any. Owns: nothing; the caller joins.
// Limits: a name has 15 bytes; longer ones are cut.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace gatebook::base {

// What nice(1) calls niceness.
enum class Niceness : int {
  kNone = 0,
  kBehindWorkers = 7,  // a sixth of a core that a worker fills
  kBehindAll = 10,     // a tenth
};

std::thread StartThread(std::string name, std::function<void()> body, Niceness niceness = Niceness::kNone);

}  // namespace gatebook::base
