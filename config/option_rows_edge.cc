#include <array>

#include "config/option_table.h"

// What the edge is and does: listeners, upstreams, routes, limits.

namespace gatebook::config {
namespace {

using enum OptionType;
using S = SectionId;

constexpr uint64_t kSecond = 1000;  // durations are in milliseconds
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kDay = 24 * kHour;
constexpr uint64_t kKiB = 1ULL << 10;
constexpr uint64_t kMiB = 1ULL << 20;
constexpr uint64_t kGiB = 1ULL << 30;
constexpr uint32_t kMostUint32 = UINT32_MAX;

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kTlsVersions = {"1.2", "1.3"};
constexpr std::array<std::string_view, 3> kClientCertificates = {"none", "optional", "required"};
constexpr std::array<std::string_view, 2> kForwardedField = {"x-forwarded-for", "forwarded"};
constexpr std::array<std::string_view, 3> kBalance = {"round_robin", "least_connections", "session"};
constexpr std::array<std::string_view, 2> kUpstreamProtocol = {"http/1.1", "h2"};

// Held as 12 and 13, written as "1.2" and "1.3".
constexpr WordAccess kMinVersion = {
    [](const Config& config, size_t) { return config.tls.min_version - 12; },
    [](Config& config, size_t, uint32_t word) { config.tls.min_version = word + 12; }};

// One row an option; the formatter would give each field a line of its own.
// clang-format off
constexpr Option kRows[] = {
    {.section = S::kEdge, .key = "name", .type = kString, .field = In<&Config::edge, &Edge::name>(),
     .help = "Name of this edge in every visit id and Redis key; unique among edges that share a Redis",
     .check = CheckEdgeName},
    {.section = S::kEdge, .key = "workers", .type = kInteger, .field = In<&Config::edge, &Edge::workers>(),
     .help = "Worker threads; 0: one per core", .most = 64},
    {.section = S::kEdge, .key = "user", .type = kString, .field = In<&Config::edge, &Edge::user>(),
     .help = "Become this user once the listeners are bound; empty: stay", .example = "\"gatebook\"",
     .check = CheckUserName},
    {.section = S::kEdge, .key = "trusted_proxies", .type = kNetworks,
     .field = In<&Config::edge, &Edge::trusted_proxies>(),
     .help = "Proxies before this edge whose word on their clients is believed, from the nearest on; \"unix\": "
             "those on Unix sockets",
     .example = "[\"10.0.0.0/8\", \"2001:db8::1\", \"unix\"]", .most = 256, .check = base::IpNetworkSet::Complaint},
    {.section = S::kEdge, .key = "forwarded_field", .type = kWord,
     .field = In<&Config::edge, &Edge::forwarded_field>(),
     .help = "Which field they write; the other is never read", .words = kForwardedField},
    {.section = S::kEdge, .key = "traceparent", .type = kBool, .field = In<&Config::edge, &Edge::traceparent>(),
     .help = "Pass W3C traceparent on to upstreams, or begin a trace"},

    {.section = S::kLog, .key = "file", .type = kPath, .field = In<&Config::log, &Log::file>(),
     .help = "Where to write; empty: standard error", .example = "\"/var/log/gatebook/gatebook.log\""},
    {.section = S::kLog, .key = "level", .type = kWord, .field = In<&Config::log, &Log::level>(),
     .help = "The least important line that is written", .words = kLevels},

    {.section = S::kListen, .key = "address", .type = kEndpoint, .field = In<&Config::listen, &Listen::address>(),
     .help = "Address and port, or a Unix socket; port 0: the kernel chooses", .example = "\"0.0.0.0:443\"",
     .required = true, .forms = kFormIp | kFormUnix | kFormPortZero},
    {.section = S::kListen, .key = "tls", .type = kBool, .field = In<&Config::listen, &Listen::tls>(),
     .help = "Speak TLS here"},
    {.section = S::kListen, .key = "redirect_to_https", .type = kBool,
     .field = In<&Config::listen, &Listen::redirect_to_https>(),
     .help = "Answer every request with a redirect to https; only with tls = false"},
    {.section = S::kListen, .key = "proxy_protocol", .type = kNetworks,
     .field = In<&Config::listen, &Listen::proxy_protocol>(),
     .help = "Peers that must begin each connection with the PROXY protocol, version 1 or 2; from others it is "
             "not taken",
     .example = "[\"10.0.0.0/8\"]", .most = 256, .check = base::IpNetworkSet::Complaint},

    {.section = S::kCertificate, .key = "chain", .type = kFile,
     .field = In<&Config::certificates, &Certificate::chain>(),
     .help = "PEM file: the certificate, then its intermediates", .example = "\"/etc/gatebook/tls/fullchain.pem\"",
     .required = true},
    {.section = S::kCertificate, .key = "key", .type = kFile,
     .field = In<&Config::certificates, &Certificate::key>(),
     .help = "PEM file: its private key", .example = "\"/etc/gatebook/tls/privkey.pem\"", .required = true},

    {.section = S::kTls, .key = "min_version", .type = kWord, .field = kMinVersion,
     .help = "The oldest version that clients may use", .words = kTlsVersions},
    {.section = S::kTls, .key = "http2", .type = kBool, .field = In<&Config::tls, &Tls::http2>(),
     .help = "Offer HTTP/2 to clients (ALPN h2)"},
    {.section = S::kTls, .key = "tickets", .type = kBool, .field = In<&Config::tls, &Tls::tickets>(),
     .help = "Let clients resume with session tickets"},
    {.section = S::kTls, .key = "ticket_key_rotation", .type = kDuration,
     .field = In<&Config::tls, &Tls::ticket_key_rotation>(),
     .help = "A new ticket key this often; a ticket is accepted for two rotations", .least = kMinute,
     .most = 7 * kDay},
    {.section = S::kTls, .key = "client_certificates", .type = kWord,
     .field = In<&Config::tls, &Tls::client_certificates>(),
     .help = "Whether clients are asked for a certificate", .words = kClientCertificates},
    {.section = S::kTls, .key = "client_ca", .type = kFile, .field = In<&Config::tls, &Tls::client_ca>(),
     .help = "PEM file: who may issue client certificates; needed unless client_certificates is \"none\"",
     .example = "\"/etc/gatebook/tls/clients.pem\""},
    {.section = S::kTls, .key = "hsts", .type = kDuration, .field = In<&Config::tls, &Tls::hsts>(),
     .help = "max-age of Strict-Transport-Security (RFC 6797); 0s: the header is not sent", .example = "\"365d\"",
     .most = 3650 * kDay},
    {.section = S::kTls, .key = "hsts_include_subdomains", .type = kBool,
     .field = In<&Config::tls, &Tls::hsts_include_subdomains>(),
     .help = "Add includeSubDomains to that header"},

    {.section = S::kUpstream, .key = "name", .type = kString, .field = In<&Config::upstreams, &Upstream::name>(),
     .help = "What routes call it", .example = "\"connector\"", .required = true, .check = CheckUpstreamName},
    {.section = S::kUpstream, .key = "servers", .type = kEndpoints,
     .field = In<&Config::upstreams, &Upstream::servers>(),
     .help = "Where it listens: address or name with port, or Unix sockets", .example = "[\"127.0.0.1:8080\"]",
     .required = true, .least = 1, .most = 64, .forms = kFormIp | kFormHostname | kFormUnix | kFormHttps},
    {.section = S::kUpstream, .key = "protocol", .type = kWord,
     .field = In<&Config::upstreams, &Upstream::protocol>(),
     .help = "What its servers speak; \"h2\" for gRPC, without TLS by prior knowledge", .words = kUpstreamProtocol},
    {.section = S::kUpstream, .key = "balance", .type = kWord,
     .field = In<&Config::upstreams, &Upstream::balance>(),
     .help = "Which server is next: each in turn, the least busy, or for each session the same", .words = kBalance},
    {.section = S::kUpstream, .key = "weights", .type = kIntegers,
     .field = In<&Config::upstreams, &Upstream::weights>(),
     .help = "Share of each server, in the order of servers; empty: all alike", .least = 1, .most = 1000},
    {.section = S::kUpstream, .key = "slow_start", .type = kDuration,
     .field = In<&Config::upstreams, &Upstream::slow_start>(),
     .help = "A server that comes back grows to its full share in this time", .most = kHour},
    {.section = S::kUpstream, .key = "max_idle", .type = kInteger,
     .field = In<&Config::upstreams, &Upstream::max_idle>(),
     .help = "Idle connections to each server that each worker keeps for reuse", .most = 65536},
    {.section = S::kUpstream, .key = "max_connections", .type = kInteger,
     .field = In<&Config::upstreams, &Upstream::max_connections>(),
     .help = "Connections to one server, shared out evenly among workers (at least one each); 0: no limit",
     .most = 1'000'000},
    {.section = S::kUpstream, .key = "queue", .type = kInteger, .field = In<&Config::upstreams, &Upstream::queue>(),
     .help = "Requests that may wait in each worker while all servers are at max_connections; beyond it 503",
     .most = 65536},
    {.section = S::kUpstream, .key = "queue_timeout", .type = kDuration,
     .field = In<&Config::upstreams, &Upstream::queue_timeout>(),
     .help = "Longest such wait; beyond it 503", .least = 1, .most = kHour},
    {.section = S::kUpstream, .key = "retry_budget", .type = kInteger,
     .field = In<&Config::upstreams, &Upstream::retry_budget>(),
     .help = "Requests that may be sent again, as percent of all; 0: none", .most = 100},
    {.section = S::kUpstream, .key = "eject_after", .type = kInteger,
     .field = In<&Config::upstreams, &Upstream::eject_after>(),
     .help = "A worker passes a server over after this many failures in a row; 0: never", .most = 1'000'000},
    {.section = S::kUpstream, .key = "eject_time", .type = kDuration,
     .field = In<&Config::upstreams, &Upstream::eject_time>(),
     .help = "For how long at first; each further time twice as long, 32-fold at most", .least = 1, .most = kHour},
    {.section = S::kUpstream, .key = "health_path", .type = kString,
     .field = In<&Config::upstreams, &Upstream::health_path>(),
     .help = "Ask each server for this and pass over who does not answer 2xx or 3xx; empty: do not ask",
     .example = "\"/healthz\"", .check = CheckTarget},
    {.section = S::kUpstream, .key = "health_host", .type = kString,
     .field = In<&Config::upstreams, &Upstream::health_host>(),
     .help = "Host of that request; empty: the server's own", .example = "\"www.example.com\"",
     .check = CheckHostField},
    {.section = S::kUpstream, .key = "health_interval", .type = kDuration,
     .field = In<&Config::upstreams, &Upstream::health_interval>(),
     .help = "From one such request to the next", .least = 20, .most = kHour},
    {.section = S::kUpstream, .key = "health_timeout", .type = kDuration,
     .field = In<&Config::upstreams, &Upstream::health_timeout>(),
     .help = "Longest wait for its answer's head, with connecting", .least = 20, .most = kHour},
    {.section = S::kUpstream, .key = "health_rise", .type = kInteger,
     .field = In<&Config::upstreams, &Upstream::health_rise>(),
     .help = "Good answers in a row that bring a server back", .least = 1, .most = 1000},
    {.section = S::kUpstream, .key = "health_fall", .type = kInteger,
     .field = In<&Config::upstreams, &Upstream::health_fall>(),
     .help = "Bad ones in a row that take it out", .least = 1, .most = 1000},
    {.section = S::kUpstream, .key = "tls_verify", .type = kBool,
     .field = In<&Config::upstreams, &Upstream::tls_verify>(),
     .help = "Verify the certificates of its https servers"},
    {.section = S::kUpstream, .key = "tls_name", .type = kString,
     .field = In<&Config::upstreams, &Upstream::tls_name>(),
     .help = "The name asked for (SNI) and verified; empty: the server's own", .check = CheckServerName},
    {.section = S::kUpstream, .key = "tls_ca", .type = kFile, .field = In<&Config::upstreams, &Upstream::tls_ca>(),
     .help = "PEM file: who may issue their certificates; empty: whom this system trusts"},
    {.section = S::kUpstream, .key = "tls_certificate", .type = kFile,
     .field = In<&Config::upstreams, &Upstream::tls_certificate>(),
     .help = "PEM file: the client certificate we show, then its intermediates; empty: none"},
    {.section = S::kUpstream, .key = "tls_key", .type = kFile, .field = In<&Config::upstreams, &Upstream::tls_key>(),
     .help = "PEM file: its private key"},
    {.section = S::kUpstream, .key = "proxy_protocol", .type = kBool,
     .field = In<&Config::upstreams, &Upstream::proxy_protocol>(),
     .help = "Begin each connection with the PROXY protocol, version 2; it then serves one client only"},

    {.section = S::kRoute, .key = "host", .type = kString, .field = In<&Config::routes, &Route::host>(),
     .help = "Host of the request: exact, \"*.example.com\" or \"*\"", .example = "\"www.example.com\"",
     .check = CheckHostPattern, .lower_case = true},
    {.section = S::kRoute, .key = "path", .type = kString, .field = In<&Config::routes, &Route::path>(),
     .help = "Beginning of its path; ends at a segment's border", .example = "\"/api\"", .check = CheckPathPrefix},
    {.section = S::kRoute, .key = "upstream", .type = kUpstreamName,
     .field = In<&Config::routes, &Route::upstream>(),
     .help = "Name of the upstream that answers", .example = "\"connector\"", .required = true},
    {.section = S::kRoute, .key = "upgrades", .type = kStrings,
     .field = In<&Config::routes, &Route::upgrades>(),
     .help = "Protocols that a connection may be upgraded to; Upgrade to others is ignored", .most = 8,
     .check = CheckUpgrade, .lower_case = true},
    {.section = S::kRoute, .key = "request_headers", .type = kHeaderRules,
     .field = In<&Config::routes, &Route::request_headers>(),
     .help = "What is done, in this order, to the fields of a request before it goes to the upstream",
     .example = "[\"set X-Edge: north\", \"remove X-Debug\"]", .most = 32, .check = CheckRequestRule},
    {.section = S::kRoute, .key = "response_headers", .type = kHeaderRules,
     .field = In<&Config::routes, &Route::response_headers>(),
     .help = "Likewise to those of a response before it goes to the client",
     .example = "[\"remove Server\", \"set X-Content-Type-Options: nosniff\", \"add Vary: Cookie\"]", .most = 32,
     .check = CheckResponseRule},

    {.section = S::kAdmin, .key = "address", .type = kEndpoint, .field = In<&Config::admin, &Admin::address>(),
     .help = "Unix socket, or address and port", .forms = kFormIp | kFormUnix | kFormPortZero},

    {.section = S::kTimeouts, .key = "handshake", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::handshake>(),
     .help = "TLS handshake", .least = 1, .most = kHour},
    {.section = S::kTimeouts, .key = "request_header", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::request_header>(),
     .help = "Head of a request, from its first byte to its last", .least = 1, .most = kHour},
    {.section = S::kTimeouts, .key = "keep_alive", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::keep_alive>(),
     .help = "Idle between requests", .least = 1, .most = kDay},
    {.section = S::kTimeouts, .key = "body_idle", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::body_idle>(),
     .help = "A request body must bring limits.min_rate bytes in each such span", .least = 1, .most = kHour},
    {.section = S::kTimeouts, .key = "write_idle", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::write_idle>(),
     .help = "A client must take limits.min_rate bytes in each such span", .least = 1, .most = kHour},
    {.section = S::kTimeouts, .key = "connect", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::connect>(),
     .help = "Connecting to an upstream server", .least = 1, .most = kHour},
    {.section = S::kTimeouts, .key = "first_byte", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::first_byte>(),
     .help = "From the end of a request to the head of its response", .least = 1, .most = kDay},
    {.section = S::kTimeouts, .key = "upstream_idle", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::upstream_idle>(),
     .help = "Between bytes of a response", .least = 1, .most = kDay},
    {.section = S::kTimeouts, .key = "upstream_keep_alive", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::upstream_keep_alive>(),
     .help = "An unused upstream connection is closed after this; keep it below the upstream's own", .least = 1,
     .most = kDay},
    {.section = S::kTimeouts, .key = "tunnel_idle", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::tunnel_idle>(),
     .help = "A WebSocket tunnel without a byte either way", .least = 1, .most = 7 * kDay},
    {.section = S::kTimeouts, .key = "drain", .type = kDuration,
     .field = In<&Config::timeouts, &Timeouts::drain>(),
     .help = "What is under way may take this long to end after TERM", .most = kDay},

    {.section = S::kLimits, .key = "connections", .type = kInteger,
     .field = In<&Config::limits, &Limits::connections>(),
     .help = "Client connections, all workers together", .least = 1, .most = 10'000'000},
    {.section = S::kLimits, .key = "connections_per_address", .type = kInteger,
     .field = In<&Config::limits, &Limits::connections_per_address>(),
     .help = "Client connections from one address; 0: no limit", .most = 10'000'000},
    {.section = S::kLimits, .key = "target_size", .type = kSize,
     .field = In<&Config::limits, &Limits::target_size>(),
     .help = "Request target; beyond it 414", .least = 256, .most = kMiB},
    {.section = S::kLimits, .key = "header_size", .type = kSize,
     .field = In<&Config::limits, &Limits::header_size>(),
     .help = "Whole head of a request or response; beyond it 431 or 502", .least = 1 * kKiB, .most = kMiB},
    {.section = S::kLimits, .key = "header_count", .type = kInteger,
     .field = In<&Config::limits, &Limits::header_count>(),
     .help = "Fields of a head; beyond it 431", .least = 8, .most = 10'000},
    {.section = S::kLimits, .key = "body_size", .type = kSize, .field = In<&Config::limits, &Limits::body_size>(),
     .help = "Request body; beyond it 413; 0B: no limit", .example = "\"100MiB\"", .most = 1024 * 1024 * kGiB},
    {.section = S::kLimits, .key = "requests_per_connection", .type = kInteger,
     .field = In<&Config::limits, &Limits::requests_per_connection>(),
     .help = "A client connection is closed after this many; 0: no limit", .most = kMostUint32},
    {.section = S::kLimits, .key = "min_rate", .type = kSize, .field = In<&Config::limits, &Limits::min_rate>(),
     .help = "Least progress in each span of timeouts.body_idle and timeouts.write_idle", .least = 1, .most = kGiB},
};
// clang-format on

}  // namespace

std::span<const Option> EdgeOptions() { return kRows; }

}  // namespace gatebook::config
