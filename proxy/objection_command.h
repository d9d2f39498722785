// `gatebook objection add|remove|list`: the register of those who have objected to statistics by letter or by
// phone.
//
// Thread: main.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "config/config.h"

namespace gatebook::proxy {

// As AddSubjectCommand() (proxy/subject_command.h).
void AddObjectionCommand(CLI::App& app, std::string& path,
                         std::function<std::shared_ptr<const config::Config>()> load, int* code);

}  // namespace gatebook::proxy
