// CloseReason: why a client connection ended, as rows of one table; each is a
// label of gatebook_connections_closed_total{reason="…"}.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatebook::proxy {

// X(enumerator, slug, what it means)
#define GATEBOOK_CLOSE_REASONS(X)                                                            \
  X(kClientClosed, "client_closed", "the client ended it between exchanges")                 \
  X(kAnswered, "answered", "ended by us with the last answer, as HTTP has it")               \
  X(kRefused, "refused", "ended after a refusal")                                            \
  X(kKeepAliveTimeout, "keep_alive_timeout", "idle for timeouts.keep_alive")                 \
  X(kHandshakeTimeout, "handshake_timeout", "no TLS within timeouts.handshake")              \
  X(kProxyHeader, "proxy_header", "a PROXY header was due, and none or a broken one came")   \
  X(kHandshakeFailed, "handshake_failed", "TLS could not be agreed on")                      \
  X(kWriteTimeout, "write_timeout", "the client took less than limits.min_rate")             \
  X(kClientAborted, "client_aborted", "the client left in the middle of an exchange")        \
  X(kAnswerBroken, "answer_broken", "the upstream's answer broke off after its head")        \
  X(kTunnelEnded, "tunnel_ended", "a tunnel was closed by one of its ends")                  \
  X(kTunnelIdle, "tunnel_idle", "a tunnel was silent for timeouts.tunnel_idle")              \
  X(kHttp2Broken, "http2_broken", "ended by us; gatebook_http2_ends_total says for what")    \
  X(kDrained, "drained", "the process is ending")

enum class CloseReason : uint8_t {
#define GATEBOOK_CLOSE_REASON_ENUM(name, slug, meaning) name,
  GATEBOOK_CLOSE_REASONS(GATEBOOK_CLOSE_REASON_ENUM)
#undef GATEBOOK_CLOSE_REASON_ENUM
      kCount
};

struct CloseReasonInfo {
  std::string_view slug;
  std::string_view meaning;
};

inline const CloseReasonInfo& InfoOf(CloseReason reason) {
  static constexpr CloseReasonInfo kTable[] = {
#define GATEBOOK_CLOSE_REASON_ROW(name, slug, meaning) {slug, meaning},
      GATEBOOK_CLOSE_REASONS(GATEBOOK_CLOSE_REASON_ROW)
#undef GATEBOOK_CLOSE_REASON_ROW
  };
  return kTable[static_cast<size_t>(reason)];
}

}  // namespace gatebook::proxy
