#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

#include "support/skip.h"

namespace {

constexpr int kSkippedExit = 77;

unsigned cases_run = 0;
std::string current_case;
std::map<std::string, std::string> skipped_cases;  // with the reason

struct CaseCounter final : doctest::IReporter {
  explicit CaseCounter(const doctest::ContextOptions&) {}
  void test_case_start(const doctest::TestCaseData& test) override {
    ++cases_run;
    current_case = test.m_name;
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("case counter", 1, CaseCounter);

}  // namespace

void sb3lm::test::skip_case(const std::string& why) {
  skipped_cases.emplace(current_case, why);
}

void sb3lm::test::skip_without(const std::string& vm) {
  skip_case(vm + " cannot run here (tools/setup installs what it needs)");
}

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int status = context.run();
  for (const auto& [name, why] : skipped_cases) {
    fmt::print("skipped case: {}: {}\n", name, why);
  }
  if (context.shouldExit() || status != 0 || skipped_cases.empty()) return status;
  return skipped_cases.size() == cases_run ? kSkippedExit : status;
}
