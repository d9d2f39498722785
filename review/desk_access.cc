#include "review/desk_access.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace gatebook::review {
namespace {

// What a cookie of this name can't be: set by another host, or sent in clear (RFC 6265bis §4.1.3.2).
constexpr std::string_view kCookie = "__Host-gatebook-desk";
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kHere[] = {"localhost", "127.0.0.1", "[::1]", "admin"};

DeskIdentity IdentityOf(const DeskReader& reader) { return {reader.name, {}, reader.role, false}; }

}  // namespace

std::string NameOf(const DeskIdentity& identity) {
  if (!identity.name.empty()) return identity.name;
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const uid_t uid = identity.uid.value_or(0);
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return fmt::format("user {}", uid);
}

void DeskAccess::SetReaders(std::shared_ptr<const DeskReaders> readers, const config::Desk& limits) {
  for (size_t i = 0; readers_ && i < readers_->all().size(); ++i) {
    const DeskReader& before = readers_->all()[i];
    const DeskReader* const now = readers->OfName(before.name);
    // A password is changed because somebody else may know it, and be logged in.
    if (now == nullptr || now->password != before.password) logins_.EndAllOf(before.name);
  }
  readers_ = std::move(readers);
  logins_.SetLimits(limits);
}

std::optional<DeskAnswer> DeskAccess::Refuse(const DeskRequest& request) const {
  if (!request.peer.uid && !request.peer.has_tls) {
    return DeskError(404, "the desk is closed: over TCP it needs TLS (admin.chain, admin.key)");
  }
  if (request.peer.uid && std::find(std::begin(kHere), std::end(kHere), request.host) == std::end(kHere)) {
    return DeskError(421, "over the Unix socket the desk is asked for as localhost");
  }
  const bool is_page = !request.path.starts_with("/desk/api/");
  const bool is_own =
      request.fetch_site.empty() || request.fetch_site == "same-origin" || request.fetch_site == "none";
  if (!is_own && !is_page) return DeskError(403, "not for pages of other sites");
  if (!request.is_post) return std::nullopt;
  const std::string own = (request.peer.has_tls ? "https://" : "http://") + request.authority;
  if (!is_own || !request.is_marked || (!request.origin.empty() && request.origin != own)) {
    return DeskError(403, "not for pages of other sites");
  }
  return std::nullopt;
}

DeskAccess::Answer DeskAccess::Who(const DeskRequest& request) {
  if (request.peer.uid) {
    const uid_t uid = *request.peer.uid;
    if (const DeskReader* reader = readers_->OfUser(uid)) return {IdentityOf(*reader)};
    const bool is_owner = uid == 0 || uid == ::geteuid();
    const auto role = is_owner && !readers_->HasUsers() ? config::Role::kInvestigator : config::Role::kViewer;
    return {DeskIdentity{{}, uid, role, false}};
  }
  if (const DeskReader* reader = readers_->OfCertificate(request.peer.certificate_name))
    return {IdentityOf(*reader)};
  if (request.authorization.starts_with(kBearer)) {
    if (const DeskReader* reader =
            readers_->OfToken(std::string_view(request.authorization).substr(kBearer.size()))) {
      return {IdentityOf(*reader)};
    }
    return {std::nullopt, !logins_.MayTry()};
  }
  const auto name = logins_.Use(LoginOf(request));
  const DeskReader* reader = name ? readers_->OfName(*name) : nullptr;
  if (reader == nullptr || !reader->password) return {};
  DeskIdentity identity = IdentityOf(*reader);
  identity.is_login = true;
  return {std::move(identity)};
}

bool DeskAccess::IsStill(const DeskIdentity& identity, const DeskRequest& request) {
  if (!identity.name.empty() && readers_->OfName(identity.name) == nullptr) return false;
  const bool is_by_token = !request.peer.uid && request.authorization.starts_with(kBearer) &&
                           readers_->OfCertificate(request.peer.certificate_name) == nullptr;
  if (is_by_token) {
    const DeskReader* const reader =
        readers_->OfToken(std::string_view(request.authorization).substr(kBearer.size()));
    return reader != nullptr && reader->name == identity.name;
  }
  return !identity.is_login || logins_.Find(LoginOf(request)) == identity.name;
}

std::string DeskAccess::CookieFor(const std::string& login) {
  return fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite=Strict", kCookie, login);
}

std::string DeskAccess::NoCookie() {
  return fmt::format("{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict", kCookie);
}

std::string_view DeskAccess::LoginOf(const DeskRequest& request) { return CookieOf(request.cookie, kCookie); }

}  // namespace gatebook::review
