#include "proxy/objection.h"

#include "proxy/cookie.h"

namespace gatebook::proxy {
namespace {

bool Objects(std::string_view cookies) {
  // Hardly any Cookie field has either.
  if (cookies.find(kPlainObjectionCookie) == std::string_view::npos) return false;
  return FindCookie(cookies, kObjectionCookie).value == "1" ||
         FindCookie(cookies, kPlainObjectionCookie).value == "1";
}

}  // namespace

Objected ObjectionIn(const http::RequestHead& head, const config::Objection& config) {
  for (const http::Field& field : head.fields) {
    switch (field.id) {
      case http::FieldId::kSecGpc:
        if (config.gpc && field.value == "1") return Objected::kGpc;
        break;
      case http::FieldId::kDnt:
        if (config.dnt && field.value == "1") return Objected::kDnt;
        break;
      case http::FieldId::kCookie:
        if (Objects(field.value)) return Objected::kCookie;
        break;
      default:
        break;
    }
  }
  return Objected::kNo;
}

base::Metric MetricOf(Objected objected) {
  switch (objected) {
    case Objected::kGpc:
      return base::Metric::kObjectionsGpc;
    case Objected::kDnt:
      return base::Metric::kObjectionsDnt;
    case Objected::kCookie:
      return base::Metric::kObjectionsCookie;
    case Objected::kRegister:
    case Objected::kNo:
      break;
  }
  return base::Metric::kObjectionsRegister;
}

bool RegisteredObjection::Holds(const logger::ObjectionList* list, const base::IpAddress& ip,
                                const logger::SessionId& session) {
  if (list == nullptr) return false;
  if (number_ != list->number() || ip_ != ip || session_ != session) {
    number_ = list->number();
    ip_ = ip;
    session_ = session;
    holds_ = list->Contains(session) || (!ip.IsUnspecified() && list->Contains(ip));
  }
  return holds_;
}

}  // namespace gatebook::proxy
