// From text to Config in four steps, each of which goes on after an error, so
// that a person mends a file in one round:
//
//   text ─ ParseDocument ─ tables and keys ─ StoreValue, key by key ─ Config
//        ─ references (route → upstream) ─ CheckConsistency ─ CheckFiles
//
// Only the first step can stop the rest: what is not TOML has no keys. A key
// whose value is wrong counts as written, so that it does not also count as missing.
#include "config/loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/consistency.h"
#include "config/document.h"
#include "config/file_checks.h"
#include "config/nearest.h"
#include "config/option_table.h"
#include "config/option_value.h"
#include "config/place_map.h"
#include "config/problem_list.h"

namespace gatebook::config {
namespace {

constexpr size_t kLargestFile = 1 << 20;  // bytes
constexpr size_t kMostElements = 1024;    // of one [[section]]
constexpr std::array kToLook = {SectionId::kEdge,      SectionId::kLog,        SectionId::kRedis,
                                SectionId::kSession,   SectionId::kJournal,    SectionId::kVisit,
                                SectionId::kRetention, SectionId::kStatistics, SectionId::kAdmin,
                                SectionId::kReader,    SectionId::kAudit,      SectionId::kQuery};

class ConfigReader {
 public:
  explicit ConfigReader(ProblemList& problems) : problems_(problems) {}

  void Read(const Document& document) {
    for (const Entry& stray : document.strays) ReadStray(stray);
    for (const Table& table : document.tables) {
      if (problems_.IsFull()) return;
      ReadTable(table);
    }
    ResolveRoutes();
  }

  Config& config() { return config_; }
  const PlaceMap& places() const { return places_; }

 private:
  void ReadStray(const Entry& stray) {
    const Section* section = FindSection(stray.key);
    if (section != nullptr && section->IsRepeated() && stray.value.IsEmptyList()) return;  // none of them
    if (section != nullptr) {
      return problems_.Add(stray.place, fmt::format("{} is a section, not a key", stray.key),
                           fmt::format("write it as {}", section->Heading()));
    }
    const std::string home = HomeOf(stray.key);
    problems_.Add(stray.place, fmt::format("key \"{}\" stands outside of every section", stray.key),
                  home.empty() ? "" : fmt::format("it belongs to {}", home));
  }

  void ReadTable(const Table& table) {
    const Section* section = FindSection(table.section);
    if (section == nullptr) return ReportUnknownSection(table);
    if (section->IsRepeated() != table.repeated) {
      const char* fault = table.repeated ? "can't be repeated" : "may be repeated";
      return problems_.Add(table.place, fmt::format("section {} {}", table.section, fault),
                           fmt::format("write it as {}", section->Heading()));
    }
    const size_t index = section->IsRepeated() ? section->count(config_) : 0;
    if (index >= kMostElements) return ReportTooMany(*section, table);
    if (section->IsRepeated()) section->append(config_);
    places_.SetSection(section->id, index, table.place);
    for (const Entry& entry : table.entries) ReadEntry(*section, index, entry);
    for (const Option& option : Options()) {
      if (option.section != section->id || !option.required) continue;
      if (places_.IsWritten(section->id, index, option.key)) continue;
      problems_.Add(table.place, fmt::format("{} lacks its key \"{}\"", section->Heading(), option.key),
                    fmt::format("for instance: {} = {}", option.key, option.example));
    }
  }

  void ReadEntry(const Section& section, size_t index, const Entry& entry) {
    const Option* option = FindOption(section.id, entry.key);
    if (option == nullptr) return ReportUnknownKey(section, entry);
    places_.SetOption(*option, index, entry.value.place);
    StoreValue(*option, entry.value, index, config_, problems_);
    const auto* text = std::get_if<std::string>(&entry.value.data);
    if (option->type == OptionType::kUpstreamName && text != nullptr)
      route_upstreams_.emplace_back(index, *text);
  }

  void ReportTooMany(const Section& section, const Table& table) {
    if (table.section == last_reported_section_) return;
    last_reported_section_ = table.section;
    problems_.Add(table.place, fmt::format("more than {} sections {}", kMostElements, section.Heading()));
  }

  void ReportUnknownSection(const Table& table) {
    if (table.section == last_reported_section_) return;
    last_reported_section_ = table.section;
    std::vector<std::string_view> names;
    for (const Section& section : Sections()) names.push_back(section.name);
    const auto nearest = Nearest(table.section, names);
    problems_.Add(table.place, fmt::format("unknown section \"{}\"", table.section),
                  nearest ? fmt::format("did you mean {}?", FindSection(*nearest)->Heading()) : "");
  }

  void ReportUnknownKey(const Section& section, const Entry& entry) {
    std::vector<std::string_view> keys;
    for (const Option& option : Options()) {
      if (option.section == section.id) keys.push_back(option.key);
    }
    std::string hint;
    if (const std::string home = HomeOf(entry.key); !home.empty()) {
      hint = fmt::format("it belongs to {}", home);
    } else if (const auto nearest = Nearest(entry.key, keys)) {
      hint = fmt::format("did you mean \"{}\"?", *nearest);
    } else if (section.id == SectionId::kRedis && entry.key == "password") {
      hint = "did you mean \"password_file\"?";
    }
    problems_.Add(entry.place, fmt::format("unknown key \"{}\" in {}", entry.key, section.Heading()), hint);
  }

  // The headings of the sections that have a key of that name: "[dns] or [redis]".
  static std::string HomeOf(std::string_view key) {
    std::string homes;
    for (const Option& option : Options()) {
      if (option.key != key) continue;
      if (!homes.empty()) homes += " or ";
      homes += SectionOf(option).Heading();
    }
    return homes;
  }

  void ResolveRoutes() {
    std::vector<std::string_view> names;
    for (const Upstream& upstream : config_.upstreams) {
      if (!upstream.name.empty()) names.push_back(upstream.name);
    }
    for (const auto& [index, name] : route_upstreams_) {
      size_t upstream = 0;
      while (upstream < config_.upstreams.size() && config_.upstreams[upstream].name != name) ++upstream;
      if (upstream < config_.upstreams.size() && !name.empty()) {
        config_.routes[index].upstream = upstream;
        continue;
      }
      const auto nearest = Nearest(name, names);
      problems_.Add(places_.Of(SectionId::kRoute, index, "upstream"),
                    "upstream: there is no [[upstream]] of that name",
                    nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "");
    }
  }

  ProblemList& problems_;
  Config config_ = Defaults();
  PlaceMap places_;
  std::string last_reported_section_;                            // one report for all its elements
  std::vector<std::pair<size_t, std::string>> route_upstreams_;  // resolved once all upstreams are known
};

base::Result<std::string> ReadWhole(const std::string& path) {
  const auto failure = [&](int error) {
    return base::Error{fmt::format("cannot read it: {}", std::generic_category().message(error)),
                       base::ExitCode::kConfig};
  };
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.IsValid()) return failure(errno);
  std::string text;
  text.resize(kLargestFile + 1);
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  text.resize(size);
  return text;
}

}  // namespace

LoadOutcome Load(const std::string& path, const MoreChecks& more) {
  const auto text = ReadWhole(path);
  if (text.ok()) return LoadText(*text, path, FileChecks::kOn, more);
  ProblemList problems(path, "");
  problems.Add({}, text.error().message);
  return {nullptr, problems.Take()};
}

LoadOutcome LoadToLook(const std::string& path) {
  const auto text = ReadWhole(path);
  ProblemList problems(path, text.ok() ? std::string_view(*text) : "");
  if (!text.ok()) {
    problems.Add({}, text.error().message);
    return {nullptr, problems.Take()};
  }
  Document document;
  if (!ParseDocument(*text, document, problems)) return {nullptr, problems.Take()};
  document.strays.clear();
  std::erase_if(document.tables, [](const Table& table) {
    const Section* section = FindSection(table.section);
    return section == nullptr || std::find(kToLook.begin(), kToLook.end(), section->id) == kToLook.end();
  });
  ConfigReader reader(problems);
  reader.Read(document);
  CheckStatistics(reader.config(), reader.places(), problems);
  if (!problems.IsEmpty()) return {nullptr, problems.Take()};
  auto config = std::make_shared<Config>(std::move(reader.config()));
  config->path = path;
  return {std::move(config), {}};
}

LoadOutcome LoadText(std::string_view text, const std::string& path, FileChecks file_checks,
                     const MoreChecks& more) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark is no column
  if (text.size() > kLargestFile) {
    ProblemList problems(path, "");
    problems.Add({}, "the file is larger than 1 MiB");
    return {nullptr, problems.Take()};
  }
  ProblemList problems(path, text);
  Document document;
  if (!ParseDocument(text, document, problems)) return {nullptr, problems.Take()};

  ConfigReader reader(problems);
  reader.Read(document);
  CheckConsistency(reader.config(), reader.places(), problems);
  if (file_checks == FileChecks::kOn) CheckFiles(reader.config(), reader.places(), problems);
  if (more && problems.IsEmpty()) more(reader.config(), reader.places(), problems);
  if (!problems.IsEmpty()) return {nullptr, problems.Take()};

  auto config = std::make_shared<Config>(std::move(reader.config()));
  config->path = path;
  if (!config->policy.version.empty()) config->visit.policy = config->policy.version;
  if (config->routes.empty()) config->routes.emplace_back();  // everything to the first upstream
  return {std::move(config), {}};
}

}  // namespace gatebook::config
