// Instructions of user space per handshake, per echo and per small read, both ends in one thread,
// as Callgrind counts them: figures that do not vary from run to run. The program runs itself under
// Valgrind for it (support/counted_pairs.hpp); what is counted there is dumped part by part.
//
//   memory   two engines, or two SSL objects with memory BIOs: TLS and nothing else
//   socket   two streams over a socket pair: with everything that a server runs, but the kernel
//
// OpenSSL chooses its code by the processor. OPENSSL_ia32cap keeps it from what some processors
// have and others do not, so that counts of two machines resemble each other; what is gated is the
// ratio to OpenSSL alone, counted in the same way.

#include "counted_pairs.hpp"
#include "require.hpp"
#include "scenarios.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace bench {

namespace {

namespace fs = std::filesystem;

// A directory of its own, for what Callgrind writes.
class scratch_directory {
 public:
  scratch_directory() {
    std::string name = (fs::temp_directory_path() / "cotls-bench-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
  }
  scratch_directory(scratch_directory const&) = delete;
  scratch_directory& operator=(scratch_directory const&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  fs::path const& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

[[noreturn]] void run_under_callgrind(std::string const& subject, fs::path const& directory) {
  // No AVX-512, no BMI2 and ADX, no SHA extensions: Valgrind offers what the processor has.
  ::setenv("OPENSSL_ia32cap", ":0", 1);
  std::string const out = "--callgrind-out-file=" + (directory / "out").string();
  std::string const log = "--log-file=" + (directory / "log").string();
  std::string const self = fs::read_symlink("/proc/self/exe").string();
  ::execlp("valgrind", "valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
           out.c_str(), log.c_str(), self.c_str(), subject_option, subject.c_str(),
           static_cast<char*>(nullptr));
  ::_exit(127);
}

// Returns what was counted until each dump, by the dump's name.
std::map<std::string, double> totals_in(fs::path const& directory) {
  std::map<std::string, double> totals;
  std::string const trigger = "desc: Trigger: Client Request: ";
  for (auto const& entry : fs::directory_iterator(directory)) {
    std::ifstream dump(entry.path());
    std::string name;
    for (std::string text; std::getline(dump, text);) {
      if (text.starts_with(trigger)) name = text.substr(trigger.size());
      if (text.starts_with("totals: ") && !name.empty()) totals[name] = std::stod(text.substr(8));
    }
  }
  return totals;
}

std::map<std::string, double> count(std::string const& subject) {
  scratch_directory const directory;
  pid_t const child = ::fork();
  require(child >= 0, "fork");
  if (child == 0) run_under_callgrind(subject, directory.path());
  int status = 0;
  require(::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
          "counting instructions of " + subject + " has failed");
  return totals_in(directory.path());
}

bool is_installed(char const* program) {
  char const* const path = std::getenv("PATH");
  std::string rest = path ? path : "";
  while (!rest.empty()) {
    auto const colon = std::min(rest.find(':'), rest.size());
    if (::access((fs::path(rest.substr(0, colon)) / program).c_str(), X_OK) == 0) return true;
    rest.erase(0, colon + 1);
  }
  return false;
}

void measure(results& into, std::string const& name, subject const& of) {
  auto totals = count(name);
  auto const add = [&](figure const& what, counted_part const& part, parameters given) {
    require(totals.contains(part.name), "nothing was counted of " + name);
    subject here = of;
    here.given.insert(here.given.end(), given.begin(), given.end());
    into.add(here, what, totals[part.name] / part.times);
  };
  add(figures::instructions_per_handshake, counted_handshakes, {});
  add(figures::instructions_per_request, counted_echoes,
      {{"message_bytes", std::int64_t{counted_message}}});
  add(figures::instructions_per_read, counted_reads, {{"read_bytes", std::int64_t{counted_piece}}});
}

}  // namespace

void instructions(plan& planned, results& into) {
  if (!can_count_instructions || !is_installed("valgrind")) {
    require(planned.how() != effort::gate, "instructions are counted with valgrind: install it");
    planned.note("instructions: left out, valgrind is not here, or was not when this was built");
    return;
  }
  for (std::string const& name : counted_subjects()) {
    auto const slash = name.find('/');
    subject const of{.scenario = "instructions",
                     .implementation = name.substr(0, slash),
                     .given = {{"transport", name.substr(slash + 1)}}};
    if (!planned.wants(of.implementation) && planned.how() != effort::gate) continue;
    planned.add({"instructions, " + name, 1, [&into, name, of] { measure(into, name, of); }});
  }
}

}  // namespace bench
