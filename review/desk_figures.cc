#include "review/desk_figures.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/rfc3339.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr size_t kMostBuckets = 120;
constexpr size_t kMostValues = 20'000;
constexpr size_t kShown = 12;
constexpr std::chrono::milliseconds kBuckets[] = {1s,    5s,    10s, 30s, 1min, 5min,
                                                  10min, 30min, 1h,  3h,  6h,   12h};

}  // namespace

std::chrono::milliseconds DeskFigures::BucketFor(base::WallTime since, base::WallTime until) {
  for (const auto bucket : kBuckets) {
    if ((until - since) / bucket < static_cast<int64_t>(kMostBuckets) - 1) return bucket;
  }
  return std::max<std::chrono::milliseconds>(24h, (until - since) / (kMostBuckets - 2));
}

DeskFigures::DeskFigures(base::WallTime since, base::WallTime until)
    : since_(base::WallTime(since.time_since_epoch() - since.time_since_epoch() % BucketFor(since, until))),
      bucket_(BucketFor(since, until)),
      buckets_(std::clamp<size_t>(static_cast<size_t>((until - since_ + bucket_ - 1ms) / bucket_), 1,
                                  kMostBuckets)) {}

void DeskFigures::Add(const logger::StoredVisit& visit) {
  const bool denied = !visit.denied.empty();
  ++visits_;
  denied_ += denied ? 1 : 0;
  open_ += visit.open ? 1 : 0;
  bytes_out_ += visit.bytes_out;
  const int64_t place = (visit.arrival - since_) / bucket_;
  Bucket& bucket =
      buckets_[static_cast<size_t>(std::clamp<int64_t>(place, 0, static_cast<int64_t>(buckets_.size()) - 1))];
  ++bucket.visits;
  bucket.denied += denied ? 1 : 0;
  const size_t status_class = visit.status / 100;
  ++bucket.classes[status_class < bucket.classes.size() ? status_class : 0];
  // How long a tunnel stands says nothing of how fast answers are.
  if (!visit.open && visit.protocol != "ws") bucket.latency.Add(visit.duration_us);
  if (!visit.session.empty()) sessions_.Add(hash_(visit.session));
  Count(channels_, visit.channel, {}, denied);
  Count(countries_, visit.country, {}, denied);
  if (visit.asn != 0) Count(networks_, std::to_string(visit.asn), visit.as_org, denied);
  scratch_.assign(visit.host).append(visit.path);
  Count(pages_, scratch_, {}, denied);
  Count(addresses_, visit.ip, visit.country, denied);
  if (denied) Count(reasons_, visit.denied, {}, true);
  Count(agents_, visit.user_agent, {}, denied);
}

void DeskFigures::Count(Rows& rows, std::string_view value, std::string_view more, bool denied) {
  auto found = rows.find(value);
  if (found == rows.end()) {
    if (rows.size() >= kMostValues) {
      std::vector<uint64_t> counts;
      for (const auto& [text, row] : rows) counts.push_back(row.visits);
      const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
      std::nth_element(counts.begin(), middle, counts.end());
      size_t left = counts.size() / 2;
      std::erase_if(rows, [&, border = *middle](const auto& one) {
        return one.second.visits <= border && left > 0 && left-- > 0;
      });
    }
    found = rows.emplace(std::string(value), Row{0, 0, std::string(more)}).first;
  }
  ++found->second.visits;
  found->second.denied += denied ? 1 : 0;
}

Json DeskFigures::TopOf(const Rows& rows) {
  std::vector<const Rows::value_type*> all;
  uint64_t sum = 0;
  for (const auto& row : rows) {
    all.push_back(&row);
    sum += row.second.visits;
  }
  const size_t shown = std::min(kShown, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(),
                    [](const auto* one, const auto* other) {
                      if (one->second.visits != other->second.visits)
                        return one->second.visits > other->second.visits;
                      return one->first < other->first;
                    });
  Json top = Json::array();
  for (size_t i = 0; i < shown; ++i) {
    const Row& row = all[i]->second;
    sum -= row.visits;
    top.push_back({{"value", Harmless(all[i]->first)}, {"visits", row.visits}, {"denied", row.denied}});
    if (!row.more.empty()) top.back()["more"] = Harmless(row.more);
  }
  return {{"rows", std::move(top)}, {"others", sum}, {"different", all.size()}};
}

Json DeskFigures::ToJson() const {
  Json time = Json::array();
  LatencyCounter all;
  std::array<uint64_t, 6> classes{};
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    all.Add(bucket.latency);
    for (size_t c = 0; c < classes.size(); ++c) classes[c] += bucket.classes[c];
    time.push_back({{"t", (since_ + static_cast<int64_t>(i) * bucket_).time_since_epoch().count()},
                    {"visits", bucket.visits},
                    {"denied", bucket.denied},
                    {"classes", bucket.classes},
                    {"p50", bucket.latency.At(0.5)},
                    {"p90", bucket.latency.At(0.9)},
                    {"p99", bucket.latency.At(0.99)}});
  }
  return {{"bucket_ms", bucket_.count()},
          {"visits", visits_},
          {"denied", denied_},
          {"open", open_},
          {"sessions", sessions_.Count()},
          {"sessions_exact", sessions_.IsExact()},
          {"bytes_out", bytes_out_},
          {"classes", classes},
          {"latency_us",
           {{"p50", all.At(0.5)}, {"p90", all.At(0.9)}, {"p99", all.At(0.99)}, {"count", all.Count()}}},
          {"time", std::move(time)},
          {"channels", TopOf(channels_)},
          {"countries", TopOf(countries_)},
          {"networks", TopOf(networks_)},
          {"pages", TopOf(pages_)},
          {"addresses", TopOf(addresses_)},
          {"denials", TopOf(reasons_)},
          {"agents", TopOf(agents_)}};
}

}  // namespace gatebook::review
