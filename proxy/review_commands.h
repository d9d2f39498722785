// The command line of `gatebook visits`, `session` and `audit` (review/commands.h, review/audit_command.h).
//
// Thread: the main thread.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "config/config.h"

namespace gatebook::proxy {

// `load` gives the config at `path`, or nothing after it has said why not; `code` becomes the exit code.
void AddReviewCommands(CLI::App& app, std::string& path,
                       std::function<std::shared_ptr<const config::Config>()> load, int* code);

}  // namespace gatebook::proxy
