// The table of truth: every section and every option of gatebook.toml, one row each.
//
// The loader, `gatebook config show`, `gatebook config schema`,
// docs/configuration.md, gatebook.toml(5) and packaging/gatebook.toml are all made
// from these rows. Defaults are not written here: they are what the members of
// config/config.h start with (see Defaults()).
//
// Thread: const; any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/endpoint.h"
#include "config/field.h"
#include "config/header_rule.h"
#include "config/text_checks.h"

namespace gatebook::config {

enum class SectionId : uint32_t {
  kEdge,
  kLog,
  kListen,
  kCertificate,
  kTls,
  kUpstream,
  kRoute,
  kSession,
  kRedis,
  kJournal,
  kVisit,
  kObjection,
  kPolicy,
  kDeclaration,
  kRetention,
  kRights,
  kDns,
  kGeo,
  kStatistics,
  kAdmin,
  kDesk,
  kReader,
  kAudit,
  kQuery,
  kSink,
  kTimeouts,
  kLimits,
};

struct Section {
  SectionId id;
  const char* name;
  const char* help;                                 // sentences
  const char* more = "";                            // further TOML for the example file
  size_t (*count)(const Config& config) = nullptr;  // set for a [[section]] only
  void (*append)(Config& config) = nullptr;         // likewise: one more element

  bool IsRepeated() const { return append != nullptr; }
  std::string Heading() const;  // "[edge]", "[[listen]]"
};

enum class OptionType : uint32_t {
  kBool,
  kInteger,   // least..most
  kIntegers,  // a list of at most 64, each least..most
  kDuration,  // least..most milliseconds
  kSize,      // least..most bytes
  kWord,      // one of words
  kString,    // checked by check
  kStrings,   // each checked by check
  kPath,      // absolute; need not exist
  kFile,      // absolute; must exist and be readable
  kFiles,
  kEndpoint,  // of forms
  kEndpoints,
  kRedisUrl,
  kNetworks,      // base::IpNetworkSet
  kHeaderRules,   // each checked by check
  kUpstreamName,  // must be the name of an [[upstream]]
};

struct Option {
  SectionId section;
  const char* key;
  OptionType type;
  Field field;
  const char* help;          // one sentence without its full stop
  const char* example = "";  // as TOML, where the default does not show the form
  bool required = false;     // has no default
  uint64_t least = 0;        // of the number, or items of a list
  uint64_t most = 0;
  std::span<const std::string_view> words = {};  // in the order of the member's values
  uint32_t forms = 0;                            // EndpointForm
  TextCheck check = nullptr;
  bool lower_case = false;  // letters are folded
};

std::span<const Section> Sections();
// All rows, in the order of their sections.
std::span<const Option> Options();
// The rows by where they are written: config/option_rows_edge.cc, _book.cc and _desk.cc.
std::span<const Option> EdgeOptions();
std::span<const Option> BookOptions();
std::span<const Option> DeskOptions();

// nullptr when there is none of that name.
const Section* FindSection(std::string_view name);
const Option* FindOption(SectionId section, std::string_view key);
const Section& SectionOf(const Option& option);

// What holds when the file says nothing: no listeners, certificates, upstreams or routes.
Config Defaults();

}  // namespace gatebook::config
