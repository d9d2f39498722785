// DeskLogins: who is logged in to the desk by a password, and how many tried in vain this minute.
//
// A login is a random number that only its reader's browser has (a cookie): 256 bits, of which the digest is
// kept here, in memory only. It ends when it is idle or old (desk.idle, desk.lifetime), on logout, and with
// the process.
//
// Thread: one (the main loop's). Owns: the logins. Borrows: the clock.
// Limits: 256 logins, of which the one longest idle gives way; logins tried and not judged yet count as
// failed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "config/config.h"

namespace gatebook::review {

class DeskLogins {
 public:
  explicit DeskLogins(const base::Clock& clock) : clock_(clock) {}

  // Of the config in force from now on.
  void SetLimits(const config::Desk& limits) { limits_ = limits; }

  // The cookie's value for a new login.
  std::string Begin(const std::string& reader);
  // The reader's name, and the login is in use again; nothing if there is no such login (any more).
  std::optional<std::string> Use(std::string_view cookie);
  // Likewise, and it is not in use by that.
  std::optional<std::string> Find(std::string_view cookie);
  void End(std::string_view cookie);
  void EndAllOf(std::string_view reader);

  // False: too many have failed in this minute. Else it counts as failed until Succeeded().
  bool MayTry();
  void Succeeded();

  size_t size() const { return logins_.size(); }

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Login {
    std::string reader;
    base::SteadyTime began{};
    base::SteadyTime used{};
  };
  static std::optional<Digest> DigestOf(std::string_view cookie);
  void DropOver();
  void TurnMinute();

  const base::Clock& clock_;
  config::Desk limits_;
  std::map<Digest, Login> logins_;
  int64_t minute_ = 0;
  uint32_t failed_ = 0;  // in it
};

}  // namespace gatebook::review
