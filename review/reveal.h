// Reveal: seeing visits whole, with addresses and names, at this machine's command line.
//
// Who it is: the login of whoever runs the command; of root by sudo, the login that became root. If the
// config has [[reader]] entries, only an investigator of that unix_user may; root may as well as long as no
// reader has one. The line of the audit log is on the disk before anything is shown.
//
// Thread: any. Blocks on the disk.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

namespace gatebook::review {

struct Login {
  std::string name;
  bool is_root = false;

  static Login OfThisProcess();
};

// What somebody says who wants to see visits whole.
struct RevealOptions {
  bool wanted = false;
  std::string reason = {};
  Login login = Login::OfThisProcess();
};

// The name under which they stand in the audit log. An error (1) says who may.
base::Result<std::string> WhoMayReveal(const config::Config& config, const Login& login);

// Nothing is wanted: well, and nothing is written, unless a reason is given for nothing. `what` is what will
// be shown. Errors: 1 they may not; 2 no good reason; 73, 74.
base::Status WriteReveal(const config::Config& config, const RevealOptions& options, const std::string& what,
                         const base::Clock& clock);

}  // namespace gatebook::review
