#include "proxy/client_facts.h"

#include <fmt/format.h>

namespace gatebook::proxy {

std::string MakeForwardingFields(const base::IpAddress& ip, bool tls) {
  const std::string text = ip.ToText();
  const std::string node = ip.IsUnspecified() ? "unknown" : ip.IsV4() ? text : fmt::format("\"[{}]\"", text);
  const char* proto = tls ? "https" : "http";
  return fmt::format("X-Forwarded-For: {}\r\nX-Forwarded-Proto: {}\r\nForwarded: for={};proto={}",
                     ip.IsUnspecified() ? "unknown" : text, proto, node, proto);
}

}  // namespace gatebook::proxy
