// HealthBoard: where the state of every upstream server is posted for all to see.
//
// Active checks run in one place and are read by every worker at each choice, one relaxed load a
// server; workers post how many of them pass a server over, for the status page.
//
// A reload that changes one upstream forgets nothing of the others: what checks found of them is taken over.
//
// Thread: any; what stands there is written by whom the members say. Made from a config and of
// its shape; must outlive its readers (hold it by shared_ptr).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::proxy {

class HealthBoard {
 public:
  struct Server {
    std::atomic<bool> down{false};             // by active checks; the checker
    std::atomic<base::SteadyTime> up_since{};  // when it came back; the checker
    std::atomic<uint32_t> ejected{0};          // by how many workers; workers add and subtract
    static_assert(std::atomic<base::SteadyTime>::is_always_lock_free);
  };

  explicit HealthBoard(const config::Config& config) {
    for (const config::Upstream& upstream : config.upstreams)
      upstreams_.emplace_back(upstream.servers.size());
  }
  // With what `before` says, of the config `as`, of upstreams that are the same. By the one who checks.
  HealthBoard(const config::Config& config, const HealthBoard& before, const config::Config& as)
      : HealthBoard(config) {
    for (size_t i = 0; i < config.upstreams.size(); ++i) {
      const auto same = std::find(as.upstreams.begin(), as.upstreams.end(), config.upstreams[i]);
      if (same == as.upstreams.end()) continue;
      const std::vector<Server>& known = before.Of(static_cast<size_t>(same - as.upstreams.begin()));
      for (size_t server = 0; server < known.size(); ++server) {
        upstreams_[i][server].down = known[server].down.load();
        upstreams_[i][server].up_since = known[server].up_since.load();
      }
    }
  }
  HealthBoard(const HealthBoard&) = delete;
  HealthBoard& operator=(const HealthBoard&) = delete;

  // By index in config.upstreams.
  std::vector<Server>& Of(size_t upstream) { return upstreams_[upstream]; }
  const std::vector<Server>& Of(size_t upstream) const { return upstreams_[upstream]; }

 private:
  std::vector<std::vector<Server>> upstreams_;
};

}  // namespace gatebook::proxy
