// `gatebook desk`: what readers of the desk need on the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace gatebook::proxy {

// `code`: the exit code, set when the command has run.
void AddDeskCommand(CLI::App& app, int* code);

}  // namespace gatebook::proxy
