#include <array>

#include "config/option_table.h"
#include "config/option_units.h"

// What is kept, how long and where, and who may ask: sessions, visits, their rights, Redis, names, places.

namespace gatebook::config {
namespace {

using enum OptionType;
using S = SectionId;

constexpr std::array<std::string_view, 3> kSameSite = {"lax", "strict", "none"};
constexpr std::array<std::string_view, 2> kDurability = {"disk", "acknowledged"};
constexpr std::array<std::string_view, 3> kFlush = {"always", "everysec", "no"};
constexpr std::array<std::string_view, 2> kTruncateAddress = {"none", "always"};
constexpr std::array<std::string_view, 3> kSelfService = {"off", "show", "erase"};
constexpr std::array<std::string_view, 2> kOnFull = {"serve", "refuse"};

// One row an option; the formatter would give each field a line of its own.
// clang-format off
constexpr Option kRows[] = {
    {.section = S::kSession, .key = "key_file", .type = kPath, .field = In<&Config::session, &Session::key_file>(),
     .help = "Key that signs the cookie; made at first start, mode 0600"},
    {.section = S::kSession, .key = "cookie", .type = kString, .field = In<&Config::session, &Session::cookie>(),
     .help = "Name of the cookie; __Host- binds it to this host (RFC 6265bis)", .check = CheckToken},
    {.section = S::kSession, .key = "same_site", .type = kWord,
     .field = In<&Config::session, &Session::same_site>(),
     .help = "SameSite of the cookie; \"none\" for use inside other sites", .words = kSameSite},
    {.section = S::kSession, .key = "partitioned", .type = kBool,
     .field = In<&Config::session, &Session::partitioned>(),
     .help = "Keep the cookie apart for each embedding site (CHIPS); only with same_site = \"none\""},
    {.section = S::kSession, .key = "idle", .type = kDuration, .field = In<&Config::session, &Session::idle>(),
     .help = "A session ends after this long without a visit", .least = kSecond, .most = kDay},
    {.section = S::kSession, .key = "lifetime", .type = kDuration,
     .field = In<&Config::session, &Session::lifetime>(),
     .help = "A session ends after this long in any case", .least = kSecond, .most = 30 * kDay},

    {.section = S::kRedis, .key = "url", .type = kRedisUrl, .field = WholeRedis(),
     .help = "redis://[user@]host[:port][/db], rediss://… with TLS, or unix://[user@]/path[?db=n]",
     .example = "\"unix:///run/redis/redis.sock\""},
    {.section = S::kRedis, .key = "cluster", .type = kBool, .field = In<&Config::redis, &Redis::cluster>(),
     .help = "The server is a node of a Redis Cluster"},
    {.section = S::kRedis, .key = "nodes", .type = kEndpoints, .field = In<&Config::redis, &Redis::nodes>(),
     .help = "More nodes of the Cluster, asked for its map if the one in url is away",
     .example = "[\"10.0.0.2:6379\", \"10.0.0.3:6379\"]",
     .most = 64, .forms = kFormIp | kFormHostname},
    {.section = S::kRedis, .key = "sentinels", .type = kEndpoints,
     .field = In<&Config::redis, &Redis::sentinels>(),
     .help = "Sentinels, asked in turn where the master is; of url then only scheme, user and database count",
     .example = "[\"10.0.0.1:26379\", \"10.0.0.2:26379\", \"10.0.0.3:26379\"]", .most = 64,
     .forms = kFormIp | kFormHostname},
    {.section = S::kRedis, .key = "sentinel_master", .type = kString,
     .field = In<&Config::redis, &Redis::sentinel_master>(),
     .help = "The name by which the sentinels know the master", .example = "\"mymaster\"", .check = CheckToken},
    {.section = S::kRedis, .key = "sentinel_user", .type = kString,
     .field = In<&Config::redis, &Redis::sentinel_user>(),
     .help = "ACL user at the sentinels; empty: their default one", .check = CheckToken},
    {.section = S::kRedis, .key = "sentinel_password_file", .type = kFile,
     .field = In<&Config::redis, &Redis::sentinel_password_file>(),
     .help = "File whose first line is the password for the sentinels; empty: none"},
    {.section = S::kRedis, .key = "tls_verify", .type = kBool, .field = In<&Config::redis, &Redis::tls_verify>(),
     .help = "Verify the certificates of Redis and sentinels (rediss://)"},
    {.section = S::kRedis, .key = "tls_name", .type = kString, .field = In<&Config::redis, &Redis::tls_name>(),
     .help = "The name asked for (SNI) and verified; empty: the server's own", .check = CheckServerName},
    {.section = S::kRedis, .key = "tls_ca", .type = kFile, .field = In<&Config::redis, &Redis::tls_ca>(),
     .help = "PEM file: who may issue their certificates; empty: whom this system trusts"},
    {.section = S::kRedis, .key = "tls_certificate", .type = kFile,
     .field = In<&Config::redis, &Redis::tls_certificate>(),
     .help = "PEM file: the client certificate we show, then its intermediates; empty: none"},
    {.section = S::kRedis, .key = "tls_key", .type = kFile, .field = In<&Config::redis, &Redis::tls_key>(),
     .help = "PEM file: its private key"},
    {.section = S::kRedis, .key = "password_file", .type = kFile,
     .field = In<&Config::redis, &Redis::password_file>(),
     .help = "File whose first line is the password, read at each connect; empty: none", .example = "\"/etc/gatebook/redis.password\""},
    {.section = S::kRedis, .key = "connect_timeout", .type = kDuration,
     .field = In<&Config::redis, &Redis::connect_timeout>(),
     .help = "Longest wait for a connection", .least = 10, .most = kMinute},
    {.section = S::kRedis, .key = "reply_timeout", .type = kDuration,
     .field = In<&Config::redis, &Redis::reply_timeout>(),
     .help = "Longest wait for a reply", .least = 10, .most = 5 * kMinute},
    {.section = S::kRedis, .key = "pipeline", .type = kInteger, .field = In<&Config::redis, &Redis::pipeline>(),
     .help = "Most commands under way", .least = 1, .most = 65536},
    {.section = S::kRedis, .key = "durability", .type = kWord,
     .field = In<&Config::redis, &Redis::durability>(),
     .help = "A visit leaves the journal when Redis has it on its \"disk\", or as soon as it is \"acknowledged\"",
     .words = kDurability},
    {.section = S::kRedis, .key = "hold", .type = kDuration, .field = In<&Config::redis, &Redis::hold>(),
     .help = "Least time a visit is kept after Redis wrote it to an append-only file", .least = 0,
     .most = 60 * kMinute},
    {.section = S::kRedis, .key = "replica_wait", .type = kDuration,
     .field = In<&Config::redis, &Redis::replica_wait>(),
     .help = "Longest wait for replicas that are online to have a visit too; \"0s\": none", .least = 0,
     .most = 60 * kMinute},

    {.section = S::kJournal, .key = "directory", .type = kPath,
     .field = In<&Config::journal, &Journal::directory>(),
     .help = "Where the segments are; made at first start, mode 0700"},
    {.section = S::kJournal, .key = "flush", .type = kWord, .field = In<&Config::journal, &Journal::flush>(),
     .help = "What a power cut may cost: \"always\" nothing, \"everysec\" a second, \"no\" what the kernel held",
     .words = kFlush},
    {.section = S::kJournal, .key = "max_size", .type = kSize, .field = In<&Config::journal, &Journal::max_size>(),
     .help = "Most disk space, all workers together", .least = 128 * kKiB, .most = 64 * 1024 * kGiB},
    {.section = S::kJournal, .key = "segment_size", .type = kSize,
     .field = In<&Config::journal, &Journal::segment_size>(),
     .help = "Size of one segment file", .least = 64 * kKiB, .most = kGiB},
    {.section = S::kJournal, .key = "on_full", .type = kWord, .field = In<&Config::journal, &Journal::on_full>(),
     .help = "When the journal is full: \"serve\" and count what is not recorded, or \"refuse\" with 503",
     .words = kOnFull},

    {.section = S::kVisit, .key = "retention", .type = kDuration, .field = In<&Config::visit, &Visit::retention>(),
     .help = "A visit destroys itself this long after it arrived", .least = kMinute, .most = 30 * kDay},
    {.section = S::kVisit, .key = "policy", .type = kString, .field = In<&Config::visit, &Visit::policy>(),
     .help = "Version of the privacy policy in force; stands in every visit", .check = CheckPolicy},
    {.section = S::kVisit, .key = "query_allow", .type = kStrings,
     .field = In<&Config::visit, &Visit::query_allow>(),
     .help = "Query parameters whose values are kept; all others are not", .most = 64, .check = CheckParameterName},
    {.section = S::kVisit, .key = "fields", .type = kStrings, .field = In<&Config::visit, &Visit::fields>(),
     .help = "Which of the optional fields are recorded", .most = 64, .check = CheckOptionalField},
    {.section = S::kVisit, .key = "truncate_address", .type = kWord,
     .field = In<&Config::visit, &Visit::truncate_address>(),
     .help = "\"always\": of an address only /24 (IPv4) or /48 (IPv6) is recorded, and no name is asked for; statistics "
             "never use more of one",
     .words = kTruncateAddress},

    {.section = S::kObjection, .key = "gpc", .type = kBool, .field = In<&Config::objection, &Objection::gpc>(),
     .help = "Sec-GPC: 1 objects (Global Privacy Control), and /.well-known/gpc.json says so"},
    {.section = S::kObjection, .key = "dnt", .type = kBool, .field = In<&Config::objection, &Objection::dnt>(),
     .help = "DNT: 1 objects"},
    {.section = S::kObjection, .key = "self_service", .type = kBool,
     .field = In<&Config::objection, &Objection::self_service>(),
     .help = "Serve /.well-known/gatebook/objection, where visitors object and withdraw it"},
    {.section = S::kObjection, .key = "remember", .type = kDuration,
     .field = In<&Config::objection, &Objection::remember>(),
     .help = "How long a browser keeps an objection that was made there", .least = kDay, .most = 400 * kDay},

    {.section = S::kPolicy, .key = "file", .type = kFile, .field = In<&Config::policy, &Policy::file>(),
     .help = "The text, in Markdown (.md) or HTML (.html); empty: none is served",
     .example = "\"/etc/gatebook/privacy.md\"", .check = CheckPolicyFile},
    {.section = S::kPolicy, .key = "version", .type = kString, .field = In<&Config::policy, &Policy::version>(),
     .help = "Its version, which then stands in every visit; empty: visit.policy", .example = "\"2025-09-01\"",
     .check = CheckPolicy},
    {.section = S::kPolicy, .key = "date", .type = kString, .field = In<&Config::policy, &Policy::date>(),
     .help = "Since when it holds, as YYYY-MM-DD", .example = "\"2025-09-01\"", .check = CheckDate},
    {.section = S::kPolicy, .key = "path", .type = kString, .field = In<&Config::policy, &Policy::path>(),
     .help = "Where it is shown, on every host; its feed and what is recorded stand below it",
     .check = CheckPolicyPath},
    {.section = S::kPolicy, .key = "notice", .type = kBool, .field = In<&Config::policy, &Policy::notice>(),
     .help = "Tell sessions that return after a change of the version, once, by X-Gatebook-Policy-Notice and a "
             "cookie that pages can read"},
    {.section = S::kPolicy, .key = "on_change", .type = kStrings, .field = In<&Config::policy, &Policy::on_change>(),
     .help = "A command and its arguments, run once for each new version",
     .example = "[\"/usr/local/bin/tell-customers\"]", .most = 64, .check = CheckArgument},

    {.section = S::kDeclaration, .key = "retention", .type = kDuration,
     .field = In<&Config::declaration, &Declaration::retention>(),
     .help = "The longest that visits may be kept; 0s: not declared", .example = "\"30d\"", .most = 30 * kDay},
    {.section = S::kDeclaration, .key = "fields", .type = kStrings,
     .field = In<&Config::declaration, &Declaration::fields>(),
     .help = "The optional fields that may be recorded; empty: not declared", .most = 64, .check = CheckOptionalField},
    {.section = S::kDeclaration, .key = "regions", .type = kStrings,
     .field = In<&Config::declaration, &Declaration::regions>(),
     .help = "Where Redis and name servers may stand, by [geo]: countries, \"EU\", \"EEA\"; empty: not declared",
     .example = "[\"EEA\"]", .most = 64, .check = CheckRegion},

    {.section = S::kRetention, .key = "ledger", .type = kPath,
     .field = In<&Config::retention, &Retention::ledger>(),
     .help = "Chained record, a line a day, of what was stored and that nothing was overdue; names nobody; empty: none"},
    {.section = S::kRetention, .key = "clock_jump", .type = kDuration,
     .field = In<&Config::retention, &Retention::clock_jump>(),
     .help = "While the wall clock is this far ahead of the time that has passed, gatebook destroys nothing for its "
             "age, until the clock is back or `gatebook retention --confirm-clock` says that it is right",
     .least = kMinute, .most = 30 * kDay},
    {.section = S::kRetention, .key = "rewrite", .type = kBool,
     .field = In<&Config::retention, &Retention::rewrite>(),
     .help = "Ask Redis every day to write its files anew, so that they lose what has expired"},

    {.section = S::kRights, .key = "self_service", .type = kWord,
     .field = In<&Config::rights, &Rights::self_service>(),
     .help = "What the holder of a session's cookie may do at /.well-known/gatebook/my-visits: nothing, see the "
             "session's visits (GET), or erase them too (DELETE)",
     .words = kSelfService},
    {.section = S::kRights, .key = "per_session", .type = kInteger,
     .field = In<&Config::rights, &Rights::per_session>(),
     .help = "Such requests of one session a minute; beyond it 429", .least = 1, .most = 1000},
    {.section = S::kRights, .key = "per_minute", .type = kInteger,
     .field = In<&Config::rights, &Rights::per_minute>(),
     .help = "Such requests of all sessions together a minute; beyond it 429", .least = 1,
     .most = 100'000},

    {.section = S::kDns, .key = "enabled", .type = kBool, .field = In<&Config::dns, &Dns::enabled>(),
     .help = "Look up the names of visitors' addresses"},
    {.section = S::kDns, .key = "servers", .type = kEndpoints, .field = In<&Config::dns, &Dns::servers>(),
     .help = "Servers that are asked; empty: the system's", .example = "[\"127.0.0.1:53\"]", .most = 8,
     .forms = kFormIp},
    {.section = S::kDns, .key = "timeout", .type = kDuration, .field = In<&Config::dns, &Dns::timeout>(),
     .help = "A visit never waits longer for its name", .least = 10, .most = 30 * kSecond},
    {.section = S::kDns, .key = "cache_size", .type = kInteger, .field = In<&Config::dns, &Dns::cache_size>(),
     .help = "Most names that are remembered", .most = 16'777'216},
    {.section = S::kDns, .key = "max_pending", .type = kInteger, .field = In<&Config::dns, &Dns::max_pending>(),
     .help = "Most look-ups under way; beyond it names are skipped", .least = 1, .most = 65536},

    {.section = S::kGeo, .key = "databases", .type = kFiles, .field = In<&Config::geo, &Geo::databases>(),
     .help = "MaxMind DB files; the first that knows a field wins", .example = "[\"/var/lib/GeoIP/country.mmdb\"]",
     .most = 8},

    {.section = S::kStatistics, .key = "k", .type = kInteger, .field = In<&Config::statistics, &Statistics::k>(),
     .help = "A published figure stands for at least so many sessions from at least so many networks", .least = 5,
     .most = 1000},
    {.section = S::kStatistics, .key = "round", .type = kInteger,
     .field = In<&Config::statistics, &Statistics::round>(),
     .help = "Published figures are multiples of this, at least 2 k; of one network at most (round - 1) / (k - 1) "
             "sessions a day are counted in them, so that fewer than k networks never move one by a whole step",
     .least = 10, .most = 100'000},
    {.section = S::kStatistics, .key = "keep", .type = kDuration,
     .field = In<&Config::statistics, &Statistics::keep>(),
     .help = "A day's figures, which hold nothing personal, are kept in Redis this long", .least = 31 * kDay,
     .most = 3660 * kDay},
};
// clang-format on

}  // namespace

std::span<const Option> BookOptions() { return kRows; }

}  // namespace gatebook::config
