// HeaderRule: one thing that is done to the fields of a request or a response.
//
// Text: "set NAME: VALUE", "add NAME: VALUE" or "remove NAME". The value stands for itself;
// there are no variables. Refused are the fields that frame and route a message, that
// concern one connection only (RFC 9110 §7.6.1) or that Gatebook writes itself: a rule for
// one of those would be a way around what it checks. Credentials and cookies can be
// removed and not set, since no secret stands in a configuration and cookies bind sessions.
//
// Thread: any.
// Limits: a name 64 octets, a value 4,096.
#pragma once

#include <string>
#include <string_view>

namespace gatebook::config {

struct HeaderRule {
  enum class Action { kSet, kAdd, kRemove };
  Action action = Action::kSet;
  std::string name;   // a token
  std::string value;  // visible ASCII and inner spaces; empty for kRemove

  bool operator==(const HeaderRule&) const = default;
};

// A TextCheck each: the complaint, a clause, or nullptr.
const char* CheckRequestRule(std::string_view text);
const char* CheckResponseRule(std::string_view text);

// Requires: one of the checks had no complaint.
HeaderRule ParseHeaderRule(std::string_view text);
std::string FormatHeaderRule(const HeaderRule& rule);

}  // namespace gatebook::config
