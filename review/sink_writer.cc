#include "review/sink_writer.h"

#include <algorithm>
#include <utility>

#include "review/sink_file.h"
#include "review/sink_output.h"
#include "review/sink_syslog.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstBackOff = 100ms;
constexpr std::chrono::milliseconds kMostBackOff = 5s;

}  // namespace

SinkWriter::SinkWriter(const Parts& parts)
    : parts_(parts), back_off_(kFirstBackOff), retry_([this] { TryAgain(); }) {}

void SinkWriter::Fail(std::string why) {
  trouble_ = std::move(why);
  parts_.metrics.Add(base::Metric::kSinkErrors);
  retry_.Arm(parts_.loop.timers(), parts_.loop.now() + back_off_);
  back_off_ = std::min(2 * back_off_, kMostBackOff);
}

void SinkWriter::Succeed() {
  trouble_.clear();
  retry_.Cancel();
  back_off_ = kFirstBackOff;
}

base::Result<std::unique_ptr<SinkWriter>> MakeSinkWriter(const SinkWriter::Parts& parts) {
  switch (parts.config.kind) {
    case config::SinkKind::kFile:
      return SinkFile::Make(parts);
    case config::SinkKind::kStdout:
      return std::unique_ptr<SinkWriter>(std::make_unique<SinkOutput>(parts));
    case config::SinkKind::kSyslog:
      return MakeSinkSyslog(parts);
  }
  return base::Error{"no such kind of sink", base::ExitCode::kConfig};
}

}  // namespace gatebook::review
