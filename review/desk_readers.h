// DeskReaders: the [[reader]]s of a config with their secrets, as they were when it was loaded.
//
// Thread: immutable once loaded; any. Owns: the secrets, of passwords and tokens only digests.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "review/password.h"

namespace gatebook::review {

struct DeskReader {
  std::string name;
  config::Role role = config::Role::kViewer;
  std::optional<Password> password;
  std::optional<std::array<uint8_t, 32>> token;  // SHA-256
  std::string certificate;
  std::optional<uid_t> uid;
};

class DeskReaders {
 public:
  // Reads the files. Error: the first that can't be used, or a name that stands twice; never what is in a
  // file.
  static base::Result<std::shared_ptr<const DeskReaders>> Load(const std::vector<config::Reader>& readers);

  const std::vector<DeskReader>& all() const { return readers_; }
  // Whether any reader is a user of a machine.
  bool HasUsers() const { return has_users_; }
  bool HasPasswords() const;
  // Each null if there is none.
  const DeskReader* OfName(std::string_view name) const;
  const DeskReader* OfUser(uid_t uid) const;
  const DeskReader* OfCertificate(std::string_view name) const;
  // In the same time for all tokens of one length.
  const DeskReader* OfToken(std::string_view token) const;

 private:
  std::vector<DeskReader> readers_;
  bool has_users_ = false;
};

}  // namespace gatebook::review
