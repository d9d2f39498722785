// What streams of one connection hand over at the same time goes out together, in full TLS records.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tests/e2e/edge_test.h"
#include "tests/http/h2_wire.h"

namespace gatebook::e2e {
namespace {

// A client that counts the records in which the server's bytes come.
class RecordCounter {
 public:
  explicit RecordCounter(uint16_t port)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        ssl_(nullptr, SSL_free) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
    SSL_set_msg_callback(ssl_.get(), OnMessage);
    SSL_set_msg_callback_arg(ssl_.get(), this);
    SSL_set_fd(ssl_.get(), fd_.get());
    EXPECT_EQ(SSL_connect(ssl_.get()), 1);
  }

  void Send(const std::string& bytes) {
    EXPECT_EQ(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  // Reads until so many messages have ended.
  void ReadEnds(int wanted) {
    char bytes[16'384];
    while (ends_ < wanted) {
      const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
      ASSERT_GT(got, 0);
      const std::string heard = listener_.Hear({bytes, static_cast<size_t>(got)});
      for (size_t at = 0; (at = heard.find(" end ", at)) != std::string::npos; ++at) ++ends_;
    }
  }
  size_t records() const { return records_; }
  size_t bytes() const { return bytes_; }
  void Forget() { records_ = bytes_ = 0; }

 private:
  static void OnMessage(int sent, int, int type, const void* data, size_t, SSL*, void* self) {
    if (sent != 0 || type != SSL3_RT_HEADER) return;
    const auto* head = static_cast<const unsigned char*>(data);
    ++static_cast<RecordCounter*>(self)->records_;
    static_cast<RecordCounter*>(self)->bytes_ += static_cast<size_t>(head[3] << 8 | head[4]);
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  base::UniqueFd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  http::H2Listener listener_;
  int ends_ = 0;
  size_t records_ = 0;
  size_t bytes_ = 0;
};

class Http2RecordsTest : public EdgeTest {};

std::string Gets(int32_t first, int count, const std::string& path) {
  std::string out;
  for (int32_t i = 0; i < count; ++i) out += http::Headers(first + 2 * i, http::Get(path));
  return out;
}

TEST_F(Http2RecordsTest, AnswersOfATurnShareRecordsAndFillThem) {
  Start();
  RecordCounter client(edge_->tls_port());
  client.Send(std::string(http::kH2Preface) + http::Settings() +
              http::Headers(1, http::Get("/.well-known/gpc.json")));
  client.ReadEnds(1);
  client.Forget();
  client.Send(Gets(3, 90, "/.well-known/gpc.json"));
  client.ReadEnds(91);
  EXPECT_GT(client.bytes(), 90u * 50);
  // One for each 16 KiB, and one begun.
  EXPECT_LE(client.records(), client.bytes() / 16'384 + 1);
}

TEST_F(Http2RecordsTest, SmallAnswersOfAnUpstreamDoToo) {
  // All of them are there before the edge can look at the first.
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    ++counted_;
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, std::string(1000, 'x')));
    ++counted_;
  });
  Start();
  RecordCounter client(edge_->tls_port());
  client.Send(std::string(http::kH2Preface) + http::Settings() + Gets(1, 64, "/"));
  ASSERT_TRUE(WaitUntil([this] { return counted_ == 64; }));
  edge_->process().Signal(SIGSTOP);
  go_ = true;
  EXPECT_TRUE(WaitUntil([this] { return counted_ == 128; }));
  edge_->process().Signal(SIGCONT);
  client.Forget();
  client.ReadEnds(64);
  EXPECT_GT(client.bytes(), 64'000u);
  // The first 64 KiB of a burst come in records of 4 KiB, which a client can read sooner.
  EXPECT_LE(client.records(), client.bytes() / 4000 + 4) << "of " << client.bytes() << " bytes";
}

}  // namespace
}  // namespace gatebook::e2e
