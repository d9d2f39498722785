// Bodies of any size pass in bounded memory, at the pace of whoever is slower.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using support::Chunk;

constexpr size_t kMany = size_t{100} << 20;    // bytes
constexpr uint64_t kMostGrowthKib = 48 << 10;  // of the process, sanitizers included
constexpr size_t kPiece = 64 << 10;

class BodyTest : public EdgeTest {
 protected:
  void TearDown() override {
    if (edge_->IsRunning() && !edge_->CountedRefusals().empty()) ExpectRefusalsInTheBook();
    EdgeTest::TearDown();
  }
  // Settles the process with one visit and returns its size.
  uint64_t Warm() {
    RawClient client(edge_->Tls());
    EXPECT_TRUE(client.Get("/warm"));
    return edge_->ResidentKib();
  }
};

TEST_F(BodyTest, AHundredMebibytesDownStayOutOfMemory) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/warm") != std::string::npos) {
      connection.Send(Answer(200, ""));
      return;
    }
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kMany) + "\r\n\r\n");
    const std::string piece(kPiece, 'd');
    for (size_t sent = 0; sent < kMany && connection.Send(piece); sent += piece.size()) {
    }
  });
  Start();
  const uint64_t before = Warm();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /")));
  size_t received = 0;
  uint64_t most = 0;
  std::string head;
  while (received < kMany + 4) {
    const std::string bytes = client.ReadSome();
    if (bytes.empty()) break;
    if (head.empty()) head = bytes.substr(0, bytes.find("\r\n\r\n"));
    received += bytes.size();
    if (received % (8 << 20) < bytes.size()) most = std::max(most, edge_->ResidentKib());
    if (received >= head.size() + 4 + kMany) break;
  }
  EXPECT_EQ(received, head.size() + 4 + kMany);
  EXPECT_LT(most, before + kMostGrowthKib);
}

TEST_F(BodyTest, AHundredMebibytesUpStayOutOfMemory) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/warm") == std::string::npos) {
      for (std::string bytes; counted_ < kMany && !(bytes = connection.ReadSome()).empty();) {
        counted_ += bytes.size();
      }
    }
    connection.Send(Answer(200, ""));
  });
  Start();
  const uint64_t before = Warm();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("POST /", "Content-Length: " + std::to_string(kMany) + "\r\n")));
  const std::string piece(kPiece, 'u');
  uint64_t most = 0;
  for (size_t sent = 0; sent < kMany; sent += piece.size()) {
    ASSERT_TRUE(client.Send(piece));
    if (sent % (8 << 20) == 0) most = std::max(most, edge_->ResidentKib());
  }
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(counted_, kMany);
  EXPECT_LT(most, before + kMostGrowthKib);
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[1]["bytes_in"], kMany);
}

TEST_F(BodyTest, ASlowReaderStopsAFastWriter) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kMany) + "\r\n\r\n");
    const std::string piece(kPiece, 's');
    while (counted_ < kMany && connection.Send(piece)) counted_ += piece.size();
  });
  Say("timeouts", "write_idle = \"1h\"");
  Start();
  auto options = edge_->Tls();
  options.receive_buffer = 16 << 10;
  RawClient client(options);
  ASSERT_TRUE(client.Send(Request("GET /")));
  ASSERT_NE(client.Read(1000), "");
  // Nobody reads: the writer comes to rest, far before the end.
  size_t last = 0;
  int still = 0;
  EXPECT_TRUE(WaitUntil([&] {
    still = counted_ == last ? still + 1 : 0;
    last = counted_;
    return still > 60;
  }));
  EXPECT_LT(counted_, size_t{24} << 20);
  EXPECT_GT(client.Read(size_t{8} << 20).size(), size_t{7} << 20);
  client.Reset();
}

TEST_F(BodyTest, ASlowUpstreamStopsAFastClient) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    connection.WaitFor([this] { return go_.load(); });
    if (connection.ReadBody(&request)) connection.Send(Answer(200, std::to_string(request.body.size())));
  });
  Say("timeouts", "body_idle = \"1h\"\nfirst_byte = \"1h\"\nupstream_idle = \"1h\"");
  Start();
  RawClient client(edge_->Tls());
  constexpr size_t kBody = size_t{32} << 20;
  ASSERT_TRUE(client.Send(Request("PUT /", "Content-Length: " + std::to_string(kBody) + "\r\n")));
  const std::string body(kBody, 'b');
  size_t taken = 0;
  int still = 0;
  WaitUntil([&] {
    const size_t now = client.SendWithoutWaiting(std::string_view(body).substr(taken));
    taken += now;
    still = now == 0 ? still + 1 : 0;
    return still > 60;
  });
  EXPECT_LT(taken, size_t{24} << 20);
  go_ = true;
  ASSERT_TRUE(client.Send(std::string_view(body).substr(taken)));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, std::to_string(kBody));
}

TEST_F(BodyTest, AnEndlessChunkedBodyPassesAsItComes) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    std::string got;
    while (got.find("first") == std::string::npos) {
      const std::string bytes = connection.ReadSome();
      if (bytes.empty()) return;
      got += bytes;
    }
    go_ = true;
    while (got.find("0\r\n\r\n") == std::string::npos) {
      const std::string bytes = connection.ReadSome();
      if (bytes.empty()) return;
      got += bytes;
    }
    request.body = got;
    connection.Send(Answer(200, "all"));
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("POST /", "Transfer-Encoding: chunked\r\n") + Chunk("first")));
  EXPECT_TRUE(WaitUntil([&] { return go_.load(); })) << "a chunk must not wait for the next one";
  ASSERT_TRUE(client.Send(Chunk("second") + Chunk("")));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).body, "all");
}

TEST_F(BodyTest, AnAnswersFirstBytesDoNotWaitForItsLast) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk("event"));
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(Chunk(""));
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /events")));
  std::string seen;
  EXPECT_TRUE(WaitUntil([&] {
    seen += client.ReadSome();
    return seen.find("event") != std::string::npos;
  }));
  go_ = true;
  EXPECT_TRUE(WaitUntil([&] {
    seen += client.ReadSome();
    return seen.ends_with("0\r\n\r\n");
  }));
}

TEST_F(BodyTest, AClientThatLeavesMidwayTakesNothingDownWithIt) {
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (!connection.ReadBody(&request)) return;
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kMany) + "\r\n\r\n");
    const std::string piece(kPiece, 'x');
    for (size_t sent = 0; sent < kMany && connection.Send(piece); sent += piece.size()) {
    }
  });
  Start();
  {
    RawClient down(edge_->Tls());
    ASSERT_TRUE(down.Send(Request("GET /")));
    ASSERT_NE(down.Read(100'000), "");
    down.Reset();
  }
  {
    RawClient up(edge_->Tls());
    ASSERT_TRUE(up.Send(Request("POST /", "Content-Length: 100000\r\n") + std::string(500, 'y')));
    ASSERT_TRUE(upstream_->WaitForRequests(2));
    up.Reset();
  }
  const auto visits = edge_->WaitForVisits(2);
  EXPECT_EQ(visits.size(), 2u);
}

}  // namespace
}  // namespace gatebook::e2e
