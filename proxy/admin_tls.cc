#include "proxy/admin_tls.h"

#include "base/log.h"

namespace gatebook::proxy {

base::Result<std::shared_ptr<tls::TlsContext>> MakeAdminTls(const config::Admin& admin) {
  if (admin.chain.empty()) return std::shared_ptr<tls::TlsContext>();
  std::vector<std::string> warnings;
  auto store =
      tls::CertificateStore::Load({{admin.chain, admin.key}}, base::Clock::System().WallNow(), warnings);
  for (const std::string& warning : warnings) base::LogWarning("tls", "{}", warning);
  if (!store.ok()) return store.error();
  config::Tls tls;
  tls.http2 = false;
  if (!admin.client_ca.empty()) {
    tls.client_certificates = config::ClientCertificates::kOptional;
    tls.client_ca = admin.client_ca;
  }
  return tls::TlsContext::Make(tls, std::move(store).value(), nullptr);
}

}  // namespace gatebook::proxy
