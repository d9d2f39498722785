// ExamineEdge: what a running edge says of itself, as `gatebook status --json` has it.
//
// Thread: any; pure.
#pragma once

#include <string>

#include "review/checkup.h"

namespace gatebook::review {

// `status`: the running edge's; empty where none answers, and `why` says so.
void ExamineEdge(const std::string& status, const std::string& why, Checkup& checkup);
// The process that said it; 0 if it does not say.
int ProcessOf(const std::string& status);

}  // namespace gatebook::review
