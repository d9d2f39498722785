#include "proxy/desk_command.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>

#include "base/result.h"
#include "review/password.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;

// Keeps what is typed off the screen, while it is open.
class Unseen {
 public:
  Unseen() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios without = before_;
    without.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_set_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &without) == 0;
  }
  ~Unseen() {
    if (is_set_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  termios before_{};
  bool is_set_ = false;
};

// Nothing at the end of the input.
std::optional<std::string> Ask(const char* prompt) {
  const bool is_person = ::isatty(STDIN_FILENO) == 1;
  if (is_person) fmt::print(stderr, "{}", prompt);
  std::string line;
  const Unseen unseen;
  if (!std::getline(std::cin, line)) return std::nullopt;
  if (is_person) fmt::print(stderr, "\n");
  return line;
}

int Complain(const std::string& why) {
  fmt::print(stderr, "gatebook: {}\n", why);
  return static_cast<int>(ExitCode::kUsage);
}

int MakePassword() {
  auto password = Ask("Password: ");
  if (!password) return Complain("no password was given");
  if (::isatty(STDIN_FILENO) == 1 && Ask("Again: ") != password) return Complain("the two differ");
  const auto made = review::Password::Make(*password);
  OPENSSL_cleanse(password->data(), password->size());
  if (!made.ok()) return Complain(made.error().message);
  fmt::print("{}\n", made->ToText());
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace

void AddDeskCommand(CLI::App& app, int* code) {
  CLI::App* desk = app.add_subcommand("desk", "For readers of the desk");
  desk->require_subcommand(1);
  CLI::App* password = desk->add_subcommand(
      "password",
      "Read a password and print the line for a reader's password_file, from which it can't be read");
  password->footer("Example:\n  gatebook desk password > /etc/gatebook/readers/alice");
  password->callback([code] { *code = MakePassword(); });
}

}  // namespace gatebook::proxy
