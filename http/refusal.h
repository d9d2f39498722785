// Refusals: every reason for which this floor (and the connection above it)
// turns a message down, as rows of one table.
//
// From a row come the status of the answer, the label of the counter
// gatebook_refusals_total{reason="…"}, the `denied` field of the visit, and the
// line of docs/operations.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatebook::http {

// X(enumerator, status, slug, what it means)
#define GATEBOOK_REFUSALS(X)                                                                           \
  /* request head, RFC 9112 */                                                                         \
  X(kBareLf, 400, "bare_lf", "a line ended in LF without CR")                                          \
  X(kBareCr, 400, "bare_cr", "a CR without LF")                                                        \
  X(kNul, 400, "control_byte", "NUL or another control byte in the head")                              \
  X(kBadMethod, 400, "bad_method", "the method is no token")                                           \
  X(kBadTarget, 400, "bad_target", "the request target is malformed")                                  \
  X(kBadRequestLine, 400, "bad_request_line", "the request line is not method SP target SP version")   \
  X(kBadVersion, 505, "bad_version", "not HTTP/1.0 or HTTP/1.1")                                       \
  X(kTargetTooLong, 414, "target_too_long", "the request target exceeds limits.target_size")           \
  X(kHeadTooLarge, 431, "head_too_large", "the head exceeds limits.header_size")                       \
  X(kTooManyFields, 431, "too_many_fields", "more fields than limits.header_count")                    \
  X(kObsFold, 400, "obs_fold", "a folded field line (RFC 9112 5.2)")                                   \
  X(kBadFieldName, 400, "bad_field_name", "an empty name, no token, or white space before the colon")  \
  X(kBadFieldValue, 400, "bad_field_value", "a control byte in a field value")                         \
  X(kMissingHost, 400, "missing_host", "HTTP/1.1 without Host, or an empty one")                       \
  X(kRepeatedHost, 400, "repeated_host", "more than one Host")                                         \
  X(kBadHost, 400, "bad_host", "Host or authority is no valid host and port")                          \
  X(kBadContentLength, 400, "bad_content_length", "no plain decimal below 2^63, or two that differ")   \
  X(kLengthWithCoding, 400, "length_with_coding", "Content-Length together with Transfer-Encoding")    \
  X(kRepeatedCoding, 400, "repeated_coding", "Transfer-Encoding twice, or chunked not alone")          \
  X(kUnknownCoding, 501, "unknown_coding", "a transfer coding other than chunked")                     \
  X(kCodingInHttp10, 400, "coding_in_http10", "Transfer-Encoding in HTTP/1.0")                         \
  X(kBadConnection, 400, "bad_connection", "Connection names a framing, Host or forwarding field")     \
  X(kBadExpect, 417, "bad_expect", "an expectation other than 100-continue")                           \
  X(kBadUpgrade, 400, "bad_upgrade", "a malformed WebSocket handshake")                                \
  X(kConnectRefused, 405, "connect_refused", "CONNECT: this is no forward proxy")                      \
  X(kMethodRefused, 405, "method_refused", "TRACE and TRACK are not passed on")                        \
  /* bodies */                                                                                         \
  X(kBadChunk, 400, "bad_chunk", "a malformed chunk line, size or terminator")                         \
  X(kBadTrailer, 400, "bad_trailer", "a malformed or oversized trailer section")                       \
  X(kBodyTooLarge, 413, "body_too_large", "the body exceeds limits.body_size")                         \
  /* HTTP/2, RFC 9113 */                                                                               \
  X(kBadPseudoField, 400, "bad_pseudo_field", "an unknown, repeated, late or missing pseudo-field")    \
  X(kUpperCaseName, 400, "upper_case_name", "a field name in HTTP/2 that is not lower case")           \
  X(kConnectionField, 400, "connection_field", "a connection-specific field in HTTP/2")                \
  X(kPaddedValue, 400, "padded_value", "white space around a field value in HTTP/2")                   \
  X(kBadScheme, 400, "bad_scheme", "a :scheme other than the connection's")                            \
  X(kHostMismatch, 400, "host_mismatch", ":authority and Host name different hosts")                   \
  X(kLengthMismatch, 400, "length_mismatch", "the body is not as long as Content-Length says")         \
  X(kUnknownProtocol, 501, "unknown_protocol", "extended CONNECT for other than websocket")            \
  X(kHeadsHeld, 503, "heads_held", "open streams of the connection hold too much of heads or trailers") \
  X(kTooManyStreams, 503, "too_many_streams", "more streams at once than a connection of HTTP/2 may open") \
  X(kStreamBroken, 400, "stream_broken", "a stream of HTTP/2 that its client's frames broke")          \
  X(kConnectionBroken, 400, "connection_broken", "the client's HTTP/2 connection was ended: see gatebook_http2_ends_total") \
  /* the connection */                                                                                 \
  X(kHeaderTimeout, 408, "header_timeout", "the head did not arrive within timeouts.request_header")   \
  X(kBodyTimeout, 408, "body_timeout", "the body came slower than limits.min_rate")                    \
  X(kWriteTimeout, 408, "write_timeout", "the client took the answer slower than limits.min_rate")     \
  X(kTunnelIdle, 408, "tunnel_idle", "a tunnel was silent for timeouts.tunnel_idle")                   \
  X(kJournalFull, 503, "journal_full", "the journal is full and journal.on_full is refuse")            \
  X(kNoRoute, 404, "no_route", "no route for this host and path")                                      \
  X(kOwnPathMethod, 405, "own_path_method", "a path of the edge's own does not take this method")      \
  X(kOtherSite, 403, "other_site", "another site's page asked for a change at a path of the edge's own") \
  X(kNoSessionShown, 403, "no_session_shown", "my-visits was asked for without the cookie of a session")  \
  X(kRightsLimited, 429, "rights_limited", "more questions than rights.per_session or rights.per_minute") \
  X(kRightsUnavailable, 503, "rights_unavailable", "Redis is away, or too many visitors ask for their visits") \
  X(kBadChoice, 400, "bad_choice", "the choice about an objection is neither object nor withdraw")     \
  X(kPlainOnTls, 400, "plain_on_tls", "plain HTTP sent to a TLS listener")                             \
  /* upstream */                                                                                       \
  X(kUpstreamUnresolved, 502, "upstream_unresolved", "the upstream's name has no address")             \
  X(kUpstreamConnect, 502, "upstream_connect", "no connection to the upstream")                        \
  X(kUpstreamConnectTimeout, 504, "upstream_connect_timeout", "no connection within timeouts.connect") \
  X(kUpstreamBusy, 503, "upstream_busy", "every server is at max_connections and the queue full or slow") \
  X(kUpstreamClosed, 502, "upstream_closed", "the upstream closed before its answer's head was whole") \
  X(kUpstreamBadHead, 502, "upstream_bad_head", "the answer's head is malformed or ambiguous")         \
  X(kUpstreamBadBody, 502, "upstream_bad_body", "the answer's body is malformed or cut short")         \
  X(kUpstreamTimeout, 504, "upstream_timeout", "no answer within timeouts.first_byte")                 \
  X(kUpstreamStalled, 504, "upstream_stalled", "no byte of the answer within timeouts.upstream_idle")  \
  X(kUpstreamTooMany1xx, 502, "upstream_too_many_1xx", "more interim answers than is reasonable")      \
  X(kUpstreamBadUpgrade, 502, "upstream_bad_upgrade", "a 101 that was not asked for, or a wrong one")   \
  X(kUpstreamNoTunnels, 502, "upstream_no_tunnels", "the upstream's HTTP/2 takes no WebSocket (RFC 8441)")

enum class Refusal : uint8_t {
#define GATEBOOK_REFUSAL_ENUM(name, status, slug, meaning) name,
  GATEBOOK_REFUSALS(GATEBOOK_REFUSAL_ENUM)
#undef GATEBOOK_REFUSAL_ENUM
      kCount
};

struct RefusalInfo {
  uint16_t status;
  std::string_view slug;
  std::string_view meaning;
};
const RefusalInfo& InfoOf(Refusal refusal);
// The reason phrase of a status code (RFC 9110 §15); "Unknown" for others.
std::string_view ReasonPhrase(int status);

}  // namespace gatebook::http
