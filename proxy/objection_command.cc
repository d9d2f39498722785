#include "proxy/objection_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/check.h"
#include "base/hex.h"
#include "base/rfc3339.h"
#include "logger/objections.h"
#include "logger/text.h"
#include "proxy/admin_client.h"
#include "proxy/session_key.h"
#include "review/render.h"

namespace gatebook::proxy {
namespace {

using base::Error;
using base::ExitCode;
using logger::Objection;

// A session can't live longer (config/option_table.cc), so neither need its objection.
constexpr std::chrono::hours kSessionObjection{30 * 24};

struct Options {
  std::string session;
  std::string ip;
  std::string id;
  std::string note;
  bool json = false;
};

int Code(ExitCode code) { return static_cast<int>(code); }

int Fail(const Error& error) {
  fmt::print(stderr, "gatebook: {}\n", error.message);
  return Code(error.exit_code);
}

std::string NewId() {
  std::array<uint8_t, 6> bytes;
  CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  return "o-" + base::ToHex(bytes);
}

// Whom the options mean, without id and times.
base::Result<Objection> SubjectOf(const Options& options, const logger::ObjectionKey& key) {
  Objection one;
  if (!options.session.empty()) {
    const auto session = logger::ParseSessionId(options.session);
    if (!session) {
      return Error{fmt::format("--session: not a session id: {}; it has 22 letters, digits, - and _, as in "
                               "8gJ0Yp3nS1mYw0m3bWqk2A",
                               review::Harmless(options.session)),
                   ExitCode::kUsage};
    }
    one.digest = key.Of(*session);
    return one;
  }
  const auto network = base::Cidr::Parse(options.ip);
  if (!network || network->HasStrayBits()) {
    return Error{fmt::format("--ip: not an address or network: {}; write 192.0.2.1, 192.0.2.0/24 or "
                             "2001:db8::/48",
                             review::Harmless(options.ip)),
                 ExitCode::kUsage};
  }
  one.kind = Objection::Kind::kNetwork;
  one.bits = network->bits();
  one.digest = key.Of(network->address(), network->bits());
  return one;
}

// The edge's word that its workers have the register as it is now.
void Tell(const config::Config& config) {
  const auto answer = TellAdmin(config.admin, "/objections");
  if (answer.ok() && answer->status == 200) return;
  fmt::print(stderr, "gatebook: the edge was not told: {}; it reads the register when it starts or reloads\n",
             answer.ok() ? answer->body : answer.error().message);
}

int Add(const config::Config& config, const Options& options, const logger::ObjectionKey& key) {
  const base::WallTime now = base::Clock::System().WallNow();
  auto one = SubjectOf(options, key);
  if (!one.ok()) return Fail(one.error());
  if (options.note.size() > logger::ObjectionRegister::kMostNote) {
    return Fail(
        {fmt::format("--note: at most {} octets", logger::ObjectionRegister::kMostNote), ExitCode::kUsage});
  }
  std::array<char, logger::ObjectionRegister::kMostNote> room;
  one->note = logger::CleanText(options.note, room.size(), room);
  one->id = NewId();
  one->added = now;
  if (one->kind == Objection::Kind::kSession) one->until = now + kSessionObjection;
  const auto id = logger::ObjectionRegister(config.journal.directory).Add(*one, now);
  if (!id.ok()) return Fail(id.error());
  fmt::print("{}\n", *id);
  Tell(config);
  return Code(ExitCode::kOk);
}

int Remove(const config::Config& config, const Options& options, const logger::ObjectionKey& key) {
  const logger::ObjectionRegister objections(config.journal.directory);
  const base::WallTime now = base::Clock::System().WallNow();
  base::Status removed;
  if (!options.id.empty()) {
    removed = objections.Remove(options.id, nullptr, now);
  } else {
    const auto one = SubjectOf(options, key);
    if (!one.ok()) return Fail(one.error());
    removed = objections.Remove({}, &one->digest, now);
  }
  if (!removed.ok()) return Fail(removed.error());
  Tell(config);
  return Code(ExitCode::kOk);
}

std::string WhatOf(const Objection& one) {
  if (one.kind == Objection::Kind::kSession) return "session";
  if (one.bits == 128) return "address";
  // A digest does not tell an IPv4 network from an IPv6 network of the mapped range, which nobody writes.
  return one.bits >= 96 ? fmt::format("network /{}", one.bits - 96)
                        : fmt::format("network /{} (IPv6)", one.bits);
}

int List(const config::Config& config, bool json) {
  const auto all = logger::ObjectionRegister(config.journal.directory).Load(base::Clock::System().WallNow());
  if (!all.ok()) return Fail(all.error());
  const bool person = !json && isatty(STDOUT_FILENO) == 1;
  if (person) fmt::print("{:<16} {:<24} {:<18} {}\n", "ID", "ADDED", "OF", "NOTE");
  for (const Objection& one : *all) {
    if (json) {
      nlohmann::ordered_json line = {
          {"id", one.id}, {"added", base::ToRfc3339(one.added)}, {"of", WhatOf(one)}};
      if (one.until != base::WallTime{}) line["until"] = base::ToRfc3339(one.until);
      if (!one.note.empty()) line["note"] = one.note;
      fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      fmt::print("{:<16} {:<24} {:<18} {}\n", one.id, base::ToRfc3339(one.added), WhatOf(one),
                 review::Harmless(one.note));
    }
  }
  return Code(ExitCode::kOk);
}

}  // namespace

void AddObjectionCommand(CLI::App& app, std::string& path,
                         std::function<std::shared_ptr<const config::Config>()> load, int* code) {
  CLI::App* objection =
      app.add_subcommand("objection", "Who has objected to statistics, as told to the operator");
  objection->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto make = [&](const char* name, const char* what, const char* example) {
    CLI::App* command = objection->add_subcommand(name, what);
    command->footer(std::string("Example:\n  ") + example);
    command->add_option("-c,--config", path, "The configuration file")
        ->capture_default_str()
        ->type_name("FILE");
    return command;
  };
  const auto subject = [&](CLI::App* command) {
    auto* whom = command->add_option_group("whom", "Whom; one of these");
    whom->add_option("--session", options->session, "A session's id")->type_name("ID");
    whom->add_option("--ip", options->ip, "An address or network")->type_name("ADDRESS");
    whom->require_option(1);
    return whom;
  };
  const auto run = [options, load, code](auto action) {
    return [options, load, code, action] {
      const auto config = load();
      if (!config) {
        *code = Code(ExitCode::kConfig);
        return;
      }
      const auto key = SessionKey::LoadMade(config->session.key_file);
      *code = key.ok() ? action(*config, *options, logger::ObjectionKey(key->bytes())) : Fail(key.error());
    };
  };
  CLI::App* add = make("add", "Leave someone's visits out of statistics, and print the entry's id",
                       "gatebook objection add --ip 192.0.2.7 --note 'letter of 3 March'");
  subject(add);
  add->add_option("--note", options->note, "Why, for the list; no names")->type_name("TEXT");
  add->callback(run(Add));
  CLI::App* remove =
      make("remove", "Take an objection back", "gatebook objection remove --id o-5f0c9a1b22d4");
  subject(remove)
      ->add_option("--id", options->id, "The entry's id, as add and list show it")
      ->type_name("ID");
  remove->callback(run(Remove));
  CLI::App* list = make("list", "Show the register", "gatebook objection list --json");
  list->add_flag("--json", options->json, "One JSON object a line");
  list->callback([options, load, code] {
    const auto config = load();
    *code = config ? List(*config, options->json) : Code(ExitCode::kConfig);
  });
}

}  // namespace gatebook::proxy
