#include "http/connection_options.h"

#include "base/ascii.h"
#include "http/characters.h"
#include "http/field_table.h"

namespace gatebook::http {
namespace {

bool MayBeNamed(std::string_view name) {
  switch (KindOf(name).id) {
    case FieldId::kHost:
    case FieldId::kContentLength:
    case FieldId::kTransferEncoding:
    case FieldId::kForwarded:
    case FieldId::kXForwarded:
    case FieldId::kXRequestId:
    case FieldId::kXSessionId:
    case FieldId::kCookie:
    case FieldId::kSetCookie:
    case FieldId::kAuthorization:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::optional<Refusal> ConnectionOptions::Take(std::string_view value) {
  while (!value.empty()) {
    const std::string_view option = TakeListElement(value);
    if (++count > kMost) return Refusal::kBadConnection;
    if (option.empty()) continue;
    if (base::EqualsIgnoreCase(option, "close")) {
      close = true;
    } else if (base::EqualsIgnoreCase(option, "keep-alive")) {
      keep_alive = true;
    } else if (base::EqualsIgnoreCase(option, "upgrade")) {
      upgrade = true;
    } else {
      if (!IsToken(option) || !MayBeNamed(option)) return Refusal::kBadConnection;
      names_fields = true;
    }
  }
  return std::nullopt;
}

void MarkNamedFields(std::span<Field> fields) {
  for (const Field& connection : fields) {
    if (connection.id != FieldId::kConnection) continue;
    std::string_view value = connection.value;
    while (!value.empty()) {
      const std::string_view option = TakeListElement(value);
      for (Field& field : fields) {
        if (base::EqualsIgnoreCase(field.name, option)) field.hop_by_hop = true;
      }
    }
  }
}

}  // namespace gatebook::http
