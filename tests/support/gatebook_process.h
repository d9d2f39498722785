// GatebookProcess: the real binary, with a config of its own, in a directory of its own.
//
// Three listeners: TLS, plain HTTP, and plain HTTP that redirects to https.
// Every test ends in Verify(): what was begun has ended, the counters of the book
// add up, and the process ends well on TERM (with a sanitizer: without findings).
//
// Thread: the test's. Ends: kills the process if it still runs.
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

struct GatebookOptions {
  std::string upstream;   // "127.0.0.1:8080"
  std::string redis_url;  // "unix:///…"
  std::string dns;        // "127.0.0.1:53"; empty: names are not asked for
  std::string edge = "test";
  int workers = 1;
  // Lines for a section, over what stands there by default: {"timeouts", "first_byte = \"1s\"\n"}.
  std::map<std::string, std::string> sections;
  // Lines for the plain HTTP listener.
  std::string plain_listener;
  // Whole sections and arrays of tables at the end: more certificates, upstreams.
  std::string more;
  // In place of the one route-less [[upstream]] "service"; empty: that one.
  std::string upstreams;
  // chain.pem and key.pem of the first certificate; empty: one for localhost.
  std::string chain_file, key_file;
  // The admin listener on TCP, with TLS and the certificate of the first listener.
  bool admin_tls = false;
  // "NAME=value", for the process and its commands.
  std::vector<std::string> environment;
};

class GatebookProcess {
 public:
  // Writes the config; does not start.
  GatebookProcess(std::string binary, GatebookOptions options);
  ~GatebookProcess();
  GatebookProcess(const GatebookProcess&) = delete;
  GatebookProcess& operator=(const GatebookProcess&) = delete;

  // Starts it and waits until it is ready for traffic. False: it ended or did not get there.
  bool Start();
  // Starts it without waiting.
  void Launch();
  // TERM and its end: the exit code.
  std::optional<int> Stop();
  // kill -9, reaped.
  void Kill();
  bool IsRunning() { return process_ && process_->IsRunning(); }
  Process& process() { return *process_; }

  const std::string& directory() const { return directory_.path(); }
  const std::string& config_path() const { return config_path_; }
  // PEM: who issued the certificate that there is by default.
  std::string authority_file() const { return directory_.Path("authority.pem"); }
  std::string journal_directory() const { return directory_.Path("journal"); }
  // Writes the config anew, with changed options; the ports stay.
  void Configure(GatebookOptions options);

  // Where to connect.
  ClientOptions Tls(const std::string& source = "127.0.0.1") const;
  ClientOptions Plain(const std::string& source = "127.0.0.1") const;
  ClientOptions Redirecting() const;
  uint16_t tls_port() const { return tls_port_; }
  ClientOptions AdminListener() const;

  // GET over the admin socket. Status 0: no answer.
  HttpMessage Admin(const std::string& path) const;
  // A counter by its whole name: gatebook_refusals_total{reason="bad_host"}; 0 if there is none.
  uint64_t Metric(const std::string& name) const;
  uint64_t MetricSum(const std::string& prefix) const;
  // Refusals by their reason, as the counters have them; and as `denied` of visits has them.
  std::map<std::string, uint64_t> CountedRefusals() const;
  std::map<std::string, uint64_t> RecordedRefusals() const;
  // `gatebook COMMAND... -c CONFIG`.
  Finished Command(std::vector<std::string> arguments) const;
  // Visits as read by `gatebook visits --json`, oldest first.
  std::vector<nlohmann::json> Visits(std::vector<std::string> arguments = {}) const;
  // Waits until there are so many.
  std::vector<nlohmann::json> WaitForVisits(size_t count, std::vector<std::string> arguments = {}) const;
  // Waits until the whole journal is in Redis.
  bool WaitDelivered() const;
  // Resident memory in KiB.
  uint64_t ResidentKib() const;

  // Empty if the counters add up and nothing is left open; else what is wrong.
  std::string WhatIsLeft() const;
  // Waits for WhatIsLeft() to be empty, stops the process; empty if all was well.
  std::string Verify();

 private:
  std::string Config(const GatebookOptions& options) const;

  std::string binary_;
  TempDirectory directory_;
  uint16_t tls_port_, plain_port_, redirect_port_;
  uint16_t admin_port_ = 0;  // 0: a Unix socket
  std::string config_path_;
  std::vector<std::string> environment_;
  std::unique_ptr<Process> process_;
};

}  // namespace gatebook::support
