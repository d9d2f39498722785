// The border of HTTP/2 (RFC 9113 §8): which messages are refused and how, and that an accepted
// request reads as the same request over HTTP/1 would.
#include <gtest/gtest.h>

#include "http/request_parser.h"
#include "tests/http/h2_peer.h"

namespace gatebook::http {
namespace {

struct Refused {
  const char* name;
  H2FieldList fields;
  std::string told;  // behind "1 refused "
};

H2FieldList Replaced(H2FieldList fields, const std::string& name, const std::string& value) {
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

H2FieldList Without(H2FieldList fields, const std::string& name) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

// Malformed: reset and never shown to anybody.
void CheckReset(const std::vector<Refused>& cases) {
  for (const Refused& c : cases) {
    SCOPED_TRACE(c.name);
    H2Peer peer;
    peer.Greet();
    EXPECT_EQ(peer.Feed(Headers(1, c.fields)), "RST 1 1\n");
    EXPECT_EQ(peer.Told(), "1 refused " + c.told + "\n");
    EXPECT_EQ(peer.session().open_streams(), 0u);
    EXPECT_EQ(peer.pool().taken(), 0u);
    EXPECT_FALSE(peer.session().IsOver());
  }
}

// Against a rule of ours or of HTTP itself: answered.
void CheckAnswered(const std::vector<Refused>& cases) {
  for (const Refused& c : cases) {
    SCOPED_TRACE(c.name);
    H2Peer peer;
    peer.Greet();
    const std::string slug = c.told.substr(0, c.told.find(' '));
    int status = 0;
    for (size_t i = 0; i < static_cast<size_t>(Refusal::kCount); ++i) {
      if (InfoOf(static_cast<Refusal>(i)).slug == slug) status = InfoOf(static_cast<Refusal>(i)).status;
    }
    EXPECT_EQ(peer.Feed(Headers(1, c.fields)), "HEADERS 1 end :status=" + std::to_string(status) + "\n");
    EXPECT_EQ(peer.Told(), "1 refused " + c.told + "\n1 closed 0\n");
  }
}

TEST(H2Fields, ThatAreMalformedResetTheStream) {
  CheckReset({
      {"upper case", With(Get(), {{"X-a", "b"}}), "upper_case_name GET /"},
      {"empty name", With(Get(), {{"", "b"}}), "bad_field_name GET /"},
      {"space in name", With(Get(), {{"a b", "c"}}), "bad_field_name GET /"},
      {"colon in name", With(Get(), {{"a:b", "c"}}), "bad_field_name GET /"},
      {"LF in name", With(Get(), {{"a\nb", "c"}}), "bad_field_name GET /"},
      {"NUL in name", With(Get(), {{std::string("a\0b", 3), "c"}}), "bad_field_name GET /"},
      {"byte above 127 in name", With(Get(), {{"\xc3\xa4", "c"}}), "bad_field_name GET /"},
      {"CR in value", With(Get(), {{"a", "b\rc"}}), "bad_field_value GET /"},
      {"LF in value", With(Get(), {{"a", "b\nc"}}), "bad_field_value GET /"},
      {"CRLF and a field in value", With(Get(), {{"a", "b\r\nx-session-id: 1"}}), "bad_field_value GET /"},
      {"NUL in value", With(Get(), {{"a", std::string("b\0", 2)}}), "bad_field_value GET /"},
      {"DEL in value", With(Get(), {{"a", "b\x7f"}}), "bad_field_value GET /"},
      {"space before value", With(Get(), {{"a", " b"}}), "padded_value GET /"},
      {"tab behind value", With(Get(), {{"a", "b\t"}}), "padded_value GET /"},
      {"connection", With(Get(), {{"connection", "close"}}), "connection_field GET /"},
      {"keep-alive", With(Get(), {{"keep-alive", "5"}}), "connection_field GET /"},
      {"proxy-connection", With(Get(), {{"proxy-connection", "close"}}), "connection_field GET /"},
      {"transfer-encoding", With(Get(), {{"transfer-encoding", "chunked"}}), "connection_field GET /"},
      {"upgrade", With(Get(), {{"upgrade", "websocket"}}), "connection_field GET /"},
      {"te gzip", With(Get(), {{"te", "trailers, gzip"}}), "connection_field GET /"},
  });
}

TEST(H2Fields, WithFaultyPseudoFieldsResetTheStream) {
  CheckReset({
      {"unknown", With({{":x", "y"}}, Get()), "bad_pseudo_field  "},
      {"of a response", With({{":status", "200"}}, Get()), "bad_pseudo_field  "},
      {"behind a field", With({{"a", "b"}}, Get()), "bad_pseudo_field  "},
      {"late", With(Get(), {{"a", "b"}, {":path", "/"}}), "bad_pseudo_field GET /"},
      {"method twice", With({{":method", "GET"}}, Get()), "bad_pseudo_field GET "},
      {"scheme twice", With(Get(), {{":scheme", "https"}}), "bad_pseudo_field GET /"},
      {"path twice", With(Get(), {{":path", "/b"}}), "bad_pseudo_field GET /"},
      {"authority twice", With(Get(), {{":authority", "example.com"}}), "bad_pseudo_field GET /"},
      {"no method", Without(Get(), ":method"), "bad_pseudo_field  /"},
      {"no scheme", Without(Get(), ":scheme"), "bad_pseudo_field GET /"},
      {"no path", Without(Get(), ":path"), "bad_pseudo_field GET "},
      {"none", {{"a", "b"}}, "bad_pseudo_field  "},
      {"empty path", Get(""), "bad_target GET "},
      {"path without slash", Get("a"), "bad_target GET "},
      {"absolute form in path", Get("https://example.com/"), "bad_target GET "},
      {"* for GET", Get("*"), "bad_target GET "},
      {"CR LF in path", Get("/ HTTP/1.1\r\nHost: b"), "bad_field_value GET "},
      {"method with a space", Replaced(Get(), ":method", "GET / HTTP/1.1"), "bad_method  "},
      {"empty method", Replaced(Get(), ":method", ""), "bad_method  "},
      {"long method", Replaced(Get(), ":method", std::string(33, 'A')), "bad_method  "},
      {"protocol without CONNECT", With({{":protocol", "websocket"}}, Get()), "bad_pseudo_field GET /"},
      {"user in authority", Replaced(Get(), ":authority", "a@example.com"), "bad_host GET /"},
  });
}

TEST(H2Fields, WhoseHostIsAmbiguousResetTheStream) {
  CheckReset({
      {"another host", With(Get(), {{"host", "evil.example"}}), "host_mismatch GET /"},
      {"another port", With(Get(), {{"host", "example.com:8443"}}), "host_mismatch GET /"},
      {"empty host", With(Get(), {{"host", ""}}), "host_mismatch GET /"},
      {"host twice", With(Get(), {{"host", "example.com"}, {"host", "example.com"}}), "repeated_host GET /"},
  });
}

TEST(H2Fields, WhoseLengthIsNoneResetTheStream) {
  std::vector<Refused> cases;
  for (const char* length :
       {"", "+1", "-1", "1 ", "0x1", "1,1", "1.0", "9223372036854775808", "18446744073709551621"}) {
    const bool padded = std::string_view(length).ends_with(' ');
    cases.push_back({length, With(Post(), {{"content-length", length}}),
                     padded ? "padded_value POST /" : "bad_content_length POST /"});
  }
  cases.push_back({"twice", With(Post(), {{"content-length", "0"}, {"content-length", "0"}}),
                   "bad_content_length POST /"});
  cases.push_back({"none of it comes", With(Post(), {{"content-length", "1"}}), "length_mismatch POST /"});
  CheckReset(cases);
}

TEST(H2Fields, AgainstOurRulesAreAnswered) {
  CheckAnswered({
      {"CONNECT",
       {{":method", "CONNECT"}, {":authority", "example.com:443"}},
       "connect_refused answerable CONNECT "},
      {"TRACE", Replaced(Get(), ":method", "TRACE"), "method_refused answerable TRACE /"},
      {"track", Replaced(Get(), ":method", "track"), "method_refused answerable track /"},
      {"long path", Get("/" + std::string(8192, 'a')), "target_too_long answerable GET "},
      {"fragment", Get("/a#b"), "bad_target answerable GET /a#b"},
      {"bad escape", Get("/%zz"), "bad_target answerable GET /%zz"},
      {"long scheme", Replaced(Get(), ":scheme", std::string(33, 'a')), "bad_scheme answerable GET "},
      {"scheme", Replaced(Get(), ":scheme", "ftp"), "bad_scheme answerable GET /"},
      {"another scheme", Replaced(Get(), ":scheme", "http"), "bad_scheme answerable GET /"},
      {"no host", Without(Get(), ":authority"), "missing_host answerable GET /"},
      {"empty host", Replaced(Get(), ":authority", ""), "missing_host answerable GET /"},
      {"bad host", Replaced(Get(), ":authority", "exa mple.com"), "bad_host answerable GET /"},
      {"bad port", Replaced(Get(), ":authority", "example.com:99999"), "bad_host answerable GET /"},
      {"expectation", With(Get(), {{"expect", "magic"}}), "bad_expect answerable GET /"},
      {"101 fields", With(Get(), H2FieldList(101, {"a", "b"})), "too_many_fields answerable GET /"},
      {"101 crumbs", With(Get(), H2FieldList(101, {"cookie", "a"})), "too_many_fields answerable GET /"},
  });
}

TEST(H2Fields, LargerThanAHeadMayBeAreAnswered) {
  H2Peer peer;
  peer.Greet();
  const std::string large =
      Block(Get()) + IndexedLiteral("a", std::string(3900, 'b')) + std::string(9, '\xbe');
  EXPECT_EQ(peer.Feed(Headers(1, large)), "HEADERS 1 end :status=431\n");
  EXPECT_EQ(peer.Told(), "1 refused head_too_large answerable GET /\n1 closed 0\n");
}

TEST(H2Fields, OfARefusedRequestLetItsBodyRunOut) {
  H2Peer peer;
  peer.Greet();
  EXPECT_EQ(peer.Feed(Headers(1, Get("/a#b"), false)), "HEADERS 1 end :status=400\nRST 1 0\n");
  EXPECT_EQ(peer.Feed(Data(1, "body", true)), "");
  EXPECT_EQ(peer.Told(), "1 refused bad_target answerable GET /a#b\n1 closed 0\n");
}

TEST(H2Lengths, HaveToBeKept) {
  const auto told = [](const std::string& frames) {
    H2Peer peer;
    peer.Greet();
    peer.Feed(Headers(1, With(Post(), {{"content-length", "4"}}), false) + frames);
    const std::string all = peer.Told();
    return all.substr(all.find('\n') + 1);
  };
  EXPECT_EQ(told(Data(1, "body", true)), "1 data \"body\"\n1 end\n");
  EXPECT_EQ(told(Data(1, "bo") + Data(1, "dy") + Data(1, "", true)), "1 data \"body\"\n1 end\n");
  EXPECT_EQ(told(Data(1, "bod", true)), "1 data \"bod\"\n1 closed 1 length_mismatch\n");
  EXPECT_EQ(told(Data(1, "bod") + Headers(1, H2FieldList{{"a", "b"}})),
            "1 data \"bod\"\n1 closed 1 length_mismatch\n");
  EXPECT_EQ(told(Data(1, "bo") + Data(1, "dy!")), "1 data \"body\"\n1 closed 1 length_mismatch\n");
}

TEST(H2Trailers, EndAMessageAndHaveRulesToo) {
  const auto told = [](const std::string& frames) {
    H2Peer peer;
    peer.Greet();
    peer.Feed(Headers(1, Post(), false) + frames);
    const std::string all = peer.Told();
    return all.substr(all.find('\n') + 1);
  };
  EXPECT_EQ(
      told(Headers(1, H2FieldList{{"grpc-status", "0"}, {"content-length", "5"}, {"x-session-id", "1"}})),
      "1 trailers grpc-status=0 -content-length=5 -x-session-id=1\n1 end\n");
  EXPECT_EQ(told(Headers(1, H2FieldList{{"a", "b"}}, false)), "1 closed 1 bad_trailer\n");
  EXPECT_EQ(told(Headers(1, H2FieldList{{":path", "/"}})), "1 closed 1 bad_trailer\n");
  EXPECT_EQ(told(Headers(1, H2FieldList{{"a", "b\n"}})), "1 closed 1 bad_trailer\n");
  EXPECT_EQ(told(Headers(1, H2FieldList(101, {"a", "b"}))), "1 closed 1 bad_trailer\n");
}

TEST(H2WebSocket, ComesByExtendedConnect) {
  const H2FieldList connect = {{":method", "CONNECT"},        {":protocol", "websocket"},
                               {":scheme", "https"},          {":path", "/chat?a"},
                               {":authority", "example.com"}, {"sec-websocket-version", "13"}};
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, With(connect, {{"sec-websocket-key", "x"}, {"origin", "o"}}), false));
  EXPECT_EQ(
      peer.Told(),
      "1 GET /chat?a to example.com websocket host=example.com sec-websocket-version=13 -sec-websocket-key=x "
      "origin=o\n");
  peer.session().SubmitHead(1, Answer(200), {}, false);
  EXPECT_EQ(peer.session().OfferData(1, "down"), 4u);
  EXPECT_EQ(peer.Feed(Data(1, "up", true)), "HEADERS 1 :status=200\nDATA 1 4\n");
  EXPECT_EQ(peer.Told(), "1 data \"up\"\n1 end\n");
  CheckAnswered({
      {"another protocol", Replaced(connect, ":protocol", "webtransport"),
       "unknown_protocol answerable CONNECT /chat?a"},
      {"at its end already", connect, "bad_upgrade answerable CONNECT /chat?a"},
  });
  for (const H2FieldList& fields :
       {Without(connect, "sec-websocket-version"), Replaced(connect, "sec-websocket-version", "8"),
        With(connect, {{"content-length", "0"}}), With(connect, {{"sec-websocket-version", "13"}})}) {
    H2Peer other;
    other.Greet();
    other.Feed(Headers(1, fields, false));
    EXPECT_TRUE(other.Told().starts_with("1 refused bad_upgrade answerable"));
  }
}

// The same request over both: `lines` is what HTTP/1 says behind its Host.
void CheckSame(const std::string& method, const std::string& target, const H2FieldList& fields,
               const std::string& lines, bool ended) {
  SCOPED_TRACE(lines);
  const std::string text = method + " " + target + " HTTP/1.1\r\nhost: example.com:8443\r\n" + lines + "\r\n";
  RequestParser parser(HeadLimits{});
  ASSERT_EQ(parser.Parse(text), ParseStatus::kDone);
  const RequestHead& one = parser.head();

  H2Fields reader;
  reader.Begin(H2Fields::Kind::kRequest, HeadLimits{}, "https", true);
  reader.Take(":method", method);
  reader.Take(":scheme", "https");
  reader.Take(":path", target);
  reader.Take(":authority", "example.com:8443");
  for (const auto& [name, value] : fields) reader.Take(name, value);
  H2HeadText storage;
  RequestHead two;
  ASSERT_FALSE(reader.FinishRequest(ended, storage, two));

  EXPECT_EQ(one.method, two.method);
  EXPECT_EQ(one.method_text, two.method_text);
  EXPECT_EQ(one.target, two.target);
  EXPECT_EQ(one.path, two.path);
  EXPECT_EQ(one.query, two.query);
  EXPECT_EQ(one.authority, two.authority);
  EXPECT_EQ(one.host, two.host);
  EXPECT_EQ(one.minor_version, two.minor_version);
  EXPECT_EQ(one.framing, two.framing);
  EXPECT_EQ(one.content_length, two.content_length);
  EXPECT_EQ(one.has_content_length, two.has_content_length);
  EXPECT_EQ(one.expect_continue, two.expect_continue);
  EXPECT_EQ(one.keep_alive, two.keep_alive);
  EXPECT_EQ(one.websocket, two.websocket);
  std::vector<Field> passed;  // Transfer-Encoding is not there in HTTP/2, and is not passed on in HTTP/1
  for (const Field& field : one.fields) {
    if (field.id != FieldId::kTransferEncoding) passed.push_back(field);
  }
  ASSERT_EQ(passed.size(), two.fields.size());
  for (size_t i = 0; i < passed.size(); ++i) {
    EXPECT_EQ(passed[i].name, two.fields[i].name);
    EXPECT_EQ(passed[i].value, two.fields[i].value);
    EXPECT_EQ(passed[i].id, two.fields[i].id);
    EXPECT_EQ(passed[i].hop_by_hop, two.fields[i].hop_by_hop) << passed[i].name;
  }
  EXPECT_TRUE(!fields.empty() || one.size == two.size);
}

TEST(H2Requests, ReadAsTheyWouldOverHttp1) {
  CheckSame("GET", "/", {}, "", true);
  CheckSame("GET", "/a/b?c=%20&d", {{"user-agent", "x"}, {"x_forwarded_for", "1"}, {"proxy", "p"}},
            "user-agent: x\r\nx_forwarded_for: 1\r\nproxy: p\r\n", true);
  CheckSame("OPTIONS", "*", {{"te", "trailers"}}, "te: trailers\r\n", true);
  CheckSame("get", "/?", {{"x-forwarded-for", "1.2.3.4"}, {"empty", ""}},
            "x-forwarded-for: 1.2.3.4\r\nempty:\r\n", true);
  CheckSame("POST", "/", {{"content-length", "5"}, {"expect", "100-continue"}},
            "content-length: 5\r\nexpect: 100-continue\r\n", false);
  CheckSame("POST", "/", {{"content-length", "0"}}, "content-length: 0\r\n", false);
  CheckSame("POST", "/", {{"a", "b"}}, "transfer-encoding: chunked\r\na: b\r\n", false);
  CheckSame("GET", "/", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=\xff"}},
            "cookie: a=1; b=2; c=\xff\r\nx: y\r\n", true);
  CheckSame("GET", "/", {{"host", "EXAMPLE.com:8443"}}, "", true);
}

TEST(H2Requests, MayNameTheirHostInHostAlone) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, With(Without(Get(), ":authority"), {{"host", "a.example"}})));
  EXPECT_EQ(peer.Told(), "1 GET / to a.example end host=a.example\n");
}

}  // namespace
}  // namespace gatebook::http
