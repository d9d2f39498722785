#include "proxy/visit_book.h"

#include "logger/mask.h"
#include "logger/text.h"

namespace gatebook::proxy {
namespace {

using logger::Appended;

std::string_view FindValue(const http::RequestHead& head, http::FieldId id) {
  for (const http::Field& field : head.fields) {
    if (field.id == id) return field.value;
  }
  return {};
}

}  // namespace

VisitBook::VisitBook(logger::JournalWriter& journal, logger::NameHints& hints, const config::Journal& config)
    : journal_(journal),
      hints_(hints),
      refuse_when_full_(config.on_full == config::OnFull::kRefuse),
      await_flush_(config.flush == config::Flush::kAlways) {}

Appended VisitBook::Write(const VisitFacts& facts, const ClientFacts& client, const http::RequestHead& head,
                          bool open, const config::Visit& rules, config::VisitFieldSet recorded) {
  using enum config::VisitField;
  logger::Visit visit;
  visit.arrival = facts.arrival;
  visit.session = facts.session.id;
  visit.session_new = facts.session.is_new;
  visit.open = open;
  visit.ip = rules.truncate_address == config::TruncateAddress::kAlways ? client.ip.Truncated() : client.ip;
  visit.protocol = facts.protocol;
  visit.tls_version = client.tls_version;
  visit.status = facts.status;
  visit.bytes_in = facts.bytes_in;
  visit.bytes_out = facts.bytes_out;
  visit.duration_us = facts.duration_us;
  visit.upstream_us = facts.upstream_us;
  visit.request_id = facts.request_id;
  if (facts.refusal != http::Refusal::kCount) visit.denied = http::InfoOf(facts.refusal).slug;
  visit.policy = rules.policy;
  // A method of a client's own making may be anything.
  visit.method = logger::MaskValue(head.method_text, logger::kMostMethod, scratch_.method);
  if (recorded.Has(kHost)) visit.host = logger::CleanText(head.host, logger::kMostHost, scratch_.host);
  if (recorded.Has(kPath)) visit.path = logger::MaskPath(head.path, scratch_.path);
  if (recorded.Has(kQuery)) visit.query = logger::FilterQuery(head.query, rules.query_allow, scratch_.query);
  if (recorded.Has(kUserAgent)) {
    visit.user_agent = logger::MaskAgent(FindValue(head, http::FieldId::kUserAgent), logger::kMostUserAgent,
                                         scratch_.user_agent);
  }
  WriteSource(visit, facts, head, recorded);
  return journal_.Append(visit);
}

// Of who objects only the kind of the source is kept: one of six, which names no site and nobody.
void VisitBook::WriteSource(logger::Visit& visit, const VisitFacts& facts, const http::RequestHead& head,
                            config::VisitFieldSet recorded) {
  using enum config::VisitField;
  const bool objected = facts.session.objected != Objected::kNo;
  if (objected) visit.purpose = logger::kPurposeAdministrative;
  const logger::Source source = logger::ClassifySource(FindValue(head, http::FieldId::kReferer), head.host,
                                                       head.query, scratch_.source);
  visit.channel = recorded.Has(kChannel) ? source.channel : logger::Channel::kUnrecorded;
  if (objected) return;
  if (recorded.Has(kReferrer)) visit.referrer = source.referrer;
  if (!recorded.Has(kCampaign)) return;
  visit.utm_source = source.utm_source;
  visit.utm_medium = source.utm_medium;
  visit.utm_campaign = source.utm_campaign;
}

logger::Appended VisitBook::WriteClosing(logger::VisitId of, const VisitFacts& facts) {
  logger::Closing closing;
  closing.of = of;
  closing.status = facts.status;
  closing.bytes_in = facts.bytes_in;
  closing.bytes_out = facts.bytes_out;
  closing.duration_us = facts.duration_us;
  closing.upstream_us = facts.upstream_us;
  if (facts.refusal != http::Refusal::kCount) closing.denied = http::InfoOf(facts.refusal).slug;
  return journal_.Append(closing);
}

}  // namespace gatebook::proxy
