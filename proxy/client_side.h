// ClientSide: what an exchange asks of the connection (or stream) it serves.
//
// The exchange speaks in messages; framing, record sizes, cookies and keep-alive
// are this side's. HTTP/1 is proxy/client_connection.h.
//
// Thread: the worker's. All calls come from inside Exchange::Pump().
#pragma once

#include <span>
#include <string_view>

#include "http/head.h"
#include "http/header_rules.h"
#include "http/refusal.h"
#include "logger/visit.h"
#include "net/stream.h"
#include "proxy/own_answer.h"

namespace gatebook::proxy {

class ClientSide {
 public:
  enum class Take {
    kBytes,    // `piece` holds payload, to be used before the next call
    kEnd,      // the body is over, in good order
    kWait,     // nothing more now
    kRefused,  // the body broke a rule: body_refusal()
    kGone,     // the client has left
  };

  virtual logger::Protocol protocol() const = 0;

  // Request body without its framing, at most `most` bytes.
  virtual Take ReadBody(size_t most, std::string_view& piece) = 0;
  virtual http::Refusal body_refusal() const = 0;
  // After kEnd: the fields behind the body that may be passed on. Valid as long as the exchange.
  virtual std::span<const http::Field> trailers() const = 0;
  // 100 Continue, if the client waits for it and has sent nothing of its body.
  virtual void WriteContinue() = 0;

  // The answer. Everything is gathered until Flush() or until a record is full.
  virtual void WriteInterim(const http::ResponseHead& head) = 0;
  // `request_read`: whether all of the request has been read; if not, the connection ends with the answer.
  // `rules`: the route's, or null.
  virtual void WriteHead(const http::ResponseHead& head, bool request_read,
                         const http::HeaderRules* rules) = 0;
  // The head of an answer of our own making instead, and what can be taken at once of its body: how much
  // that was. The rest, and the end, follow by WriteBody() and WriteEnd().
  virtual size_t WriteOwnAnswer(const OwnAnswer& answer, bool request_read) = 0;
  // Takes what it can; less than all means that the client is slow, and OnExchangeReady will come.
  virtual size_t WriteBody(std::string_view piece) = 0;
  // `trailers` go on where the client takes them. The answer is whole and goes out without another Flush(): the
  // connection may have its own end to send with it.
  virtual void WriteEnd(std::span<const http::Field> trailers) = 0;
  // Pushes on what was gathered, as far as the client takes it.
  virtual void Flush() = 0;

  // A tunnel's bytes, once WriteHead() has passed on a 101.
  virtual net::IoResult ReadTunnel(std::span<char> into) = 0;
  virtual net::IoResult WriteTunnel(std::string_view bytes) = 0;
  virtual void ShutdownTunnel() = 0;

  // The exchange has moved its share for now: OnExchangeReady() is to come again after others had their turn.
  virtual void YieldTurn() = 0;
  // From events of the exchange's own: leads to a call of Exchange::Pump() at once.
  virtual void OnExchangeReady() = 0;

 protected:
  ~ClientSide() = default;
};

}  // namespace gatebook::proxy
