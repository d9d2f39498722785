// What the text of an option must look like.
//
// Each returns the complaint, a clause, or nullptr when the text is in order.
// Text that comes here has no control characters. Thread: any.
#pragma once

#include <string_view>

namespace gatebook::config {

using TextCheck = const char* (*)(std::string_view text);

const char* CheckEdgeName(std::string_view text);       // 1 to 32 of a-z 0-9 - _
const char* CheckUpstreamName(std::string_view text);   // 1 to 64 of A-Z a-z 0-9 - _ .
const char* CheckUserName(std::string_view text);       // useradd(8)'s names
const char* CheckToken(std::string_view text);          // RFC 9110 §5.6.2, 64 octets
const char* CheckHostPattern(std::string_view text);    // exact, "*.example.com" or "*"
const char* CheckPathPrefix(std::string_view text);     // RFC 3986 path that begins with '/'
const char* CheckTarget(std::string_view text);         // such a path, and perhaps a query
const char* CheckHostField(std::string_view text);      // a host, perhaps with a port
const char* CheckServerName(std::string_view text);     // a host name or an address
const char* CheckUpgrade(std::string_view text);        // a protocol that may follow HTTP/1.1
const char* CheckPolicy(std::string_view text);         // 1 to 32 visible characters
const char* CheckPolicyFile(std::string_view text);     // ends in .md, .markdown, .html or .htm
const char* CheckPolicyPath(std::string_view text);     // a path of one segment or more, not "/"
const char* CheckDate(std::string_view text);           // YYYY-MM-DD
const char* CheckArgument(std::string_view text);       // of a command: at most 1024 bytes
const char* CheckOptionalField(std::string_view text);  // an optional row of config/visit_field.h
const char* CheckRegion(std::string_view text);         // two capitals, or "EEA"
const char* CheckParameterName(std::string_view text);  // of a query: 1 to 64 of A-Z a-z 0-9 - _ . [ ]

}  // namespace gatebook::config
