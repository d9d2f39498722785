// What the server's side of TLS costs: handshakes, and writes of several sizes.
//
// A real client talks over a socket pair in the same thread; only the time in which
// the server works (CPU time of the thread) is counted.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <time.h>

#include <cstdio>
#include <fstream>

#include "base/check.h"
#include "tls/tls_context.h"
#include "tls/tls_stream.h"

namespace {

using namespace gatebook;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A self-signed P-256 certificate in two files of the working directory's temporary place.
config::Certificate MakeCertificate() {
  const std::string base = std::string(P_tmpdir) + "/gatebook_tls_bench." + std::to_string(getpid());
  config::Certificate files{base + ".crt", base + ".key"};
  const tls::KeyPtr key(EVP_EC_gen("P-256"));
  const tls::X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const tls::BioPtr chain(BIO_new_file(files.chain.c_str(), "w"));
  const tls::BioPtr secret(BIO_new_file(files.key.c_str(), "w"));
  PEM_write_bio_X509(chain.get(), certificate.get());
  PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return files;
}

std::shared_ptr<tls::TlsContext> MakeContext() {
  const config::Certificate files = MakeCertificate();
  std::vector<std::string> warnings;
  auto store = tls::CertificateStore::Load({files}, base::Clock::System().WallNow(), warnings);
  std::remove(files.chain.c_str());
  std::remove(files.key.c_str());
  auto tickets = tls::TicketKeys::Make(std::chrono::hours(8), base::Clock::System());
  CHECK(store.ok() && tickets.ok());
  return *tls::TlsContext::Make(config::Tls(), *store, *tickets);
}

class Pair final : public net::StreamHandler {
 public:
  Pair(net::Loop& loop, const std::shared_ptr<tls::TlsContext>& context, SSL_CTX* client,
       SSL_SESSION* session)
      : loop_(loop) {
    CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_) == 0);
    client_.reset(SSL_new(client));
    SSL_set_fd(client_.get(), fds_[0]);
    SSL_set_connect_state(client_.get());
    SSL_set_tlsext_host_name(client_.get(), "www.example.com");
    if (session != nullptr) SSL_set_session(client_.get(), session);
    Served([&] { server_ = tls::TlsStream::Accepted(loop, base::UniqueFd(fds_[1]), context, *this); });
    while (!ready_) {
      SSL_do_handshake(client_.get());
      Served([&] { loop_.RunOnce(false); });
    }
  }
  ~Pair() {
    if (client_) SSL_set_shutdown(client_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ::close(fds_[0]);
  }

  template <typename Work>
  void Served(Work work) {
    const double begin = CpuSeconds();
    work();
    seconds_ += CpuSeconds() - begin;
  }
  size_t Drain() {
    size_t total = 0;
    static char sink[65536];
    for (size_t got = 0; SSL_read_ex(client_.get(), sink, sizeof sink, &got) == 1;) total += got;
    return total;
  }
  void ForgetClient() { client_.reset(); }
  double TakeSeconds() { return std::exchange(seconds_, 0); }
  SSL* client() { return client_.get(); }
  std::unique_ptr<tls::TlsStream>& server() { return server_; }
  net::Loop& loop() { return loop_; }

 private:
  void OnStreamReady() override { ready_ = true; }
  void OnStreamFailed() override { CHECK(false); }

  net::Loop& loop_;
  int fds_[2] = {-1, -1};
  tls::SslPtr client_;
  std::unique_ptr<tls::TlsStream> server_;
  double seconds_ = 0;
  bool ready_ = false;
};

tls::SslCtxPtr MakeClient(int version) {
  tls::SslCtxPtr client(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(client.get(), version);
  SSL_CTX_set_max_proto_version(client.get(), version);
  return client;
}

void Handshake(benchmark::State& state, int version) {
  net::Loop loop;
  const auto context = MakeContext();
  const tls::SslCtxPtr client = MakeClient(version);
  for (auto _ : state) {
    Pair pair(loop, context, client.get(), nullptr);
    pair.Served([&] { pair.server().reset(); });
    state.SetIterationTime(pair.TakeSeconds());
  }
}
BENCHMARK_CAPTURE(Handshake, tls13, TLS1_3_VERSION)->Name("tls/handshake_full_1.3")->UseManualTime();
BENCHMARK_CAPTURE(Handshake, tls12, TLS1_2_VERSION)->Name("tls/handshake_full_1.2")->UseManualTime();

void Resumption(benchmark::State& state) {
  net::Loop loop;
  const auto context = MakeContext();
  const tls::SslCtxPtr client = MakeClient(TLS1_3_VERSION);
  SSL_SESSION* session = nullptr;
  {
    Pair first(loop, context, client.get(), nullptr);
    first.server()->Write("x");
    first.Drain();
    session = SSL_get1_session(first.client());
  }
  for (auto _ : state) {
    Pair pair(loop, context, client.get(), session);
    CHECK(pair.server()->resumed());
    pair.Served([&] { pair.server().reset(); });
    state.SetIterationTime(pair.TakeSeconds());
  }
  SSL_SESSION_free(session);
}
BENCHMARK(Resumption)->Name("tls/handshake_resumed_1.3")->UseManualTime();

void Write(benchmark::State& state) {
  net::Loop loop;
  Pair pair(loop, MakeContext(), MakeClient(TLS1_3_VERSION).get(), nullptr);
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  pair.TakeSeconds();
  for (auto _ : state) {
    std::string_view rest = text;
    while (!rest.empty()) {
      net::IoResult result{};
      pair.Served([&] { result = pair.server()->Write(rest); });
      rest.remove_prefix(result.bytes);
      pair.Drain();
      if (result.status != net::IoStatus::kOk) pair.Served([&] { loop.RunOnce(false); });
    }
    state.SetIterationTime(pair.TakeSeconds());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(Write)->Name("tls/write")->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20)->UseManualTime();

void Read(benchmark::State& state) {
  net::Loop loop;
  Pair pair(loop, MakeContext(), MakeClient(TLS1_3_VERSION).get(), nullptr);
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  std::vector<char> into(65536);
  pair.TakeSeconds();
  for (auto _ : state) {
    SSL_write(pair.client(), text.data(), static_cast<int>(text.size()));
    pair.Served([&] {
      loop.RunOnce(false);
      while (pair.server()->Read(into).status == net::IoStatus::kOk) continue;
    });
    state.SetIterationTime(pair.TakeSeconds());
  }
}
BENCHMARK(Read)->Name("tls/read")->Arg(1 << 10)->Arg(16 << 10)->UseManualTime();

// Heap that an idle connection holds after one exchange; without the kernel's part.
void Idle(benchmark::State& state) {
  constexpr size_t kConnections = 500;
  net::Loop loop;
  const auto context = MakeContext();
  const tls::SslCtxPtr client = MakeClient(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    std::vector<std::unique_ptr<Pair>> pairs;
    pairs.push_back(std::make_unique<Pair>(loop, context, client.get(), nullptr));
    pairs.reserve(kConnections + 1);
    const size_t before = mallinfo2().uordblks;
    while (pairs.size() <= kConnections) {
      pairs.push_back(std::make_unique<Pair>(loop, context, client.get(), nullptr));
      Pair& pair = *pairs.back();
      SSL_write(pair.client(), "request", 7);
      loop.RunOnce(false);
      char into[64];
      while (pair.server()->Read(into).status == net::IoStatus::kOk) continue;
      pair.server()->Write("answer");
      pair.Drain();
      pair.ForgetClient();
    }
    const size_t held = (mallinfo2().uordblks - before) / kConnections - sizeof(Pair);
    state.counters["bytes_per_connection"] = static_cast<double>(held);
    state.SetIterationTime(1e-3);
  }
}
BENCHMARK(Idle)->Name("tls/idle")->Arg(TLS1_2_VERSION)->Arg(TLS1_3_VERSION)->Iterations(1)->UseManualTime();

}  // namespace
