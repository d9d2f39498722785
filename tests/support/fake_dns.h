// FakeDns: a DNS server in this process, that answers as told.
//
// UDP and TCP on 127.0.0.1, one port. What it answers is bytes, so that it can
// lie in any way; DnsMessage makes well-formed ones to start from.
//
// Thread: its own, which calls the script; everything else any. Ends: stops and joins.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "net/dns_answer.h"

namespace gatebook::support {

using Bytes = std::vector<uint8_t>;

// A response under construction (RFC 1035 §4). Names are written without compression.
class DnsMessage {
 public:
  // Answers `query` (a whole message), taking its id and question.
  explicit DnsMessage(const Bytes& query, uint8_t code = 0);

  DnsMessage& Ptr(const std::string& owner, const std::string& name, uint32_t ttl = 300);
  DnsMessage& Cname(const std::string& owner, const std::string& name, uint32_t ttl = 300);
  DnsMessage& Address(const std::string& owner, const std::string& ip, uint32_t ttl = 300);
  // Goes to the authority section; after all answers.
  DnsMessage& Soa(const std::string& owner, uint32_t ttl, uint32_t minimum);
  // Any record with any data.
  DnsMessage& Record(const std::string& owner, net::DnsType type, uint32_t ttl, const Bytes& data);
  DnsMessage& Truncated();

  const Bytes& bytes() const { return bytes_; }
  operator std::vector<Bytes>() const { return {bytes_}; }

  static Bytes NameBytes(const std::string& name);

 private:
  Bytes bytes_;
};

struct DnsQuestion {
  Bytes message;
  std::string name;  // lower case
  uint16_t type = 0;
  bool tcp = false;
};

class FakeDns {
 public:
  // Returns the datagrams (or TCP messages) to send, in order; none is silence.
  using Script = std::function<std::vector<Bytes>(const DnsQuestion&)>;

  explicit FakeDns(Script script);
  ~FakeDns();
  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;

  uint16_t port() const { return port_; }
  uint64_t questions() const { return questions_; }

 private:
  void Serve();
  void ServeDatagram();
  void ServeConnection();

  Script script_;
  base::UniqueFd udp_;
  base::UniqueFd tcp_;
  base::UniqueFd stop_;
  uint16_t port_ = 0;
  std::atomic<uint64_t> questions_{0};
  std::thread thread_;
};

}  // namespace gatebook::support
