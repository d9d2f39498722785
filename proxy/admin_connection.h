// AdminConnection: one connection to the admin listener.
//
// Reads a request, has it answered, and writes the answer: at once and to the connection's end where a page
// of the server's stands (small answers for tools), later, perhaps bit by bit, and with keep-alive where the
// desk answers (review/desk.h).
//
// Thread: the main loop's. Owns: the stream, the ticket of a question under way. Borrows: its server.
// Ends: destroying it closes the connection and cancels the question.
// Limits: 16 KiB of head, 16 KiB of body, 5 s to send them, a page's answer in these 5 s too; 60 s idle
//   between two; an answer of the desk must move within 30 s; 32 KiB are read ahead.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/request_parser.h"
#include "net/stream.h"
#include "proxy/admin_server.h"
#include "review/desk_http.h"
#include "tls/tls_stream.h"

namespace gatebook::proxy {

class AdminServer::Connection : public net::Disposable,
                                private net::StreamHandler,
                                private review::DeskAsker {
 public:
  Connection(AdminServer& server, base::UniqueFd fd);
  bool IsWatched() const { return stream_ != nullptr; }
  // A request of it is not there, or not yet whole.
  bool IsWaiting() const { return state_ == State::kReading; }
  // The desk tells it nothing more.
  void Cancel() { ticket_.reset(); }

 private:
  enum class State : uint8_t { kReading, kAsked, kAnswering };

  void OnStreamReady() override;
  void OnStreamFailed() override { server_.Remove(this); }
  void OnAnswer(review::DeskAnswer answer) override;
  void OnMore(std::string piece) override;
  void OnEnd() override;

  void Pump();
  // False: the connection is over.
  bool Receive();
  // False: there is no whole request yet.
  bool ReadRequest();
  void Answer(const http::RequestHead& head);
  void AskDesk(const http::RequestHead& head);
  void AnswerPage(const Page& page, bool with_body);
  // False: it could not all be written now, or the connection is over.
  bool Send();
  void BeginNext();
  void Expect(base::Duration patience);

  AdminServer& server_;
  std::unique_ptr<net::Stream> stream_;
  tls::TlsStream* tls_ = nullptr;  // stream_, if it is one
  std::optional<uid_t> uid_;
  http::RequestParser parser_;
  std::string received_;
  std::string out_;
  size_t written_ = 0;
  size_t untaken_ = 0;  // bytes of out_ that the desk counts
  std::unique_ptr<review::DeskTicket> ticket_;
  State state_ = State::kReading;
  bool keep_alive_ = false;
  bool is_head_ = false;       // only the head is wanted
  bool is_page_ = false;       // the answer is not the desk's
  bool is_idle_ = false;       // nothing of the next request has come
  bool is_streaming_ = false;  // more of the answer comes
  bool has_ended_ = false;     // the client says nothing more
  bool closing_ = false;
  net::Timer deadline_;
};

}  // namespace gatebook::proxy
