// The command line of `gatebook stats`.
//
// Thread: one. Borrows: what it is given, until the command line is parsed.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "config/config.h"

namespace gatebook::proxy {

// Adds the command to `app`; when it is chosen it sets `code`. `load`: the config, or null after having said
// why.
void AddStatisticsCommand(CLI::App& app, std::string& path,
                          std::function<std::shared_ptr<const config::Config>()> load, int* code);

}  // namespace gatebook::proxy
