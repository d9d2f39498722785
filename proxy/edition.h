// Edition: what one loading of the configuration made, as all workers share it: the numbered
// whole of which each worker's Generation is one worker's part.
//
// Thread: made by the main thread and immutable then, but for the board and the ticket keys, which take
//   any thread; its last holder may let go of it on any.
// Owns: config, certificates, ticket keys (shared with the next one while their rotation stays), health
// board.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "proxy/health_board.h"
#include "proxy/own_paths.h"
#include "proxy/upstream_target.h"
#include "review/rights_desk.h"
#include "tls/certificate_store.h"
#include "tls/ticket_keys.h"
#include "tls/tls_context.h"

namespace gatebook::proxy {

struct Edition {
  uint64_t number = 1;  // of the loading, from 1
  base::WallTime loaded{};
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const tls::CertificateStore> certificates;  // null if no listener has TLS
  std::shared_ptr<tls::TicketKeys> ticket_keys;               // null without TLS or tickets
  std::shared_ptr<HealthBoard> health;                        // of the config's shape
  OwnPaths own_paths;
};

// An edition with what each thread needs of its own.
struct EditionParts {
  std::shared_ptr<const Edition> edition;
  std::vector<std::shared_ptr<tls::TlsContext>> tls;  // by worker; null if no listener has TLS
  std::vector<UpstreamTls> upstream_tls;              // by worker; one more, for the checks
};

// Reads every file that `config` names, or says which cannot be used and changes nothing. `before`: the
// edition in force, null at start. `desk` outlives the edition.
base::Result<EditionParts> MakeEdition(std::shared_ptr<const config::Config> config, const Edition* before,
                                       uint32_t workers, review::RightsDesk& desk);

// Whether servers are reached and asked in the same way, so that what is known of their health still holds.
bool HaveSameServers(const config::Config& one, const config::Config& other);

}  // namespace gatebook::proxy
