// `gatebook doctor`: its command line, and what only this floor can look at: the certificates, and the edge
// over its admin address.
//
// Thread: main.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "review/checkup.h"

namespace gatebook::proxy {

// Gives `app` the command. `load`: the config, or nothing after the problems have been said. The exit code
// goes to *code. All are borrowed until the command line has been parsed.
void AddDoctorCommand(CLI::App& app, std::string& path,
                      std::function<std::shared_ptr<const config::Config>()> load, int* code);

void ExamineCertificates(const config::Config& config, base::WallTime now, review::Checkup& checkup);

}  // namespace gatebook::proxy
