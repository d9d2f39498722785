// HeadWriter: appends request lines, status lines and fields to a caller's buffer.
//
// It cannot be made to write two lines where one was meant: a field whose name is no
// token or whose value holds a control byte is left out, and the caller told; a request
// line with a fault is a bug of ours (its parts come from an accepted head).
//
// Thread: one. Borrows: the string or buffer, to which it only appends; one that is reused
// has its room already, so nothing is allocated in steady state.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/buffer.h"

namespace gatebook::http {

class HeadWriter {
 public:
  explicit HeadWriter(std::string& out) : string_(&out) {}
  explicit HeadWriter(base::Buffer& out) : buffer_(&out) {}

  // "METHOD target HTTP/1.1". Requires: a token; visible ASCII.
  void RequestLine(std::string_view method, std::string_view target);
  // "HTTP/1.1 status reason". Requires: 100 to 999. A reason that holds a control byte is
  // replaced by that of the table; an empty one stays empty.
  void StatusLine(int status, std::string_view reason);

  // False: left out, because name or value are no field.
  bool Field(std::string_view name, std::string_view value);
  void ContentLength(uint64_t length);
  void Chunked();  // Transfer-Encoding: chunked

  // The empty line.
  void End() { Put({"\r\n"}); }

 private:
  void Put(std::initializer_list<std::string_view> parts);

  std::string* string_ = nullptr;  // one of the two
  base::Buffer* buffer_ = nullptr;
};

}  // namespace gatebook::http
