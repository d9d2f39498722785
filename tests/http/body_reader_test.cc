#include "http/body_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::http {
namespace {

struct Outcome {
  std::string payload;
  std::string rest;
  bool done = false;
  bool failed = false;
};

Outcome ReadAll(std::string_view data, size_t most = SIZE_MAX) {
  BodyReader reader;
  reader.Begin(Framing::kChunked, 0);
  Outcome outcome;
  while (!reader.IsDone() && !reader.HasFailed()) {
    const BodyReader::Step step = reader.Read(data, most);
    EXPECT_LE(step.payload.size(), most);
    outcome.payload += step.payload;
    data.remove_prefix(step.consumed);
    if (step.consumed == 0) break;
  }
  outcome.rest = data;
  outcome.done = reader.IsDone();
  outcome.failed = reader.HasFailed();
  return outcome;
}

TEST(BodyReader, ReadsALengthAndLeavesWhatFollows) {
  BodyReader reader;
  reader.Begin(Framing::kLength, 5);
  const BodyReader::Step step = reader.Read("helloGET /");
  EXPECT_EQ(step.payload, "hello");
  EXPECT_EQ(step.consumed, 5U);
  EXPECT_TRUE(reader.IsDone());
  EXPECT_EQ(reader.Read("GET /").consumed, 0U);
}

TEST(BodyReader, CountsWhatIsToComeOfALength) {
  BodyReader reader;
  reader.Begin(Framing::kLength, 10);
  EXPECT_EQ(reader.Read("hello", 3).payload, "hel");
  EXPECT_EQ(reader.remaining(), 7U);
  EXPECT_FALSE(reader.IsDone());
}

TEST(BodyReader, IsDoneAtOnceWithoutABody) {
  BodyReader reader;
  reader.Begin(Framing::kNone, 0);
  EXPECT_TRUE(reader.IsDone());
  reader.Begin(Framing::kLength, 0);
  EXPECT_TRUE(reader.IsDone());
}

TEST(BodyReader, IsNeverDoneByItselfWhenTheCloseEndsTheBody) {
  BodyReader reader;
  reader.Begin(Framing::kToClose, 0);
  EXPECT_EQ(reader.Read("anything\r\n\r\n", 8).payload, "anything");
  EXPECT_FALSE(reader.IsDone());
}

TEST(BodyReader, GivesTheLastPayloadAndTheEndInOneStep) {
  BodyReader reader;
  reader.Begin(Framing::kChunked, 0);
  const BodyReader::Step step = reader.Read("5\r\nhello\r\n0\r\n\r\nGET /");
  EXPECT_EQ(step.payload, "hello");
  EXPECT_EQ(step.consumed, 15U);
  EXPECT_TRUE(reader.IsDone());
}

TEST(BodyReader, GivesOneRunOfPayloadAStep) {
  BodyReader reader;
  reader.Begin(Framing::kChunked, 0);
  const std::string_view data = "3\r\nabc\r\n2\r\nde\r\n";
  const BodyReader::Step first = reader.Read(data);
  EXPECT_EQ(first.payload, "abc");
  EXPECT_EQ(reader.Read(data.substr(first.consumed)).payload, "de");
}

TEST(BodyReader, GivesNoMoreThanIsAskedFor) {
  const Outcome outcome = ReadAll("a\r\n0123456789\r\n0\r\n\r\nX", 3);
  EXPECT_EQ(outcome.payload, "0123456789");
  EXPECT_EQ(outcome.rest, "X");
  EXPECT_TRUE(outcome.done);
}

TEST(BodyReader, GivesNothingWhenNothingIsAskedFor) {
  BodyReader reader;
  reader.Begin(Framing::kChunked, 0);
  EXPECT_EQ(reader.Read("3\r\nabc", 0).consumed, 3U);
  EXPECT_EQ(reader.Read("abc", 0).consumed, 0U);
  EXPECT_EQ(reader.Read("abc").payload, "abc");
}

TEST(BodyReader, LeavesTheBrokenByteWhereItIs) {
  const Outcome outcome = ReadAll("3\r\nabcX");
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.payload, "abc");
  EXPECT_EQ(outcome.rest, "X");
}

TEST(BodyReader, TakesNoSizeBut16HexDigits) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (const bool first : {true, false}) {
      const std::string line = first ? std::string{c, '0'} : std::string{'0', c};
      const bool well = std::isxdigit(byte) != 0 || (!first && (c == ';' || c == '\r'));
      EXPECT_EQ(ReadAll(line).failed, !well) << byte;
    }
  }
  EXPECT_FALSE(ReadAll(std::string(16, '0')).failed);
  EXPECT_TRUE(ReadAll(std::string(17, '0')).failed);
  EXPECT_FALSE(ReadAll("7fffffffffffffff").failed);
  EXPECT_TRUE(ReadAll("8000000000000000").failed);
}

TEST(BodyReader, BoundsTrailersByBytesAndNumber) {
  const std::string begin = "0\r\n";
  EXPECT_TRUE(ReadAll(begin + "X: " + std::string(8192 - 7, 'a') + "\r\n\r\n").done);
  EXPECT_TRUE(ReadAll(begin + "X: " + std::string(8192, 'a') + "\r\n\r\n").failed);
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "A: b\r\n";
  EXPECT_TRUE(ReadAll(begin + fields + "\r\n").done);
  EXPECT_TRUE(ReadAll(begin + fields + "A: b\r\n\r\n").failed);
}

TEST(BodyReader, BoundsExtensionsThatNoPayloadStandsAgainst) {  // CVE-2023-39326
  const std::string extension(200, 'x');
  std::string tiny, fair;
  for (int i = 0; i < 1000; ++i) {
    tiny += "1;" + extension + "\r\na\r\n";
    fair += "c8;" + extension + "\r\n" + std::string(200, 'a') + "\r\n";
  }
  EXPECT_TRUE(ReadAll(tiny + "0\r\n\r\n").failed);
  EXPECT_TRUE(ReadAll(fair + "0\r\n\r\n").done);
}

TEST(BodyReader, WritesChunkLinesThatItReads) {
  for (const uint64_t size :
       {uint64_t{1}, uint64_t{15}, uint64_t{16}, uint64_t{0xabc}, uint64_t{INT64_MAX}}) {
    char line[18];
    const size_t length = WriteChunkLine(size, line);
    BodyReader reader;
    reader.Begin(Framing::kChunked, 0);
    EXPECT_EQ(reader.Read({line, length}).consumed, length);
    EXPECT_EQ(reader.remaining(), size);
  }
  char line[18];
  EXPECT_EQ(std::string(line, WriteChunkLine(0, line)), "0\r\n");
  EXPECT_EQ(std::string(line, WriteChunkLine(UINT64_MAX, line)), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace gatebook::http
