// SyslogServer: takes messages of syslog over a Unix datagram socket, UDP, or TCP with counted octets.
//
// Thread: a thread of its own receives; the test asks. Ends: closes its sockets, joins its thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

class SyslogServer {
 public:
  enum class Transport { kUnix, kUdp, kTcp };
  explicit SyslogServer(Transport transport);
  ~SyslogServer();
  SyslogServer(const SyslogServer&) = delete;
  SyslogServer& operator=(const SyslogServer&) = delete;

  // As sink.server takes it.
  std::string address() const;
  uint16_t port() const { return port_; }
  std::string path() const { return directory_.Path("log"); }

  std::vector<std::string> messages() const;
  // What was not as it should be: an octet count that is none.
  std::string fault() const;
  // Reads nothing from now on, or goes on.
  void Pause(bool paused) { paused_ = paused; }
  // Over TCP: closes the connections there are.
  void CutOff() { cut_off_ = true; }

 private:
  struct Connection {
    base::UniqueFd fd;
    std::string bytes;
  };
  void Run();
  // False: the connection has ended.
  bool Receive(Connection& connection);
  void Take(Connection& connection);

  const Transport transport_;
  TempDirectory directory_;
  base::UniqueFd fd_;
  uint16_t port_ = 0;
  std::atomic<bool> stop_{false}, paused_{false}, cut_off_{false};
  std::vector<Connection> connections_;  // the thread's
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;  // guarded by mutex_
  std::string fault_;                  // likewise
  std::thread thread_;
};

}  // namespace gatebook::support
