// SampleVisit: visits with fields of realistic length, for the programs of this folder.
//
// An agent of 110 octets, names of 25; sessions take turns, as visitors do.
// Thread: one. Limits: visit() and name() hold until the next Make().
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "logger/visit.h"

namespace gatebook::bench {

class SampleVisit {
 public:
  // The `i`th visit, of session number `session`, that arrived at `arrival`.
  const logger::Visit& Make(uint32_t i, uint32_t session, bool session_new, base::WallTime arrival) {
    logger::Visit& visit = visit_;
    visit.arrival = arrival;
    for (size_t b = 0; b < 16; ++b)
      visit.session.bytes[b] = static_cast<uint8_t>((session * 2654435761u) >> (b % 4 * 8));
    visit.session.bytes[0] = static_cast<uint8_t>(session);
    visit.session_new = session_new;
    visit.ip = base::IpAddress::FromV4(0xC6336400u + session);
    visit.protocol = logger::Protocol::kH2;
    visit.tls_version = 13;
    visit.status = i % 17 == 0 ? 404 : 200;
    visit.bytes_out = 700 + i * 37 % 30'000;
    visit.duration_us = 1200 + i * 53 % 40'000;
    visit.upstream_us = 900 + i * 53 % 40'000;
    visit.request_id = 0x9e3779b97f4a7c15ULL * (i + 1);
    visit.method = "GET";
    visit.host = "www.example-shop.com";
    path_ = fmt::format("/products/list/{}/view", 1000 + i % 997);
    visit.path = path_;
    visit.user_agent = kAgent;
    visit.policy = "2025-09-01";
    return visit;
  }
  logger::Name NameOf(uint32_t session) {
    dns_ = fmt::format("host-{:06}.dyn.example.net", session);
    return {logger::DnsCheck::kConfirmed, dns_};
  }

 private:
  static constexpr std::string_view kAgent =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
      "Safari/537.36";

  logger::Visit visit_;
  std::string path_;
  std::string dns_;
};

}  // namespace gatebook::bench
