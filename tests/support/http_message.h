// HttpMessage: a message as a test sees it on the wire.
//
// Taken apart without any code of the program under test, and without its
// strictness: a test asks for exactly what it wants to see.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatebook::support {

struct HttpMessage {
  std::string head;                                         // raw, with the empty line
  std::string first_line;                                   // without CRLF
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, in order
  std::string body;                                         // decoded, if it was chunked
  bool chunked = false;
  bool complete = false;  // the body ended as its framing says

  // Of a response; 0 if the first line has none.
  int status() const;
  // The first field of this (lower-case) name.
  std::optional<std::string> Field(std::string_view name) const;
  size_t Count(std::string_view name) const;
};

// Takes `head` (through its empty line) apart.
HttpMessage ParseHead(std::string head);

// Where the body of a message ends, as far as `bytes` show it.
enum class BodyEnd { kComplete, kMore, kBroken };
// Moves the body of `message` from the front of `bytes` to message.body, by its
// Transfer-Encoding or Content-Length. `has_body` false: nothing is taken.
BodyEnd TakeBody(HttpMessage* message, std::string* bytes, bool has_body);

// One chunk of a chunked body (RFC 9112 §7.1); of nothing: the last one, with the empty trailer.
std::string Chunk(std::string_view data);

}  // namespace gatebook::support
