// VisitIndex: in which minutes of an hour a session, or an address, was met.
//
// A string in Redis for each hour of a worker's records, gb:index:{EDGE.WORKER.HOUR}. For each entry of a
// visit stream that says the facts of a client in whole (logger/visit_record.h), and so for each session from
// each address in each minute, it holds an element of seven octets:
//
//   minute of the hour (1 octet)  digest of the session (3 octets)  digest of the address (3 octets)
//
// Elements are only ever appended, before or together with the visit; a visit that is delivered again leaves
// one more, which does no harm. What is erased is overwritten in its place (kErased), so that nothing else
// moves. A digest says too little to tell whom it is of, and enough to leave out nearly all minutes that need
// not be read: whoever finds one looks into the stream. Where the string is missing, all of the hour's
// streams are read.
//
// The string is gone when its earliest visit is: gb:index never outlives what it points at.
//
// Thread: pure functions. Limits: none of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "logger/visit.h"

namespace gatebook::logger {

inline constexpr size_t kIndexElementSize = 7;
inline constexpr uint8_t kErased = 0xff;  // all octets of an element that was erased

constexpr uint64_t HourOfMinute(uint64_t minute) { return minute / 60; }

// "gb:index:{edge.worker.hour}".
void AppendIndexKey(std::string& to, std::string_view edge, uint32_t worker, uint64_t hour);
std::string IndexKey(std::string_view edge, uint32_t worker, uint64_t hour);

// 24 bits each. Sessions and addresses are told apart by where their digest stands.
uint32_t IndexDigest(const SessionId& session);
uint32_t IndexDigest(const base::IpAddress& ip);

void AppendIndexElement(std::string& to, uint64_t minute, const SessionId& session,
                        const base::IpAddress& ip);

// Bit m: something may be found in minute m of the hour.
using MinutesOfHour = uint64_t;
MinutesOfHour MinutesWithSession(std::string_view index, uint32_t digest);
MinutesOfHour MinutesWithAddress(std::string_view index, uint32_t digest);

struct IndexContents {
  uint64_t elements = 0;       // that are not erased
  uint32_t first_minute = 59;  // of the hour: the earliest that any of them names
};
IndexContents ContentsOf(std::string_view index);

// Offsets of the elements that say that this session was met at this address in this minute (of the epoch).
std::vector<size_t> ElementsOf(std::string_view index, uint64_t minute, uint32_t session, uint32_t address);

}  // namespace gatebook::logger
