#include "proxy/doctor_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_directory.h"
#include "tests/support/test_certificates.h"

namespace gatebook::proxy {
namespace {

using review::Check;
using review::Severity;

class DoctorCertificatesTest : public testing::Test {
 protected:
  // The worst that is said of one certificate with this life.
  review::Finding Judge(std::chrono::hours begins, std::chrono::hours ends, bool with_its_key = true) {
    const support::TestAuthority authority;
    support::CertificateRequest request;
    request.dns_names = {"www.example.com"};
    request.begins = begins;
    request.ends = ends;
    const auto text = authority.Issue(request);
    config::Config config;
    config.certificates = {
        {directory_.Write("chain.pem", text.chain),
         directory_.Write("key.pem", with_its_key ? text.key : authority.Issue(request).key)}};
    review::Checkup checkup;
    ExamineCertificates(config, base::Clock::System().WallNow(), checkup);
    review::Finding worst{Check::kCertificates, Severity::kOk, ""};
    for (const review::Finding& finding : checkup.findings()) {
      EXPECT_EQ(finding.check, Check::kCertificates);
      if (worst.says.empty() || finding.severity > worst.severity) worst = finding;
    }
    return worst;
  }
  support::TempDirectory directory_;
};

TEST_F(DoctorCertificatesTest, ACertificateIsWellUntilItsEndIsNear) {
  using std::chrono::hours;
  const auto well = Judge(hours(-1), hours(24 * 60));
  EXPECT_EQ(well.severity, Severity::kOk);
  EXPECT_THAT(well.says, testing::HasSubstr("www.example.com ends in 59 days"));
  EXPECT_EQ(Judge(hours(-1), hours(24 * 20)).severity, Severity::kWarning);
  EXPECT_EQ(Judge(hours(-1), hours(24 * 6)).severity, Severity::kError);
  const auto ended = Judge(hours(-48), hours(-24));
  EXPECT_EQ(ended.severity, Severity::kError);
  EXPECT_THAT(ended.says, testing::HasSubstr("has ended at"));
}

TEST_F(DoctorCertificatesTest, AKeyThatDoesNotFitIsAnError) {
  const auto finding = Judge(std::chrono::hours(-1), std::chrono::hours(24 * 60), /*with_its_key=*/false);
  EXPECT_EQ(finding.severity, Severity::kError);
  EXPECT_THAT(finding.says, testing::HasSubstr("key.pem"));
}

}  // namespace
}  // namespace gatebook::proxy
