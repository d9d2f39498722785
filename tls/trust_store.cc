#include "tls/trust_store.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/check.h"

namespace gatebook::tls {
namespace {

const char* EnvironmentOr(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

}  // namespace

base::Result<std::shared_ptr<const TrustStore>> TrustStore::Load(const std::string& file) {
  ForgetErrors();
  std::shared_ptr<TrustStore> made(new TrustStore);
  CHECK(made->store_ != nullptr);
  if (X509_STORE_load_file(made->get(), file.c_str()) != 1) {
    return base::Error{fmt::format("{}: is not a readable file of PEM certificates: {}", file, TakeError()),
                       base::ExitCode::kConfig};
  }
  return std::shared_ptr<const TrustStore>(std::move(made));
}

std::shared_ptr<const TrustStore> TrustStore::System() {
  std::shared_ptr<TrustStore> made(new TrustStore);
  CHECK(made->store_ != nullptr);
  X509_STORE_load_file(made->get(),
                       EnvironmentOr(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
  // One certificate a file, named by the hash of its subject: "1e09d511.0".
  std::error_code error;
  const char* directory = EnvironmentOr(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == 10 && name[8] == '.') X509_STORE_load_file(made->get(), entry->path().c_str());
  }
  ERR_clear_error();
  return made;
}

base::Result<std::shared_ptr<const TrustStore>> TrustStore::Of(const config::TlsPeer& peer) {
  if (!peer.tls_verify) return std::shared_ptr<const TrustStore>();
  return peer.tls_ca.empty() ? System() : Load(peer.tls_ca);
}

}  // namespace gatebook::tls
