// HealthQuestion: what a health check says to a server and hears from it, in the protocol that the
// upstream speaks: one plain GET of upstream.health_path. Bytes in and out, no socket.
//
// Thread: one. Borrows: config and buffers. Owns: what was received.
// Limits: a head as large as limits.header_size.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/clock.h"
#include "config/config.h"

namespace gatebook::proxy {

class HealthQuestion {
 public:
  enum class Reply { kNotYet, kWhole, kMalformed };

  // For one connection.
  static std::unique_ptr<HealthQuestion> Make(const config::Config& config, const config::Upstream& upstream,
                                              const config::Endpoint& server, base::BufferPool& buffers);
  virtual ~HealthQuestion() = default;

  // What is to be sent. Drop what was.
  virtual std::string_view Output() = 0;
  virtual void DropOutput(size_t bytes) = 0;
  // Takes what came. Whole is an answer when its final head is.
  virtual Reply Take(std::string_view bytes, base::SteadyTime now) = 0;
  // Requires: kWhole.
  int status() const { return status_; }

 protected:
  int status_ = 0;
};

}  // namespace gatebook::proxy
