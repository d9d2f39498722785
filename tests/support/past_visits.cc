#include "tests/support/past_visits.h"

#include <cstring>

#include "logger/redis_keys.h"
#include "logger/visit_record.h"

namespace gatebook::support {

PastVisits::PastVisits(const RedisServer& redis, std::string edge) : edge_(std::move(edge)) {
  auto client = logger::RedisClient::Connect(redis.Config());
  if (!client) return;
  client_ = std::move(*client);
  const logger::EdgeClaim claim{"past", 1, base::Clock::System().WallNow()};
  client_->Append({"HSET", logger::kEdgesKey, edge_, logger::ToText(claim)});
  ++under_way_;
}

logger::Visit PastVisits::Of(uint32_t n, const std::string& ip) {
  logger::Visit visit;
  std::memcpy(visit.session.bytes.data(), &n, sizeof n);
  visit.session_new = true;
  visit.ip = base::IpAddress::Parse(ip).value_or(base::IpAddress());
  visit.method = "GET";
  visit.host = "www.example.com";
  visit.path = "/";
  visit.status = 200;
  visit.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
  return visit;
}

void PastVisits::Write(logger::Visit visit, base::WallTime at, const logger::Place& place) {
  if (!client_) return;
  visit.arrival = at;
  const logger::VisitId id{0, static_cast<uint64_t>(at.time_since_epoch().count()), ++n_};
  std::string v, c, entry;
  logger::AppendVisitFacts(v, id, visit);
  logger::AppendClientFacts(c, visit, {}, place);
  logger::AppendEntryId(entry, id.milliseconds, id.n);
  client_->Append({"XADD", logger::VisitsKey(edge_, 0, logger::MinuteOf(id)), entry, "v", v, "c", c});
  ++under_way_;
}

bool PastVisits::Flush() {
  bool well = client_ != nullptr;
  for (; well && under_way_ > 0; --under_way_) {
    const auto reply = client_->Receive();
    well = reply.ok() && !(*reply)->IsError();
  }
  return well;
}

}  // namespace gatebook::support
