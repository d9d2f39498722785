// Masks: personal parts of paths and queries go before a visit is written anywhere.
//
// The service behind us handles telephone calls and log-ins, so paths may hold
// numbers, e-mail addresses and tokens. They become {number}, {email}, {token}:
//
//   /call/+358%2040%201234567        /call/{number}
//   /users/ann%40example.org/edit    /users/{email}/edit
//   /reset/8f14e45fceea167a5a36de    /reset/{token}
//
// Rules (logger/personal.h finds them, in the text with every layer of
// percent-encoding taken off):
// - number: 7 or more digits with at most 4 of "space . - ( ) / _ + [ ]" between two of
//   them; 5 or more after a '+'. So /users/123456 stays and /users/1234567 does not. A
//   segment's ISO date (2026-11-23) stays, and segments are looked at one by one: /2026/11/23 stays.
// - e-mail: local part, @, domain with a letter in it. /@ann and /react@18.2.0 stay.
// - token: a run of 16 or more of A-Z a-z 0-9 - _ + ~ that is hexadecimal, begins like a
//   JWT, or reads like no language; the whole run goes. A digest of up to 15 figures in an
//   asset's name stays (/assets/app.3f2a1b9c.js), and so do short ids (/v/dQw4w9WgXcQ).
// - a segment or value of more than 1,024 octets is a token.
// Where a segment has such a part the rest of it is written decoded once for all and
// encoded again where it must be; other segments stay as they came. The result is clean
// text (logger/text.h). When in doubt more is masked than need be.
//
// Thread: any; pure; no allocation. Returned views are of `raw` or of `out`, which must not
// overlap. Cost: some 60 ns for a usual path.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gatebook::logger {

// `raw_path`: the request target's path as it came. At most kMostPath octets and out.size().
std::string_view MaskPath(std::string_view raw_path, std::span<char> out);

// Keeps `name=value` only for names on the list, exactly as written there (an encoded name is
// another name); values are masked like a path's segment. At most kMostQuery octets and
// out.size(); pairs that do not fit are left out from the first such on.
std::string_view FilterQuery(std::string_view raw_query, std::span<const std::string> allow,
                             std::span<char> out);

// A value that is already decoded for reading: masked, clean, at most `most` octets and out.size().
std::string_view MaskValue(std::string_view decoded, size_t most, std::span<char> out);

// The name that a browser gives itself: clean, at most `most` octets and out.size(). E-mail addresses and
// tokens are masked in it, and numbers that are not part of a version: those behind '+', '(', a space or
// nothing.
std::string_view MaskAgent(std::string_view raw, size_t most, std::span<char> out);

}  // namespace gatebook::logger
