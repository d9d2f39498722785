// Files of sinks on disk: the open one at `path`, and the closed ones, <path>.<stamp>, where the stamp is the
// arrival of the oldest visit in it: visits.ndjson.20261123T215301.042Z. A name that ends in ".new" is a
// closed file that is just being rewritten.
//
// Thread: any; pure but for the disk.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

namespace gatebook::review {

struct ClosedSinkFile {
  std::string path;
  base::WallTime oldest;
};
std::string ClosedSinkFileName(const std::string& path, base::WallTime oldest);
// Renames the file at `path`, under an earlier stamp where the name is taken. Error: it can't be renamed.
base::Result<std::string> CloseSinkFile(const std::string& path, base::WallTime oldest);
// Those of the sink at `path`, oldest first; none if there is no such directory. An error: it can't be read.
base::Result<std::vector<ClosedSinkFile>> ListClosedSinkFiles(const std::string& path);

// When the visit of a line arrived, in whichever of our forms; nothing if it is none of ours.
std::optional<base::WallTime> ArrivalOfLine(std::string_view line);

struct SinkFileTimes {
  uint64_t lines = 0;
  uint64_t bytes = 0;
  std::optional<base::WallTime> oldest, youngest;
  bool ends_whole = true;  // its last line has an end
};
// Reads the whole file; if no line says its time, its last change counts as that of all.
// Nothing if it is not there (any more), or no regular file.
base::Result<std::optional<SinkFileTimes>> ReadSinkFile(const std::string& path);

// How long a sink keeps a line.
std::chrono::milliseconds KeepOf(const config::Sink& sink, const config::Config& config);

}  // namespace gatebook::review
