#include "review/visit_otel.h"

#include <fmt/format.h>

#include "review/json_line.h"
#include "review/visit_fields.h"

namespace gatebook::review {
namespace {

// A number of the data model for each of the words.
constexpr uint64_t kInfo = 9;
constexpr uint64_t kWarn = 13;

void AppendAttributes(JsonLine& json, const logger::StoredVisit& visit) {
  json.Text("client.address", visit.ip);
  json.Text("http.request.method", visit.method);
  json.Number("http.request.body.size", visit.bytes_in);
  json.OneText("http.request.header.referer", visit.referrer);
  if (visit.status != 0) json.Number("http.response.status_code", visit.status);
  json.Number("http.response.body.size", visit.bytes_out);
  json.Text("error.type", visit.denied);
  json.Text("server.address", visit.host);
  json.Text("url.path", visit.path);
  json.Text("url.query", visit.query);
  json.Raw("url.scheme", visit.tls.empty() ? "\"http\"" : "\"https\"");
  json.Text("user_agent.original", visit.user_agent);
  json.Raw("network.protocol.name", "\"http\"");
  json.Raw("network.protocol.version", visit.protocol == "h2" ? "\"2\"" : "\"1.1\"");
  if (!visit.tls.empty()) json.Raw("tls.protocol.name", "\"tls\"");
  json.Text("tls.protocol.version", visit.tls);
  json.Text("geo.country.iso_code", visit.country);
  json.Text("geo.locality.name", visit.city);
  json.Text("session.id", visit.session);
  json.Text("gatebook.id", logger::ToText(visit.id, visit.edge));
  json.Flag("gatebook.session_new", visit.session_new);
  if (visit.open) json.Flag("gatebook.open", true);
  json.Text("gatebook.protocol", visit.protocol);
  json.Text("gatebook.dns", visit.dns);
  json.Text("gatebook.dns_check", visit.dns_check);
  if (visit.asn != 0) json.Number("gatebook.asn", visit.asn);
  json.Text("gatebook.as_org", visit.as_org);
  json.Text("gatebook.channel", visit.channel);
  json.Text("gatebook.utm_source", visit.utm_source);
  json.Text("gatebook.utm_medium", visit.utm_medium);
  json.Text("gatebook.utm_campaign", visit.utm_campaign);
  json.Number("gatebook.duration_us", visit.duration_us);
  json.Number("gatebook.upstream_us", visit.upstream_us);
  json.Text("gatebook.request_id", visit.request_id);
  json.Text("gatebook.rule", visit.rule);
  json.Raw("gatebook.purpose", PurposesAsJson(visit.purpose));
  json.Text("gatebook.policy", visit.policy);
}

}  // namespace

void AppendOtel(std::string& line, const logger::StoredVisit& visit) {
  const bool is_warning = !visit.denied.empty() || visit.status >= 500;
  const auto arrival = static_cast<uint64_t>(visit.arrival.time_since_epoch().count());
  JsonLine json(line);
  // As text: JavaScript's numbers do not hold nanoseconds.
  json.Text("Timestamp", fmt::format("{}000000", arrival));
  json.Raw("SeverityText", is_warning ? "\"WARN\"" : "\"INFO\"");
  json.Number("SeverityNumber", is_warning ? kWarn : kInfo);
  json.Raw("EventName", "\"gatebook.visit\"");
  json.Text("Body", fmt::format("{} {}{} {}", visit.method, visit.host, visit.path,
                                visit.open ? "open" : fmt::format("{}", visit.status)));
  json.Begin("Resource");
  json.Raw("service.name", "\"gatebook\"");
  json.Text("service.instance.id", visit.edge);
  json.End();
  json.Begin("Attributes");
  AppendAttributes(json, visit);
  json.End();
  json.End();
  line.push_back('\n');
}

}  // namespace gatebook::review
