// Objection: how a visitor has objected to being counted (config [objection]).
//
// By their browser (Sec-GPC, DNT), by the cookie of the page where they can choose (proxy/objection_page.h),
// or by the operator's register (logger/objections.h). A visit of theirs is recorded for administration only,
// without campaign and referrer; the upstream is told by X-Gatebook-Objection: 1.
//
// Thread: the worker's.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/metrics.h"
#include "config/config.h"
#include "http/head.h"
#include "logger/objections.h"
#include "logger/visit.h"

namespace gatebook::proxy {

enum class Objected : uint8_t { kNo, kGpc, kDnt, kCookie, kRegister };

// The first where Secure cookies can be set, the second elsewhere; either is believed anywhere.
inline constexpr std::string_view kObjectionCookie = "__Host-gatebook-objection";
inline constexpr std::string_view kPlainObjectionCookie = "gatebook-objection";
inline constexpr std::string_view kObjectionPath = "/.well-known/gatebook/objection";

// What the request itself says.
Objected ObjectionIn(const http::RequestHead& head, const config::Objection& config);

// The counter of such visits. Requires: not kNo.
base::Metric MetricOf(Objected objected);

// What the register says of the visitors of one client connection, looked up again only when something
// changes.
class RegisteredObjection {
 public:
  // `list` null: nobody is registered.
  bool Holds(const logger::ObjectionList* list, const base::IpAddress& ip, const logger::SessionId& session);

 private:
  uint64_t number_ = 0;  // of the list; 0: nothing was looked up
  base::IpAddress ip_;
  logger::SessionId session_;
  bool holds_ = false;
};

}  // namespace gatebook::proxy
