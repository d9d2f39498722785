// The command line: one binary, its commands, their options and exit codes.
//
// Exit codes are base::ExitCode. Data goes to standard output, everything else to standard
// error. Thread: main.
#pragma once

namespace gatebook::proxy {

int RunCommandLine(int argc, char** argv);

}  // namespace gatebook::proxy
