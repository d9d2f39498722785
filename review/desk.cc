#include "review/desk.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "config/option_table.h"
#include "review/audit_log.h"
#include "review/desk_page.h"
#include "review/desk_search.h"
#include "review/visit_fields.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using base::Metric;
using Json = nlohmann::ordered_json;

constexpr std::string_view kApi = "/desk/api/";

DeskAnswer JsonAnswer(const Json& json) {
  return {200, "application/json", json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

DeskAnswer Unknown(bool by_password) {
  DeskAnswer answer = DeskError(401, "log in");
  answer.body = Json{{"error", "log in"}, {"password", by_password}}.dump() + "\n";
  answer.fields = {{"WWW-Authenticate", "Bearer realm=\"gatebook\""}};
  return answer;
}

// Of a JSON object of texts; anything else is left out.
DeskParameters TextsOf(const std::string& body) {
  DeskParameters texts;
  const Json object = Json::parse(body, nullptr, false);
  if (!object.is_object()) return texts;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) texts[name] = value.get<std::string>();
  }
  return texts;
}

DeskAnswer SlipOf(const base::Error& error) { return DeskError(400, error.message); }

}  // namespace

Desk::Desk(Parts parts, std::shared_ptr<const config::Config> config,
           std::shared_ptr<const DeskReaders> readers)
    : parts_(std::move(parts)),
      config_(config),
      access_(parts_.clock),
      live_(config->redis, parts_.clock),
      every_second_([this] { OnSecond(); }) {
  access_.SetReaders(std::move(readers), config_->desk);
}

void Desk::Start() {
  questions_.Start();
  logins_.Start();
  live_.Start();
  OnSecond();
}

void Desk::Stop() {
  every_second_.Cancel();
  live_.Stop();
  logins_.Stop();
  questions_.Stop();
}

void Desk::TakeOver(std::shared_ptr<const config::Config> config,
                    std::shared_ptr<const DeskReaders> readers) {
  config_ = std::move(config);
  access_.SetReaders(std::move(readers), config_->desk);
}

void Desk::OnSecond() {
  live_.Tend();
  parts_.metrics.Set(Metric::kDeskStreams, live_.streams());
  every_second_.Arm(parts_.loop.timers(), parts_.loop.now() + 1s);
}

void Desk::Answer(const DeskReply& reply, DeskAnswer answer) {
  parts_.metrics.Add(answer.status >= 500   ? Metric::kDeskRequestsFailed
                     : answer.status >= 400 ? Metric::kDeskRequestsRefused
                                            : Metric::kDeskRequests);
  reply.Answer(std::move(answer));
}

void Desk::Count(const DeskReply& reply, Metric metric) {
  reply.Post([this, metric] { parts_.metrics.Add(metric); });
}

void Desk::Ask(DeskRequest request, DeskReply reply) {
  if (!config_->desk.enabled) return Answer(reply, DeskError(404, "the desk is switched off (desk.enabled)"));
  if (auto refusal = access_.Refuse(request)) return Answer(reply, std::move(*refusal));
  if (request.path.starts_with(kApi)) return AskApi(request, std::move(reply));
  if (request.path == "/desk") {
    DeskAnswer answer = DeskError(308, "see /desk/");
    answer.fields = {{"Location", "/desk/"}};
    return Answer(reply, std::move(answer));
  }
  Answer(reply, request.is_post ? DeskError(405, "only GET") : DeskFile(request.path));
}

void Desk::AskApi(const DeskRequest& request, DeskReply reply) {
  const std::string_view what = std::string_view(request.path).substr(kApi.size());
  if (request.is_post && what == "login") return LogIn(request, std::move(reply));
  const auto who = access_.Who(request);
  if (who.is_limited) return Answer(reply, DeskError(429, "too many wrong tokens: wait a minute"));
  if (!who.identity) return Answer(reply, Unknown(access_.readers()->HasPasswords()));
  if (request.is_post) {
    if (what == "logout") {
      access_.logins().End(DeskAccess::LoginOf(request));
      DeskAnswer answer = JsonAnswer({{"logged_out", true}});
      answer.fields = {{"Set-Cookie", DeskAccess::NoCookie()}};
      return Answer(reply, std::move(answer));
    }
    if (what == "reveal") return Reveal(request, *who.identity, std::move(reply));
    return Answer(reply, DeskError(405, "only GET"));
  }
  if (what == "me") return Answer(reply, AboutReader(*who.identity));
  if (what == "health") return Answer(reply, {200, "application/json", parts_.status()});
  if (what == "live") return Look(request, *who.identity, std::move(reply));
  const auto kind = DeskKindOf(what);
  if (!kind) return Answer(reply, DeskError(404, "nothing is here"));
  Search(
      ParseDeskQuestion(*kind, request.parameters, false, parts_.clock.WallNow(), config_->visit.retention),
      {}, std::move(reply));
}

DeskAnswer Desk::AboutReader(const DeskIdentity& identity) const {
  Json saved = Json::array();
  for (const config::SavedQuery& query : config_->queries) {
    saved.push_back({{"name", query.name}, {"where", query.where}});
  }
  Json fields = Json::array();
  for (const FieldInfo& field : AllFields()) fields.push_back(field.name);
  const bool may_reveal = identity.role == config::Role::kInvestigator;
  return JsonAnswer(
      {{"name", !identity.name.empty() ? identity.name
                : identity.uid == 0U   ? "root"
                                       : "user of this machine"},
       {"role", may_reveal ? "investigator" : "viewer"},
       {"may_reveal", may_reveal},
       {"may_log_out", identity.is_login},
       {"edge", config_->edge.name},
       {"version", GATEBOOK_VERSION},
       {"retention_hours", std::chrono::floor<std::chrono::hours>(config_->visit.retention).count()},
       {"now", parts_.clock.WallNow().time_since_epoch().count()},
       {"queries", std::move(saved)},
       {"fields", std::move(fields)}});
}

void Desk::LogIn(const DeskRequest& request, DeskReply reply) {
  DeskParameters texts = TextsOf(request.body);
  if (!request.peer.has_tls) return Answer(reply, DeskError(404, "there are no logins over the Unix socket"));
  if (!access_.logins().MayTry()) {
    parts_.metrics.Add(Metric::kDeskLoginsLimited);
    return Answer(reply, DeskError(429, "too many logins have failed: wait a minute"));
  }
  // A name that is none costs what a wrong password costs.
  const DeskReader* reader = access_.readers()->OfName(texts["name"]);
  const bool is_known = reader != nullptr && reader->password.has_value();
  const Password password = is_known ? *reader->password : Password::Nobody();
  const auto check = [this, reply, is_known, password, name = texts["name"], given = texts["password"]] {
    const bool fits = password.Check(given) && is_known;
    reply.Post([this, reply, fits, name] {
      parts_.metrics.Add(fits ? Metric::kDeskLogins : Metric::kDeskLoginsFailed);
      if (!fits) return Answer(reply, DeskError(401, "the name or the password is wrong"));
      access_.logins().Succeeded();
      DeskAnswer answer = JsonAnswer({{"logged_in", true}});
      answer.fields = {{"Set-Cookie", DeskAccess::CookieFor(access_.logins().Begin(name))}};
      Answer(reply, std::move(answer));
    });
  };
  if (logins_.Do(check)) return;
  access_.logins().Succeeded();  // nothing has been tried
  Answer(reply, DeskError(503, "too many log in at once: try again"));
}

void Desk::Reveal(const DeskRequest& request, const DeskIdentity& identity, DeskReply reply) {
  if (identity.role != config::Role::kInvestigator) {
    return Answer(reply, DeskError(403, "only investigators may see addresses and names in full"));
  }
  DeskParameters texts = TextsOf(request.body);
  const auto kind = DeskKindOf(texts["of"]);
  if (!kind) return Answer(reply, DeskError(400, "of what: visits, figures, session, address, export"));
  const std::string reason = texts["reason"];
  if (auto status = CheckReason(reason); !status) return Answer(reply, SlipOf(status.error()));
  Search(ParseDeskQuestion(*kind, texts, true, parts_.clock.WallNow(), config_->visit.retention),
         std::pair(identity, reason), std::move(reply));
}

void Desk::Search(base::Result<DeskQuestion> question,
                  std::optional<std::pair<DeskIdentity, std::string>> audited, DeskReply reply) {
  if (!question.ok()) return Answer(reply, SlipOf(question.error()));
  const auto task = [this, config = config_, asked = std::move(question).value(),
                     audited = std::move(audited), reply] {
    const auto is_over = [this, &reply] { return reply.IsCancelled() || questions_.IsStopping(); };
    if (is_over()) return;
    if (audited) {
      const AuditLog log(config->audit, parts_.clock);
      const auto written = log.Append({NameOf(audited->first), "desk", asked.ToText(), audited->second});
      Count(reply, written.ok() ? Metric::kDeskReveals : Metric::kAuditErrors);
      if (!written.ok()) {
        base::LogError("desk", "nothing was shown, for the audit log can't be written: {}",
                       written.error().message);
        Count(reply, Metric::kDeskRequestsFailed);
        return reply.Answer(DeskError(503, "the audit log can't be written, so nothing is shown"));
      }
    }
    const bool given = DeskSearch(*config, parts_.clock, is_over).Answer(asked, reply);
    Count(reply, given ? Metric::kDeskRequests : Metric::kDeskRequestsFailed);
  };
  if (!questions_.Do(task)) Answer(reply, DeskError(503, "too many questions wait: try again"));
}

void Desk::Look(const DeskRequest& request, const DeskIdentity& identity, DeskReply reply) {
  const auto where = request.parameters.find("where");
  std::shared_ptr<const Query> query;
  if (where != request.parameters.end() && !where->second.empty()) {
    auto parsed =
        Query::Parse(where->second, {parts_.clock.WallNow(), true, "a list that is revealed", "where"});
    if (!parsed) return Answer(reply, SlipOf(parsed.error()));
    query = std::make_shared<const Query>(std::move(parsed).value());
  }
  if (live_.streams() >= LiveFeed::kMostStreams)
    return Answer(reply, DeskError(503, "too many readers look on"));
  DeskAnswer head{200, "text/event-stream", {}, {}, true};
  Answer(reply, std::move(head));
  reply.More("retry: 2000\n\n");
  const auto may_look = [this, request, identity] {
    return config_->desk.enabled && access_.IsStill(identity, request);
  };
  if (!live_.Join(reply, std::move(query), may_look)) reply.End();
}

}  // namespace gatebook::review
