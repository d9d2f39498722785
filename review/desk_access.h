// DeskAccess: who a reader is, and whether a request is theirs and not that of a page elsewhere.
//
// Over a Unix socket the kernel says who connected. A reader with that unix_user has their role; others
// are viewers, for they were let at the socket; root and our own user are investigators as long as no reader
// has a unix_user. Over TLS a client certificate, a token or a login says it; else nobody is known. Plain TCP
// shows nothing.
//
// A browser reaches the Unix socket by ssh -L as http://localhost: whose page asks is then told by the Host
// (a name of somebody else's that leads to this machine: DNS rebinding), by Sec-Fetch-Site, by Origin, and,
// of what changes anything, by a field that no form can send.
//
// Thread: one (the main loop's). Borrows: the clock. Owns: readers and logins.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "review/desk_http.h"
#include "review/desk_logins.h"
#include "review/desk_readers.h"

namespace gatebook::review {

struct DeskIdentity {
  std::string name;  // "" of a user of this machine who is no reader: their uid says it
  std::optional<uid_t> uid;
  config::Role role = config::Role::kViewer;
  bool is_login = false;  // by a password: may log out
};
// For the audit log: the reader's name, or the user's of this machine. May wait for the system's user
// database.
std::string NameOf(const DeskIdentity& identity);

class DeskAccess {
 public:
  explicit DeskAccess(const base::Clock& clock) : logins_(clock) {}

  // Whoever is logged in stays so while they are a reader with the same password.
  void SetReaders(std::shared_ptr<const DeskReaders> readers, const config::Desk& limits);

  // Why a request is refused whoever asks; nothing: it is not.
  std::optional<DeskAnswer> Refuse(const DeskRequest& request) const;
  struct Answer {
    std::optional<DeskIdentity> identity;  // nothing: unknown
    bool is_limited = false;               // wrong tokens come too fast
  };
  Answer Who(const DeskRequest& request);
  // Whether whoever was `identity` in `request` is so still; a login is not in use by that.
  bool IsStill(const DeskIdentity& identity, const DeskRequest& request);

  DeskLogins& logins() { return logins_; }
  const std::shared_ptr<const DeskReaders>& readers() const { return readers_; }

  static std::string CookieFor(const std::string& login);  // a Set-Cookie value
  static std::string NoCookie();
  static std::string_view LoginOf(const DeskRequest& request);

 private:
  DeskLogins logins_;
  std::shared_ptr<const DeskReaders> readers_;
};

}  // namespace gatebook::review
