// Config: what the operator decided, checked and const.
//
// Made only by config/loader.h, which has checked every value and every
// reference between values; code that reads a Config checks nothing again.
// Defaults here are the documented defaults; keys that have none are the
// listeners, certificates and upstreams.
//
// Equality is by value, so that a reload can tell which sections changed.
//
// Thread: immutable once made; shared by std::shared_ptr<const Config>.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/ip_network_set.h"
#include "config/header_rule.h"
#include "config/visit_field.h"

namespace gatebook::config {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

// Where a socket listens or connects to. Exactly one form is set.
struct Endpoint {
  enum class Kind { kIp, kHostname, kUnix };
  Kind kind = Kind::kIp;
  base::IpAddress ip;    // kIp
  std::string hostname;  // kHostname, lower case
  std::string path;      // kUnix
  uint16_t port = 0;     // kIp, kHostname
  bool tls = false;      // "https://…"; kIp, kHostname
  std::string text;      // as written

  bool operator==(const Endpoint&) const = default;
};

// Which field the trusted proxies write; the other is never read.
enum class ForwardedField { kXForwardedFor, kForwarded };

struct Edge {
  std::string name = "edge1";               // 1 to 32 of a-z 0-9 - _ : stands in every visit id and Redis key
  uint32_t workers = 0;                     // 0: one per core; at most 64
  std::string user;                         // become this user after binding; empty: stay
  base::IpNetworkSet trusted_proxies = {};  // whose forwarding fields are believed
  ForwardedField forwarded_field = ForwardedField::kXForwardedFor;
  bool traceparent = true;  // pass W3C traceparent on, or begin a trace

  bool operator==(const Edge&) const = default;
};

struct Log {
  std::string file;            // empty: standard error
  std::string level = "info";  // debug info warning error

  bool operator==(const Log&) const = default;
};

struct Listen {
  Endpoint address;
  bool tls = true;
  bool redirect_to_https = false;  // only with tls = false
  // Who must begin each connection with a PROXY header; from others none is read.
  base::IpNetworkSet proxy_protocol = {};

  bool operator==(const Listen&) const = default;
};

struct Certificate {
  std::string chain;  // PEM files; exist and are readable when the config is checked
  std::string key;

  bool operator==(const Certificate&) const = default;
};

enum class ClientCertificates { kNone, kOptional, kRequired };

struct Tls {
  uint32_t min_version = 12;  // 12 or 13; written "1.2", "1.3"
  bool http2 = true;          // offered by ALPN, before HTTP/1.1
  bool tickets = true;
  milliseconds ticket_key_rotation = 8h;  // a ticket is accepted for two rotations
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::string client_ca;         // PEM; required unless kNone
  std::chrono::seconds hsts{0};  // 0: no Strict-Transport-Security header
  bool hsts_include_subdomains = false;

  bool operator==(const Tls&) const = default;
};

enum class Balance { kRoundRobin, kLeastConnections, kSession };
enum class UpstreamProtocol { kHttp1, kH2 };

// How we speak TLS to servers of which we are the client.
struct TlsPeer {
  bool tls_verify = true;
  std::string tls_name;         // SNI and the name verified; empty: the server's own
  std::string tls_ca;           // PEM file; empty: the system's
  std::string tls_certificate;  // PEM files; empty: we show none
  std::string tls_key;

  bool operator==(const TlsPeer&) const = default;
};

struct Upstream : TlsPeer {  // for servers with tls
  std::string name;
  std::vector<Endpoint> servers;  // 1 to 64
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  Balance balance = Balance::kRoundRobin;
  std::vector<uint32_t> weights;    // one a server, 1 to 1,000; empty: all 1
  milliseconds slow_start = 0s;     // a server that comes back gets its full weight after this
  uint32_t max_idle = 1024;         // pooled connections to a server, a worker
  uint32_t max_connections = 0;     // to one server, shared out evenly among workers; 0: no limit
  uint32_t queue = 128;             // exchanges a worker that wait for one of these
  milliseconds queue_timeout = 1s;  // beyond: 503
  uint32_t retry_budget = 20;       // repeated requests, percent of all
  uint32_t eject_after = 5;         // failures in a row, seen by one worker; 0: never
  milliseconds eject_time = 10s;    // doubles each time, 32-fold at most

  std::string health_path;  // empty: servers are not asked
  std::string health_host;  // empty: the server's own host and port
  milliseconds health_interval = 5s;
  milliseconds health_timeout = 2s;
  uint32_t health_rise = 2;
  uint32_t health_fall = 3;

  bool proxy_protocol = false;  // version 2; each connection then serves one client

  bool operator==(const Upstream&) const = default;
};

struct Route {
  std::string host = "*";                             // lower case: exact, "*.example.com" or "*"
  std::string path = "/";                             // longest prefix wins, at a segment's border
  size_t upstream = 0;                                // index into Config::upstreams
  std::vector<std::string> upgrades = {"websocket"};  // lower case
  std::vector<HeaderRule> request_headers = {};       // in the order in which they are applied
  std::vector<HeaderRule> response_headers = {};

  bool operator==(const Route&) const = default;
};

enum class SameSite { kLax, kStrict, kNone };

struct Session {
  std::string key_file = "/var/lib/gatebook/session.key";  // made at first start, 0600
  std::string cookie = "__Host-gatebook";
  SameSite same_site = SameSite::kLax;
  bool partitioned = false;  // only with same_site = "none"
  milliseconds idle = 30min;
  milliseconds lifetime = 24h;

  bool operator==(const Session&) const = default;
};

// When an acknowledged visit leaves the journal: when Redis has it on its disk, or at once.
enum class Durability { kDisk, kAcknowledged };

struct Redis : TlsPeer {
  Endpoint server;   // from url
  bool tls = false;  // rediss://: servers and sentinels alike
  uint32_t database = 0;
  std::string user;  // from url; ACL user
  std::string password_file;
  bool cluster = false;             // server is one node of a Redis Cluster
  std::vector<Endpoint> nodes;      // more of them, asked if that one is away
  std::vector<Endpoint> sentinels;  // not empty: they say where the server is, and url's is not asked
  std::string sentinel_master;      // the name under which they know it
  std::string sentinel_user;
  std::string sentinel_password_file;
  milliseconds connect_timeout = 2s;
  milliseconds reply_timeout = 5s;
  uint32_t pipeline = 384;  // commands under way at most
  Durability durability = Durability::kDisk;
  milliseconds hold = 2s;           // least time between acknowledged and released, with an append-only file
  milliseconds replica_wait = 10s;  // longest wait for a replica to follow

  bool operator==(const Redis&) const = default;
};

enum class Flush { kAlways, kEverySecond, kNo };
enum class OnFull { kServe, kRefuse };

struct Journal {
  std::string directory = "/var/lib/gatebook/journal";
  Flush flush = Flush::kEverySecond;
  uint64_t max_size = 4ULL << 30;  // bytes, all workers together
  uint64_t segment_size = 16ULL << 20;
  OnFull on_full = OnFull::kServe;

  bool operator==(const Journal&) const = default;
};

enum class TruncateAddress { kNone, kAlways };

struct Visit {
  milliseconds retention = 720h;  // 30 days; at least 1 minute, at most 30 days
  std::string policy =
      "2025-09-01";  // version of the privacy policy in force; [policy] version if there is one
  std::vector<std::string> query_allow = {"utm_source", "utm_medium", "utm_campaign"};
  std::vector<std::string> fields = OptionalVisitFields();  // which of these are recorded
  TruncateAddress truncate_address = TruncateAddress::kNone;

  bool operator==(const Visit&) const = default;
};

// visit.fields, and what follows from visit.truncate_address.
VisitFieldSet RecordedFields(const Visit& visit);

// How visitors may object to statistics.
struct Objection {
  bool gpc = true;                    // Sec-GPC: 1, and /.well-known/gpc.json
  bool dnt = true;                    // DNT: 1
  bool self_service = true;           // /.well-known/gatebook/objection
  milliseconds remember = 400 * 24h;  // how long the cookie of that page lasts

  bool operator==(const Objection&) const = default;
};

// The privacy policy, as it is shown.
struct Policy {
  std::string file;     // Markdown (.md) or HTML; empty: none is served
  std::string version;  // empty: visit.policy
  std::string date;     // YYYY-MM-DD; empty: not known
  std::string path = "/privacy";
  bool notice = true;                  // returning sessions are told of a new version
  std::vector<std::string> on_change;  // a command; empty: none

  bool operator==(const Policy&) const = default;
};

// What the operator has promised; `gatebook check` refuses a config that breaks it. Empty or 0: no promise.
struct Declaration {
  milliseconds retention{0};
  std::vector<std::string> fields;
  std::vector<std::string> regions;  // ISO 3166-1 alpha-2, "EU", "EEA"

  bool operator==(const Declaration&) const = default;
};

struct Retention {
  std::string ledger = "/var/lib/gatebook/retention.ledger";  // empty: none is kept
  milliseconds clock_jump = 1h;  // a wall clock that runs ahead by more destroys nothing of ours
  bool rewrite = true;           // Redis is asked every day to write its files anew

  bool operator==(const Retention&) const = default;
};

enum class SelfService { kOff, kShow, kErase };

struct Rights {
  SelfService self_service = SelfService::kShow;
  uint32_t per_session = 6;  // requests of one session a minute; beyond: 429
  uint32_t per_minute = 60;  // of all sessions together

  bool operator==(const Rights&) const = default;
};

struct Dns {
  bool enabled = true;
  std::vector<Endpoint> servers;  // kIp; empty: the system's
  milliseconds timeout = 1500ms;  // a visit never waits longer for its name
  uint32_t cache_size = 65536;    // names
  uint32_t max_pending = 1024;    // look-ups under way

  bool operator==(const Dns&) const = default;
};

struct Geo {
  std::vector<std::string> databases;  // .mmdb files, the first that knows a field wins

  bool operator==(const Geo&) const = default;
};

// Of what is published: the figures hold nothing personal.
struct Statistics {
  uint32_t k = 10;              // sessions and networks, at least, behind a figure
  uint32_t round = 20;          // figures are multiples; at least 2 k
  milliseconds keep = 17'520h;  // 730 days

  // Sessions of one network that are counted on a day: k - 1 networks stay below one step.
  uint32_t SessionsOfANetwork() const { return (round - 1) / (k - 1); }

  bool operator==(const Statistics&) const = default;
};

struct Admin {
  Endpoint address;   // default "unix:/run/gatebook/admin.sock"
  std::string chain;  // PEM files: with them the listener speaks TLS, and the desk is open over TCP
  std::string key;
  std::string client_ca;  // PEM file: whose client certificates name readers; empty: none is asked for

  bool operator==(const Admin&) const = default;
};

// The pages for those who review visits.
struct Desk {
  bool enabled = true;
  milliseconds idle = 30min;      // a login ends after this long without a request
  milliseconds lifetime = 12h;    // and after this long in any case
  uint32_t logins_a_minute = 10;  // failed ones, of all together; beyond: 429

  bool operator==(const Desk&) const = default;
};

enum class Role { kViewer, kInvestigator };

// A person or tool that reads visits.
struct Reader {
  std::string name;
  Role role = Role::kViewer;
  std::string password_file;  // its first line is what `gatebook desk password` printed
  std::string token_file;     // its first line is what an Authorization: Bearer must say
  std::string certificate;    // common name of the client certificate
  std::string unix_user;      // login at this machine

  bool operator==(const Reader&) const = default;
};

// Who saw what is hidden, when, what and why.
struct Audit {
  std::string file = "/var/lib/gatebook/audit.log";
  milliseconds keep = 8760h;  // 365 days

  bool operator==(const Audit&) const = default;
};

// A saved query: `gatebook visits --query NAME`, and a button of the desk.
struct SavedQuery {
  std::string name;
  std::string where;

  bool operator==(const SavedQuery&) const = default;
};

enum class SinkKind { kFile, kStdout, kSyslog };
enum class SinkFormat { kEcs, kOtel, kCombined };
enum class SinkAddresses { kFull, kShort, kNone };
enum class SyslogTransport { kUnix, kUdp, kTcp, kTls };

// Where visits are written beside Redis.
struct Sink : TlsPeer {  // for transport = "tls"
  std::string name;
  SinkKind kind = SinkKind::kFile;
  SinkFormat format = SinkFormat::kEcs;
  std::string where;                                        // which visits; empty: all
  std::vector<std::string> fields = OptionalVisitFields();  // which fields
  SinkAddresses addresses = SinkAddresses::kFull;
  uint32_t queue = 8192;  // visits that wait for a slow sink; beyond: dropped and counted

  std::string path;  // kFile
  milliseconds rotate_every = 24h;
  uint64_t rotate_size = 256ULL << 20;  // bytes
  milliseconds keep{0};                 // at most visit.retention; 0: that

  // kSyslog: the socket of this machine, or host:port
  Endpoint server{Endpoint::Kind::kUnix, {}, {}, "/dev/log", 0, false, "unix:/dev/log"};
  SyslogTransport transport = SyslogTransport::kUnix;
  std::string facility = "local0";

  bool operator==(const Sink&) const = default;
};

struct Timeouts {  // all totals unless said otherwise
  milliseconds handshake = 10s;
  milliseconds request_header = 10s;  // from its first byte to its last
  milliseconds keep_alive = 60s;      // idle between requests
  milliseconds body_idle = 30s;       // a request body must bring min_rate bytes in each such span
  milliseconds write_idle = 30s;      // a client must take min_rate bytes in each such span
  milliseconds connect = 5s;
  milliseconds first_byte = 60s;     // from the request's end to the response's head
  milliseconds upstream_idle = 60s;  // between bytes of a response
  milliseconds upstream_keep_alive = 50s;
  milliseconds tunnel_idle = 1h;
  milliseconds drain = 30s;

  bool operator==(const Timeouts&) const = default;
};

struct Limits {
  uint32_t connections = 10000;          // of clients, all workers together
  uint32_t connections_per_address = 0;  // 0: no limit
  uint64_t target_size = 8192;           // bytes; beyond: 414
  uint64_t header_size = 32768;          // bytes of a whole head; beyond: 431
  uint32_t header_count = 100;           // beyond: 431
  uint64_t body_size = 0;                // bytes; beyond: 413; 0: no limit
  uint32_t requests_per_connection = 0;  // 0: no limit
  uint64_t min_rate = 512;               // bytes a span, see Timeouts

  bool operator==(const Limits&) const = default;
};

struct Config {
  std::string path;  // the file it came from
  Edge edge;
  Log log;
  std::vector<Listen> listen;             // at least one
  std::vector<Certificate> certificates;  // at least one if any listener has tls
  Tls tls;
  std::vector<Upstream> upstreams;  // at least one
  std::vector<Route> routes;        // at least one
  Session session;
  Redis redis;
  Journal journal;
  Visit visit;
  Objection objection;
  Policy policy;
  Declaration declaration;
  Retention retention;
  Rights rights;
  Dns dns;
  Geo geo;
  Statistics statistics;
  Admin admin;
  Desk desk;
  std::vector<Reader> readers;
  Audit audit;
  std::vector<SavedQuery> queries;
  std::vector<Sink> sinks;
  Timeouts timeouts;
  Limits limits;

  bool operator==(const Config&) const = default;
};

}  // namespace gatebook::config
