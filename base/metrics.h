// Metrics: one table of counters, one block of them a thread.
//
// A row of the table is everything there is to say of a metric; the exposition
// (admin /metrics), `gatebook status` and docs/operations.md are made from it.
// Rows that share a name stand together and differ in labels.
//
// Thread: a MetricsBlock is written by the thread that owns it (relaxed, no
// lock prefix needed for its own adds) and may be read by any.
// Labels are bounded: never an address, a name or a session id.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace gatebook::base {

enum class MetricKind { kCounter, kGauge };

// X(enumerator, kind, prometheus name, labels, help)
#define GATEBOOK_METRICS(X)                                                                                         \
  /* proxy */                                                                                                       \
  X(kConnectionsAccepted, kCounter, "gatebook_connections_accepted_total", "", "Client connections accepted")       \
  X(kConnectionsOpen, kGauge, "gatebook_connections_open", "", "Client connections open now")                       \
  X(kConnectionsRefusedLimit, kCounter, "gatebook_connections_refused_total", "reason=\"limit\"", "Client connections closed at once") \
  X(kConnectionsRefusedAddress, kCounter, "gatebook_connections_refused_total", "reason=\"address_limit\"", "Client connections closed at once") \
  X(kConnectionsRefusedDescriptors, kCounter, "gatebook_connections_refused_total", "reason=\"descriptors\"", "Client connections closed at once") \
  X(kH2ConnectionsOpen, kGauge, "gatebook_http2_connections_open", "", "Client connections that speak HTTP/2 now") \
  X(kRequests, kCounter, "gatebook_requests_total", "", "Requests whose head was read whole")                       \
  X(kExchangesOpen, kGauge, "gatebook_exchanges_open", "", "Exchanges under way")                                   \
  X(kTunnelsOpen, kGauge, "gatebook_tunnels_open", "", "Tunnels open now: WebSockets and other upgrades")           \
  X(kResponses1xx, kCounter, "gatebook_responses_total", "class=\"1xx\"", "Responses by status class")              \
  X(kResponses2xx, kCounter, "gatebook_responses_total", "class=\"2xx\"", "Responses by status class")              \
  X(kResponses3xx, kCounter, "gatebook_responses_total", "class=\"3xx\"", "Responses by status class")              \
  X(kResponses4xx, kCounter, "gatebook_responses_total", "class=\"4xx\"", "Responses by status class")              \
  X(kResponses5xx, kCounter, "gatebook_responses_total", "class=\"5xx\"", "Responses by status class")              \
  X(kBytesFromClients, kCounter, "gatebook_client_bytes_total", "direction=\"in\"", "Body bytes exchanged with clients") \
  X(kBytesToClients, kCounter, "gatebook_client_bytes_total", "direction=\"out\"", "Body bytes exchanged with clients") \
  /* tls */                                                                                                         \
  X(kTlsHandshakes, kCounter, "gatebook_tls_handshakes_total", "result=\"full\"", "TLS handshakes")                 \
  X(kTlsHandshakesResumed, kCounter, "gatebook_tls_handshakes_total", "result=\"resumed\"", "TLS handshakes")       \
  X(kTlsHandshakesFailed, kCounter, "gatebook_tls_handshakes_total", "result=\"failed\"", "TLS handshakes")         \
  X(kTlsHandshakesTimedOut, kCounter, "gatebook_tls_handshakes_total", "result=\"timeout\"", "TLS handshakes")      \
  /* reload */                                                                                                      \
  X(kReloads, kCounter, "gatebook_reloads_total", "result=\"ok\"", "Reloads of the configuration or its certificates") \
  X(kReloadsFailed, kCounter, "gatebook_reloads_total", "result=\"failed\"", "Reloads of the configuration or its certificates") \
  /* upstream */                                                                                                    \
  X(kUpstreamConnects, kCounter, "gatebook_upstream_connects_total", "result=\"ok\"", "Connections opened to upstreams") \
  X(kUpstreamConnectsFailed, kCounter, "gatebook_upstream_connects_total", "result=\"failed\"", "Connections opened to upstreams") \
  X(kUpstreamConnectsTimedOut, kCounter, "gatebook_upstream_connects_total", "result=\"timeout\"", "Connections opened to upstreams") \
  X(kUpstreamReused, kCounter, "gatebook_upstream_reused_total", "", "Exchanges on a connection that had served others") \
  X(kUpstreamRetries, kCounter, "gatebook_upstream_retries_total", "", "Requests sent again: on a stale connection, or not looked at") \
  X(kUpstreamRetriesRefused, kCounter, "gatebook_upstream_retries_refused_total", "", "Requests not sent again because of upstream.retry_budget") \
  X(kUpstreamOpen, kGauge, "gatebook_upstream_connections_open", "", "Upstream connections open now")               \
  X(kUpstreamIdle, kGauge, "gatebook_upstream_connections_idle", "", "Upstream connections without an exchange")    \
  X(kUpstreamStale, kCounter, "gatebook_upstream_stale_total", "", "Pooled connections that their server ended, or wrote to unasked") \
  X(kUpstreamWaiting, kGauge, "gatebook_upstream_waiting", "", "Exchanges waiting for a server below upstream.max_connections") \
  X(kUpstreamEjections, kCounter, "gatebook_upstream_ejections_total", "", "Servers passed over by a worker after upstream.eject_after failures") \
  X(kUpstreamEjected, kGauge, "gatebook_upstream_servers_ejected", "", "Servers passed over now, each counted once a worker") \
  X(kHealthChecks, kCounter, "gatebook_health_checks_total", "result=\"ok\"", "Active health checks of upstream servers") \
  X(kHealthChecksFailed, kCounter, "gatebook_health_checks_total", "result=\"failed\"", "Active health checks of upstream servers") \
  X(kServersDown, kGauge, "gatebook_upstream_servers_down", "", "Servers that fail their active health checks") \
  /* the book: accepted = stored + in journal + quarantined + dropped */                                            \
  X(kVisitsAccepted, kCounter, "gatebook_visits_accepted_total", "", "Visits handed over, with those found in the journal at start") \
  X(kVisitsStored, kCounter, "gatebook_visits_stored_total", "", "Visits that Redis has, as lasting as redis.durability asks") \
  X(kVisitsInJournal, kGauge, "gatebook_visits_in_journal", "", "Visits in the journal: Redis does not have them, or not yet on its disk") \
  X(kVisitsHeld, kGauge, "gatebook_visits_held", "", "Visits in the journal that Redis acknowledged and may not have on its disk yet") \
  X(kVisitsQuarantined, kCounter, "gatebook_visits_quarantined_total", "", "Visits whose journal record was damaged") \
  X(kVisitsDroppedFull, kCounter, "gatebook_visits_dropped_total", "reason=\"journal_full\"", "Visits not recorded") \
  X(kVisitsDroppedNoSegment, kCounter, "gatebook_visits_dropped_total", "reason=\"no_segment\"", "Visits not recorded") \
  X(kVisitsDroppedTooLarge, kCounter, "gatebook_visits_dropped_total", "reason=\"too_large\"", "Visits not recorded") \
  X(kVisitsDroppedExpired, kCounter, "gatebook_visits_dropped_total", "reason=\"expired\"", "Visits not recorded")  \
  X(kVisitsDroppedErased, kCounter, "gatebook_visits_dropped_total", "reason=\"erased\"", "Visits not recorded")    \
  X(kVisitsDroppedRefused, kCounter, "gatebook_visits_dropped_total", "reason=\"redis_refused\"", "Visits not recorded") \
  X(kClosingsAccepted, kCounter, "gatebook_closings_total", "state=\"accepted\"", "Closing records of long exchanges") \
  X(kClosingsStored, kCounter, "gatebook_closings_total", "state=\"stored\"", "Closing records of long exchanges")  \
  X(kClosingsDropped, kCounter, "gatebook_closings_total", "state=\"dropped\"", "Closing records of long exchanges") \
  X(kVisitsReplayed, kCounter, "gatebook_visits_replayed_total", "", "Visits that Redis already had when they came again") \
  X(kVisitsRestored, kCounter, "gatebook_visits_restored_total", "", "Visits that Redis had acknowledged and lost, and was given again") \
  X(kVisitsReleasedEarly, kCounter, "gatebook_visits_released_early_total", "reason=\"journal_full\"", "Visits released before Redis was known to have them on its disk") \
  X(kVisitsReleasedOver, kCounter, "gatebook_visits_released_early_total", "reason=\"over\"", "Visits released before Redis was known to have them on its disk") \
  X(kJournalSegments, kGauge, "gatebook_journal_segments", "", "Journal segments on disk")                          \
  X(kJournalBytes, kGauge, "gatebook_journal_bytes", "", "Bytes of journal segments on disk")                       \
  X(kJournalDamage, kCounter, "gatebook_journal_damaged_regions_total", "", "Damaged regions skipped in journals")  \
  X(kJournalErrors, kCounter, "gatebook_journal_errors_total", "", "Failed journal file operations")                \
  X(kSessionsNew, kCounter, "gatebook_sessions_total", "kind=\"new\"", "Session decisions, one a connection or cookie") \
  X(kSessionsContinued, kCounter, "gatebook_sessions_total", "kind=\"continued\"", "Session decisions, one a connection or cookie") \
  X(kSessionsForged, kCounter, "gatebook_sessions_total", "kind=\"forged\"", "Session decisions, one a connection or cookie") \
  X(kSessionsStale, kCounter, "gatebook_sessions_total", "kind=\"stale\"", "Session decisions, one a connection or cookie") \
  X(kObjectionsGpc, kCounter, "gatebook_objections_total", "by=\"gpc\"", "Visits kept out of statistics, by how their visitor objected") \
  X(kObjectionsDnt, kCounter, "gatebook_objections_total", "by=\"dnt\"", "Visits kept out of statistics, by how their visitor objected") \
  X(kObjectionsCookie, kCounter, "gatebook_objections_total", "by=\"cookie\"", "Visits kept out of statistics, by how their visitor objected") \
  X(kObjectionsRegister, kCounter, "gatebook_objections_total", "by=\"register\"", "Visits kept out of statistics, by how their visitor objected") \
  X(kPolicyNotices, kCounter, "gatebook_policy_notices_total", "", "Sessions told of a new version of the privacy policy") \
  X(kPolicyCommands, kCounter, "gatebook_policy_commands_total", "result=\"ok\"", "Runs of policy.on_change")        \
  X(kPolicyCommandsFailed, kCounter, "gatebook_policy_commands_total", "result=\"failed\"", "Runs of policy.on_change") \
  /* names */                                                                                                       \
  X(kDnsQueries, kCounter, "gatebook_dns_queries_total", "", "Questions sent to DNS servers")                       \
  X(kDnsCacheHits, kCounter, "gatebook_dns_cache_hits_total", "", "Names answered from the cache")                  \
  X(kDnsConfirmed, kCounter, "gatebook_dns_names_total", "check=\"confirmed\"", "Name look-ups by result")          \
  X(kDnsUnconfirmed, kCounter, "gatebook_dns_names_total", "check=\"unconfirmed\"", "Name look-ups by result")      \
  X(kDnsNone, kCounter, "gatebook_dns_names_total", "check=\"none\"", "Name look-ups by result")                    \
  X(kDnsTimeout, kCounter, "gatebook_dns_names_total", "check=\"timeout\"", "Name look-ups by result")              \
  X(kDnsInvalid, kCounter, "gatebook_dns_names_total", "check=\"invalid\"", "Name look-ups by result")              \
  X(kDnsSkipped, kCounter, "gatebook_dns_names_total", "check=\"skipped\"", "Name look-ups by result")              \
  X(kDnsPending, kGauge, "gatebook_dns_pending", "", "Name look-ups under way")                                     \
  X(kDnsCached, kGauge, "gatebook_dns_cached", "", "Names in the cache")                                            \
  /* places */                                                                                                      \
  X(kGeoReloads, kCounter, "gatebook_geo_reloads_total", "result=\"ok\"", "Place databases opened again")           \
  X(kGeoReloadsFailed, kCounter, "gatebook_geo_reloads_total", "result=\"failed\"", "Place databases opened again") \
  X(kGeoErrors, kCounter, "gatebook_geo_errors_total", "", "Look-ups that met damage in a place database")          \
  /* the desk and its sinks */                                                                                      \
  X(kDeskRequests, kCounter, "gatebook_desk_requests_total", "result=\"answered\"", "Requests of readers to the desk") \
  X(kDeskRequestsRefused, kCounter, "gatebook_desk_requests_total", "result=\"refused\"", "Requests of readers to the desk") \
  X(kDeskRequestsFailed, kCounter, "gatebook_desk_requests_total", "result=\"failed\"", "Requests of readers to the desk") \
  X(kDeskLogins, kCounter, "gatebook_desk_logins_total", "result=\"ok\"", "Logins to the desk")                     \
  X(kDeskLoginsFailed, kCounter, "gatebook_desk_logins_total", "result=\"failed\"", "Logins to the desk")           \
  X(kDeskLoginsLimited, kCounter, "gatebook_desk_logins_total", "result=\"limited\"", "Logins to the desk")         \
  X(kDeskStreams, kGauge, "gatebook_desk_streams_open", "", "Live streams of visits to readers")                    \
  X(kDeskReveals, kCounter, "gatebook_desk_reveals_total", "", "Times that the edge showed a reader what is hidden, each with a line in the audit log") \
  X(kAuditErrors, kCounter, "gatebook_audit_errors_total", "", "Lines of the audit log that the edge could not write; nothing was shown") \
  X(kSinkVisits, kCounter, "gatebook_sink_visits_total", "result=\"written\"", "Visits to sinks, each counted once a sink") \
  X(kSinkVisitsFiltered, kCounter, "gatebook_sink_visits_total", "result=\"filtered\"", "Visits to sinks, each counted once a sink") \
  X(kSinkVisitsDropped, kCounter, "gatebook_sink_visits_total", "result=\"dropped\"", "Visits to sinks, each counted once a sink") \
  X(kSinksBlocked, kGauge, "gatebook_sinks_blocked", "", "Sinks that do not take visits now")                       \
  X(kSinkErrors, kCounter, "gatebook_sink_errors_total", "", "Failed writes and connections of sinks")              \
  X(kSinkFilesDestroyed, kCounter, "gatebook_sink_files_destroyed_total", "", "Files of sinks whose time was over") \
  /* statistics */                                                                                                  \
  X(kStatisticsDays, kCounter, "gatebook_statistics_days_total", "result=\"counted\"", "Days whose published figures this edge counted") \
  X(kStatisticsDaysFailed, kCounter, "gatebook_statistics_days_total", "result=\"failed\"", "Days whose published figures this edge counted") \
  /* redis */                                                                                                       \
  X(kRedisConnects, kCounter, "gatebook_redis_connects_total", "result=\"ok\"", "Connections to Redis")             \
  X(kRedisConnectsFailed, kCounter, "gatebook_redis_connects_total", "result=\"failed\"", "Connections to Redis")   \
  X(kRedisErrors, kCounter, "gatebook_redis_error_replies_total", "", "Error replies from Redis")                   \
  X(kRedisTroubleRefused, kCounter, "gatebook_redis_troubles_total", "reason=\"refused\"", "What interrupted writing to Redis") \
  X(kRedisTroubleUnreachable, kCounter, "gatebook_redis_troubles_total", "reason=\"unreachable\"", "What interrupted writing to Redis") \
  X(kRedisTroubleTimeout, kCounter, "gatebook_redis_troubles_total", "reason=\"timeout\"", "What interrupted writing to Redis") \
  X(kRedisTroubleTls, kCounter, "gatebook_redis_troubles_total", "reason=\"tls\"", "What interrupted writing to Redis") \
  X(kRedisTroubleClosed, kCounter, "gatebook_redis_troubles_total", "reason=\"closed\"", "What interrupted writing to Redis") \
  X(kRedisTroubleProtocol, kCounter, "gatebook_redis_troubles_total", "reason=\"protocol\"", "What interrupted writing to Redis") \
  X(kRedisTroubleFile, kCounter, "gatebook_redis_troubles_total", "reason=\"file\"", "What interrupted writing to Redis") \
  X(kRedisTroubleSentinel, kCounter, "gatebook_redis_troubles_total", "reason=\"sentinel\"", "What interrupted writing to Redis") \
  X(kRedisTroubleAuth, kCounter, "gatebook_redis_troubles_total", "reason=\"auth\"", "What interrupted writing to Redis") \
  X(kRedisTroubleNoperm, kCounter, "gatebook_redis_troubles_total", "reason=\"noperm\"", "What interrupted writing to Redis") \
  X(kRedisTroubleOom, kCounter, "gatebook_redis_troubles_total", "reason=\"oom\"", "What interrupted writing to Redis") \
  X(kRedisTroubleReadonly, kCounter, "gatebook_redis_troubles_total", "reason=\"readonly\"", "What interrupted writing to Redis") \
  X(kRedisTroubleLoading, kCounter, "gatebook_redis_troubles_total", "reason=\"loading\"", "What interrupted writing to Redis") \
  X(kRedisTroubleMisconf, kCounter, "gatebook_redis_troubles_total", "reason=\"misconf\"", "What interrupted writing to Redis") \
  X(kRedisTroubleNoreplicas, kCounter, "gatebook_redis_troubles_total", "reason=\"noreplicas\"", "What interrupted writing to Redis") \
  X(kRedisTroubleClusterdown, kCounter, "gatebook_redis_troubles_total", "reason=\"clusterdown\"", "What interrupted writing to Redis") \
  X(kRedisTroubleCluster, kCounter, "gatebook_redis_troubles_total", "reason=\"cluster\"", "What interrupted writing to Redis") \
  X(kRedisTroubleBusy, kCounter, "gatebook_redis_troubles_total", "reason=\"busy\"", "What interrupted writing to Redis") \
  X(kRedisTroubleEdgeNameTaken, kCounter, "gatebook_redis_troubles_total", "reason=\"edge_name_taken\"", "What interrupted writing to Redis") \
  X(kRedisTroubleDataLost, kCounter, "gatebook_redis_troubles_total", "reason=\"data_lost\"", "What interrupted writing to Redis") \
  X(kRedisTroubleOther, kCounter, "gatebook_redis_troubles_total", "reason=\"other\"", "What interrupted writing to Redis") \
  X(kRedisRedirectsMoved, kCounter, "gatebook_redis_redirects_total", "kind=\"moved\"", "Transactions that a node of a Redis Cluster sent on to another") \
  X(kRedisRedirectsAsk, kCounter, "gatebook_redis_redirects_total", "kind=\"ask\"", "Transactions that a node of a Redis Cluster sent on to another") \
  X(kRedisUp, kGauge, "gatebook_redis_up", "", "1 while the recorder is connected to Redis and allowed to write") \
  X(kRedisWithoutDisk, kGauge, "gatebook_redis_without_disk", "", "1 while Redis writes neither append-only file nor snapshots: what it has ends with it") \
  X(kRedisDataLost, kCounter, "gatebook_redis_data_lost_total", "", "Times that Redis was found without what it had acknowledged") \
  X(kRedisSavesAsked, kCounter, "gatebook_redis_saves_asked_total", "", "Snapshots asked for because visits that wait for one fill the journal") \
  X(kRedisReplicasGivenUp, kCounter, "gatebook_redis_replicas_given_up_total", "", "Times that a replica did not follow within redis.replica_wait") \
  X(kRedisLooksOk, kCounter, "gatebook_redis_looks_total", "result=\"ok\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksLoading, kCounter, "gatebook_redis_looks_total", "result=\"loading\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksAofStarting, kCounter, "gatebook_redis_looks_total", "result=\"aof_starting\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksAofFailing, kCounter, "gatebook_redis_looks_total", "result=\"aof_write_failing\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksDiskBusy, kCounter, "gatebook_redis_looks_total", "result=\"disk_busy\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksSaveFailing, kCounter, "gatebook_redis_looks_total", "result=\"save_failing\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksReplicaBehind, kCounter, "gatebook_redis_looks_total", "result=\"replica_behind\"", "Looks at what Redis has on its disk") \
  X(kRedisLooksNotTold, kCounter, "gatebook_redis_looks_total", "result=\"not_told\"", "Looks at what Redis has on its disk") \
  /* retention */                                                                                                     \
  X(kRetentionRounds, kCounter, "gatebook_retention_rounds_total", "result=\"kept\"", "Daily looks at everything that is stored") \
  X(kRetentionRoundsBroken, kCounter, "gatebook_retention_rounds_total", "result=\"broken\"", "Daily looks at everything that is stored") \
  X(kRetentionRoundsFailed, kCounter, "gatebook_retention_rounds_total", "result=\"failed\"", "Daily looks at everything that is stored") \
  X(kRetentionOverdue, kGauge, "gatebook_retention_overdue", "", "Records older than they may be, at the last look")  \
  X(kRetentionUndated, kGauge, "gatebook_retention_undated_keys", "", "Keys of ours in Redis without a deadline, or with one too late, at the last look") \
  X(kLedgerErrors, kCounter, "gatebook_retention_ledger_errors_total", "", "Lines of the retention ledger that could not be written") \
  X(kRedisRewrites, kCounter, "gatebook_redis_rewrites_total", "result=\"ok\"", "Times Redis was asked to write its files anew") \
  X(kRedisRewritesFailed, kCounter, "gatebook_redis_rewrites_total", "result=\"failed\"", "Times Redis was asked to write its files anew") \
  X(kClockHeld, kGauge, "gatebook_clock_held", "", "1 while the wall clock is not believed and nothing is destroyed for its age") \
  X(kClockJumps, kCounter, "gatebook_clock_jumps_total", "", "Times the wall clock ran ahead by more than retention.clock_jump") \
  /* rights */                                                                                                        \
  X(kRightsShown, kCounter, "gatebook_rights_requests_total", "result=\"shown\"", "Self-service of visitors, by result") \
  X(kRightsErased, kCounter, "gatebook_rights_requests_total", "result=\"erased\"", "Self-service of visitors, by result") \
  X(kRightsNothing, kCounter, "gatebook_rights_requests_total", "result=\"nothing_stored\"", "Self-service of visitors, by result") \
  X(kRightsFailed, kCounter, "gatebook_rights_requests_total", "result=\"failed\"", "Self-service of visitors, by result")

enum class Metric : uint32_t {
#define GATEBOOK_METRIC_ENUM(name, kind, prometheus, labels, help) name,
  GATEBOOK_METRICS(GATEBOOK_METRIC_ENUM)
#undef GATEBOOK_METRIC_ENUM
      kCount
};

struct MetricInfo {
  MetricKind kind;
  const char* name;
  const char* labels;
  const char* help;
};
const MetricInfo& InfoOf(Metric metric);

// The counters of one thread. Owned by that thread's object; must outlive every reader.
//
// What is counted under one Together is seen by a MetricsSnapshot whole or not at all: the sum of
// the book holds at any moment, not only at rest. (A sequence lock; its words and the cells are stored with
// release and loaded with acquire, which costs nothing on the machines that matter.)
class alignas(64) MetricsBlock {
 public:
  // Owner thread only.
  void Add(Metric metric, uint64_t by = 1) {
    auto& cell = cells_[static_cast<size_t>(metric)];
    cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_release);
  }
  // Gauges: also downwards; the sum over all blocks is what is shown.
  void Sub(Metric metric, uint64_t by = 1) {
    auto& cell = cells_[static_cast<size_t>(metric)];
    cell.store(cell.load(std::memory_order_relaxed) - by, std::memory_order_release);
  }
  void Set(Metric metric, uint64_t to) { cells_[static_cast<size_t>(metric)].store(to, std::memory_order_release); }

  // Owner thread only, not nested, and short: who looks meanwhile tries again.
  class Together {
   public:
    explicit Together(MetricsBlock& block) : block_(block) { block_.Turn(); }
    ~Together() { block_.Turn(); }
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;

   private:
    MetricsBlock& block_;
  };

  // Any thread.
  uint64_t Get(Metric metric) const { return cells_[static_cast<size_t>(metric)].load(std::memory_order_relaxed); }

 private:
  friend class MetricsSnapshot;
  void Turn() { turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  std::atomic<uint64_t> turns_{0};  // odd: something is being counted together
  std::array<std::atomic<uint64_t>, static_cast<size_t>(Metric::kCount)> cells_{};
};

// The sums over all blocks at one moment. A block that only takes from what others add
// (the recorder's) must stand before theirs, so that no gauge is seen below zero.
class MetricsSnapshot {
 public:
  explicit MetricsSnapshot(const std::vector<const MetricsBlock*>& blocks);
  uint64_t Get(Metric metric) const { return sums_[static_cast<size_t>(metric)]; }

  // All that was dropped of the book, whatever the reason.
  uint64_t VisitsDropped() const;
  // stored + in journal + quarantined + dropped: what was accepted, or there is a bug.
  uint64_t VisitsKnown() const;

 private:
  std::array<uint64_t, static_cast<size_t>(Metric::kCount)> sums_{};
};

// Counts an answer in its status class; 0 (no answer) in none.
void CountStatus(MetricsBlock& metrics, int status);

// Sum of a metric over blocks, and the Prometheus text exposition (version 0.0.4) of all, of one moment.
uint64_t Sum(const std::vector<const MetricsBlock*>& blocks, Metric metric);
std::string ToPrometheus(const std::vector<const MetricsBlock*>& blocks);

}  // namespace gatebook::base
