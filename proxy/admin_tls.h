// TLS of the admin listener, by [admin] chain, key and client_ca.
#pragma once

#include <memory>

#include "base/result.h"
#include "config/config.h"
#include "tls/tls_context.h"

namespace gatebook::proxy {

// Null: it is plain. Error: one sentence naming the file that can't be used.
base::Result<std::shared_ptr<tls::TlsContext>> MakeAdminTls(const config::Admin& admin);

}  // namespace gatebook::proxy
