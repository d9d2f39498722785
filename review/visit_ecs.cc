#include "review/visit_ecs.h"

#include "base/rfc3339.h"
#include "review/json_line.h"
#include "review/visit_fields.h"

namespace gatebook::review {
namespace {

constexpr std::string_view kSchema = "8.11.0";
constexpr uint64_t kNanosecondsAMicrosecond = 1000;

std::string_view HttpVersion(std::string_view protocol) { return protocol == "h2" ? "2" : "1.1"; }

}  // namespace

void AppendEcs(std::string& line, const logger::StoredVisit& visit) {
  JsonLine json(line);
  json.Text("@timestamp", base::ToRfc3339(visit.arrival));
  json.Text("ecs.version", kSchema);
  json.Text("event.id", logger::ToText(visit.id, visit.edge));
  json.Raw("event.kind", "\"event\"");
  json.Raw("event.category", "[\"web\"]");
  json.Raw("event.type", visit.denied.empty() ? "[\"access\"]" : "[\"access\",\"denied\"]");
  json.Raw("event.dataset", "\"gatebook.visit\"");
  if (!visit.open) {
    json.Raw("event.outcome", visit.status >= 400 || visit.status == 0 ? "\"failure\"" : "\"success\"");
  }
  json.Number("event.duration", visit.duration_us * kNanosecondsAMicrosecond);
  json.Text("event.reason", visit.denied);
  json.Text("rule.name", visit.rule);
  json.Text(visit.ip.find('/') == std::string::npos ? "client.ip" : "client.address", visit.ip);
  json.Text("client.domain", visit.dns);
  json.Text("client.geo.country_iso_code", visit.country);
  json.Text("client.geo.city_name", visit.city);
  if (visit.asn != 0) json.Number("client.as.number", visit.asn);
  json.Text("client.as.organization.name", visit.as_org);
  json.Text("http.request.id", visit.request_id);
  json.Text("http.request.method", visit.method);
  json.Text("http.request.referrer", visit.referrer);
  json.Number("http.request.body.bytes", visit.bytes_in);
  if (visit.status != 0) json.Number("http.response.status_code", visit.status);
  json.Number("http.response.body.bytes", visit.bytes_out);
  json.Text("http.version", HttpVersion(visit.protocol));
  json.Raw("network.protocol", "\"http\"");
  json.Text("url.domain", visit.host);
  json.Text("url.path", visit.path);
  json.Text("url.query", visit.query);
  json.Raw("url.scheme", visit.tls.empty() ? "\"http\"" : "\"https\"");
  json.Text("user_agent.original", visit.user_agent);
  json.Text("tls.version", visit.tls);
  if (!visit.tls.empty()) json.Raw("tls.version_protocol", "\"tls\"");
  json.Text("observer.name", visit.edge);
  json.Raw("observer.product", "\"gatebook\"");
  json.Text("gatebook.session", visit.session);
  json.Flag("gatebook.session_new", visit.session_new);
  if (visit.open) json.Flag("gatebook.open", true);
  json.Text("gatebook.protocol", visit.protocol);
  json.Text("gatebook.dns_check", visit.dns_check);
  json.Text("gatebook.channel", visit.channel);
  json.Text("gatebook.utm_source", visit.utm_source);
  json.Text("gatebook.utm_medium", visit.utm_medium);
  json.Text("gatebook.utm_campaign", visit.utm_campaign);
  json.Number("gatebook.upstream_us", visit.upstream_us);
  json.Raw("gatebook.purpose", PurposesAsJson(visit.purpose));
  json.Text("gatebook.policy", visit.policy);
  json.End();
  line.push_back('\n');
}

}  // namespace gatebook::review
