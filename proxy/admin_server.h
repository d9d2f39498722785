// AdminServer: /metrics, /healthz, /readyz and /status for ops, and the desk for readers, on the main thread.
//
// Over HTTP/1, plain or, with a TLS context, TLS only. What ops ask for is answered at once, one request a
// connection; GET changes nothing; POST does what its path names, but not for a web page (Origin,
// Sec-Fetch-Site). It shows nothing personal; /desk/ does, to whom review/desk.h knows.
//
// Thread: the main loop's. Owns: listener and connections. Borrows: the source of pages, the desk.
// Ends: destroying it closes everything.
// Limits: 64 connections, of which the oldest that asks for nothing gives way to a new one; each as
// proxy/admin_connection.h says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/listener.h"
#include "review/desk.h"
#include "tls/tls_context.h"

namespace gatebook::proxy {

class AdminServer {
 public:
  struct Page {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
  };
  // What stands at a path (no query); status 404 where nothing does.
  using Pages = std::function<Page(std::string_view path)>;

  // Does what a path names and says how it went; empty: POST is refused.
  using Actions = std::function<Page(std::string_view path)>;

  // `desk` null: /desk/ is as any other path.
  AdminServer(net::Loop& loop, base::UniqueFd listener, Pages pages, Actions actions = {},
              review::Desk* desk = nullptr);
  ~AdminServer();

  // For connections from now on; null: they are plain.
  void SetTls(std::shared_ptr<tls::TlsContext> tls) { tls_ = std::move(tls); }

 private:
  class Connection;
  void OnAccept(base::UniqueFd fd);
  void Remove(Connection* connection);

  net::Loop& loop_;
  Pages pages_;
  Actions actions_;
  review::Desk* desk_;
  std::shared_ptr<tls::TlsContext> tls_;
  std::vector<std::unique_ptr<Connection>> connections_;
  net::Listener listener_;
};

}  // namespace gatebook::proxy
