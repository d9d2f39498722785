// KnownStreams: the streams that this connection has made, with the deadline that each has.
//
// What stands here exists in Redis, unless Redis has lost it; so it is written to with NOMKSTREAM, and an
// answer of nil says that it was lost. It also has its deadline, which is sent again only to come nearer.
//
// Thread: one. Limits: the 16 streams used last.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace gatebook::logger {

class KnownStreams {
 public:
  // WallTime::max(): it is not known, or so near its end that it may be gone.
  base::WallTime DeadlineOf(uint32_t worker, uint64_t minute, base::WallTime now) const {
    for (const Stream& stream : streams_) {
      if (stream.worker == worker && stream.minute == minute && stream.deadline > now + kNearItsEnd)
        return stream.deadline;
    }
    return base::WallTime::max();
  }
  void Set(uint32_t worker, uint64_t minute, base::WallTime deadline) {
    std::erase_if(streams_, [&](const Stream& one) { return one.worker == worker && one.minute == minute; });
    if (streams_.size() == kMost) streams_.erase(streams_.begin());
    streams_.push_back({worker, minute, deadline});
  }
  void Clear() { streams_.clear(); }

 private:
  struct Stream {
    uint32_t worker;
    uint64_t minute;
    base::WallTime deadline;
  };
  static constexpr size_t kMost = 16;
  // Longer than a batch may be under way.
  static constexpr auto kNearItsEnd = std::chrono::seconds(30);

  std::vector<Stream> streams_;
};

}  // namespace gatebook::logger
