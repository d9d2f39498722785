// DeskRequest, DeskAnswer, DeskReply: what goes between the listener that readers of the desk are connected
// to, on its loop, and the desk's threads.
//
// Thread: a request and an answer are values. A DeskReply may be used by one thread at a time, any; what it
// is given reaches the DeskAsker on the loop's thread, in order, never before the request has been handed
// over. A DeskTicket belongs to the loop's thread.
// Owns: the state that reply and ticket share. Borrows: the loop, until Close() of the desk.
// Ends: a ticket that is destroyed cancels: the asker hears nothing more.
// Limits: the reply's backlog() tells what the asker has not yet taken; who sends more and more looks at it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/loop.h"

namespace gatebook::review {

// Who is at the other end, as the connection itself tells.
struct DeskPeer {
  bool has_tls = false;
  std::optional<uid_t> uid;      // of a Unix socket (SO_PEERCRED)
  std::string certificate_name;  // common name of a verified client certificate
};

struct DeskRequest {
  DeskPeer peer;
  bool is_post = false;                                        // else GET
  std::string path;                                            // "/desk/api/visits"
  std::map<std::string, std::string, std::less<>> parameters;  // of the query, decoded; the last of a name
  std::string host, authority;                            // the name asked for, without and with its port
  std::string origin, fetch_site, cookie, authorization;  // the fields, "" where there is none
  bool is_marked = false;  // has X-Gatebook-Desk, which no form of another page can send
  std::string body;
};

// "a=b&c=d%20e", as forms write it; damaged escapes stay as they are. Limits: 32 parameters.
std::map<std::string, std::string, std::less<>> ParseParameters(std::string_view query);
// The value of one cookie; "" if there is none.
std::string_view CookieOf(std::string_view field, std::string_view name);

struct DeskAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields = {};
  bool has_more = false;  // OnMore() will come, then OnEnd()
};
// {"error": "…"} with a status.
DeskAnswer DeskError(int status, std::string_view message);
// The head of an answer, with what browsers are told: nothing from elsewhere, nothing inline, nothing kept.
std::string DeskHead(const DeskAnswer& answer, bool keep_alive);

class DeskAsker {
 public:
  virtual void OnAnswer(DeskAnswer answer) = 0;  // once
  // Says at last with DeskTicket::Taken() that it has been passed on.
  virtual void OnMore(std::string piece) = 0;
  virtual void OnEnd() = 0;

 protected:
  ~DeskAsker() = default;
};

class DeskReply;

class DeskTicket {
 public:
  ~DeskTicket();
  DeskTicket(const DeskTicket&) = delete;
  DeskTicket& operator=(const DeskTicket&) = delete;
  // So many bytes that OnMore() brought are gone.
  void Taken(size_t bytes);

 private:
  friend class DeskReply;
  struct State;
  explicit DeskTicket(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

class DeskReply {
 public:
  // Both ends of a new question. `asker` must live as long as the ticket.
  static std::pair<DeskReply, std::unique_ptr<DeskTicket>> Make(net::Loop& loop, DeskAsker& asker);

  void Answer(DeskAnswer answer) const;
  void More(std::string piece) const;
  void End() const;
  // Runs it on the loop's thread, in order with what is sent, also after the asker has gone.
  void Post(std::function<void()> task) const;
  bool IsCancelled() const;
  size_t backlog() const;  // bytes

 private:
  explicit DeskReply(std::shared_ptr<DeskTicket::State> state) : state_(std::move(state)) {}
  std::shared_ptr<DeskTicket::State> state_;
};

}  // namespace gatebook::review
