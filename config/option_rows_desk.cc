#include <array>

#include "config/option_table.h"
#include "config/option_units.h"

// Who looks at visits, and where visits go beside Redis: the admin listener, the desk, readers, sinks.

namespace gatebook::config {
namespace {

using enum OptionType;
using S = SectionId;

constexpr std::array<std::string_view, 2> kRole = {"viewer", "investigator"};
constexpr std::array<std::string_view, 3> kSinkKind = {"file", "stdout", "syslog"};
constexpr std::array<std::string_view, 3> kSinkFormat = {"ecs", "otel", "combined"};
constexpr std::array<std::string_view, 3> kSinkAddresses = {"full", "short", "none"};
constexpr std::array<std::string_view, 4> kTransport = {"unix", "udp", "tcp", "tls"};

// One row an option; the formatter would give each field a line of its own.
// clang-format off
constexpr Option kRows[] = {
    {.section = S::kAdmin, .key = "chain", .type = kFile, .field = In<&Config::admin, &Admin::chain>(),
     .help = "PEM file: certificate of the listener, then its intermediates; with it the listener speaks TLS only"},
    {.section = S::kAdmin, .key = "key", .type = kFile, .field = In<&Config::admin, &Admin::key>(),
     .help = "PEM file: its private key"},
    {.section = S::kAdmin, .key = "client_ca", .type = kFile, .field = In<&Config::admin, &Admin::client_ca>(),
     .help = "PEM file: who issues the client certificates by which readers are known; empty: none is asked for"},

    {.section = S::kDesk, .key = "enabled", .type = kBool, .field = In<&Config::desk, &Desk::enabled>(),
     .help = "Show the desk: over a Unix socket to whoever may open it, over TCP only with TLS and to a [[reader]]"},
    {.section = S::kDesk, .key = "idle", .type = kDuration, .field = In<&Config::desk, &Desk::idle>(),
     .help = "A login ends after this long without a request", .least = kMinute, .most = kDay},
    {.section = S::kDesk, .key = "lifetime", .type = kDuration, .field = In<&Config::desk, &Desk::lifetime>(),
     .help = "A login ends after this long in any case", .least = kMinute, .most = 7 * kDay},
    {.section = S::kDesk, .key = "logins_a_minute", .type = kInteger,
     .field = In<&Config::desk, &Desk::logins_a_minute>(),
     .help = "Failed logins, of all together; beyond, all are refused for the rest of the minute", .least = 1,
     .most = 1000},

    {.section = S::kReader, .key = "name", .type = kString, .field = In<&Config::readers, &Reader::name>(),
     .help = "Who it is; stands in the audit log", .example = "\"alice\"", .required = true, .check = CheckToken},
    {.section = S::kReader, .key = "role", .type = kWord, .field = In<&Config::readers, &Reader::role>(),
     .help = "What they may see: \"investigator\" whole addresses and names, with a reason", .words = kRole},
    {.section = S::kReader, .key = "password_file", .type = kFile,
     .field = In<&Config::readers, &Reader::password_file>(),
     .help = "File whose first line is what `gatebook desk password` printed; empty: no password"},
    {.section = S::kReader, .key = "token_file", .type = kFile,
     .field = In<&Config::readers, &Reader::token_file>(),
     .help = "File whose first line is a secret for tools, sent as Authorization: Bearer; empty: none"},
    {.section = S::kReader, .key = "certificate", .type = kString,
     .field = In<&Config::readers, &Reader::certificate>(),
     .help = "Common name of their client certificate, issued by admin.client_ca; empty: none"},
    {.section = S::kReader, .key = "unix_user", .type = kString,
     .field = In<&Config::readers, &Reader::unix_user>(),
     .help = "Their login at this machine, for the Unix socket and for commands; empty: none", .check = CheckToken},

    {.section = S::kAudit, .key = "file", .type = kPath, .field = In<&Config::audit, &Audit::file>(),
     .help = "Where it is; one line a look, chained by digests"},
    {.section = S::kAudit, .key = "keep", .type = kDuration, .field = In<&Config::audit, &Audit::keep>(),
     .help = "Lines are destroyed after this long", .least = kDay, .most = 3660 * kDay},

    {.section = S::kQuery, .key = "name", .type = kString, .field = In<&Config::queries, &SavedQuery::name>(),
     .help = "What it is called", .example = "\"failed-logins\"", .required = true, .check = CheckToken},
    {.section = S::kQuery, .key = "where", .type = kString, .field = In<&Config::queries, &SavedQuery::where>(),
     .help = "The query, as of `gatebook visits --where`", .example = "\"status = 401 and path ~ '^/login'\"",
     .required = true},

    {.section = S::kSink, .key = "name", .type = kString, .field = In<&Config::sinks, &Sink::name>(),
     .help = "What it is called in status and messages", .example = "\"siem\"", .required = true, .check = CheckToken},
    {.section = S::kSink, .key = "kind", .type = kWord, .field = In<&Config::sinks, &Sink::kind>(),
     .help = "Where to", .words = kSinkKind},
    {.section = S::kSink, .key = "format", .type = kWord, .field = In<&Config::sinks, &Sink::format>(),
     .help = "\"ecs\" and \"otel\": a JSON object a line, in the names of the Elastic Common Schema or of "
             "OpenTelemetry; \"combined\": as web servers write",
     .words = kSinkFormat},
    {.section = S::kSink, .key = "where", .type = kString, .field = In<&Config::sinks, &Sink::where>(),
     .help = "Which visits, as of `gatebook visits --where`; empty: all"},
    {.section = S::kSink, .key = "fields", .type = kStrings, .field = In<&Config::sinks, &Sink::fields>(),
     .help = "Which of the optional fields are written, of those that visit.fields records", .most = 32,
     .check = CheckOptionalField},
    {.section = S::kSink, .key = "addresses", .type = kWord, .field = In<&Config::sinks, &Sink::addresses>(),
     .help = "\"short\": of addresses /24 or /48, of names the domain; \"none\": neither", .words = kSinkAddresses},
    {.section = S::kSink, .key = "queue", .type = kInteger, .field = In<&Config::sinks, &Sink::queue>(),
     .help = "Visits that wait for a slow sink; beyond, they are left out there and counted", .least = 16,
     .most = 1'000'000},
    {.section = S::kSink, .key = "path", .type = kPath, .field = In<&Config::sinks, &Sink::path>(),
     .help = "Of kind \"file\": the file, reopened on USR1; empty: /var/log/gatebook/NAME.log", .example = "\"/var/log/gatebook/visits.ndjson\""},
    {.section = S::kSink, .key = "rotate_every", .type = kDuration,
     .field = In<&Config::sinks, &Sink::rotate_every>(),
     .help = "A new file is begun after this long", .least = kMinute, .most = 30 * kDay},
    {.section = S::kSink, .key = "rotate_size", .type = kSize, .field = In<&Config::sinks, &Sink::rotate_size>(),
     .help = "A new file is begun before this size is exceeded", .least = 64 * kKiB, .most = 64 * kGiB},
    {.section = S::kSink, .key = "keep", .type = kDuration, .field = In<&Config::sinks, &Sink::keep>(),
     .help = "Files are destroyed when their oldest visit is this old; 0: visit.retention, which is the most",
     .most = 30 * kDay},
    {.section = S::kSink, .key = "server", .type = kEndpoint, .field = In<&Config::sinks, &Sink::server>(),
     .help = "Of kind \"syslog\": who takes it", .example = "\"10.0.0.9:6514\"",
     .forms = kFormIp | kFormHostname | kFormUnix},
    {.section = S::kSink, .key = "transport", .type = kWord, .field = In<&Config::sinks, &Sink::transport>(),
     .help = "How: \"unix\" and \"udp\" a datagram a visit, \"tcp\" and \"tls\" counted octets (RFC 6587, RFC 5425)",
     .words = kTransport},
    {.section = S::kSink, .key = "facility", .type = kString, .field = In<&Config::sinks, &Sink::facility>(),
     .help = "Facility of RFC 5424: user, daemon, auth, authpriv, local0 to local7", .check = CheckToken},
    {.section = S::kSink, .key = "tls_verify", .type = kBool, .field = In<&Config::sinks, &Sink::tls_verify>(),
     .help = "Verify the server's certificate"},
    {.section = S::kSink, .key = "tls_name", .type = kString, .field = In<&Config::sinks, &Sink::tls_name>(),
     .help = "The name asked for (SNI) and verified; empty: the server's own", .check = CheckServerName},
    {.section = S::kSink, .key = "tls_ca", .type = kFile, .field = In<&Config::sinks, &Sink::tls_ca>(),
     .help = "PEM file: who may issue its certificate; empty: whom this system trusts"},
    {.section = S::kSink, .key = "tls_certificate", .type = kFile,
     .field = In<&Config::sinks, &Sink::tls_certificate>(),
     .help = "PEM file: the client certificate we show, then its intermediates; empty: none"},
    {.section = S::kSink, .key = "tls_key", .type = kFile, .field = In<&Config::sinks, &Sink::tls_key>(),
     .help = "PEM file: its private key"},
};
// clang-format on

}  // namespace

std::span<const Option> DeskOptions() { return kRows; }

}  // namespace gatebook::config
