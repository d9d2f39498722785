// `gatebook retention`: its command line, and what it needs of this floor: word from and to the edge.
//
// Thread: main.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "config/config.h"

namespace gatebook::proxy {

// As AddSubjectCommand.
void AddRetentionCommand(CLI::App& app, std::string& path,
                         std::function<std::shared_ptr<const config::Config>()> load, int* code);

}  // namespace gatebook::proxy
