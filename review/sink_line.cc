#include "review/sink_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/rfc3339.h"
#include "config/syslog_facility.h"
#include "review/discreet.h"
#include "review/visit_combined.h"
#include "review/visit_ecs.h"
#include "review/visit_otel.h"

namespace gatebook::review {
namespace {

using config::VisitField;
using logger::StoredVisit;

// RFC 5424 §6.2.1.
constexpr unsigned kSeverityWarning = 4;
constexpr unsigned kSeverityInfo = 6;

// HOSTNAME is at most 255 printable characters; "-": not known.
std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "-";
  std::string text(name.data());
  for (char& c : text) {
    if (c <= ' ' || c >= 0x7f) c = '-';
  }
  return text.empty() ? "-" : text;
}

void Mask(config::SinkAddresses addresses, StoredVisit* visit) {
  if (addresses == config::SinkAddresses::kShort) MakeDiscreet(visit);
  if (addresses == config::SinkAddresses::kNone) {
    visit->ip.clear();
    visit->dns.clear();
  }
}

}  // namespace

void KeepFields(StoredVisit* visit, const config::VisitFieldSet& fields) {
  const auto drop = [&](VisitField field, auto&... members) {
    if (!fields.Has(field)) (members.clear(), ...);
  };
  drop(VisitField::kDns, visit->dns, visit->dns_check);
  drop(VisitField::kChannel, visit->channel);
  drop(VisitField::kReferrer, visit->referrer);
  drop(VisitField::kCampaign, visit->utm_source, visit->utm_medium, visit->utm_campaign);
  drop(VisitField::kCountry, visit->country);
  drop(VisitField::kNetwork, visit->as_org);
  if (!fields.Has(VisitField::kNetwork)) visit->asn = 0;
  drop(VisitField::kCity, visit->city);
  drop(VisitField::kHost, visit->host);
  drop(VisitField::kPath, visit->path);
  drop(VisitField::kQuery, visit->query);
  drop(VisitField::kUserAgent, visit->user_agent);
}

void AppendLine(std::string& line, const StoredVisit& visit, config::SinkFormat format) {
  switch (format) {
    case config::SinkFormat::kEcs:
      return AppendEcs(line, visit);
    case config::SinkFormat::kOtel:
      return AppendOtel(line, visit);
    case config::SinkFormat::kCombined:
      return AppendCombined(line, visit);
  }
}

void MaskFor(const config::Sink& sink, StoredVisit* visit) {
  KeepFields(visit, config::VisitFieldSet(sink.fields));
  Mask(sink.addresses, visit);
}

base::Result<SinkLine> SinkLine::Make(const config::Sink& sink, std::string edge,
                                      std::chrono::milliseconds keep) {
  auto where = Query::Parse(sink.where);
  if (!where.ok()) {
    return base::Error{fmt::format("[[sink]] \"{}\": where: {}", sink.name, where.error().message),
                       base::ExitCode::kConfig};
  }
  return SinkLine(sink, std::move(edge), keep, std::move(where).value());
}

SinkLine::SinkLine(const config::Sink& sink, std::string edge, std::chrono::milliseconds keep, Query where)
    : kind_(sink.kind),
      format_(sink.format),
      addresses_(sink.addresses),
      counted_(sink.transport == config::SyslogTransport::kTcp ||
               sink.transport == config::SyslogTransport::kTls),
      facility_(config::SyslogFacility(sink.facility).value_or(0)),
      fields_(sink.fields),
      edge_(std::move(edge)),
      keep_(keep),
      where_(std::move(where)),
      syslog_names_(fmt::format(" {} gatebook {} visit - ", HostName(), ::getpid())) {}

bool SinkLine::Append(const ToldVisit& told, base::WallTime now, std::string* to) const {
  // A web server's log has one line an exchange, written at its end; of the others some are written twice.
  const bool is_combined = format_ == config::SinkFormat::kCombined;
  if (told.kind == (is_combined ? ToldVisit::Kind::kOpening : ToldVisit::Kind::kGivenUp)) return false;
  if (told.arrival + keep_ <= now) return false;
  StoredVisit visit;
  if (!ReadTold(told, edge_, &visit) || !where_.Matches(visit)) return false;
  KeepFields(&visit, fields_);
  Mask(addresses_, &visit);
  if (kind_ != config::SinkKind::kSyslog) {
    AppendLine(*to, visit, format_);
    return true;
  }
  std::string line;
  AppendLine(line, visit, format_);
  line.pop_back();  // messages have an end of their own
  Frame(visit, std::move(line), to);
  return true;
}

void SinkLine::Frame(const StoredVisit& visit, std::string line, std::string* to) const {
  const unsigned severity = visit.denied.empty() ? kSeverityInfo : kSeverityWarning;
  const std::string message = fmt::format("<{}>1 {}{}{}", facility_ * 8 + severity,
                                          base::ToRfc3339(visit.arrival), syslog_names_, line);
  if (counted_) to->append(fmt::format("{} ", message.size()));
  to->append(message);
}

}  // namespace gatebook::review
