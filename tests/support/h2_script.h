// H2Script: makes a TestUpstream speak HTTP/2 by prior knowledge, a function deciding what is
// said to each event of each stream.
//
// Thread: as scripts of TestUpstream: on the connection's own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/h2_session.h"
#include "tests/support/test_upstream.h"

namespace gatebook::support {

using FieldTexts = std::vector<std::pair<std::string, std::string>>;

// One stream of the connection.
class H2Call {
 public:
  H2Call(http::H2Session& session, int32_t number) : id(number), session_(session) {}

  const int32_t id;
  std::string method;
  std::string target;
  bool tunnel = false;  // asked for by extended CONNECT
  FieldTexts fields;
  std::string body;
  FieldTexts trailers;
  uint32_t code = 0;  // of its end

  std::string Field(std::string_view name) const;
  void Interim(int status, const FieldTexts& fields);
  void Head(int status, const FieldTexts& fields = {}, bool end = false);
  // Goes out as the windows allow.
  void Send(std::string_view bytes);
  void End(const FieldTexts& trailers = {});
  void Reset(http::H2Error with) { session_.Reset(id, with); }

 private:
  friend class H2Conversation;
  void Flush();

  http::H2Session& session_;
  std::string waiting_;
  bool end_waits_ = false;
  FieldTexts trailers_waiting_;
};

enum class H2Event { kHead, kData, kEnd, kClosed };
using H2Script = std::function<void(H2Call&, H2Event)>;

// For TestUpstream, whose requests() show each connection's preface as one.
TestUpstream::Script SpeakH2(H2Script script, bool extended_connect = true);

}  // namespace gatebook::support
