// VisitBook: a worker's hand that writes visits down.
//
// Takes the facts of an exchange, makes their texts harmless and impersonal
// (masks, caps, allow-lists) and appends them to the worker's journal.
// No system call, no allocation, no wait.
//
// Thread: the worker's. Borrows: the journal writer and the hints.
#pragma once

#include <array>
#include <optional>

#include "config/config.h"
#include "http/head.h"
#include "http/refusal.h"
#include "logger/journal_writer.h"
#include "logger/name_hints.h"
#include "logger/source.h"
#include "logger/visit.h"
#include "proxy/client_facts.h"
#include "proxy/objection.h"

namespace gatebook::proxy {

// The session as far as a visit is concerned.
struct VisitSession {
  logger::SessionId id;
  bool is_new = false;  // this exchange opened it
  // This very request shows the session's cookie; a connection that remembers it does not.
  bool is_shown = false;
  base::WallTime began{};  // by the cookie
  Objected objected = Objected::kNo;
};

struct VisitFacts {
  base::WallTime arrival{};
  base::SteadyTime started{};
  VisitSession session;
  logger::Protocol protocol = logger::Protocol::kH1;
  uint16_t status = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t duration_us = 0;
  uint64_t upstream_us = 0;
  uint64_t request_id = 0;
  // kCount: not refused.
  http::Refusal refusal = http::Refusal::kCount;
};

class VisitBook {
 public:
  VisitBook(logger::JournalWriter& journal, logger::NameHints& hints, const config::Journal& config);

  // An address was seen: its name may be asked for before its first visit is written.
  void OfferName(const std::optional<base::IpAddress>& ip) {
    if (ip) hints_.Offer(*ip);
  }

  // journal.on_full = "refuse" and no visit can be kept: answer 503 instead.
  bool MustRefuse() const {
    return refuse_when_full_ && (!journal_.HasRoom() || (await_flush_ && journal_.IsFlushFailing()));
  }
  // `head`: of a broken request what is known of it. `open`: to be completed by WriteClosing(). `recorded`:
  // the fields that may be.
  logger::Appended Write(const VisitFacts& facts, const ClientFacts& client, const http::RequestHead& head,
                         bool open, const config::Visit& rules, config::VisitFieldSet recorded);
  logger::Appended WriteClosing(logger::VisitId of, const VisitFacts& facts);

  bool refuses_when_full() const { return refuse_when_full_; }
  // journal.flush = "always": whoever writes waits until the position is flushed.
  bool must_await_flush() const { return await_flush_; }
  void RequestFlush() { journal_.RequestFlush(); }
  enum class FlushState { kPending, kFlushed, kFailed };
  // A disk that fails holds nobody up with on_full = "serve".
  FlushState StateOf(uint64_t position) const {
    if (journal_.flushed_position() >= position) return FlushState::kFlushed;
    if (!journal_.IsFlushFailing()) return FlushState::kPending;
    return refuse_when_full_ ? FlushState::kFailed : FlushState::kFlushed;
  }

 private:
  void WriteSource(logger::Visit& visit, const VisitFacts& facts, const http::RequestHead& head,
                   config::VisitFieldSet recorded);

  logger::JournalWriter& journal_;
  logger::NameHints& hints_;
  const bool refuse_when_full_;
  const bool await_flush_;
  // Room for texts that had to be changed.
  struct Scratch {
    std::array<char, logger::kMostMethod> method;
    std::array<char, logger::kMostHost> host;
    std::array<char, logger::kMostPath> path;
    std::array<char, logger::kMostQuery> query;
    std::array<char, logger::kMostUserAgent> user_agent;
    logger::SourceBuffer source;
  } scratch_;
};

}  // namespace gatebook::proxy
