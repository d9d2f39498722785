// AdminServer: /metrics, /healthz, /readyz and /status for ops, on the main thread.
//
// Small answers over HTTP/1, one request a connection. GET changes nothing; POST does what its
// path names, but not for a web page (Origin, Sec-Fetch-Site). Nothing personal is shown: the address defaults to a Unix socket all the same.
//
// Thread: the main loop's. Owns: listener and connections. Borrows: the source of pages.
// Ends: destroying it closes everything.
// Limits: 64 connections, 5 s each, 8 KiB of request.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/listener.h"

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

  AdminServer(net::Loop& loop, base::UniqueFd listener, Pages pages, Actions actions = {});
  ~AdminServer();

 private:
  class Connection;
  void OnAccept(base::UniqueFd fd);
  void Remove(Connection* connection);

  net::Loop& loop_;
  Pages pages_;
  Actions actions_;
  std::vector<std::unique_ptr<Connection>> connections_;
  net::Listener listener_;
};

}  // namespace gatebook::proxy
