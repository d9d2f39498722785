// W3C Trace Context: a request's place in a trace, passed on or begun.
//
// A traceparent that is well formed goes on with its trace id and with a parent id of
// ours, so that what the upstream does hangs under this exchange; anything else is
// dropped, together with its tracestate, and a new trace begins (W3C Trace Context §3.2, §4.3).
//
// Thread: any; pure. Borrows: fields, during a call.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/head.h"

namespace gatebook::http {

struct TraceContext {
  std::array<char, 55> traceparent;  // "00-<trace id>-<parent id>-<flags>", to be sent
  // Whether it goes on with the trace that was received: only then are the request's tracestate
  // fields sent too, as they are; never without.
  bool continued = false;

  std::string_view text() const { return {traceparent.data(), traceparent.size()}; }
};

// `parent_id`: this exchange's own; its request id, so that a trace leads to the visit.
// `trace_id`: 128 random bits for a trace that begins here. A zero, which the standard takes for
// "none", becomes a one.
//
// Of a trace that goes on only the sampled flag is kept. One that begins here is marked as
// sampled: nothing is recorded by us but the visit, yet the services behind us, which
// follow their parent by default, would else record nothing either.
TraceContext TraceContextFor(std::span<const Field> fields, uint64_t parent_id,
                             const std::array<uint64_t, 2>& trace_id);

}  // namespace gatebook::http
