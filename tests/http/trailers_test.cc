#include "http/trailers.h"

#include <gtest/gtest.h>

#include "http/body_reader.h"
#include "http/field_table.h"

namespace gatebook::http {
namespace {

std::string TextOf(std::span<const Field> fields) {
  std::string text;
  for (const Field& field : fields) text.append(field.name).append("=").append(field.value).append(";");
  return text;
}

// What is kept of the section behind an empty chunked body, however it is split.
std::string Kept(const std::string& section) {
  const std::string body = "0\r\n" + section + "\r\n";
  std::string outcome;
  for (const size_t step : {body.size(), size_t{1}}) {
    Trailers trailers;
    BodyReader reader;
    reader.Begin(Framing::kChunked, 0, &trailers.section());
    for (size_t at = 0; at < body.size() && !reader.HasFailed(); at += step) {
      EXPECT_EQ(reader.Read(std::string_view(body).substr(at, step)).payload, "");
    }
    if (reader.HasFailed()) return "refused";
    EXPECT_TRUE(reader.IsDone());
    const std::string now = trailers.Parse() ? TextOf(trailers.fields()) : "malformed";
    if (step == 1) {
      EXPECT_EQ(now, outcome);
    }
    outcome = now;
  }
  return outcome;
}

TEST(Trailers, FieldsBehindABodyAreKeptInTheirOrder) {
  EXPECT_EQ(Kept("X-Sum: 7\r\ngrpc-status:0\r\nX-Sum:  8 \r\n"), "X-Sum=7;grpc-status=0;X-Sum=8;");
  EXPECT_EQ(Kept(""), "");
}

TEST(Trailers, WhatRoutesFramesAuthorisesOrExplainsIsNone) {
  for (const char* name : {"Host",
                           "Content-Length",
                           "Transfer-Encoding",
                           "Connection",
                           "TE",
                           "Trailer",
                           "Upgrade",
                           "Keep-Alive",
                           "Expect",
                           "Cookie",
                           "Set-Cookie",
                           "Authorization",
                           "Proxy-Authorization",
                           "WWW-Authenticate",
                           "Forwarded",
                           "X-Forwarded-For",
                           "X-Real-IP",
                           "X-Request-ID",
                           "X-Session-ID",
                           "Content-Type",
                           "Content-Encoding",
                           "content-range",
                           "Cache-Control",
                           "Location",
                           "If-Match",
                           "Range",
                           "Vary",
                           "Date",
                           "X_Sum",
                           "Proxy",
                           "Strict-Transport-Security",
                           "Sec-WebSocket-Accept",
                           "Traceparent"}) {
    EXPECT_EQ(Kept(std::string(name) + ": 1\r\nX-Sum: 7\r\n"), "X-Sum=7;") << name;
  }
}

TEST(Trailers, MalformedSectionsAreRefused) {
  for (const char* section :
       {"X-Sum : 7\r\n", ": 7\r\n", "X-Sum\r\n", "X-Sum: 7\r\n folded\r\n", "X-Sum: \x01\r\n"}) {
    EXPECT_EQ(Kept(section), "refused") << section;
  }
}

TEST(Trailers, TheyAreWrittenBehindTheLastChunk) {
  base::BufferPool pool;
  base::Buffer out(pool);
  AppendLastChunk(out, {});
  EXPECT_EQ(out.data(), "0\r\n\r\n");
  const Field fields[] = {{.name = "A", .value = "1"}, {.name = "B", .value = ""}};
  AppendLastChunk(out, fields);
  EXPECT_EQ(out.data(), "0\r\n\r\n0\r\nA: 1\r\nB: \r\n\r\n");
}

TEST(Trailers, WhoAcceptsThemSaysSo) {
  const auto accepts = [](std::string_view name, std::string_view value) {
    const Field field{.name = name, .value = value, .id = KindOf(name).id};
    return AcceptsTrailers({&field, 1});
  };
  EXPECT_TRUE(accepts("TE", "trailers"));
  EXPECT_TRUE(accepts("te", "gzip;q=0.5 , Trailers"));
  EXPECT_FALSE(accepts("TE", "gzip"));
  EXPECT_FALSE(accepts("TE", ""));
  EXPECT_FALSE(accepts("X-TE", "trailers"));
}

TEST(Trailers, CopiesLeaveOutWhatIsOfThisHopAndOutliveTheirSource) {
  Trailers trailers;
  {
    const std::string name = "a-name-that-is-longer-than-a-short-string";
    const Field fields[] = {{.name = name, .value = "1"}, {.name = "te", .value = "x", .hop_by_hop = true}};
    trailers.Copy(fields);
  }
  EXPECT_EQ(TextOf(trailers.fields()), "a-name-that-is-longer-than-a-short-string=1;");
}

}  // namespace
}  // namespace gatebook::http
