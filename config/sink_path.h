// Where a sink of kind "file" writes: sink.path, or /var/log/gatebook/NAME.log where that is empty.
//
// Thread: pure.
#pragma once

#include <string>

#include "config/config.h"

namespace gatebook::config {

// Requires: sink.kind == SinkKind::kFile.
std::string SinkPath(const Sink& sink);

}  // namespace gatebook::config
