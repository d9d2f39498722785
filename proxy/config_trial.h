// ConfigTrial: the files that a configuration names, tried before anything begins with it: certificates with
// their keys, authorities, the privacy policy, what readers show, place databases.
//
// That a file is there and can be read is config::Load()'s to find. Here each is read as it
// will be used, and all that cannot be used is told at once, each at its place in the configuration.
//
// Thread: any but a worker: it reads files.
#pragma once

#include <string>

#include "config/loader.h"

namespace gatebook::proxy {

// LoadChecked(), and its files tried. `also`: further checks of a config that is in order so far.
config::LoadOutcome LoadTried(const std::string& path, const config::MoreChecks& also = {});

// [geo] databases. Apart from the others: what is broken at start is done without, and asked for again.
void TryPlaces(const config::Config& config, const config::PlaceMap& places, config::ProblemList& problems);

}  // namespace gatebook::proxy
