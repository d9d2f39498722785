#include "logger/visit_record.h"

#include <array>
#include <charconv>

#include "base/hex.h"
#include "logger/redis_keys.h"

namespace gatebook::logger {
namespace {

// Appends elements with tabs between them; tabs of empty elements are only
// written once an element that is not empty follows.
class ListWriter {
 public:
  explicit ListWriter(std::string& to) : to_(to) {}

  ListWriter& Text(std::string_view text) {
    if (!text.empty()) {
      Separate();
      const size_t start = to_.size();
      to_.append(text);
      for (size_t i = start; i < to_.size(); ++i) {
        const auto c = static_cast<unsigned char>(to_[i]);
        if (c < 0x20 || c == 0x7f) to_[i] = '?';
      }
    }
    ++owed_tabs_;
    return *this;
  }
  template <typename Integer>
  ListWriter& Number(Integer number) {
    if (number != 0) {
      Separate();
      char digits[21];
      const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
      to_.append(digits, end);
    }
    ++owed_tabs_;
    return *this;
  }

 private:
  void Separate() {
    to_.append(owed_tabs_, '\t');
    owed_tabs_ = 0;
  }
  std::string& to_;
  size_t owed_tabs_ = 0;
};

class ListReader {
 public:
  explicit ListReader(std::string_view text) : rest_(text) {}

  std::string_view Text() {
    const size_t tab = rest_.find('\t');
    const std::string_view element = rest_.substr(0, tab);
    rest_ = tab == std::string_view::npos ? std::string_view() : rest_.substr(tab + 1);
    return element;
  }
  template <typename Integer>
  void Number(Integer* number) {
    const std::string_view text = Text();
    *number = 0;
    if (text.empty()) return;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error != std::errc() || end != text.data() + text.size()) ok_ = false;
  }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// What Redis says is not believed beyond these: times must stay printable.
constexpr uint64_t kMostMilliseconds = 100'000'000'000'000;  // in the year 5138
constexpr uint64_t kMinute = 60'000;                         // milliseconds
constexpr int64_t kMostAge = 1'000'000'000'000;              // 31 years: a clock that was set

std::array<uint8_t, 8> BigEndian(uint64_t number) {
  std::array<uint8_t, 8> bytes;
  for (size_t i = bytes.size(); i-- > 0; number >>= 8) bytes[i] = static_cast<uint8_t>(number);
  return bytes;
}

}  // namespace

void AppendVisitFacts(std::string& to, const VisitId& id, const Visit& visit) {
  char flags[2];
  size_t flag_count = 0;
  if (visit.session_new) flags[flag_count++] = 'n';
  if (visit.open) flags[flag_count++] = 'o';
  ListWriter(to)
      .Number(static_cast<int64_t>(id.milliseconds) - visit.arrival.time_since_epoch().count())
      .Text({flags, flag_count})
      .Number(visit.status)
      .Text(visit.method)
      .Text(visit.path)
      .Text(visit.query)
      .Number(visit.bytes_in)
      .Number(visit.bytes_out)
      .Number(visit.duration_us)
      .Number(static_cast<int64_t>(visit.duration_us - visit.upstream_us))
      .Text(visit.request_id == 0 ? std::string() : base::ToBase64Url(BigEndian(visit.request_id)))
      .Text(visit.channel == Channel::kDirect ? std::string_view() : ToText(visit.channel))
      .Text(visit.referrer)
      .Text(visit.utm_source)
      .Text(visit.utm_medium)
      .Text(visit.utm_campaign)
      .Text(visit.denied)
      .Text(visit.rule);
}

void AppendClientFacts(std::string& to, const Visit& visit, const Name& name, const Place& place) {
  ListWriter(to)
      .Text(base::ToBase64Url(visit.session.bytes))
      .Text(visit.ip.ToText())
      .Text(ToText(name.check))
      .Text(name.text)
      .Text(place.country)
      .Number(place.asn)
      .Text(place.as_org)
      .Text(place.city)
      .Text(ToText(visit.protocol))
      .Number(visit.tls_version)
      .Text(visit.host)
      .Number(visit.purpose)
      .Text(visit.policy)
      .Text(visit.user_agent);
}

void AppendClosingFacts(std::string& to, const Closing& closing) {
  ListWriter(to)
      .Number(closing.status)
      .Number(closing.bytes_in)
      .Number(closing.bytes_out)
      .Number(closing.duration_us)
      .Number(closing.upstream_us)
      .Text(closing.denied);
}

void AppendSameAs(std::string& to, const VisitId& earlier) {
  to.push_back('=');
  const uint64_t since = earlier.milliseconds % kMinute;
  if (earlier.n != 0) return AppendEntryId(to, since, earlier.n);
  to.append(std::to_string(since));
}

void AppendClosingOf(std::string& to, const VisitId& visit) {
  to.push_back('^');
  AppendEntryId(to, visit.milliseconds, visit.n);
}

std::optional<ClientReference> ReadClientReference(std::string_view c, uint64_t minute) {
  ClientReference reference;
  if (c.empty() || (c.front() != '=' && c.front() != '^')) return reference;
  if (c.front() == '^') {
    reference.kind = ClientReference::Kind::kClosingOf;
    if (!ParseEntryId(c.substr(1), &reference.id)) return std::nullopt;
    return reference;
  }
  reference.kind = ClientReference::Kind::kSameAs;
  const std::string_view id = c.substr(1);
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), reference.id.milliseconds);
  const bool bare = error == std::errc() && end == id.data() + id.size();
  if (!bare && !ParseEntryId(id, &reference.id)) return std::nullopt;
  if (reference.id.milliseconds >= kMinute) return std::nullopt;
  reference.id.milliseconds += minute * kMinute;
  return reference;
}

bool ReadVisitFacts(std::string_view v, StoredVisit* visit) {
  ListReader list(v);
  int64_t age = 0;
  list.Number(&age);
  if (visit->id.milliseconds > kMostMilliseconds || age > kMostAge || age < -kMostAge) return false;
  visit->arrival =
      base::WallTime(std::chrono::milliseconds(static_cast<int64_t>(visit->id.milliseconds) - age));
  const std::string_view flags = list.Text();
  visit->session_new = flags.find('n') != std::string_view::npos;
  visit->open = flags.find('o') != std::string_view::npos;
  list.Number(&visit->status);
  visit->method = list.Text();
  visit->path = list.Text();
  visit->query = list.Text();
  list.Number(&visit->bytes_in);
  list.Number(&visit->bytes_out);
  list.Number(&visit->duration_us);
  int64_t wait = 0;
  list.Number(&wait);
  visit->upstream_us = visit->duration_us - static_cast<uint64_t>(wait);
  std::array<uint8_t, 8> request_id;
  const std::string_view id = list.Text();
  if (!id.empty() && !base::FromBase64Url(id, request_id)) return false;
  visit->request_id = id.empty() ? std::string() : base::ToHex(request_id);
  visit->channel = list.Text();
  if (visit->channel.empty()) visit->channel = ToText(Channel::kDirect);
  visit->referrer = list.Text();
  visit->utm_source = list.Text();
  visit->utm_medium = list.Text();
  visit->utm_campaign = list.Text();
  visit->denied = list.Text();
  visit->rule = list.Text();
  return list.ok();
}

bool ReadClientFacts(std::string_view c, StoredVisit* visit) {
  ListReader list(c);
  visit->session = list.Text();
  visit->ip = list.Text();
  visit->dns_check = list.Text();
  visit->dns = list.Text();
  visit->country = list.Text();
  list.Number(&visit->asn);
  visit->as_org = list.Text();
  visit->city = list.Text();
  visit->protocol = list.Text();
  unsigned tls = 0;
  list.Number(&tls);
  visit->tls =
      tls < 10 || tls > 99 ? std::string() : std::to_string(tls / 10) + '.' + std::to_string(tls % 10);
  visit->host = list.Text();
  list.Number(&visit->purpose);
  visit->policy = list.Text();
  visit->user_agent = list.Text();
  return list.ok();
}

bool ReadClosingFacts(std::string_view v, StoredVisit* visit) {
  ListReader list(v);
  list.Number(&visit->status);
  list.Number(&visit->bytes_in);
  list.Number(&visit->bytes_out);
  list.Number(&visit->duration_us);
  list.Number(&visit->upstream_us);
  visit->denied = list.Text();
  visit->open = false;
  return list.ok();
}

}  // namespace gatebook::logger
