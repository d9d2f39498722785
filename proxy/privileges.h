// Becoming another user once the sockets are bound, and the limits of the process.
#pragma once

#include <string>

#include "base/result.h"

namespace gatebook::proxy {

// Gives up root for `user` and its groups, for good. Does nothing when already that user.
base::Status BecomeUser(const std::string& user);

// As many descriptors as the hard limit allows; no core files (a core is an unkept promise).
void SetProcessLimits();

// Tells systemd's Type=notify (sd_notify(3)); nothing when not started so.
void NotifyServiceManager(const std::string& state);

}  // namespace gatebook::proxy
