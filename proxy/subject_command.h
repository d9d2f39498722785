// `gatebook subject`: its command line, and what it needs of this floor: the session key, and word to the
// edge.
//
// Thread: main.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

#include "config/config.h"

namespace gatebook::proxy {

// Gives `app` the command. `load`: the config, or nothing after the problems have been said. The exit code
// goes to *code. All are borrowed until the command line has been parsed.
void AddSubjectCommand(CLI::App& app, std::string& path,
                       std::function<std::shared_ptr<const config::Config>()> load, int* code);

}  // namespace gatebook::proxy
