// Clients that nobody here wrote: a browser, and the HTTP and WebSocket libraries of Python and Node.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

constexpr char kScripts[] = GATEBOOK_SOURCE_DIR "/tests/e2e/clients/";
// Not whatever else may stand in PATH: these are Debian's, with Debian's libraries.
constexpr char kPython[] = "/usr/bin/python3";
constexpr char kNode[] = "/usr/bin/node";
// Not the script of that name in /usr/bin: a signal would end the script only.
constexpr char kBrowser[] = "/usr/lib/chromium/chromium-headless-shell";

class ClientsTest : public EdgeTest {
 protected:
  static std::string Script(const std::string& name) { return kScripts + name; }
  std::string Port() const { return std::to_string(edge_->tls_port()); }
  void BehindAnEcho() {
    Behind([](UpstreamConnection& connection, HttpMessage& request) {
      connection.ReadBody(&request);
      connection.Send(Answer(200, request.first_line.starts_with("HEAD") ? "" : request.body));
    });
  }
  // "/socket" goes to a WebSocket service, all else to the test's own upstream.
  void WithWebSocketService() {
    service_ =
        std::make_unique<support::Process>(std::vector<std::string>{kPython, Script("websocket_server.py")});
    ASSERT_TRUE(WaitUntil([&] { return service_->Output().ends_with("\n"); })) << service_->Describe();
    if (!upstream_) Behind({});
    options_.upstreams = "[[upstream]]\nname = \"pages\"\nservers = [\"" + upstream_->address() +
                         "\"]\n[[upstream]]\nname = \"socket\"\nservers = [\"127.0.0.1:" +
                         std::to_string(std::stoi(service_->Output())) + "\"]\n";
    options_.more = "[[route]]\nupstream = \"pages\"\n[[route]]\npath = \"/socket\"\nupstream = \"socket\"\n";
  }

  std::unique_ptr<support::Process> service_;
};

TEST_F(ClientsTest, PythonsHttpClient) {
  BehindAnEcho();
  Start();
  const auto done = support::Run({kPython, Script("http_client.py"), Port(), edge_->authority_file()});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "0 5 300000 9\n");
  const auto visits = edge_->WaitForVisits(5);
  ASSERT_EQ(visits.size(), 5u);
  // It keeps no cookies: its connection is its session.
  EXPECT_EQ(visits.front()["session"], visits.back()["session"]);
}

TEST_F(ClientsTest, NodesHttp2Client) {
  BehindAnEcho();
  Start();
  const auto done = support::Run({kNode, Script("http2_client.mjs"), Port(), edge_->authority_file()});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "h2 50\n");
  EXPECT_EQ(edge_->WaitForVisits(50).size(), 50u);
}

TEST_F(ClientsTest, NodesHttp2OnBothSidesMakesCallsOfGrpcAndHoldsAWebSocket) {
  service_ = std::make_unique<support::Process>(std::vector<std::string>{kNode, Script("http2_service.mjs")});
  ASSERT_TRUE(WaitUntil([&] { return service_->Output().ends_with("\n"); })) << service_->Describe();
  options_.upstreams = "[[upstream]]\nname = \"service\"\nprotocol = \"h2\"\nservers = [\"127.0.0.1:" +
                       std::to_string(std::stoi(service_->Output())) + "\"]\n";
  Start();
  const auto done = support::Run({kNode, Script("http2_calls.mjs"), Port(), edge_->authority_file()});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "call 0 11 trailers yes\nfail 200 12\nsocket 200 ping\n");
  std::map<std::string, std::string> protocols;
  for (const json& visit : edge_->WaitForVisits(3)) protocols[visit["path"]] = visit["protocol"];
  EXPECT_EQ(protocols, (std::map<std::string, std::string>{
                           {"/service/Call", "h2"}, {"/service/Fail", "h2"}, {"/socket", "ws"}}));
}

TEST_F(ClientsTest, PythonsWebSocketLibraryOnBothSides) {
  WithWebSocketService();
  Start();
  const auto done = support::Run({kPython, Script("websocket_client.py"),
                                  "wss://localhost:" + Port() + "/socket", edge_->authority_file()});
  ASSERT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_EQ(done.output, "1000\n");  // a close in good order
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["protocol"], "ws");
}

TEST_F(ClientsTest, ABrowserLoadsFetchesListensAndSpeaks) {
  const std::string page = support::ReadFile(Script("page.html"));
  Behind([page](UpstreamConnection& connection, HttpMessage& request) {
    connection.ReadBody(&request);
    if (request.first_line.starts_with("GET / ")) {
      connection.Send(Answer(200, page, "Content-Type: text/html\r\n"));
    } else if (request.first_line.starts_with("GET /events ")) {
      connection.Send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
      // Each is on its way before the next is made: an edge that gathers would keep the page waiting.
      for (const char* event : {"data: a\n\n", "data: b\n\n", "data: c\n\n"})
        connection.Send(support::Chunk(event));
      connection.WaitClosed();
    } else {
      connection.Send(Answer(200, request.body));
    }
  });
  WithWebSocketService();
  Start();
  support::TempDirectory profile;
  support::Process browser({kBrowser, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--ignore-certificate-errors", "--user-data-dir=" + profile.path(),
                            "--remote-debugging-port=0", "https://localhost:" + Port() + "/"});
  std::string report;
  EXPECT_TRUE(WaitUntil([&] {
    for (const HttpMessage& request : upstream_->requests()) {
      if (request.first_line.starts_with("POST /report ") && request.complete) report = request.body;
    }
    return !report.empty();
  })) << browser.Describe();
  EXPECT_EQ(report, "fetch 100000, events abc, socket hello");
  // Its WebSocket too: over HTTP/1.1 it would have needed a connection of its own.
  EXPECT_EQ(edge_->Metric("gatebook_connections_accepted_total"),
            edge_->Metric("gatebook_http2_connections_open"));
  browser.Signal(SIGTERM);  // and its children end with it
  browser.WaitExit();

  std::map<std::string, std::string> protocols;
  std::set<std::string> sessions;
  for (const json& visit : edge_->WaitForVisits(5)) {
    protocols[visit["path"]] = visit["protocol"];
    sessions.insert(visit["session"].get<std::string>());
  }
  EXPECT_EQ(protocols["/"], "h2");
  EXPECT_EQ(protocols["/data"], "h2");
  EXPECT_EQ(protocols["/events"], "h2");
  EXPECT_EQ(protocols["/socket"], "ws");
  EXPECT_EQ(sessions.size(), 1u) << "the browser keeps our cookie";
}

}  // namespace
}  // namespace gatebook::e2e
