#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <set>

#include "base/check.h"
#include "base/unique_fd.h"

extern char** environ;

namespace gatebook::support {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Reaps `pid` if it has ended: its exit code in the shell's manner.
std::optional<int> Reap(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, WNOHANG) != pid) return std::nullopt;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(std::vector<std::string> arguments, std::vector<std::string> environment) {
  for (const std::string& argument : arguments) command_ += (command_.empty() ? "" : " ") + argument;
  for (char** variable = environ; *variable; ++variable) environment.emplace_back(*variable);
  std::vector<char*> argv = Pointers(arguments);
  std::vector<char*> envp = Pointers(environment);
  base::UniqueFd in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  base::UniqueFd out(open(directory_.Path("out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  base::UniqueFd err(open(directory_.Path("err").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  CHECK(in.IsValid() && out.IsValid() && err.IsValid());
  const pid_t parent = getpid();
  pid_ = fork();
  CHECK(pid_ >= 0);
  if (pid_ == 0) {
    // Only async-signal-safe calls from here on.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(in.get(), 0);
    dup2(out.get(), 1);
    dup2(err.get(), 2);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
}

Process::~Process() {
  if (!IsRunning()) return;
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
}

bool Process::IsRunning() {
  if (!exit_code_) exit_code_ = Reap(pid_);
  return !exit_code_;
}

void Process::Signal(int signal) {
  if (IsRunning()) kill(pid_, signal);
}

std::optional<int> Process::WaitExit(std::chrono::milliseconds patience) {
  WaitUntil([this] { return !IsRunning(); }, patience);
  return exit_code_;
}

std::string Process::Output() const { return ReadFile(directory_.Path("out")); }
std::string Process::Errors() const { return ReadFile(directory_.Path("err")); }

std::string Process::Describe() {
  std::string text = "$ " + command_ + "\n";
  text += IsRunning() ? "(still running)" : "(exit code " + std::to_string(*exit_code_) + ")";
  return text + "\n-- standard output\n" + Output() + "\n-- standard error\n" + Errors();
}

Finished Run(std::vector<std::string> arguments, std::vector<std::string> environment,
             std::chrono::milliseconds patience) {
  Process process(std::move(arguments), std::move(environment));
  const int exit_code = process.WaitExit(patience).value_or(-1);
  return {exit_code, process.Output(), process.Errors()};
}

uint16_t FreePort() {
  // The kernel may give a port again once it is closed; two listeners of one config want two.
  static std::mutex mutex;
  static std::set<uint16_t> given;
  const std::lock_guard lock(mutex);
  for (int attempt = 0; attempt < 100; ++attempt) {
    base::UniqueFd tcp(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    base::UniqueFd udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    CHECK(bind(tcp.get(), generic, size) == 0);
    CHECK(getsockname(tcp.get(), generic, &size) == 0);
    const uint16_t port = ntohs(address.sin_port);
    if (bind(udp.get(), generic, size) == 0 && given.insert(port).second) return port;
  }
  CHECK(false);
  return 0;
}

}  // namespace gatebook::support
