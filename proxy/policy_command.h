// `gatebook policy`: which version of the privacy policy is in force, who has been told of it, and what is
// recorded.
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
void AddPolicyCommand(CLI::App& app, std::string& path,
                      std::function<std::shared_ptr<const config::Config>()> load, int* code);

}  // namespace gatebook::proxy
