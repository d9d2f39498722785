// Only what is to be recorded is, and nothing of calls and credentials, wherever a request carries them.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <random>

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

class LeastDataTest : public EdgeTest {};

TEST_F(LeastDataTest, OptionalFieldsThatAreNotNamedAreNotRecorded) {
  WithNames();
  Say("visit", "fields = [\"path\"]");
  Start();
  RawClient client(edge_->Tls());
  client.Get("/page?utm_source=a", "User-Agent: b\r\nReferer: https://c.example/\r\n");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["path"], "/page");
  EXPECT_EQ(visits[0]["channel"], "unrecorded");
  EXPECT_EQ(visits[0]["dns_check"], "skipped");
  EXPECT_EQ(visits[0]["ip"], "127.0.0.1");
  for (const char* field : {"host", "query", "user_agent", "referrer", "utm_source", "dns"}) {
    EXPECT_FALSE(visits[0].contains(field)) << field;
  }
}

TEST_F(LeastDataTest, AReloadChangesWhatIsRecorded) {
  Start();
  RawClient client(edge_->Tls());
  client.Get("/one", "User-Agent: b\r\n");
  Say("visit", "fields = []");
  edge_->Configure(options_);
  ASSERT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  client.Get("/two", "User-Agent: b\r\n");
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[0]["user_agent"], "b");
  EXPECT_FALSE(visits[1].contains("user_agent"));
  EXPECT_FALSE(visits[1].contains("path"));
}

TEST_F(LeastDataTest, ATruncatedAddressIsAllThatIsRecordedAndNoNameIsAskedFor) {
  WithNames();
  Say("visit", "truncate_address = \"always\"");
  Start();
  RawClient client(edge_->Tls("127.0.0.77"));
  client.Get("/");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["ip"], "127.0.0.0");
  EXPECT_EQ(visits[0]["dns_check"], "skipped");
  EXPECT_EQ(edge_->Metric("gatebook_dns_queries_total"), 0u);
  EXPECT_EQ(upstream_->last_request().Field("x-forwarded-for"), "127.0.0.77");
}

TEST_F(LeastDataTest, AFieldThatIsNoneOrMayNotBeLeftOutIsRefused) {
  Say("visit", "fields = [\"user_agnet\", \"ip\"]");
  Prepare();
  verify_ = false;
  const auto check = edge_->Command({"check"});
  EXPECT_EQ(check.exit_code, 78);
  EXPECT_THAT(check.errors, testing::HasSubstr("not a field of a visit"));
  EXPECT_THAT(check.errors, testing::HasSubstr("always recorded"));
}

// ---- secrets in every place

// Makes what must not be recorded, and remembers it.
class Secrets {
 public:
  explicit Secrets(uint32_t seed) : random_(seed) {}

  std::string Number() {
    static constexpr const char* kForms[] = {"+358#######",  "+49 30 #######", "040-#######",  "0########",
                                             "00358#######", "(09) #######",   "020 #### ####"};
    return Remember(Fill(kForms[random_() % std::size(kForms)]));
  }
  std::string Email() { return Remember(Fill("******.******@******.example")); }
  std::string Uuid() { return Remember(Fill("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx")); }
  std::string Token() { return Remember(Fill("????????????????????????????????????????")); }
  std::string Method() { return Remember(Fill("????????????????????????")); }
  // For places of which nothing at all is recorded.
  std::string Password() { return Remember(Fill("**********")); }
  std::string Any() {
    switch (random_() % 4) {
      case 0:
        return Number();
      case 1:
        return Email();
      case 2:
        return Uuid();
      default:
        return Token();
    }
  }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::string Fill(std::string form) {
    static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
    static constexpr std::string_view kAny =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (char& c : form) {
      if (c == '#') c = static_cast<char>('0' + random_() % 10);
      if (c == '*') c = kLetters[random_() % kLetters.size()];
      if (c == '?') c = kAny[random_() % kAny.size()];
      if (c == 'x') c = "0123456789abcdef"[random_() % 16];
    }
    return form;
  }
  std::string Remember(std::string secret) {
    all_.push_back(secret);
    return secret;
  }

  std::mt19937 random_;
  std::vector<std::string> all_;
};

// Percent-encoded, all of it or only what must be.
std::string Encoded(std::string_view text, bool all = false) {
  std::string encoded;
  for (const char c : text) {
    if (!all &&
        (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' || c == '+')) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
      encoded += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
    }
  }
  return encoded;
}

class SecretsTest : public EdgeTest {
 protected:
  // Every field of a request that may hold a secret.
  http::H2FieldList Fields(Secrets& secrets) {
    return {{"authorization", "Bearer " + secrets.Token()},
            {"cookie", "session=" + secrets.Token() + "; phone=" + Encoded(secrets.Number())},
            {"x-api-key", secrets.Token()},
            {"x-caller", secrets.Number()},
            {"referer", "https://" + secrets.Password() + ":" + secrets.Password() + "@from.example/" +
                            Encoded(secrets.Any()) + "?token=" + secrets.Token() + "#" + secrets.Password()},
            {"user-agent", "Client/1.0 (" + secrets.Email() + ") " + secrets.Number()},
            {"sec-gpc", secrets.Password()},
            {"x-forwarded-for", secrets.Number()},
            {"traceparent", secrets.Password()},
            {"x-request-id", secrets.Token()},
            {"x-session-id", secrets.Token()}};
  }
  std::string Path(Secrets& secrets) {
    return "/call/" + Encoded(secrets.Any()) + "/" + Encoded(secrets.Any(), true) + "/to-" +
           Encoded(secrets.Number()) + "%23access_token=" + secrets.Token() +
           "?password=" + secrets.Password() + "&number=" + Encoded(secrets.Number()) +
           "&utm_source=" + Encoded(secrets.Any()) + "&utm_campaign=x" + Encoded(secrets.Email()) + "&" +
           secrets.Password();
  }
  std::string Lines(const http::H2FieldList& fields) {
    std::string lines;
    for (const auto& [name, value] : fields) lines += name + ": " + value + "\r\n";
    return lines;
  }

  // Names of the files below `directory` that hold one of the secrets.
  static void Search(const std::string& directory, const Secrets& secrets, std::string& found,
                     size_t* bytes) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file()) continue;
      const std::string content = support::ReadFile(entry.path());
      *bytes += content.size();
      Look(entry.path(), content, secrets, found);
    }
  }
  static void Look(const std::string& place, const std::string& content, const Secrets& secrets,
                   std::string& found) {
    for (const std::string& secret : secrets.all()) {
      for (const std::string& form : {secret, Encoded(secret), Encoded(secret, true)}) {
        if (content.find(form) != std::string::npos) found += form + " stands in " + place + "\n";
      }
    }
  }
};

TEST_F(SecretsTest, NothingOfCallsAndCredentialsIsWrittenAnywhere) {
  const char* chosen = std::getenv("GATEBOOK_SEED");
  const uint32_t seed =
      chosen != nullptr ? static_cast<uint32_t>(std::strtoul(chosen, nullptr, 10)) : 20251128;
  SCOPED_TRACE("GATEBOOK_SEED=" + std::to_string(seed));
  Secrets secrets(seed);
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    if (request.Field("upgrade")) {
      connection.Send(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
      for (std::string bytes; !(bytes = connection.ReadSome()).empty();) connection.Send(bytes);
      return connection.Close();
    }
    connection.ReadBody(&request);
    connection.Send(Answer(200, request.body, "Set-Cookie: " + request.body.substr(0, 20) + "\r\n"));
  });
  Prepare();
  Say("log", "level = \"debug\"\nfile = \"" + edge_->directory() + "/gatebook.log\"");
  for (const std::string format : {"ecs", "otel", "combined"}) {
    options_.more += "[[sink]]\nname = \"" + format + "\"\nformat = \"" + format + "\"\npath = \"" +
                     edge_->directory() + "/sink." + format + "\"\n";
  }
  edge_->Configure(options_);
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();

  constexpr size_t kRounds = 12;
  RawClient plain(edge_->Tls());
  H2Client h2(edge_->Tls());
  for (size_t round = 0; round < kRounds; ++round) {
    const std::string body =
        "user=" + secrets.Email() + "&password=" + secrets.Password() + "&to=" + secrets.Number();
    plain.Send("POST " + Path(secrets) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n" + Lines(Fields(secrets)) + "\r\n" + body);
    ASSERT_EQ(plain.ReadResponse().value_or(HttpMessage{}).status(), 200);
    const auto stream = static_cast<int32_t>(2 * round + 1);
    h2.Send(http::Headers(stream, http::With(http::Post(Path(secrets)), Fields(secrets)), false) +
            http::Data(stream, body, true));
    ASSERT_THAT(h2.WaitFor("HEADERS " + std::to_string(stream)), testing::HasSubstr("200"));
  }
  RawClient tunnel(edge_->Tls());
  tunnel.Send("GET " + Path(secrets) +
              " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
              Lines(Fields(secrets)) + "\r\n");
  ASSERT_EQ(tunnel.ReadResponse().value_or(HttpMessage{}).status(), 101);
  const std::string spoken = secrets.Password() + secrets.Number() + secrets.Token();
  tunnel.Send(spoken);
  EXPECT_EQ(tunnel.Read(spoken.size()), spoken);
  tunnel.ShutdownWrite();
  EXPECT_TRUE(tunnel.WaitClosed());
  // What is refused is recorded as well.
  for (const std::string& line :
       {"GET /call/" + secrets.Number() + " now HTTP/1.1", "GET /#" + secrets.Token() + " HTTP/1.1",
        "TRACE " + Path(secrets) + " HTTP/1.1", secrets.Method() + " / HTTP/1.1"}) {
    RawClient refused(edge_->Tls());
    refused.Send(line + "\r\nHost: localhost\r\n" + Lines(Fields(secrets)) + "\r\n");
    EXPECT_TRUE(refused.ReadResponse());
  }
  ASSERT_TRUE(edge_->WaitDelivered());
  EXPECT_GE(edge_->Visits().size(), 2 * kRounds + 2);

  std::string found;
  size_t bytes = 0;
  Search(edge_->journal_directory(), secrets, found, &bytes);
  Search(std::filesystem::path(redis_->socket()).parent_path(), secrets, found, &bytes);
  EXPECT_GT(bytes, 20'000u) << "there was something to search";
  Look("the log", support::ReadFile(edge_->directory() + "/gatebook.log"), secrets, found);
  for (const char* format : {"ecs", "otel", "combined"}) {
    const std::string file = edge_->directory() + "/sink." + format;
    EXPECT_TRUE(WaitUntil([&] {
      const std::string content = support::ReadFile(file);
      return std::count(content.begin(), content.end(), '\n') >= static_cast<ptrdiff_t>(2 * kRounds + 2);
    })) << file;
    Look(file, support::ReadFile(file), secrets, found);
  }
  Look("the metrics", edge_->Admin("/metrics").body, secrets, found);
  Look("the status", edge_->Admin("/status").body, secrets, found);
  Look("visits", edge_->Command({"visits", "--since", "1h", "--json"}).output, secrets, found);
  EXPECT_EQ(found, "");
}

}  // namespace
}  // namespace gatebook::e2e
