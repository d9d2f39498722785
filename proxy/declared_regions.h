// DeclaredRegions: whether Redis and the name servers stand where [declaration] regions says, by the files of
// [geo].
//
// Loopback, Unix sockets and private networks are the operator's own house and pass. What stands on an
// address that no file knows does not: a promise is kept, not supposed.
//
// Thread: any but a worker: it reads files, and asks for the address of a Redis that is named.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "config/loader.h"

namespace gatebook::proxy {

// config::Load() with this check, and that of the queries in it (review/saved_query.h): what serves, and what
// is told to, is loaded so.
// `more`: further checks of a config that is in order.
config::LoadOutcome LoadChecked(const std::string& path, const config::MoreChecks& more = {});

// Whether a country (ISO 3166-1 alpha-2) is one of `regions`, or in "EU" or "EEA" where these are.
bool IsInRegions(std::string_view country, const std::vector<std::string>& regions);

// Whether the address is of no public network: loopback, RFC 1918, RFC 6598, RFC 4193, link-local.
bool IsOwnNetwork(const base::IpAddress& ip);

}  // namespace gatebook::proxy
