#include "review/desk_story.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/rfc3339.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostVisits = 500;
constexpr size_t kMostValues = 100;

}  // namespace

void DeskStory::Add(const logger::StoredVisit& visit) {
  // Of two that came at once, the one that was given the session says it.
  if (count_ == 0 || (visit.session_new && !start_.session_new)) start_ = visit;
  if (count_++ == 0) first_ = visit.arrival;
  last_ = visit.arrival;
  denied_ += visit.denied.empty() ? 0 : 1;
  bytes_out_ += visit.bytes_out;
  Meet(sessions_, visit.session, visit.arrival);
  Meet(addresses_, visit.ip, visit.arrival);
  if (!visit.dns.empty()) {
    Meet(names_, visit.dns_check == "confirmed" ? visit.dns : visit.dns + " (unconfirmed)", visit.arrival);
  }
  std::string place = visit.country;
  if (!visit.city.empty()) place.append(" ").append(visit.city);
  Meet(places_, place, visit.arrival);
  if (visit.asn != 0) Meet(networks_, "AS" + std::to_string(visit.asn) + " " + visit.as_org, visit.arrival);
  Meet(agents_, visit.user_agent, visit.arrival);
  if (lines_.size() < kMostVisits) lines_.push_back(RenderVisit(visit, Form::kJson));
}

void DeskStory::Meet(Values& values, std::string_view value, base::WallTime at) {
  if (value.empty()) return;
  auto found = values.find(value);
  if (found == values.end()) {
    if (values.size() >= kMostValues) return;
    found = values.emplace(std::string(value), Value{0, at, at}).first;
  }
  ++found->second.visits;
  found->second.last = at;
}

Json DeskStory::ToJson(const Values& values) {
  std::vector<const Values::value_type*> rows;
  for (const auto& row : values) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto* one, const auto* other) {
    return one->second.first < other->second.first;
  });
  Json list = Json::array();
  for (const auto* row : rows) {
    list.push_back({{"value", Harmless(row->first)},
                    {"visits", row->second.visits},
                    {"first", base::ToRfc3339(row->second.first)},
                    {"last", base::ToRfc3339(row->second.last)}});
  }
  return list;
}

Json DeskStory::Start() const {
  Json start = Json::object();
  if (count_ == 0) return start;
  start["time"] = base::ToRfc3339(start_.arrival);
  const std::pair<const char*, const std::string&> texts[] = {{"ip", start_.ip},
                                                              {"dns", start_.dns},
                                                              {"dns_check", start_.dns_check},
                                                              {"channel", start_.channel},
                                                              {"referrer", start_.referrer},
                                                              {"utm_source", start_.utm_source},
                                                              {"country", start_.country},
                                                              {"user_agent", start_.user_agent}};
  for (const auto& [name, text] : texts) {
    if (!text.empty()) start[name] = Harmless(text);
  }
  return start;
}

Json DeskStory::ToJson() const {
  Json story = {{"visits_met", count_}, {"denied", denied_}, {"bytes_out", bytes_out_}};
  if (count_ > 0) {
    story["first"] = base::ToRfc3339(first_);
    story["last"] = base::ToRfc3339(last_);
  }
  story["sessions"] = ToJson(sessions_);
  story["addresses"] = ToJson(addresses_);
  story["names"] = ToJson(names_);
  story["places"] = ToJson(places_);
  story["networks"] = ToJson(networks_);
  story["agents"] = ToJson(agents_);
  story["visits"] = Json::array();
  for (const std::string& line : lines_) story["visits"].push_back(Json::parse(line));
  return story;
}

}  // namespace gatebook::review
