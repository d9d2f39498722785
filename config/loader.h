// Loader: a file into a checked Config, or all that is wrong with it.
//
// Load() is the only maker of a Config that is run with: every value is within its row's
// bounds (config/option_table.h), every reference leads somewhere, and every file
// that must be there can be read. Nothing is half taken over.
//
// Thread: any but a worker: it reads files. Limits: the file 1 MiB; 1,024
// elements of a [[section]]; 1,000 problems.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/place_map.h"
#include "config/problem.h"
#include "config/problem_list.h"

namespace gatebook::config {

// Exactly one of the two is set.
struct LoadOutcome {
  std::shared_ptr<const Config> config;
  std::vector<Problem> problems;  // all of them, in the order of the file

  bool ok() const { return config != nullptr; }
};

// What a higher floor knows of a config that is otherwise in order: adds problems.
using MoreChecks = std::function<void(const Config& config, const PlaceMap& places, ProblemList& problems)>;

// A file that is missing or can't be read is one problem without a line.
LoadOutcome Load(const std::string& path, const MoreChecks& more = {});

// For those who look at a running edge or its book, and run nothing: only [edge], [log], [redis], [session],
// [journal], [visit], [retention], [statistics], [admin], [[reader]], [audit] and [[query]] are read and must
// be in order, and no file is looked for. So a fault elsewhere does not blind an operator, and a reader needs
// no right to the private keys.
LoadOutcome LoadToLook(const std::string& path);

enum class FileChecks { kOn, kOff };

// The same for a text. `path` stands in problems and in Config::path; with kOff no
// file and no user is looked for.
LoadOutcome LoadText(std::string_view text, const std::string& path, FileChecks file_checks,
                     const MoreChecks& more = {});

}  // namespace gatebook::config
