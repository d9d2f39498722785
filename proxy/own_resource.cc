#include "proxy/own_resource.h"

#include "base/ascii.h"
#include "http/characters.h"

namespace gatebook::proxy {

bool Allows(std::string_view allow, std::string_view method) {
  while (!allow.empty()) {
    if (http::TakeListElement(allow) == method) return true;
  }
  return false;
}

bool IsFromOwnPage(const http::RequestHead& head, bool secure) {
  const std::string_view scheme = secure ? "https://" : "http://";
  for (const http::Field& field : head.fields) {
    if (base::EqualsIgnoreCase(field.name, "sec-fetch-site")) {
      if (field.value != "same-origin" && field.value != "none") return false;
    } else if (base::EqualsIgnoreCase(field.name, "origin")) {
      // "null" and other sites; a browser writes the default port in neither Origin nor Host.
      if (!field.value.starts_with(scheme) ||
          !base::EqualsIgnoreCase(field.value.substr(scheme.size()), head.authority)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace gatebook::proxy
