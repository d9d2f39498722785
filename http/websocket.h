// Handshakes of WebSocket and of other upgrades: which fields make one, on both sides (RFC 6455 §4).
//
// Thread: any; pure functions over fields that a parser has accepted.
#pragma once

#include <cstdint>
#include <span>

#include "http/head.h"

namespace gatebook::http {

enum class Handshake : uint8_t {
  kNone,  // Upgrade is absent or names other protocols, which are ignored
  kValid,
  kMalformed,  // it speaks of websocket, and not in the one right way
};

// §4.2.1: GET in HTTP/1.1 without a body, Upgrade: websocket alone, Connection: upgrade,
// one key of 16 bytes in base64, version 13. `connection_upgrade`: Connection says so.
Handshake HandshakeOfRequest(const RequestHead& head, bool connection_upgrade);

// §4.2.2, of a 101: Upgrade: websocket alone, Connection: upgrade, one accept value of 20
// bytes in base64. Whether it fits the key is for the client to check. Never kNone.
Handshake HandshakeOfResponse(std::span<const Field> fields, bool connection_upgrade);

// Upgrades to other protocols (RFC 9110 §7.8): the value of Upgrade in a request of HTTP/1.1 that may be
// passed on as one: Connection says so, there is one such field and no body. Empty: it offers nothing.
std::string_view OfferedUpgrade(const RequestHead& head, bool connection_upgrade);

// Of a 101: whether it goes on with just the protocol that was offered.
bool IsUpgradeTo(std::string_view offered, std::span<const Field> fields, bool connection_upgrade);

}  // namespace gatebook::http
