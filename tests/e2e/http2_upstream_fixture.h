// Http2UpstreamTest: an edge whose upstream speaks HTTP/2 by prior knowledge, or is said to.
#pragma once

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"
#include "tests/support/h2_script.h"

namespace gatebook::e2e {

using http::H2Error;
using support::FieldTexts;
using support::H2Call;
using support::H2Event;

class Http2UpstreamTest : public EdgeTest {
 protected:
  void TearDown() override {
    if (edge_->IsRunning() && !edge_->CountedRefusals().empty()) ExpectRefusalsInTheBook();
    EdgeTest::TearDown();
  }
  // The upstream speaks HTTP/2; `script` decides what is said.
  void StartH2(support::H2Script script, const std::string& more = "", bool extended_connect = true) {
    StartRaw(support::SpeakH2(std::move(script), extended_connect), more);
  }
  // The upstream is said to.
  void StartRaw(TestUpstream::Script script, const std::string& more = "") {
    Behind(std::move(script));
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                         "\"]\nprotocol = \"h2\"\n" + more + "\n";
    Start();
  }
  HttpMessage Ask(const std::string& request) {
    RawClient client(edge_->Plain());
    client.Send(request);
    return client.ReadResponse().value_or(HttpMessage{});
  }
  // Every call that came, as it was when it ended.
  void Note(const H2Call& call) {
    const std::lock_guard lock(mutex_);
    methods_ += call.method + " ";
    fields_ = call.fields;
    body_ = call.body;
    trailers_ = call.trailers;
  }
  std::string FieldSeen(const std::string& name) {
    const std::lock_guard lock(mutex_);
    for (const auto& [each, value] : fields_) {
      if (each == name) return value;
    }
    return "(none)";
  }

  std::mutex mutex_;
  std::string methods_;
  FieldTexts fields_;
  std::string body_;
  FieldTexts trailers_;
  std::atomic<uint32_t> code_ = 99;
};

}  // namespace gatebook::e2e
