#include "proxy/admin_server.h"

#include <algorithm>

#include "proxy/admin_connection.h"

namespace gatebook::proxy {
namespace {

constexpr size_t kMostConnections = 64;

}  // namespace

AdminServer::AdminServer(net::Loop& loop, base::UniqueFd listener, Pages pages, Actions actions,
                         review::Desk* desk)
    : loop_(loop),
      pages_(std::move(pages)),
      actions_(std::move(actions)),
      desk_(desk),
      listener_(
          loop, std::move(listener),
          [this](base::UniqueFd fd, std::optional<base::IpAddress>) { OnAccept(std::move(fd)); }, [] {}) {}

AdminServer::~AdminServer() = default;

void AdminServer::OnAccept(base::UniqueFd fd) {
  if (connections_.size() >= kMostConnections) {
    // Who only keeps a connection must not keep others out: of those who ask for nothing the oldest goes.
    const auto silent = std::find_if(connections_.begin(), connections_.end(),
                                     [](const auto& held) { return held->IsWaiting(); });
    if (silent == connections_.end()) return;
    Remove(silent->get());
  }
  auto connection = std::make_unique<Connection>(*this, std::move(fd));
  if (connection->IsWatched()) connections_.push_back(std::move(connection));
}

void AdminServer::Remove(Connection* connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [connection](const auto& held) { return held.get() == connection; });
  if (found == connections_.end()) return;
  connection->Cancel();
  loop_.Dispose(std::move(*found));
  connections_.erase(found);
}

}  // namespace gatebook::proxy
