#include "proxy/route_headers.h"

namespace gatebook::proxy {

http::HeaderRules MakeHeaderRules(const std::vector<config::HeaderRule>& rules) {
  http::HeaderRules made;
  for (const config::HeaderRule& rule : rules) {
    switch (rule.action) {
      case config::HeaderRule::Action::kSet:
        made.Set(rule.name, rule.value);
        break;
      case config::HeaderRule::Action::kAdd:
        made.Add(rule.name, rule.value);
        break;
      case config::HeaderRule::Action::kRemove:
        made.Remove(rule.name);
        break;
    }
  }
  return made;
}

}  // namespace gatebook::proxy
