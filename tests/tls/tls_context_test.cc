#include "tls/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/tls_conversation.h"

namespace gatebook::tls {
namespace {

using namespace std::chrono_literals;
using net::IoStatus;
using support::ClientOptions;
using support::Conversation;
using support::KeyKind;
using support::TestServer;
using testing::HasSubstr;

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

std::string SubjectSeenBy(Conversation& talk) {
  const X509* certificate = SSL_get0_peer_certificate(talk.client());
  if (certificate == nullptr) return "";
  std::array<char, 64> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
  return name.data();
}

class TlsContextTest : public testing::Test {
 protected:
  // The common name of the certificate shown for a server name; "" if the handshake failed.
  std::string ShownFor(const std::string& server_name, const ClientOptions& like = {}) {
    ClientOptions options = like;
    options.server_name = server_name;
    Conversation talk(loop_, server_.MakeContext(), options);
    return talk.Handshake() ? SubjectSeenBy(talk) : "";
  }

  // A session that the server gave out for this client.
  SessionPtr SessionFor(const ClientOptions& options) {
    Conversation talk(loop_, server_.MakeContext(), options);
    EXPECT_TRUE(talk.Handshake()) << talk.client_error();
    talk.server().Write("x");
    talk.Settle();
    talk.ClientRead();
    if (talk.session() == nullptr) return nullptr;
    SSL_SESSION_up_ref(talk.session());
    return SessionPtr(talk.session());
  }

  // Whether the session is resumed; the handshake must succeed either way.
  bool Resumes(const SessionPtr& session, ClientOptions options) {
    EXPECT_NE(session, nullptr);
    options.session = session.get();
    Conversation talk(loop_, server_.MakeContext(), options);
    EXPECT_TRUE(talk.Handshake()) << talk.client_error();
    EXPECT_EQ(SSL_session_reused(talk.client()) == 1, talk.server().resumed());
    return talk.server().resumed();
  }

  static ClientOptions For(const std::string& name, int version) {
    ClientOptions options;
    options.server_name = name;
    options.version = version;
    return options;
  }

  static constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

  net::Loop loop_;
  TestServer server_;
};

// ---- certificates by name

TEST_F(TlsContextTest, TheServerNameChoosesTheCertificate) {
  server_.Add({.dns_names = {"first.example"}, .common_name = "first"});
  server_.Add({.dns_names = {"second.example", "*.second.example"}, .common_name = "second"});
  server_.Add({.dns_names = {"exact.second.example"}, .common_name = "exact"});
  EXPECT_EQ(ShownFor("first.example"), "first");
  EXPECT_EQ(ShownFor("second.example"), "second");
  EXPECT_EQ(ShownFor("SECOND.Example"), "second");
  EXPECT_EQ(ShownFor("any.second.example"), "second");
  EXPECT_EQ(ShownFor("exact.second.example"), "exact");
  EXPECT_EQ(ShownFor("a.b.second.example"), "first") << "a wildcard stands for one label";
  EXPECT_EQ(ShownFor("unknown.example"), "first");
  EXPECT_EQ(ShownFor(""), "first");
}

TEST_F(TlsContextTest, TheClientsSignaturesChooseBetweenEcdsaAndRsa) {
  server_.Add({.dns_names = {"www.example.com"}, .common_name = "ecdsa"});
  server_.Add({.dns_names = {"*.example.com"}, .common_name = "rsa", .kind = KeyKind::kRsa});
  for (const int version : kVersions) {
    ClientOptions options;
    options.version = version;
    EXPECT_EQ(ShownFor("www.example.com", options), "ecdsa") << "cheaper, so preferred";
    options.signatures = "RSA-PSS+SHA256:RSA+SHA256";
    EXPECT_EQ(ShownFor("www.example.com", options), "rsa");
    EXPECT_EQ(ShownFor("", options), "rsa") << "also for the default";
    options.signatures = "ECDSA+SHA256";
    EXPECT_EQ(ShownFor("www.example.com", options), "ecdsa");
  }
}

TEST_F(TlsContextTest, OldVersionsAndCiphersAreRefused) {
  server_.Add({.dns_names = {"www.example.com"}});
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    ClientOptions options;
    options.version = version;
    options.ciphers12 = "ALL:@SECLEVEL=0";
    EXPECT_EQ(ShownFor("www.example.com", options), "");
  }
  ClientOptions options;
  options.version = TLS1_2_VERSION;
  for (const char* ciphers :
       {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"}) {
    options.ciphers12 = ciphers;
    EXPECT_EQ(ShownFor("www.example.com", options), "") << ciphers;
  }
  server_.config.min_version = 13;
  EXPECT_EQ(ShownFor("www.example.com", For("", TLS1_2_VERSION)), "");
  EXPECT_NE(ShownFor("www.example.com", For("", TLS1_3_VERSION)), "");
}

// ---- protocols

TEST_F(TlsContextTest, AlpnChoosesWhatWeSpeak) {
  server_.Add({.dns_names = {"www.example.com"}});
  ClientOptions options;
  options.protocols = {"h2", "http/1.1"};
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  EXPECT_EQ(talk.server().protocol(), "http/1.1");
}

TEST_F(TlsContextTest, OurOrderOfProtocolsCounts) {
  server_.Add({.dns_names = {"www.example.com"}});
  server_.protocols = {"h2", "http/1.1"};
  ClientOptions options;
  options.protocols = {"http/1.1", "h2"};
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  EXPECT_EQ(talk.server().protocol(), "h2");
}

TEST_F(TlsContextTest, NoCommonProtocolIsAnAlert) {
  server_.Add({.dns_names = {"www.example.com"}});
  for (const std::vector<std::string>& offered :
       {std::vector<std::string>{"h2"}, {"http/1"}, {"http/1.10", "HTTP/1.1"}}) {
    ClientOptions options;
    options.protocols = offered;
    Conversation talk(loop_, server_.MakeContext(), options);
    EXPECT_FALSE(talk.Handshake());
    EXPECT_TRUE(talk.failed());
    EXPECT_THAT(talk.client_error(), HasSubstr("no application protocol"));
  }
}

TEST_F(TlsContextTest, AClientWithoutAlpnIsServed) {
  server_.Add({.dns_names = {"www.example.com"}});
  Conversation talk(loop_, server_.MakeContext(), {});
  ASSERT_TRUE(talk.Handshake());
  EXPECT_EQ(talk.server().protocol(), "");
}

// ---- tickets

TEST_F(TlsContextTest, ATicketOfOneWorkerResumesInAnother) {
  server_.Add({.dns_names = {"www.example.com"}});
  for (const int version : kVersions) {
    const ClientOptions options = For("www.example.com", version);
    EXPECT_TRUE(Resumes(SessionFor(options), options)) << version;
  }
}

TEST_F(TlsContextTest, AResumedConnectionGetsATicketOfItsOwn) {
  server_.Add({.dns_names = {"www.example.com"}});
  ClientOptions options = For("www.example.com", TLS1_3_VERSION);
  const SessionPtr first = SessionFor(options);
  options.session = first.get();
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  EXPECT_TRUE(talk.server().resumed());
  talk.server().Write("x");
  talk.Settle();
  talk.ClientRead();
  ASSERT_NE(talk.session(), nullptr) << "no ticket came";
  EXPECT_NE(talk.session(), first.get());
}

TEST_F(TlsContextTest, ATicketIsGoodForTwoRotationsAtMost) {
  server_.Add({.dns_names = {"www.example.com"}});
  for (const int version : kVersions) {
    const ClientOptions options = For("www.example.com", version);
    const SessionPtr session = SessionFor(options);
    server_.clock().Advance(8h);
    EXPECT_TRUE(Resumes(session, options));
    server_.clock().Advance(8h);
    EXPECT_FALSE(Resumes(session, options));
  }
}

TEST_F(TlsContextTest, KeysThatNobodyAskedForAgeAllTheSame) {
  server_.Add({.dns_names = {"www.example.com"}});
  const ClientOptions options = For("www.example.com", TLS1_3_VERSION);
  const SessionPtr session = SessionFor(options);
  server_.clock().Advance(16h);
  EXPECT_FALSE(Resumes(session, options));
}

TEST_F(TlsContextTest, ASessionIsNotResumedUnderAnotherName) {
  server_.Add({.dns_names = {"one.example", "two.example"}, .common_name = "both"});
  server_.Add({.dns_names = {"other.example"}, .common_name = "other"});
  for (const int version : kVersions) {
    const SessionPtr session = SessionFor(For("one.example", version));
    EXPECT_TRUE(Resumes(session, For("ONE.example", version)));
    EXPECT_FALSE(Resumes(session, For("two.example", version))) << "the same certificate, but another host";
    EXPECT_FALSE(Resumes(session, For("other.example", version)));
    EXPECT_FALSE(Resumes(session, For("", version)));
    EXPECT_FALSE(Resumes(SessionFor(For("", version)), For("one.example", version)));
  }
}

TEST_F(TlsContextTest, ASessionIsNotResumedUnderOtherClientCertificateRules) {
  server_.Add({.dns_names = {"www.example.com"}});
  for (const int version : kVersions) {
    server_.config.client_certificates = config::ClientCertificates::kNone;
    const ClientOptions options = For("www.example.com", version);
    const SessionPtr session = SessionFor(options);
    server_.config.client_ca = server_.WriteFile("ca", server_.authority().certificate());
    server_.config.client_certificates = config::ClientCertificates::kOptional;
    EXPECT_FALSE(Resumes(session, options));
  }
}

TEST_F(TlsContextTest, WithoutTicketsNothingIsResumed) {
  server_.Add({.dns_names = {"www.example.com"}});
  server_.config.tickets = false;
  for (const int version : kVersions) {
    const ClientOptions options = For("www.example.com", version);
    const SessionPtr session = SessionFor(options);
    if (session == nullptr) continue;  // nothing to resume from, as with TLS 1.3
    EXPECT_FALSE(Resumes(session, options));
  }
}

TEST_F(TlsContextTest, ATicketWithAnyByteChangedIsAFullHandshake) {
  server_.Add({.dns_names = {"www.example.com"}});
  const ClientOptions options = For("www.example.com", TLS1_2_VERSION);
  const SessionPtr session = SessionFor(options);
  const unsigned char* ticket = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
  ASSERT_GT(size, 64U);
  for (size_t i = 0; i < size; i += 7) {
    const SessionPtr damaged(SSL_SESSION_dup(session.get()));
    SSL_SESSION_get0_ticket(damaged.get(), &ticket, &size);
    const_cast<unsigned char*>(ticket)[i] ^= 1;
    EXPECT_FALSE(Resumes(damaged, options)) << i;
  }
}

// ---- client certificates

class ClientCertificateTest : public TlsContextTest {
 protected:
  ClientCertificateTest() {
    server_.Add({.dns_names = {"www.example.com"}});
    server_.config.client_ca = server_.WriteFile("ca", server_.authority().certificate());
  }
  // Whether the server accepted this client; TLS 1.3 clients learn of a refusal later only.
  bool Accepts(const ClientOptions& options, std::string* subject = nullptr) {
    Conversation talk(loop_, server_.MakeContext(), options);
    talk.Handshake();
    if (subject != nullptr && talk.server().IsEstablished()) *subject = talk.server().client_subject();
    EXPECT_NE(talk.server().IsEstablished(), talk.failed());
    return talk.server().IsEstablished();
  }
  ClientOptions With(const support::TestAuthority& authority, bool for_client = true,
                     std::chrono::hours ends = 24h) {
    ClientOptions options;
    options.certificate =
        authority.Issue({.common_name = "alice", .for_client = for_client, .begins = -48h, .ends = ends});
    return options;
  }
};

TEST_F(ClientCertificateTest, NoneIsNotAskedFor) {
  std::string subject;
  EXPECT_TRUE(Accepts(With(server_.authority()), &subject));
  EXPECT_EQ(subject, "");
}

TEST_F(ClientCertificateTest, OptionalTakesAGoodOneOrNoneButNoBadOne) {
  server_.config.client_certificates = config::ClientCertificates::kOptional;
  for (const int version : kVersions) {
    ClientOptions good = With(server_.authority());
    good.version = version;
    std::string subject;
    EXPECT_TRUE(Accepts(good, &subject));
    EXPECT_EQ(subject, "CN=alice");
    EXPECT_TRUE(Accepts(For("www.example.com", version), &subject));
    EXPECT_EQ(subject, "");
    EXPECT_FALSE(Accepts(With(support::TestAuthority("stranger"))));
    EXPECT_FALSE(Accepts(With(server_.authority(), true, -1h))) << "expired";
    EXPECT_FALSE(Accepts(With(server_.authority(), false))) << "not for clients";
  }
}

TEST_F(ClientCertificateTest, RequiredTakesOnlyAGoodOne) {
  server_.config.client_certificates = config::ClientCertificates::kRequired;
  for (const int version : kVersions) {
    ClientOptions good = With(server_.authority());
    good.version = version;
    EXPECT_TRUE(Accepts(good));
    EXPECT_FALSE(Accepts(For("www.example.com", version)));
    EXPECT_FALSE(Accepts(With(support::TestAuthority("stranger"))));
  }
}

TEST_F(ClientCertificateTest, TheSubjectIsKnownAgainAfterAResumption) {
  server_.config.client_certificates = config::ClientCertificates::kRequired;
  for (const int version : kVersions) {
    ClientOptions options = With(server_.authority());
    options.version = version;
    const SessionPtr session = SessionFor(options);
    ASSERT_NE(session, nullptr);
    options.session = session.get();
    Conversation talk(loop_, server_.MakeContext(), options);
    ASSERT_TRUE(talk.Handshake());
    EXPECT_TRUE(talk.server().resumed());
    EXPECT_EQ(talk.server().client_subject(), "CN=alice");
  }
}

TEST_F(ClientCertificateTest, ACaFileThatIsNoneIsSaid) {
  server_.Add({.dns_names = {"www.example.com"}});
  config::Tls tls;
  tls.client_certificates = config::ClientCertificates::kRequired;
  tls.client_ca = server_.WriteFile("bad", "no certificate");
  const auto context = server_.TryContext(tls);
  ASSERT_FALSE(context.ok());
  EXPECT_THAT(context.error().message, HasSubstr(tls.client_ca));
}

}  // namespace
}  // namespace gatebook::tls
