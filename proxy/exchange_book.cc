// The part of Exchange that writes the visit down, holds the end of an answer until it is, and makes answers
// of our own.

#include "proxy/exchange.h"

namespace gatebook::proxy {

using base::Metric;
using http::Refusal;

void Exchange::WriteVisit() {
  if (written_) return;
  written_ = true;
  open_timer_.Cancel();
  facts_of_visit_.duration_us = MicrosecondsSince(facts_of_visit_.started);
  appended_ = written_open_ ? context_.book.WriteClosing(open_id_, facts_of_visit_)
                            : context_.book.Write(facts_of_visit_, facts_, head_, false,
                                                  generation_.config.visit, generation_.recorded);
}

void Exchange::WriteOpenVisit() {
  if (written_ || written_open_) return;
  open_timer_.Cancel();
  appended_ = context_.book.Write(facts_of_visit_, facts_, head_, true, generation_.config.visit,
                                  generation_.recorded);
  if (appended_.outcome == logger::Appended::Outcome::kOk) {
    written_open_ = true;
    open_id_ = appended_.id;
  } else {
    written_ = true;  // counted as dropped; there is nothing to complete
  }
}

void Exchange::AnswerOurselves(const OwnResource& resource) {
  own_ = &resource;
  // An extended CONNECT reads as GET, but what it asks for is a tunnel.
  if (head_.extended_connect || !Allows(resource.allow(), head_.method_text)) {
    return Refuse(Refusal::kOwnPathMethod);
  }
  phase_ = Phase::kAwaiting;
  TakeOwnReply(resource.Answer({head_, facts_.secure, facts_of_visit_.session, facts_of_visit_.arrival,
                                context_.loop, [this](OwnReply reply) {
                                  TakeOwnReply(std::move(reply));
                                  client_.OnExchangeReady();
                                }}));
}

void Exchange::TakeOwnReply(OwnReply reply) {
  own_pending_ = std::move(reply.pending);
  if (own_pending_) return;
  if (!reply.answer) return Refuse(reply.refusal);
  own_answer_ = std::move(reply.answer);
  facts_of_visit_.status = static_cast<uint16_t>(own_answer_->status());
  if (head_.method != http::Method::kHead) facts_of_visit_.bytes_out = own_answer_->body().size();
  EndWith(Ending::kOwnAnswer);
}

std::unique_ptr<OwnAnswer> Exchange::MakeOwnAnswer() const {
  const Refusal refusal = facts_of_visit_.refusal;
  if (refusal == Refusal::kCount) return std::make_unique<OwnAnswer>(head_, generation_.https_port_suffix);
  return std::make_unique<OwnAnswer>(refusal, own_ != nullptr ? own_->allow() : std::string_view());
}

void Exchange::EndWith(Ending ending) {
  ending_ = ending;
  response_timer_.Cancel();
  if (ending == Ending::kTunnel) {
    WriteOpenVisit();
  } else {
    WriteVisit();
  }
  if (MayBeGiven(appended_)) HandOverEnding();
}

bool Exchange::MayBeGiven(const logger::Appended& appended) {
  if (appended.outcome != logger::Appended::Outcome::kOk) {
    // Nothing may be answered that is not in the book, but that nothing may.
    if (!context_.book.refuses_when_full() || facts_of_visit_.refusal == Refusal::kJournalFull) return true;
    phase_ = Phase::kOver;
    end_ = End::kWithheld;
    return false;
  }
  if (!context_.book.must_await_flush()) return true;
  context_.book.RequestFlush();
  phase_ = Phase::kFlushing;
  return false;
}

void Exchange::HandOverEnding() {
  switch (ending_) {
    case Ending::kOwnAnswer:
      if (!own_answer_) own_answer_ = MakeOwnAnswer();
      piece_ = own_answer_->body();
      piece_.remove_prefix(client_.WriteOwnAnswer(*own_answer_, request_read_));
      head_written_ = true;
      phase_ = Phase::kAnswering;
      return CompleteAnswer();
    case Ending::kHead:
      WriteHead();
      [[fallthrough]];
    case Ending::kBody:
      answer_read_ = true;
      return CompleteAnswer();
    case Ending::kTunnel:
      WriteHead();
      return StartTunnel();
  }
}

void Exchange::CountAnswer() {
  context_.metrics.Add(Metric::kBytesFromClients, facts_of_visit_.bytes_in);
  context_.metrics.Add(Metric::kBytesToClients, facts_of_visit_.bytes_out);
  CountStatus(context_.metrics, facts_of_visit_.status);
}

void Exchange::PumpFlushing() {
  switch (context_.book.StateOf(appended_.position)) {
    case VisitBook::FlushState::kFlushed:
      // A body's end may come back here until the client has taken it.
      return HandOverEnding();
    case VisitBook::FlushState::kPending:
      return;
    case VisitBook::FlushState::kFailed:
      // journal.on_full = "refuse": an answer that is not in the book is not given.
      phase_ = Phase::kOver;
      end_ = End::kWithheld;
      return;
  }
}

}  // namespace gatebook::proxy
