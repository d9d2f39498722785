// ConnectionOptions: what the Connection fields of one head say (RFC 9110 §7.6.1).
//
// Thread: one. Owns nothing.
// Limits: kMost options a head, since each is compared with every field.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::http {

struct ConnectionOptions {
  static constexpr size_t kMost = 32;

  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool names_fields = false;  // others than those above
  size_t count = 0;

  // Takes one Connection field. kBadConnection: no list of tokens, too many of them, or it
  // names a field that routes, frames, identifies or authorises: to let a peer remove
  // those is to let it speak as somebody else.
  std::optional<Refusal> Take(std::string_view value);

  bool IsKeptAlive(int minor_version) const { return !close && (minor_version >= 1 || keep_alive); }
};

// Marks every field that one of the Connection fields among them names.
void MarkNamedFields(std::span<Field> fields);

}  // namespace gatebook::http
