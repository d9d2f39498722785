// CertificateWatch: tells when the files of certificates, ours and those of authorities, have been replaced.
//
// Looks at what the names lead to, through all links, so that it makes no difference whether a file, a
// link to it (certbot) or a link to its directory is exchanged. A change counts once it has stood still
// from one look to the next: key and chain are seldom replaced in the same moment. While any of the
// files is missing or out of sight nothing has changed.
//
// Thread: one; it asks the file system, so not a worker's. Owns: what it saw last.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"

namespace gatebook::proxy {

class CertificateWatch {
 public:
  CertificateWatch() = default;
  // Made before the files are read, so that no change falls between.
  explicit CertificateWatch(const config::Config& config);

  // True, once a change: it is time to read them anew.
  bool Look();

 private:
  // A file's identity and age.
  struct Print {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t changed_seconds = 0;
    int64_t changed_nanoseconds = 0;
    bool operator==(const Print&) const = default;
  };
  // Empty: not all of them can be seen.
  std::vector<Print> TakePrints() const;

  std::vector<std::string> paths_;
  std::vector<Print> known_;   // of the files that were read; empty: not seen yet
  std::vector<Print> latest_;  // at the last look
};

}  // namespace gatebook::proxy
