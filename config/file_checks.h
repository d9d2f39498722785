// What the configuration takes from this machine: files that must be readable, users.
//
// Thread: any but a worker: it opens and closes files and may wait for the disk.
#pragma once

#include "config/config.h"
#include "config/place_map.h"
#include "config/problem_list.h"

namespace gatebook::config {

// Every kFile and kFiles option that is set names a regular file that can be read,
// and edge.user a user of this machine.
void CheckFiles(const Config& config, const PlaceMap& places, ProblemList& problems);

}  // namespace gatebook::config
