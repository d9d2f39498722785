// DNS responses of any bytes: reading ends, stays inside, and lets only host names out.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "net/dns_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace net = gatebook::net;
  for (const net::DnsType type : {net::DnsType::kPtr, net::DnsType::kA, net::DnsType::kAaaa}) {
    const net::DnsAnswer answer = net::ParseDnsAnswer({data, size}, "7.2.0.192.in-addr.arpa", type);
    CHECK(answer.names.size() + answer.addresses.size() <= 8);
    CHECK((answer.status == net::DnsStatus::kOk) == (!answer.names.empty() || !answer.addresses.empty()));
    for (const auto& name : answer.names) CHECK(net::IsHostName(name));
  }
  return 0;
}
