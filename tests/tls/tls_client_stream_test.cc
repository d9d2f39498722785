#include "tls/tls_client_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/net/loop_driver.h"
#include "tests/support/tls_conversation.h"
#include "tls/tls_stream.h"

namespace gatebook::tls {
namespace {

using net::IoStatus;
using net::RunUntil;
using support::TestServer;
using testing::HasSubstr;

struct Told final : net::StreamHandler {
  void OnStreamReady() override { ++ready; }
  void OnStreamFailed() override { ++failed; }
  int ready = 0;
  int failed = 0;
};

std::string ReadAll(net::Stream& stream) {
  std::string text;
  std::array<char, 16384> bytes;
  for (;;) {
    const net::IoResult result = stream.Read(bytes);
    if (result.status != IoStatus::kOk) return text;
    text.append(bytes.data(), result.bytes);
  }
}

// A real server of ours on a loopback port, and clients of ours.
class TlsClientStreamTest : public testing::Test {
 protected:
  TlsClientStreamTest() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const auto address = net::SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), 0);
    EXPECT_EQ(::bind(listener_.get(), address.get(), address.size()), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    upstream_.servers.emplace_back();
    upstream_.servers[0].ip = *base::IpAddress::Parse("127.0.0.1");
    upstream_.servers[0].port = ntohs(bound.sin_port);
    upstream_.servers[0].tls = true;
    upstream_.tls_name = "app.example.com";
    upstream_.tls_ca = server_.WriteFile("ca.pem", server_.authority().certificate());
  }

  std::string Protocol() const {
    return upstream_.protocol == config::UpstreamProtocol::kH2 ? "h2" : "http/1.1";
  }
  std::shared_ptr<TlsClientContext> MakeContext() {
    std::shared_ptr<const TrustStore> trust;
    if (upstream_.tls_verify) trust = *TrustStore::Load(upstream_.tls_ca);
    auto context = TlsClientContext::Make(upstream_, upstream_.servers, Protocol(), trust);
    EXPECT_TRUE(context.ok()) << context.error().message;
    return *context;
  }

  // Connects until one side has an opinion. True: agreed.
  bool Connect(const std::shared_ptr<TlsClientContext>& context) {
    client_told_ = {};
    server_told_ = {};
    const auto address = net::SocketAddress::FromIp(upstream_.servers[0].ip, upstream_.servers[0].port);
    auto connected = TlsClientStream::Connect(loop_, address, context, 0, client_told_);
    EXPECT_TRUE(connected.ok());
    client_ = std::move(*connected);
    EXPECT_EQ(client_told_.ready + client_told_.failed, 0);  // always later
    accepted_.reset();
    base::UniqueFd fd;
    EXPECT_TRUE(RunUntil(loop_, [&] {
      fd.Reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return fd.IsValid();
    }));
    accepted_ = TlsStream::Accepted(loop_, std::move(fd), server_.MakeContext(), server_told_);
    EXPECT_TRUE(RunUntil(loop_, [&] { return client_told_.ready > 0 || client_told_.failed > 0; }));
    if (client_told_.failed > 0) return false;
    return RunUntil(loop_, [&] { return accepted_->IsEstablished() || server_told_.failed > 0; }) &&
           server_told_.failed == 0;
  }

  net::Loop loop_;
  TestServer server_;
  config::Upstream upstream_;
  base::UniqueFd listener_;
  Told client_told_;
  Told server_told_;
  std::unique_ptr<TlsClientStream> client_;
  std::unique_ptr<TlsStream> accepted_;
};

TEST_F(TlsClientStreamTest, CarriesBytesBothWaysAndAsksForTheName) {
  server_.Add({.dns_names = {"app.example.com"}});
  ASSERT_TRUE(Connect(MakeContext())) << client_->failure();
  EXPECT_EQ(accepted_->server_name(), "app.example.com");
  EXPECT_EQ(accepted_->protocol(), "http/1.1");
  EXPECT_EQ(client_->Write("GET").bytes, 3U);
  std::string got;
  EXPECT_TRUE(RunUntil(loop_, [&] { return (got += ReadAll(*accepted_)) == "GET"; }));
  const std::string large(300'000, 'x');
  std::string_view rest = large;
  got.clear();
  EXPECT_TRUE(RunUntil(loop_, [&] {
    while (!rest.empty()) {
      const auto put = accepted_->Write(rest);
      if (put.status != IoStatus::kOk) break;
      rest.remove_prefix(put.bytes);
    }
    return (got += ReadAll(*client_)).size() == large.size();
  }));
  EXPECT_TRUE(got == large);
  accepted_->ShutdownWrite();
  char byte;
  EXPECT_TRUE(RunUntil(loop_, [&] { return client_->Read({&byte, 1}).status == IoStatus::kEnd; }));
}

TEST_F(TlsClientStreamTest, AnotherNameIsNotBelieved) {
  server_.Add({.dns_names = {"other.example.com"}, .common_name = "app.example.com"});
  EXPECT_FALSE(Connect(MakeContext()));
  EXPECT_THAT(std::string(client_->failure()), HasSubstr("ostname mismatch"));
  EXPECT_EQ(client_told_.ready, 0);
}

TEST_F(TlsClientStreamTest, AnotherAuthorityIsNotBelieved) {
  server_.Add({.dns_names = {"app.example.com"}});
  const support::TestAuthority other("another root");
  upstream_.tls_ca = server_.WriteFile("other.pem", other.certificate());
  EXPECT_FALSE(Connect(MakeContext()));
  EXPECT_THAT(std::string(client_->failure()), HasSubstr("issuer certificate"));
}

TEST_F(TlsClientStreamTest, ACertificateThatIsOverIsNotBelieved) {
  server_.Add(
      {.dns_names = {"app.example.com"}, .begins = std::chrono::hours(-2), .ends = std::chrono::hours(-1)});
  EXPECT_FALSE(Connect(MakeContext()));
  EXPECT_THAT(std::string(client_->failure()), HasSubstr("expired"));
}

TEST_F(TlsClientStreamTest, ACertificateForClientsIsNoServers) {
  server_.Add({.dns_names = {"app.example.com"}, .for_client = true});
  EXPECT_FALSE(Connect(MakeContext()));
}

TEST_F(TlsClientStreamTest, AnAddressIsVerifiedAndNotAskedFor) {
  upstream_.tls_name.clear();
  server_.Add({.ip_addresses = {"127.0.0.1"}});
  ASSERT_TRUE(Connect(MakeContext())) << client_->failure();
  EXPECT_EQ(accepted_->server_name(), "");
}

TEST_F(TlsClientStreamTest, AnotherAddressIsNotBelieved) {
  upstream_.tls_name.clear();
  server_.Add({.dns_names = {"127.0.0.1"}, .ip_addresses = {"127.0.0.2"}});
  EXPECT_FALSE(Connect(MakeContext()));
}

TEST_F(TlsClientStreamTest, WithoutVerificationAnybodyIsBelieved) {
  upstream_.tls_verify = false;
  upstream_.tls_ca.clear();
  server_.Add({.dns_names = {"other.example.com"}});
  EXPECT_TRUE(Connect(MakeContext())) << client_->failure();
}

TEST_F(TlsClientStreamTest, TheNewestSessionIsResumed) {
  server_.Add({.dns_names = {"app.example.com"}});
  const auto context = MakeContext();
  ASSERT_TRUE(Connect(context));
  EXPECT_FALSE(client_->resumed());
  // The ticket comes with the first bytes.
  EXPECT_EQ(accepted_->Write("x").status, IoStatus::kOk);
  std::string got;
  ASSERT_TRUE(RunUntil(loop_, [&] { return (got += ReadAll(*client_)) == "x"; }));
  ASSERT_TRUE(Connect(context));
  EXPECT_TRUE(client_->resumed());
  ASSERT_TRUE(Connect(MakeContext()));  // another worker has its own
  EXPECT_FALSE(client_->resumed());
}

TEST_F(TlsClientStreamTest, OurCertificateIsShown) {
  server_.Add({.dns_names = {"app.example.com"}});
  server_.config.client_certificates = config::ClientCertificates::kRequired;
  server_.config.client_ca = upstream_.tls_ca;
  const auto text = server_.authority().Issue({.common_name = "edge", .for_client = true});
  upstream_.tls_certificate = server_.WriteFile("edge.pem", text.chain);
  upstream_.tls_key = server_.WriteFile("edge.key", text.key);
  ASSERT_TRUE(Connect(MakeContext())) << client_->failure();
  EXPECT_EQ(accepted_->client_subject(), "CN=edge");
}

TEST_F(TlsClientStreamTest, AServerThatSpeaksAnotherProtocolIsRefused) {
  server_.Add({.dns_names = {"app.example.com"}});
  server_.protocols = {"http/1.1"};
  upstream_.protocol = config::UpstreamProtocol::kH2;
  EXPECT_FALSE(Connect(MakeContext()));
  server_.protocols = {"h2", "http/1.1"};
  ASSERT_TRUE(Connect(MakeContext())) << client_->failure();
  EXPECT_EQ(accepted_->protocol(), "h2");
}

TEST_F(TlsClientStreamTest, WhatIsNoTlsFails) {
  server_.Add({.dns_names = {"app.example.com"}});
  const auto address = net::SocketAddress::FromIp(upstream_.servers[0].ip, upstream_.servers[0].port);
  const auto client = TlsClientStream::Connect(loop_, address, MakeContext(), 0, client_told_);
  base::UniqueFd fd;
  ASSERT_TRUE(RunUntil(loop_, [&] {
    fd.Reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return fd.IsValid();
  }));
  ASSERT_EQ(::send(fd.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL), 28);
  EXPECT_TRUE(RunUntil(loop_, [&] { return client_told_.failed == 1; }));
  EXPECT_FALSE((*client)->failure().empty());
}

TEST_F(TlsClientStreamTest, APortWhereNobodyListensFails) {
  listener_.Reset();
  const auto address = net::SocketAddress::FromIp(upstream_.servers[0].ip, upstream_.servers[0].port);
  const auto client = TlsClientStream::Connect(loop_, address, MakeContext(), 0, client_told_);
  EXPECT_TRUE(RunUntil(loop_, [&] { return client_told_.failed == 1; }));
  EXPECT_EQ((*client)->failure(), "Connection refused");
}

TEST_F(TlsClientStreamTest, FilesThatAreNoneAreNamed) {
  upstream_.tls_certificate = server_.WriteFile("broken.pem", "no certificate");
  upstream_.tls_key = upstream_.tls_certificate;
  const auto context =
      TlsClientContext::Make(upstream_, upstream_.servers, Protocol(), *TrustStore::Load(upstream_.tls_ca));
  ASSERT_FALSE(context.ok());
  EXPECT_THAT(context.error().message, HasSubstr(upstream_.tls_certificate));
  EXPECT_THAT(TrustStore::Load(upstream_.tls_certificate).error().message, HasSubstr("PEM"));
}

}  // namespace
}  // namespace gatebook::tls
