// SinkOutput: standard output as a sink.
//
// Its description is shared with whoever started us, so it is not made non-blocking: where it is a pipe or a
// socket the kernel is asked whether it takes a page before a page is written.
//
// Thread: the loop's. Owns: a duplicate of the descriptor, or, of a terminal, a description of its own.
// Limits: 4,096 bytes at a time.
#pragma once

#include "base/unique_fd.h"
#include "net/socket_event.h"
#include "review/sink_writer.h"

namespace gatebook::review {

class SinkOutput final : public SinkWriter, private net::SocketEvent::Handler {
 public:
  explicit SinkOutput(const Parts& parts);

  void Start() override;
  Progress Write(SinkOutbox& outbox) override;

 private:
  void OnReady(bool readable, bool writable) override;

  base::UniqueFd fd_;
  net::SocketEvent event_;
};

}  // namespace gatebook::review
