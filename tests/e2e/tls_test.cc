// TLS as clients meet it.
#include "tests/e2e/edge_test.h"
#include "tests/support/test_certificates.h"

namespace gatebook::e2e {
namespace {

using support::CertificateRequest;
using support::KeyKind;
using support::TestAuthority;

class TlsTest : public EdgeTest {
 protected:
  // Adds a certificate to the config.
  void Certify(const std::string& label, std::vector<std::string> names, KeyKind kind) {
    CertificateRequest request;
    request.dns_names = std::move(names);
    request.kind = kind;
    const auto text = authority_.Issue(request);
    options_.more += "[[certificate]]\nchain = \"" + files_.Write(label + ".chain", text.chain) +
                     "\"\nkey = \"" + files_.Write(label + ".key", text.key) + "\"\n";
  }
  support::ClientOptions ForName(const std::string& name) {
    auto options = edge_->Tls();
    options.server_name = name;
    return options;
  }

  TestAuthority authority_;
  support::TempDirectory files_;
};

TEST_F(TlsTest, TheServerNameChoosesTheCertificate) {
  Certify("exact", {"www.example.com"}, KeyKind::kEcdsa);
  Certify("wildcard", {"*.example.com"}, KeyKind::kEcdsa);
  Start();
  EXPECT_EQ(RawClient(ForName("www.example.com")).server_names(), "www.example.com");
  EXPECT_EQ(RawClient(ForName("shop.example.com")).server_names(), "*.example.com");
  EXPECT_EQ(RawClient(ForName("a.b.example.com")).server_names(), "localhost") << "a wildcard is one label";
  EXPECT_EQ(RawClient(ForName("unknown.test")).server_names(), "localhost");
  EXPECT_EQ(RawClient(ForName("")).server_names(), "localhost");
}

TEST_F(TlsTest, BothModernVersionsAreSpokenAndOlderOnesAreNot) {
  Start();
  for (const auto& [version, name] :
       {std::pair{TLS1_2_VERSION, "TLSv1.2"}, std::pair{TLS1_3_VERSION, "TLSv1.3"}}) {
    auto options = edge_->Tls();
    options.min_version = options.max_version = version;
    RawClient client(options);
    EXPECT_EQ(client.tls_version(), name);
    EXPECT_TRUE(client.Get("/"));
  }
  auto old = edge_->Tls();
  old.min_version = old.max_version = TLS1_1_VERSION;
  EXPECT_FALSE(RawClient(old).is_open());
  EXPECT_EQ(edge_->Metric("gatebook_tls_handshakes_total{result=\"failed\"}"), 1u);
}

TEST_F(TlsTest, TheLeastVersionIsConfigurable) {
  Say("tls", "min_version = \"1.3\"");
  Start();
  auto options = edge_->Tls();
  options.max_version = TLS1_2_VERSION;
  EXPECT_FALSE(RawClient(options).is_open());
  EXPECT_TRUE(RawClient(edge_->Tls()).Get("/"));
}

TEST_F(TlsTest, AlpnChoosesHttp2FirstAndNothingInCommonIsAnError) {
  Start();
  auto options = edge_->Tls();
  options.alpn = std::string("\x08http/1.1\x02h2");
  EXPECT_EQ(RawClient(options).alpn(), "h2");
  options.alpn = std::string("\x08http/1.1");
  EXPECT_EQ(RawClient(options).alpn(), "http/1.1");
  options.alpn = std::string("\x04smtp");
  RawClient mismatched(options);
  EXPECT_FALSE(mismatched.is_open());
  EXPECT_THAT(mismatched.failure(), testing::HasSubstr("application protocol"));
}

TEST_F(TlsTest, PlainHttpOnATlsPortIsToldSoPlainly) {
  Start();
  auto options = edge_->Tls();
  options.tls = false;
  RawClient client(options);
  ASSERT_TRUE(client.Send(Request("GET /")));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 400);
  EXPECT_EQ(upstream_->requests().size(), 0u);
  EXPECT_EQ(Refusals("plain_on_tls"), 1u);
  ExpectRefusalsInTheBook();
}

// The answer waits for the disk as every other does.
TEST_F(TlsTest, PlainHttpOnATlsPortIsToldSoOnceThatIsOnTheDisk) {
  Say("journal", "flush = \"always\"");
  Start();
  auto options = edge_->Tls();
  options.tls = false;
  RawClient client(options);
  ASSERT_TRUE(client.Send(Request("GET /")));
  EXPECT_EQ(client.ReadResponse().value_or(HttpMessage{}).status(), 400);
  EXPECT_TRUE(client.WaitClosed());
  ExpectRefusalsInTheBook();
}

TEST_F(TlsTest, GarbageForAHandshakeHarmsNobody) {
  Start();
  for (const std::string& garbage : {std::string(5000, '\0'), std::string(5000, '\xff'),
                                     std::string("\x16\x03\x01\x40\x00") + std::string(16384, 'x')}) {
    auto options = edge_->Tls();
    options.tls = false;
    RawClient client(options);
    client.Send(garbage);
    client.ReadToClose();
  }
  EXPECT_TRUE(RawClient(edge_->Tls()).Get("/"));
}

TEST_F(TlsTest, ThePlainListenerSendsPeopleToHttps) {
  Start();
  RawClient client(edge_->Redirecting());
  ASSERT_TRUE(client.Send("GET /path?a=b HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->status(), testing::AnyOf(301, 307, 308));
  EXPECT_THAT(answer->Field("location").value_or(""), testing::StartsWith("https://www.example.com"));
  EXPECT_THAT(answer->Field("location").value_or(""), testing::EndsWith("/path?a=b"));
  EXPECT_FALSE(answer->Field("strict-transport-security"));
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(TlsTest, StrictTransportSecurityIsSaidOverTlsOnlyAndOnlyByUs) {
  Say("tls", "hsts = \"365d\"\nhsts_include_subdomains = true");
  Behind([](UpstreamConnection& connection, HttpMessage&) {
    connection.Send(Answer(200, "", "Strict-Transport-Security: max-age=1\r\n"));
  });
  Start();
  const auto secure = RawClient(edge_->Tls()).Get("/");
  ASSERT_TRUE(secure);
  EXPECT_EQ(secure->Count("strict-transport-security"), 1u);
  EXPECT_EQ(secure->Field("strict-transport-security"), "max-age=31536000; includeSubDomains");
  const auto plain = RawClient(edge_->Plain()).Get("/");
  ASSERT_TRUE(plain);
  EXPECT_NE(plain->Field("strict-transport-security"), "max-age=31536000; includeSubDomains");
}

class ClientCertificateTest : public TlsTest {
 protected:
  void Ask(const std::string& mode) {
    Say("tls", "client_certificates = \"" + mode + "\"\nclient_ca = \"" +
                   files_.Write("ca.pem", authority_.certificate()) + "\"");
    Start();
  }
  support::ClientOptions With(const TestAuthority& authority) {
    CertificateRequest request;
    request.common_name = "visitor";
    request.for_client = true;
    const auto text = authority.Issue(request);
    auto options = edge_->Tls();
    options.certificate_file = files_.Write("client.chain", text.chain);
    options.key_file = files_.Write("client.key", text.key);
    return options;
  }
};

TEST_F(ClientCertificateTest, RequiredLetsOnlyOursIn) {
  Ask("required");
  EXPECT_TRUE(RawClient(With(authority_)).Get("/"));
  EXPECT_FALSE(RawClient(edge_->Tls()).Get("/"));
  EXPECT_FALSE(RawClient(With(TestAuthority("somebody else"))).Get("/"));
  EXPECT_EQ(upstream_->requests().size(), 1u);
}

TEST_F(ClientCertificateTest, OptionalLetsThoseWithoutOneInButNotAWrongOne) {
  Ask("optional");
  EXPECT_TRUE(RawClient(With(authority_)).Get("/"));
  EXPECT_TRUE(RawClient(edge_->Tls()).Get("/"));
  EXPECT_FALSE(RawClient(With(TestAuthority("somebody else"))).Get("/"));
}

}  // namespace
}  // namespace gatebook::e2e
