#include "proxy/certificate_watch.h"

#include <sys/stat.h>

namespace gatebook::proxy {

CertificateWatch::CertificateWatch(const config::Config& config) {
  for (const config::Certificate& certificate : config.certificates) {
    paths_.push_back(certificate.chain);
    paths_.push_back(certificate.key);
  }
  paths_.push_back(config.tls.client_ca);
  paths_.insert(paths_.end(), {config.admin.chain, config.admin.key, config.admin.client_ca});
  for (const config::Upstream& upstream : config.upstreams) {
    paths_.insert(paths_.end(), {upstream.tls_ca, upstream.tls_certificate, upstream.tls_key});
  }
  std::erase(paths_, "");
  known_ = latest_ = TakePrints();
}

bool CertificateWatch::Look() {
  std::vector<Print> now = TakePrints();
  if (now.empty()) return false;
  const bool stands_still = now == latest_;
  latest_ = std::move(now);
  if (!stands_still || latest_ == known_) return false;
  known_ = latest_;
  return true;
}

std::vector<CertificateWatch::Print> CertificateWatch::TakePrints() const {
  std::vector<Print> prints;
  for (const std::string& path : paths_) {
    struct stat seen {};
    if (::stat(path.c_str(), &seen) != 0) return {};
    prints.push_back({seen.st_dev, seen.st_ino, seen.st_size, seen.st_ctim.tv_sec, seen.st_ctim.tv_nsec});
  }
  return prints;
}

}  // namespace gatebook::proxy
