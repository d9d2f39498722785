// The rules of RFC 9113 §3 to §6 and RFC 7541, by the categories of the public conformance
// suite: what a broken frame leads to. A stream's fault resets the stream, a connection's ends it.
#include <gtest/gtest.h>

#include "tests/http/h2_peer.h"

namespace gatebook::http {
namespace {

using Type = H2FrameType;

std::string Bytes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}

struct Case {
  const char* name;
  std::string bytes;     // behind the greeting
  std::string heard;     // begins so
  const char* end = "";  // slug, if the connection is over
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    H2Peer peer;
    peer.Greet();
    const std::string heard = peer.Feed(c.bytes);
    EXPECT_TRUE(heard.starts_with(c.heard) && (heard.empty() == c.heard.empty())) << heard;
    EXPECT_EQ(peer.session().IsOver() ? InfoOf(peer.session().end()).slug : "", c.end);
    const std::string told = peer.Told();
    EXPECT_TRUE(!peer.session().IsOver() || peer.session().open_streams() == 0);

    H2Peer slow;
    slow.Greet();
    std::string heard_slowly;
    for (const char byte : c.bytes) heard_slowly += slow.Feed({&byte, 1});
    EXPECT_EQ(heard_slowly, heard);
    EXPECT_EQ(slow.Told(), told);
  }
}

TEST(H2Preface, IsAskedFor) {
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                   std::string("PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n"), std::string(24, '\0')}) {
    H2Peer peer;
    EXPECT_EQ(peer.Feed(bytes), "SETTINGS\nWINDOW 0 983041\nGOAWAY 0 1 bad_preface\n");
    EXPECT_TRUE(peer.session().IsOver());
  }
}

TEST(H2Preface, IsFollowedBySettings) {
  H2Peer peer;
  peer.Feed(std::string(kH2Preface) + Ping());
  EXPECT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kProtocolError);
}

TEST(H2Frames, OfUnknownTypesAndFlagsAreIgnored) {
  Check({
      {"type", Frame(Type{22}, 0, 0, "12345678") + Ping(), "PING ack\n"},
      {"type on a stream", Frame(Type{22}, 255, 77, "12345678") + Ping(), "PING ack\n"},
      {"flags of PING", Frame(Type::kPing, 0x16, 0, "12345678"), "PING ack\n"},
      {"reserved bit", Frame(Type::kPing, 0, INT32_MIN, "12345678"), "PING ack\n"},
      {"flags of DATA", Headers(1, Post(), false) + Frame(Type::kData, 0xf6 & ~kH2Padded & ~1, 1, "x"), ""},
  });
}

TEST(H2Frames, OfAWrongSizeEndTheConnection) {
  const char* end = "frame_size";
  Check({
      {"DATA beyond 16384", Headers(1, Post(), false) + Data(1, std::string(16385, 'x')), "GOAWAY 1 6 ", end},
      {"HEADERS beyond 16384", Frame(Type::kHeaders, 5, 1, std::string(16385, '\0')), "GOAWAY 0 6 ", end},
      {"PING of 6", Frame(Type::kPing, 0, 0, "123456"), "GOAWAY 0 6 ", end},
      {"SETTINGS of 3", Frame(Type::kSettings, 0, 0, "123"), "GOAWAY 0 6 ", end},
      {"SETTINGS ack of 1", Frame(Type::kSettings, 1, 0, "1"), "GOAWAY 0 6 ", end},
      {"RST_STREAM of 3", Headers(1, Post(), false) + Frame(Type::kRstStream, 0, 1, "123"), "GOAWAY 1 6 ",
       end},
      {"WINDOW_UPDATE of 3", Frame(Type::kWindowUpdate, 0, 0, "123"), "GOAWAY 0 6 ", end},
      {"GOAWAY of 7", Frame(Type::kGoaway, 0, 0, "1234567"), "GOAWAY 0 6 ", end},
      {"PRIORITY of 4", Frame(Type::kPriority, 0, 1, "1234"), "GOAWAY 0 6 ", end},
  });
}

TEST(H2Frames, OnTheWrongStreamEndTheConnection) {
  const char* end = "protocol_error";
  Check({
      {"DATA on 0", Data(0, "x"), "GOAWAY 0 1 ", end},
      {"HEADERS on 0", Headers(0, Get()), "GOAWAY 0 1 ", end},
      {"PRIORITY on 0", Frame(Type::kPriority, 0, 0, "12345"), "GOAWAY 0 1 ", end},
      {"RST_STREAM on 0", Rst(0), "GOAWAY 0 1 ", end},
      {"SETTINGS on 1", Frame(Type::kSettings, 0, 1, ""), "GOAWAY 0 1 ", end},
      {"PING on 1", Frame(Type::kPing, 0, 1, "12345678"), "GOAWAY 0 1 ", end},
      {"GOAWAY on 1", Frame(Type::kGoaway, 0, 1, "12345678"), "GOAWAY 0 1 ", end},
      {"CONTINUATION on 0", Frame(Type::kContinuation, 4, 0, ""), "GOAWAY 0 1 ", end},
      {"HEADERS on an even one", Headers(2, Get()), "GOAWAY 0 1 ", end},
      {"PUSH_PROMISE", Headers(1, Post(), false) + Frame(Type::kPushPromise, 4, 1, Uint32(2)), "GOAWAY 1 1 ",
       end},
  });
}

TEST(H2Frames, WithPaddingBeyondTheirPayloadEndTheConnection) {
  const char* end = "protocol_error";
  Check({
      {"DATA",
       Headers(1, Post(), false) + Frame(Type::kData, kH2Padded, 1,
                                         "\x05"
                                         "abcd"),
       "GOAWAY 1 1 ", end},
      {"HEADERS",
       Frame(Type::kHeaders, kH2Padded | 5, 1,
             "\x05"
             "abcd"),
       "GOAWAY 0 1 ", end},
  });
}

TEST(H2Frames, MayBePadded) {
  H2Peer peer;
  peer.Greet();
  const std::string padded = std::string(1, '\3') + Block(Post()) + std::string(3, '\0');
  peer.Feed(Frame(Type::kHeaders, kH2Padded | kH2EndHeaders, 1, padded));
  peer.Feed(Frame(Type::kData, kH2Padded | kH2EndStream, 1, std::string("\4body", 5) + std::string(4, '\0')));
  EXPECT_EQ(peer.Told(), "1 POST / to example.com chunked host=example.com\n1 data \"body\"\n1 end\n");
}

TEST(H2Priorities, AreReadAndIgnored) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Frame(Type::kPriority, 0, 3, Uint32(1) + "\x10"));
  peer.Feed(Frame(Type::kHeaders, kH2Priority | 5, 1, Uint32(0) + "\xff" + Block(Get())));
  peer.Feed(Frame(Type::kPriorityUpdate, 0, 0, Uint32(1) + "u=1"));
  EXPECT_EQ(peer.Told(), "1 GET / to example.com end host=example.com\n");
  EXPECT_FALSE(peer.session().IsOver());
}

TEST(H2Streams, ThatAreIdleTakeHeadersOnly) {
  const char* end = "protocol_error";
  Check({
      {"DATA", Data(1, "x"), "GOAWAY 0 1 ", end},
      {"RST_STREAM", Rst(1), "GOAWAY 0 1 ", end},
      {"WINDOW_UPDATE", WindowUpdate(1, 1), "GOAWAY 0 1 ", end},
      {"CONTINUATION", Frame(Type::kContinuation, 4, 1, Block(Get())), "GOAWAY 0 1 ", end},
  });
}

TEST(H2Streams, WhoseRequestIsWholeTakeNoMoreOfIt) {
  Check({
      {"DATA", Headers(1, Get()) + Data(1, "x"), "GOAWAY 1 5 ", "stream_closed"},
      {"HEADERS", Headers(1, Get()) + Headers(1, Get()), "GOAWAY 1 5 ", "stream_closed"},
      {"WINDOW_UPDATE and PRIORITY are well",
       Headers(1, Get()) + WindowUpdate(1, 1) + Frame(Type::kPriority, 0, 1, "12345") + Ping(), "PING ack\n"},
  });
}

TEST(H2Streams, ThatThePeerEndedAreOverForIt) {
  Check({
      {"DATA behind RST_STREAM", Headers(1, Post(), false) + Rst(1) + Data(1, "x"), "GOAWAY 1 5 ",
       "stream_closed"},
      {"HEADERS behind RST_STREAM", Headers(1, Get()) + Rst(1) + Headers(1, Get()), "GOAWAY 1 5 ",
       "stream_closed"},
      {"WINDOW_UPDATE and RST_STREAM are well",
       Headers(1, Get()) + Rst(1) + WindowUpdate(1, 1) + Rst(1) + Ping(), "PING ack\n"},
  });
  for (const std::string& late : {Data(1, "x"), Headers(1, Get())}) {
    H2Peer peer;
    peer.Greet();
    peer.Feed(Headers(1, Get()));
    peer.session().SubmitHead(1, Answer(204), {}, true);
    EXPECT_EQ(peer.Feed(WindowUpdate(1, 1)), "HEADERS 1 end :status=204\n");
    EXPECT_TRUE(peer.Feed(late).starts_with("GOAWAY 1 5 "));
  }
}

TEST(H2Streams, ThatWeResetAreLetRunOut) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Post(), false) + Data(1, "x"));
  peer.session().Reset(1, H2Error::kCancel);
  EXPECT_EQ(peer.Hear(), "RST 1 8\n");
  EXPECT_EQ(peer.Feed(Data(1, "y") + Headers(1, H2FieldList{{"a", "b"}}) + Rst(1) + Ping()), "PING ack\n");
  EXPECT_EQ(peer.Told(), "1 POST / to example.com chunked host=example.com\n1 data \"x\"\n1 closed 8\n");
}

TEST(H2Streams, AreNumberedUpwards) {
  const char* end = "protocol_error";
  Check({
      {"downwards", Headers(5, Get()) + Headers(3, Get()), "GOAWAY 5 1 ", end},
      {"downwards later",
       Headers(1, Get()) + Headers(7, Get()) + Rst(7) + Headers(9, Get()) + Headers(5, Get()), "GOAWAY 9 1 ",
       end},
      {"upwards, and not each of them", Headers(1, Get()) + Headers(9, Get()) + Headers(11, Get()) + Ping(),
       "PING ack\n"},
  });
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(5, Get()) + Headers(3, Get("/never")));
  EXPECT_EQ(peer.Told(), "5 GET / to example.com end host=example.com\n5 closed 1 connection\n");
}

TEST(H2Errors, MayHaveCodesThatNobodyKnows) {
  Check({
      {"RST_STREAM", Headers(1, Get()) + Rst(1, 0xff) + Headers(3, Get()) + Ping(), "PING ack\n"},
      {"GOAWAY", Headers(1, Get()) + Goaway(0, 0xff) + Ping(), "PING ack\n"},
  });
}

TEST(H2Streams, BeyondTheirNumberAreRefused) {
  H2Peer peer;
  // Without our settings acknowledged a client may not know better.
  peer.Feed(ClientHello());
  std::string all;
  for (int i = 0; i < 101; ++i) all += Headers(2 * i + 1, Get());
  EXPECT_EQ(peer.Feed(all), "RST 201 7\n");
  EXPECT_EQ(peer.session().open_streams(), 100u);
  EXPECT_TRUE(peer.Told().ends_with("201 refused too_many_streams  \n")) << peer.Told();
  peer.session().SubmitHead(1, Answer(204), {}, true);
  peer.Feed(SettingsAck() + Headers(203, Get()));
  EXPECT_EQ(peer.session().open_streams(), 100u);
  EXPECT_TRUE(peer.Feed(Headers(205, Get())).starts_with("GOAWAY 203 1 "));
}

TEST(H2FieldBlocks, AreWholeBeforeAnythingElse) {
  const std::string half = Frame(Type::kHeaders, kH2EndStream, 1, Block(Get()));
  const char* end = "protocol_error";
  Check({
      {"DATA between", half + Data(1, "x"), "GOAWAY 1 1 ", end},
      {"PING between", half + Ping(), "GOAWAY 1 1 ", end},
      {"another's HEADERS", half + Headers(3, Get()), "GOAWAY 1 1 ", end},
      {"another's CONTINUATION", half + Frame(Type::kContinuation, 4, 3, ""), "GOAWAY 1 1 ", end},
      {"unknown type between", half + Frame(Type{22}, 0, 0, ""), "GOAWAY 1 1 ", end},
      {"CONTINUATION behind a whole one", Headers(1, Get()) + Frame(Type::kContinuation, 4, 1, ""),
       "GOAWAY 1 1 ", end},
  });
}

TEST(H2FieldBlocks, MayComeInParts) {
  const std::string block = Block(With(Get(), {{"x-a", "b"}}));
  H2Peer peer;
  peer.Greet();
  peer.Feed(Frame(Type::kHeaders, kH2EndStream, 1, block.substr(0, 7)) +
            Frame(Type::kContinuation, 0, 1, block.substr(7, 11)) +
            Frame(Type::kContinuation, kH2EndHeaders, 1, block.substr(18)));
  EXPECT_EQ(peer.Told(), "1 GET / to example.com end host=example.com x-a=b\n");
}

TEST(H2FieldBlocks, ThatHpackCannotReadEndTheConnection) {
  const char* end = "compression";
  const auto case_of = [&](const char* name, const std::string& block) {
    return Case{name, Headers(1, block), "GOAWAY 1 9 ", end};
  };
  Check({
      case_of("index 0", Bytes({0x80})),
      case_of("index beyond the tables", Bytes({0xff, 0x00})),
      case_of("name index beyond the tables", Bytes({0x7f, 0x10, 0x01, 'a'})),
      case_of("an integer without end", Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})),
      case_of("a table larger than allowed", Bytes({0x3f, 0xe2, 0x1f})),
      case_of("a table size behind a field", Bytes({0x82, 0x20})),
      case_of("Huffman padding of zeros", Bytes({0x40, 0x01, 'a', 0x81, 0x18})),
      case_of("Huffman padding longer than seven bits", Bytes({0x40, 0x01, 'a', 0x82, 0x1f, 0xff})),
      case_of("Huffman EOS", Bytes({0x40, 0x01, 'a', 0x84, 0xff, 0xff, 0xff, 0xff})),
      case_of("a string cut short", Bytes({0x40, 0x0a, 'a'})),
  });
}

TEST(H2Settings, AreCheckedAndAcknowledged) {
  Check({
      {"well", Settings(Setting(3, 100) + Setting(4, 1000) + Setting(0x4d4d, 7)), "SETTINGS ack\n"},
      {"ENABLE_PUSH 2", Settings(Setting(2, 2)), "GOAWAY 0 1 ", "protocol_error"},
      {"INITIAL_WINDOW_SIZE 2^31", Settings(Setting(4, 0x80000000)), "GOAWAY 0 3 ", "flow_control"},
      {"MAX_FRAME_SIZE 16383", Settings(Setting(5, 16383)), "GOAWAY 0 1 ", "protocol_error"},
      {"MAX_FRAME_SIZE 2^24", Settings(Setting(5, 1 << 24)), "GOAWAY 0 1 ", "protocol_error"},
      {"an ack too many", SettingsAck(), "GOAWAY 0 1 ", "protocol_error"},
  });
}

TEST(H2Windows, HaveBounds) {
  Check({
      {"WINDOW_UPDATE of 0", WindowUpdate(0, 0), "GOAWAY 0 1 ", "protocol_error"},
      {"WINDOW_UPDATE of 0 on a stream", Headers(1, Get()) + WindowUpdate(1, 0), "GOAWAY 1 1 ",
       "protocol_error"},
      {"connection beyond 2^31-1", WindowUpdate(0, 0x7fffffff), "GOAWAY 0 3 ", "flow_control"},
      {"stream beyond 2^31-1", Headers(1, Get()) + WindowUpdate(1, 0x7fffffff), "RST 1 3\n", ""},
      {"stream by initial window",
       Headers(1, Get()) + WindowUpdate(1, 0x7fff0000) + Settings(Setting(4, 0x7fffffff)),
       "SETTINGS ack\nRST 1 3\nGOAWAY 1 3 ", "flow_control"},
  });
}

TEST(H2Windows, OfOursAreEnforced) {
  H2Peer peer;
  peer.Greet();
  peer.consume = false;
  std::string body;
  for (int i = 0; i < 4; ++i) body += Data(1, std::string(16384, 'x'));
  EXPECT_EQ(peer.Feed(Headers(1, Post(), false) + body), "");
  EXPECT_FALSE(peer.session().IsOver());
  EXPECT_EQ(peer.Feed(Data(1, "x")), "RST 1 3\n");
  EXPECT_TRUE(peer.Told().ends_with("1 closed 3\n"));
}

TEST(H2Windows, OpenAgainAsPayloadGoesOn) {
  H2Peer peer;
  peer.Greet();
  peer.consume = false;
  peer.Feed(Headers(1, Post(), false) + Data(1, std::string(16384, 'x')) + Data(1, std::string(16384, 'x')));
  peer.session().Consume(1, 16384);
  EXPECT_EQ(peer.Hear(), "");
  peer.session().Consume(1, 16384);
  EXPECT_EQ(peer.Hear(), "WINDOW 1 32768\n");
}

TEST(H2Windows, OfTheConnectionGetBackWhatAStreamTookWithIt) {
  H2Peer peer;
  peer.Greet();
  peer.consume = false;
  std::string heard;
  for (int stream = 1; stream < 41; stream += 2) {
    heard += peer.Feed(Headers(stream, Post(), false) + Data(stream, std::string(16384, 'x')) +
                       Data(stream, std::string(16384, 'x')) + Rst(stream));
  }
  EXPECT_EQ(heard, "WINDOW 0 524288\n");
}

TEST(H2Goaway, LetsOpenStreamsComeToTheirEnd) {
  H2Peer peer;
  peer.Greet();
  EXPECT_EQ(peer.Feed(Headers(1, Get()) + Goaway(0) + Ping()), "PING ack\n");
  EXPECT_EQ(peer.Told(), "1 GET / to example.com end host=example.com\ngoaway 0 0\n");
  peer.session().SubmitHead(1, Answer(204), {}, true);
  EXPECT_FALSE(peer.session().IsOver());
  peer.session().Dispatch();
  EXPECT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kDrained);
  EXPECT_EQ(peer.Hear(), "HEADERS 1 end :status=204\n");
}

TEST(H2Goaway, WithoutOpenStreamsIsTheEnd) {
  H2Peer peer;
  peer.Greet();
  EXPECT_EQ(peer.Feed(Goaway(0) + Headers(1, Get())), "");
  EXPECT_EQ(peer.Told(), "goaway 0 0\n");
  EXPECT_EQ(peer.session().end(), H2End::kDrained);
}

}  // namespace
}  // namespace gatebook::http
