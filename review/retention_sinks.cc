// RetentionScan: files of sinks.
#include <filesystem>

#include "config/sink_path.h"
#include "review/retention_scan.h"
#include "review/sink_files.h"

namespace gatebook::review {
namespace {

using base::WallTime;
using namespace std::chrono_literals;

// The running edge looks every 5 s.
constexpr auto kSinkSlack = 15s;

// By its lines, or only by when it was changed and what its name says.
base::Result<std::optional<SinkFileTimes>> TimesOf(const std::string& path, bool every_line) {
  if (every_line) return ReadSinkFile(path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::optional<SinkFileTimes>();
  SinkFileTimes times;
  times.bytes = std::filesystem::file_size(path, error);
  times.lines = 1;
  return std::optional(times);
}

}  // namespace

base::Status RetentionScan::LookAtSinks() {
  PlaceReport& place = report_.at(Place::kSinks);
  const WallTime now = clock_.SureNow();
  bool outside = false;
  for (const config::Sink& sink : config_.sinks) {
    if (sink.kind != config::SinkKind::kFile) {
      outside = true;
      continue;
    }
    const std::string path = SinkPath(sink);
    const auto keep = KeepOf(sink, config_);
    auto files = ListClosedSinkFiles(path);
    if (!files.ok()) return files.error();
    // Of the open one its lines say more than its name.
    files->push_back({path, WallTime::max()});
    for (const ClosedSinkFile& file : *files) {
      const auto times = TimesOf(file.path, options_.every_entry || file.oldest == WallTime::max());
      if (!times.ok()) return times.error();
      if (!*times || (*times)->lines == 0) continue;
      place.records += options_.every_entry ? (*times)->lines : 1;
      place.bytes += (*times)->bytes;
      const WallTime oldest = std::min(file.oldest, (*times)->oldest.value_or(file.oldest));
      place.SawOldest(oldest);
      place.SawNext(oldest + keep);
      if (oldest + keep + kSinkSlack < now) place.overdue += options_.every_entry ? (*times)->lines : 1;
    }
  }
  if (place.overdue != 0) {
    place.note = "the running edge destroys what is over; without one nobody does: delete the files";
  } else if (outside) {
    place.note = "what went to syslog or standard output is with those who took it";
  }
  return {};
}

}  // namespace gatebook::review
