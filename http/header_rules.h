// HeaderRules: what a route does to the fields of a head, made ready for the head writers.
//
// A writer leaves out each received field for which Drops() says so, writes the others, and
// then what the rules put: lines() as HTTP/1 text, or puts() one by one.
//
// Rules are applied in their order, as if to one list of fields: "set" and "remove" take away
// those that were received and those of earlier rules, "add" and "set" put one.
//
// They concern what is passed on; fields that we write ourselves (framing, forwarding,
// the session's cookie, HSTS) are written beside them and cannot be reached.
//
// Thread: any once filled. Owns its text.
// Limits: the caller's number of rules; a look-up compares only names of equal length.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatebook::http {

class HeaderRules {
 public:
  struct Put {
    std::string name;        // as configured
    std::string lower_name;  // for HTTP/2 (RFC 9113 §8.2)
    std::string value;
  };

  // Requires, of all three: a token that is neither hop-by-hop nor Host, Content-Length or
  // Transfer-Encoding; a field value. The configuration has refused everything else.
  void Set(std::string_view name, std::string_view value);
  void Add(std::string_view name, std::string_view value);
  void Remove(std::string_view name);

  bool IsEmpty() const { return drops_.empty() && puts_.empty(); }

  // Whether a received field of that name is left out. One test of a bit for most names.
  bool Drops(std::string_view name) const { return (lengths_ & LengthBit(name)) != 0 && IsAmongDrops(name); }
  // "Name: value\r\n" for each field that is put, in order; empty for none.
  std::string_view lines() const { return lines_; }
  std::span<const Put> puts() const { return puts_; }

 private:
  static uint64_t LengthBit(std::string_view name) { return uint64_t{1} << (name.size() & 63); }
  bool IsAmongDrops(std::string_view name) const;
  void Write();

  uint64_t lengths_ = 0;            // a bit for the length of each dropped name, modulo 64
  std::vector<std::string> drops_;  // lower case
  std::vector<Put> puts_;
  std::string lines_;
};

}  // namespace gatebook::http
