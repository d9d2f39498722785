// hot_paths: what a request costs, part by part, to be counted in instructions (bench/compare
// --instructions).
//
// Usage: gatebook_hot_paths PATH COUNT      runs the path so often
//        gatebook_hot_paths --list          the paths' names
//
// Nothing here reads a clock or talks to anybody while a path runs: the same count of instructions comes out
// each time, and the difference of two counts is the path's alone, without what it takes to begin.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/check.h"
#include "bench/sample_exchange.h"
#include "bench/sample_visit.h"
#include "http/head_writer.h"
#include "http/request_parser.h"
#include "http/response_parser.h"
#include "logger/journal.h"
#include "logger/redis_batch.h"
#include "proxy/request_writer.h"
#include "proxy/session.h"

namespace {

using namespace gatebook;

// A journal in memory's file system, one worker, emptied as it fills.
class Book {
 public:
  Book() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gatebook-paths-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    config_.directory = pattern;
    config_.flush = config::Flush::kNo;
    logger::JournalOptions options;
    options.start_keeper = false;
    auto opened = logger::Journal::Open(config_, "edge1", 1, clock_, std::move(options));
    CHECK(opened.ok());
    journal_ = std::move(opened).value();
  }
  ~Book() {
    journal_.reset();
    std::filesystem::remove_all(config_.directory);
  }
  void Append(const logger::Visit& visit) {
    CHECK(journal_->writer(0).Append(visit).outcome == logger::Appended::Outcome::kOk);
  }

 private:
  base::ManualClock clock_{base::WallTime(std::chrono::hours(490'000))};
  config::Journal config_;
  std::unique_ptr<logger::Journal> journal_;
};

// What one exchange of HTTP/1 does but for its connections: the request is parsed and its session known
// again, it is written for the upstream, the answer is parsed and written for the client, the visit goes into
// the journal.
class Exchange {
 public:
  Exchange() : keeper_(proxy::SessionKey({1, 2, 3}), config::Session(), "1") {
    const auto begun = keeper_.Decide({}, now_);
    const std::string set = std::string(keeper_.SetCookieValue(begun.token));
    request_ = bench::SampleRequest(set.substr(0, set.find(';')));
    facts_.ip = base::IpAddress::FromV4(0xc6336417);
    facts_.tls_version = 13;
    facts_.forwarding_fields = proxy::MakeForwardingFields(facts_.ip, true);
  }
  void ParseRequest() {
    parser_.Reset();
    CHECK(parser_.Parse(request_) == http::ParseStatus::kDone);
  }
  void Recognize() {
    for (const http::Field& field : parser_.head().fields) {
      if (field.name == "Cookie") decision_ = keeper_.Decide(field.value, now_);
    }
    CHECK(decision_.verdict == proxy::SessionDecision::Verdict::kContinued);
  }
  void WriteRequest() {
    out_.Consume(out_.size());
    proxy::WriteRequestHead(out_, {.head = parser_.head(),
                                   .facts = facts_,
                                   .session = decision_.id,
                                   .request_id = 0x0123456789abcdef,
                                   .cookie_name = "__Host-gatebook"});
  }
  void ParseResponse() {
    response_parser_.Reset();
    CHECK(response_parser_.Parse(bench::kSampleResponse, http::Method::kGet, {}) == http::ParseStatus::kDone);
  }
  void WriteResponse() {
    out_.Consume(out_.size());
    http::HeadWriter writer(out_);
    const http::ResponseHead& head = response_parser_.head();
    writer.StatusLine(head.status, head.reason);
    for (const http::Field& field : head.fields) {
      if (!field.hop_by_hop) writer.Field(field.name, field.value);
    }
    writer.ContentLength(head.content_length);
    writer.End();
  }
  void Record() { book_.Append(sample_.Make(7, 7, false, now_)); }

 private:
  const base::WallTime now_{std::chrono::hours(490'000)};
  proxy::SessionKeeper keeper_;
  std::string request_;
  proxy::ClientFacts facts_;
  proxy::SessionDecision decision_;
  http::RequestParser parser_{http::HeadLimits{}};
  http::ResponseParser response_parser_{http::HeadLimits{}};
  base::BufferPool buffers_;
  base::Buffer out_{buffers_};
  Book book_;
  bench::SampleVisit sample_;
};

// One side of HTTP/2, both ends in memory: a request of the client's is answered by the server.
class H2Pair {
 public:
  H2Pair() { parser_.Parse(request_); }
  void Run() {
    const http::RequestHead& head = parser_.head();
    const http::H2Request request{.method = head.method_text,
                                  .scheme = "https",
                                  .authority = head.authority,
                                  .path = head.target,
                                  .fields = head.fields,
                                  .more = {}};
    client_.session().SubmitRequest(request, true);
    Pass(client_.session(), server_.session());
    Pass(server_.session(), client_.session());
  }

 private:
  static void Pass(http::H2Session& from, http::H2Session& to) {
    const std::string_view bytes = from.Output();
    to.Receive(bytes, base::SteadyTime());
    to.Dispatch();
    from.DropOutput(bytes.size());
  }
  const std::string request_ = bench::SampleRequest("theme=dark");
  http::RequestParser parser_{http::HeadLimits{}};
  base::BufferPool buffers_;
  http::H2Pool pool_{buffers_};
  const std::string body_ = std::string(1024, 'x');
  bench::H2Server server_{pool_, body_};
  bench::H2Client client_{pool_};
};

// What the recorder writes to Redis of a visit, 256 a batch, four a session.
class Composer {
 public:
  void Run() {
    const logger::VisitId id{0, 490'000ULL * 3'600'000, number_};
    const logger::Visit& visit = sample_.Make(number_, number_ / 4, number_ % 4 == 0, clock_.WallNow());
    CHECK(composer_.Add(id, visit, name_));
    if (++number_ % kBatch != 0) return;
    for (auto& transaction : composer_.Take().transactions) composer_.GiveBack(std::move(transaction));
  }

 private:
  static constexpr uint32_t kBatch = 256;
  const config::Config config_;
  base::ManualClock clock_{base::WallTime(std::chrono::hours(490'000))};
  const logger::RedisComposer::PlaceOf place_of_ = [](const base::IpAddress&) {
    return logger::Place{"FI", "Helsinki", "Example Networks Oy", 64500};
  };
  logger::RedisComposer composer_{config_, clock_, "edge1", 0, kBatch, place_of_};
  bench::SampleVisit sample_;
  const logger::Name name_{logger::DnsCheck::kConfirmed, "host-000001.dyn.example.net"};
  uint32_t number_ = 0;
};

using Path = std::function<void()>;

// Each makes what it needs, and gives what is counted.
const std::map<std::string_view, std::function<Path()>>& Paths() {
  static const std::map<std::string_view, std::function<Path()>> paths = {
      {"parse_request",
       [] { return [exchange = std::make_shared<Exchange>()] { exchange->ParseRequest(); }; }},
      {"recognize_session",
       [] {
         auto exchange = std::make_shared<Exchange>();
         exchange->ParseRequest();
         return [exchange] { exchange->Recognize(); };
       }},
      {"append_visit", [] { return [exchange = std::make_shared<Exchange>()] { exchange->Record(); }; }},
      {"compose_visit", [] { return [composer = std::make_shared<Composer>()] { composer->Run(); }; }},
      {"exchange_http1",
       [] {
         return [exchange = std::make_shared<Exchange>()] {
           exchange->ParseRequest();
           exchange->Recognize();
           exchange->WriteRequest();
           exchange->ParseResponse();
           exchange->WriteResponse();
           exchange->Record();
         };
       }},
      {"exchange_http2_both_ends", [] { return [pair = std::make_shared<H2Pair>()] { pair->Run(); }; }},
  };
  return paths;
}

int Run(std::string_view name, std::string_view count) {
  uint32_t times = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), times);
  const auto found = Paths().find(name);
  if (error != std::errc() || end != count.data() + count.size() || found == Paths().end()) {
    std::fputs("usage: gatebook_hot_paths PATH COUNT | --list\n", stderr);
    return 2;
  }
  const Path path = found->second();
  for (uint32_t i = 0; i < times; ++i) path();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const auto& [name, make] : Paths()) std::puts(std::string(name).c_str());
    return 0;
  }
  return Run(argc == 3 ? argv[1] : "", argc == 3 ? argv[2] : "");
}
