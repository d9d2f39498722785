// How a visit stands in a stream entry, and back.
//
// An entry has always the same two fields, so that Redis stores their names once
// a node: `v`, what is particular to the visit, and `c`, what is known of the
// client and repeats from visit to visit. Both are tab-separated lists with a
// fixed order; an empty element is the default, empty ones at the end are left out.
//
//   v of a visit    age flags status method path query bytes_in bytes_out duration_us
//                   wait_us request_id channel referrer utm_source utm_medium
//                   utm_campaign denied rule
//   c of a visit    session ip dns_check dns country asn as_org city protocol tls host
//                   purpose policy user_agent
//                   or "=<ms>" or "=<ms>-<n>": as in that earlier entry of the same
//                   stream, its milliseconds counted from the stream's minute
//   v of a closing  status bytes_in bytes_out duration_us upstream_us denied
//   c of a closing  "^<ms>-<n>": the visit of the same stream that it completes
//
// age is the record's time less the arrival, in milliseconds; flags are n (session
// new) and o (open); wait_us is duration_us less upstream_us; request_id is
// the base64url of its 8 bytes. Readers ignore elements beyond those they know.
//
// Thread: pure functions. Limits: none of their own; the caps of logger/visit.h hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "logger/visit.h"

namespace gatebook::logger {

// A visit as read back. Owns its texts; absent ones are empty.
struct StoredVisit {
  std::string edge;
  VisitId id;
  base::WallTime arrival{};
  std::string session;
  bool session_new = false;
  bool open = false;  // no closing has come yet
  std::string ip, dns, dns_check;
  std::string channel, referrer, utm_source, utm_medium, utm_campaign;
  std::string country, as_org, city;
  uint32_t asn = 0;
  std::string method, host, path, query;
  uint16_t status = 0;
  uint64_t bytes_in = 0, bytes_out = 0, duration_us = 0, upstream_us = 0;
  std::string protocol;
  std::string tls;  // "1.2", "1.3", empty when plain
  std::string user_agent, request_id, denied, rule, policy;
  uint8_t purpose = 0;
};

// Each appends. A control character that came here in spite of logger/text.h becomes '?'.
void AppendVisitFacts(std::string& to, const VisitId& id, const Visit& visit);
void AppendClientFacts(std::string& to, const Visit& visit, const Name& name, const Place& place);
void AppendClosingFacts(std::string& to, const Closing& closing);
// The `c` of an entry that has the same facts as `earlier`, of the same stream.
void AppendSameAs(std::string& to, const VisitId& earlier);
void AppendClosingOf(std::string& to, const VisitId& visit);

// What the `c` of an entry says.
struct ClientReference {
  enum class Kind { kFacts, kSameAs, kClosingOf };
  Kind kind = Kind::kFacts;
  VisitId id;  // kSameAs, kClosingOf; without worker
};
// `minute` is the stream's. Nothing if it is damaged.
std::optional<ClientReference> ReadClientReference(std::string_view c, uint64_t minute);

// Each is false when the text is not what it says; `visit` may be half filled then.
// Reads what AppendVisitFacts wrote; visit->id must be set.
bool ReadVisitFacts(std::string_view v, StoredVisit* visit);
bool ReadClientFacts(std::string_view c, StoredVisit* visit);
// Completes the visit.
bool ReadClosingFacts(std::string_view v, StoredVisit* visit);

}  // namespace gatebook::logger
