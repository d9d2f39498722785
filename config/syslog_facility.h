// Facilities of syslog that a visit may go under (RFC 5424 §6.2.1).
//
// Thread: pure.
#pragma once

#include <optional>
#include <string_view>

namespace gatebook::config {

// Its number; nothing for a name that is none, or is the kernel's, mail's, news' … own.
std::optional<unsigned> SyslogFacility(std::string_view name);

}  // namespace gatebook::config
