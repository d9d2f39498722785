#include "http/websocket.h"

#include "base/ascii.h"
#include "http/characters.h"

namespace gatebook::http {
namespace {

// `characters` of the base64 alphabet, then `padding` times '='.
bool IsBase64(std::string_view text, size_t characters, size_t padding) {
  if (text.size() != characters + padding) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || c == '+' || c == '/';
    if (i < characters ? !digit : c != '=') return false;
  }
  return true;
}

bool SpeaksOfWebSocket(std::string_view upgrade) {
  constexpr std::string_view kName = "websocket";
  while (!upgrade.empty()) {
    const std::string_view protocol = TakeListElement(upgrade);
    if (base::EqualsIgnoreCase(protocol.substr(0, protocol.find('/')), kName)) return true;
  }
  return false;
}

struct Facts {
  bool spoken_of = false;
  int upgrades = 0;
  bool upgrade_right = false;
  int keys = 0;
  bool key_right = false;
  int versions = 0;
  bool version_right = false;
  int accepts = 0;
  bool accept_right = false;
};

Facts Gather(std::span<const Field> fields) {
  Facts facts;
  for (const Field& field : fields) {
    if (field.id == FieldId::kUpgrade) {
      ++facts.upgrades;
      facts.spoken_of = facts.spoken_of || SpeaksOfWebSocket(field.value);
      facts.upgrade_right = base::EqualsIgnoreCase(field.value, "websocket");
    } else if (field.id == FieldId::kSecWebSocket) {
      if (base::EqualsIgnoreCase(field.name, "sec-websocket-key")) {
        ++facts.keys;
        facts.key_right = IsBase64(field.value, 22, 2);
      } else if (base::EqualsIgnoreCase(field.name, "sec-websocket-version")) {
        ++facts.versions;
        facts.version_right = field.value == "13";
      } else if (base::EqualsIgnoreCase(field.name, "sec-websocket-accept")) {
        ++facts.accepts;
        facts.accept_right = IsBase64(field.value, 27, 1);
      }
    }
  }
  return facts;
}

// The value of Upgrade, if it stands there once.
std::string_view TheUpgrade(std::span<const Field> fields) {
  std::string_view value;
  for (const Field& field : fields) {
    if (field.id != FieldId::kUpgrade) continue;
    if (!value.empty()) return {};
    value = field.value;
  }
  return value;
}

}  // namespace

Handshake HandshakeOfRequest(const RequestHead& head, bool connection_upgrade) {
  const Facts facts = Gather(head.fields);
  if (!facts.spoken_of) return Handshake::kNone;
  const bool valid = connection_upgrade && facts.upgrades == 1 && facts.upgrade_right && facts.keys == 1 &&
                     facts.key_right && facts.versions == 1 && facts.version_right &&
                     head.method == Method::kGet && head.minor_version == 1 && head.framing == Framing::kNone;
  return valid ? Handshake::kValid : Handshake::kMalformed;
}

Handshake HandshakeOfResponse(std::span<const Field> fields, bool connection_upgrade) {
  const Facts facts = Gather(fields);
  const bool valid = connection_upgrade && facts.upgrades == 1 && facts.upgrade_right && facts.accepts == 1 &&
                     facts.accept_right;
  return valid ? Handshake::kValid : Handshake::kMalformed;
}

std::string_view OfferedUpgrade(const RequestHead& head, bool connection_upgrade) {
  if (!connection_upgrade || head.minor_version != 1 || head.framing != Framing::kNone) return {};
  return TheUpgrade(head.fields);
}

bool IsUpgradeTo(std::string_view offered, std::span<const Field> fields, bool connection_upgrade) {
  return connection_upgrade && !offered.empty() && base::EqualsIgnoreCase(TheUpgrade(fields), offered);
}

}  // namespace gatebook::http
