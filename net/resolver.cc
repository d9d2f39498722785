// c-ares on the loop: who may do what while c-ares is on the stack.
//
// c-ares calls back from wherever it is: inside ares_query() when it can't send,
// inside ares_process_fd() when an answer or a timeout comes, inside
// ares_destroy(). In none of these may the channel be destroyed, and a user's callback might well want
// to destroy something. So c-ares' callbacks only note the outcome in the job; user
// callbacks run from Deliver(), when c-ares is off the stack. That also makes a start that
// fails at once answer later, like any other.
//
// A job has two owners to satisfy: the user, through the Query handle, and c-ares, which holds a raw pointer
// to it until it calls back. It is freed when both are done with it.
#include "net/resolver.h"

#include <ares.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <utility>

#include "base/check.h"

namespace gatebook::net {
namespace {

constexpr std::chrono::milliseconds kTick{50};  // how often c-ares looks at its own timeouts
constexpr int kClassIn = 1;

class CaresResolver;
struct Job;

class CaresQuery : public Resolver::Query {
 public:
  explicit CaresQuery(Job& job);
  ~CaresQuery() override;
  void Detach() { job_ = nullptr; }

 private:
  Job* job_;
};

struct Job {
  CaresResolver* resolver = nullptr;
  std::list<Job>::iterator place;
  CaresQuery* query = nullptr;  // null: nobody wants to know any more
  Resolver::Callback callback;
  std::string question;
  DnsType type = DnsType::kPtr;
  Timer timer;
  DnsAnswer answer;
  bool answered = false;   // `answer` is final
  bool ares_done = false;  // c-ares holds no pointer any more
  int mentions = 0;        // in settled_: by our timer, by c-ares
};

// One of c-ares' sockets.
struct Watch {
  CaresResolver* resolver;
  event* readable_or_writable;
  ~Watch() { event_free(readable_or_writable); }
};

class CaresResolver : public Resolver {
 public:
  explicit CaresResolver(Loop& loop, std::chrono::milliseconds timeout)
      : loop_(loop), timeout_(timeout), tick_([this] { OnTick(); }) {}
  ~CaresResolver() override;

  base::Status Open(const ResolverOptions& options);

  std::unique_ptr<Query> ResolvePtr(const base::IpAddress& ip, Callback callback) override {
    return Ask(ip.ToReverseName(), DnsType::kPtr, std::move(callback));
  }
  std::unique_ptr<Query> ResolveForward(const std::string& name, bool v4, Callback callback) override {
    return Ask(name, v4 ? DnsType::kA : DnsType::kAaaa, std::move(callback));
  }
  std::unique_ptr<Query> ResolveAddresses(const std::string& hostname, Callback callback) override;
  uint64_t queries() const override { return queries_; }

  void OnCancelled(Job& job);

 private:
  std::unique_ptr<Query> Ask(const std::string& name, DnsType type, Callback callback);
  Job& NewJob(std::unique_ptr<Query>& query, Callback callback);
  bool IsFull() const { return jobs_.size() > kMostQueries; }
  void Settle(Job& job, DnsAnswer answer);
  void Mention(Job& job);
  void Deliver();
  void Process(ares_socket_t readable, ares_socket_t writable);
  void OnTick();
  void OnTimeout(Job& job);

  static void OnAnswer(void* job, int status, int timeouts, unsigned char* bytes, int size);
  static void OnAddresses(void* job, int status, int timeouts, ares_addrinfo* result);
  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable);
  static void OnSocket(evutil_socket_t fd, short what, void* watch);
  static void OnDue(evutil_socket_t fd, short what, void* self);

  Loop& loop_;
  const std::chrono::milliseconds timeout_;
  ares_channel channel_ = nullptr;
  event* due_ = nullptr;  // outcomes wait for delivery
  Timer tick_;
  std::map<ares_socket_t, std::unique_ptr<Watch>> watches_;
  std::list<Job> jobs_;
  std::deque<Job*> settled_;
  bool in_ares_ = false;
  bool delivering_ = false;
  uint64_t queries_ = 0;
};

CaresQuery::CaresQuery(Job& job) : job_(&job) { job.query = this; }
CaresQuery::~CaresQuery() {
  if (job_ != nullptr) job_->resolver->OnCancelled(*job_);
}

DnsStatus StatusOf(int ares_status) {
  switch (ares_status) {
    case ARES_SUCCESS:
      return DnsStatus::kOk;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
      return DnsStatus::kNone;
    case ARES_ETIMEOUT:
      return DnsStatus::kTimeout;
    case ARES_EBADRESP:
    case ARES_EBADNAME:
      return DnsStatus::kInvalid;
    default:
      return DnsStatus::kFailed;
  }
}

// c-ares reads its configuration files itself; its library-wide state is set up once and kept.
bool IsLibraryReady() {
  static const bool ready = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  return ready;
}

base::Status CaresResolver::Open(const ResolverOptions& options) {
  if (!IsLibraryReady()) return base::Error{"c-ares cannot be set up"};
  ares_options ares{};
  // Two tries a server, the second twice as long (ares__send_query): with one server they fill the timeout.
  ares.timeout = std::max(static_cast<int>(timeout_.count() / 3), 1);
  ares.tries = 2;
  char lookups[] = "fb";  // /etc/hosts, then DNS; for ResolveAddresses
  ares.lookups = lookups;
  ares.sock_state_cb = &CaresResolver::OnSocketState;
  ares.sock_state_cb_data = this;
  int status = ares_init_options(
      &channel_, &ares, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS)
    return base::Error{std::string("c-ares cannot be set up: ") + ares_strerror(status)};
  if (!options.servers.empty()) {
    std::string list;
    for (const DnsServerAddress& server : options.servers) {
      if (!list.empty()) list += ',';
      const std::string ip = server.ip.ToText();
      list += (server.ip.IsV4() ? ip : "[" + ip + "]") + ":" + std::to_string(server.port);
    }
    status = ares_set_servers_ports_csv(channel_, list.c_str());
    if (status != ARES_SUCCESS)
      return base::Error{std::string("DNS servers refused: ") + ares_strerror(status)};
  }
  due_ = event_new(loop_.base(), -1, 0, &CaresResolver::OnDue, this);
  CHECK(due_ != nullptr);
  return {};
}

CaresResolver::~CaresResolver() {
  CHECK(!in_ares_ && !delivering_);
  for (Job& job : jobs_) {
    if (job.query != nullptr) job.query->Detach();
    job.query = nullptr;
    job.answered = true;
  }
  in_ares_ = true;  // its callbacks come now
  if (channel_ != nullptr) ares_destroy(channel_);
  in_ares_ = false;
  if (due_ != nullptr) event_free(due_);
}

Job& CaresResolver::NewJob(std::unique_ptr<Query>& query, Callback callback) {
  jobs_.emplace_front();
  Job& job = jobs_.front();
  job.place = jobs_.begin();
  job.resolver = this;
  job.callback = std::move(callback);
  query = std::make_unique<CaresQuery>(job);
  job.timer.SetCallback([this, &job] { OnTimeout(job); });
  job.timer.Arm(loop_.timers(), loop_.now() + timeout_);
  if (!tick_.IsArmed()) tick_.Arm(loop_.timers(), loop_.now() + kTick);
  ++queries_;
  return job;
}

std::unique_ptr<Resolver::Query> CaresResolver::Ask(const std::string& name, DnsType type,
                                                    Callback callback) {
  CHECK(!in_ares_);
  std::unique_ptr<Query> query;
  Job& job = NewJob(query, std::move(callback));
  job.question = name;
  job.type = type;
  if (IsFull()) {
    job.ares_done = true;
    Settle(job, {});
    return query;
  }
  in_ares_ = true;
  ares_query(channel_, name.c_str(), kClassIn, static_cast<int>(type), &CaresResolver::OnAnswer, &job);
  in_ares_ = false;
  return query;
}

std::unique_ptr<Resolver::Query> CaresResolver::ResolveAddresses(const std::string& hostname,
                                                                 Callback callback) {
  CHECK(!in_ares_);
  std::unique_ptr<Query> query;
  Job& job = NewJob(query, std::move(callback));
  job.question = hostname;
  if (IsFull()) {
    job.ares_done = true;
    Settle(job, {});
    return query;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  in_ares_ = true;
  ares_getaddrinfo(channel_, hostname.c_str(), nullptr, &hints, &CaresResolver::OnAddresses, &job);
  in_ares_ = false;
  return query;
}

void CaresResolver::OnAnswer(void* arg, int status, int, unsigned char* bytes, int size) {
  Job& job = *static_cast<Job*>(arg);
  job.ares_done = true;
  DnsAnswer answer;
  answer.status = StatusOf(status);
  // NXDOMAIN and empty answers come with their bytes too, which say how long that holds.
  const bool readable = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
  if (readable && bytes != nullptr && size > 0) {
    answer = ParseDnsAnswer({bytes, static_cast<size_t>(size)}, job.question, job.type);
  } else if (status == ARES_SUCCESS) {
    answer.status = DnsStatus::kInvalid;
  }
  job.resolver->Settle(job, std::move(answer));
}

void CaresResolver::OnAddresses(void* arg, int status, int, ares_addrinfo* result) {
  Job& job = *static_cast<Job*>(arg);
  job.ares_done = true;
  DnsAnswer answer;
  answer.status = StatusOf(status);
  for (const ares_addrinfo_node* node = result != nullptr ? result->nodes : nullptr; node != nullptr;
       node = node->ai_next) {
    const auto ip = base::IpAddress::FromSockaddr(*node->ai_addr);
    if (!ip) continue;
    answer.addresses.push_back(*ip);
    const std::chrono::seconds ttl(std::max(node->ai_ttl, 0));
    answer.ttl = answer.ttl < std::chrono::seconds(0) ? ttl : std::min(answer.ttl, ttl);
  }
  if (result != nullptr) ares_freeaddrinfo(result);
  if (answer.status == DnsStatus::kOk && answer.addresses.empty()) answer.status = DnsStatus::kNone;
  job.resolver->Settle(job, std::move(answer));
}

// The outcome stands, unless one stood already; whoever wants to know is told from Deliver().
void CaresResolver::Settle(Job& job, DnsAnswer answer) {
  if (!job.answered) {
    job.answered = true;
    job.answer = std::move(answer);
  }
  Mention(job);
  event_active(due_, 0, 0);
}

void CaresResolver::OnTimeout(Job& job) {
  job.answered = true;
  job.answer.status = DnsStatus::kTimeout;
  Mention(job);
  Deliver();
}

void CaresResolver::OnCancelled(Job& job) {
  job.query = nullptr;
  job.callback = nullptr;
  job.timer.Cancel();
}

void CaresResolver::Mention(Job& job) {
  ++job.mentions;
  settled_.push_back(&job);
}

void CaresResolver::Deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (!settled_.empty()) {
    Job& job = *settled_.front();
    settled_.pop_front();
    --job.mentions;
    job.timer.Cancel();
    Callback callback;
    if (job.query != nullptr) {
      job.query->Detach();
      job.query = nullptr;
      callback = std::move(job.callback);
    }
    const DnsAnswer answer = std::move(job.answer);
    if (job.ares_done && job.mentions == 0) jobs_.erase(job.place);
    if (callback) callback(answer);
  }
  delivering_ = false;
}

void CaresResolver::Process(ares_socket_t readable, ares_socket_t writable) {
  in_ares_ = true;
  ares_process_fd(channel_, readable, writable);
  in_ares_ = false;
  Deliver();
}

void CaresResolver::OnTick() {
  Process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  if (!jobs_.empty()) tick_.Arm(loop_.timers(), loop_.now() + kTick);
}

void CaresResolver::OnSocketState(void* arg, ares_socket_t fd, int readable, int writable) {
  auto* self = static_cast<CaresResolver*>(arg);
  auto& watch = self->watches_[fd];
  watch.reset();
  if (!readable && !writable) {
    self->watches_.erase(fd);
    return;
  }
  watch = std::make_unique<Watch>();
  watch->resolver = self;
  const int what = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST;
  watch->readable_or_writable =
      event_new(self->loop_.base(), fd, static_cast<short>(what), &CaresResolver::OnSocket, watch.get());
  CHECK(watch->readable_or_writable != nullptr);
  // Refused by the kernel: the query runs into its timeout.
  event_add(watch->readable_or_writable, nullptr);
}

void CaresResolver::OnSocket(evutil_socket_t fd, short what, void* arg) {
  CaresResolver* self = static_cast<Watch*>(arg)->resolver;  // the watch may go while c-ares works
  self->loop_.EnterTurn();
  self->Process((what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD, (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
}

void CaresResolver::OnDue(evutil_socket_t, short, void* arg) {
  auto* self = static_cast<CaresResolver*>(arg);
  self->loop_.EnterTurn();
  self->Deliver();
}

}  // namespace

base::Result<std::unique_ptr<Resolver>> Resolver::Make(Loop& loop, const ResolverOptions& options) {
  auto resolver = std::make_unique<CaresResolver>(loop, options.timeout);
  if (const base::Status opened = resolver->Open(options); !opened.ok()) return opened.error();
  return std::unique_ptr<Resolver>(std::move(resolver));
}

}  // namespace gatebook::net
