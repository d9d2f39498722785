#include "tests/support/redis_tls.h"

namespace gatebook::support {

RedisTls::RedisTls() {
  const CertificateText server =
      authority_.Issue({.dns_names = {"redis.internal"}, .ip_addresses = {"127.0.0.1"}});
  const CertificateText client = authority_.Issue({.common_name = "gatebook edge", .for_client = true});
  ca_ = directory_.Write("ca.pem", authority_.certificate());
  server_chain_ = directory_.Write("server.pem", server.chain);
  server_key_ = directory_.Write("server.key", server.key);
  client_chain_ = directory_.Write("client.pem", client.chain);
  client_key_ = directory_.Write("client.key", client.key);
}

std::vector<std::string> RedisTls::arguments() const {
  return {"--tls-port",
          std::to_string(port_),
          "--tls-cert-file",
          server_chain_,
          "--tls-key-file",
          server_key_,
          "--tls-ca-cert-file",
          ca_,
          "--tls-auth-clients",
          "yes",
          "--bind",
          "127.0.0.1"};
}

std::string RedisTls::url(const std::string& user) const {
  return "rediss://" + (user.empty() ? "" : user + "@") + "127.0.0.1:" + std::to_string(port_);
}

config::Redis RedisTls::Config() const {
  config::Redis config;
  config.tls = true;
  config.server.ip = *base::IpAddress::Parse("127.0.0.1");
  config.server.port = port_;
  config.tls_ca = ca_;
  config.tls_certificate = client_chain_;
  config.tls_key = client_key_;
  return config;
}

std::string RedisTls::ConfigText() const {
  return "tls_ca = \"" + ca_ + "\"\ntls_certificate = \"" + client_chain_ + "\"\ntls_key = \"" + client_key_ +
         "\"";
}

}  // namespace gatebook::support
