// Files are replaced whole or not at all, and nothing that is no regular file is replaced.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "support/temp_folder.h"

using namespace sb3lm;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// The superuser may write anything: while this lives, somebody else runs the test.
class NotRoot {
 public:
  NotRoot() {
    if (was_root_) REQUIRE(::setresuid(kNobody, kNobody, 0) == 0);
  }
  ~NotRoot() {
    if (was_root_) CHECK(::setresuid(0, 0, 0) == 0);
  }
  NotRoot(const NotRoot&) = delete;
  NotRoot& operator=(const NotRoot&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const bool was_root_ = ::geteuid() == 0;
};

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

}  // namespace

TEST_CASE("a new file and an old one have the contents, and nothing else is left") {
  const test::TempFolder folder;
  const fs::path file = folder.path() / "x";
  for (const std::string& contents :
       {std::string("one"), std::string(), std::string(5 << 20, 'x')}) {
    write_file(file, contents);
    CHECK(read(file) == contents);
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("a file keeps its mode, a new one has what the umask leaves") {
  const test::TempFolder folder;
  const fs::path file = folder.path() / "x";
  const mode_t before = ::umask(027);
  write_file(file, "new");
  ::umask(before);
  CHECK(mode_of(file) == 0640);
  for (const mode_t mode : {0600u, 0666u, 0755u}) {
    ::chmod(file.c_str(), mode);
    write_file(file, "newer");
    CHECK(mode_of(file) == mode);
  }
}

TEST_CASE("links stay, and what they lead to is replaced") {
  const test::TempFolder folder;
  const fs::path& at = folder.path();
  fs::create_directory(at / "far");
  put(at / "far/file", "old");
  fs::create_symlink("far/file", at / "near");
  fs::create_symlink(at / "near", at / "nearer");
  write_file(at / "nearer", "new");
  CHECK(fs::is_symlink(at / "nearer"));
  CHECK(fs::is_symlink(at / "near"));
  CHECK(read(at / "far/file") == "new");

  fs::create_symlink("far/none", at / "open");
  write_file(at / "open", "there now");
  CHECK(fs::is_symlink(at / "open"));
  CHECK(read(at / "far/none") == "there now");

  fs::create_symlink("circle", at / "circle");
  CHECK_THROWS_AS(write_file(at / "circle", "x"), Error);
}

TEST_CASE("devices and FIFOs are written to") {
  const test::TempFolder folder;
  const fs::path device = folder.path() / "device", fifo = folder.path() / "fifo";
  fs::create_symlink("/dev/null", device);
  write_file(device, "gone");
  CHECK(fs::is_character_file("/dev/null"));
  fs::create_symlink("/dev/full", folder.path() / "full");
  CHECK_THROWS_WITH_AS(write_file(folder.path() / "full", "x"),
                       doctest::Contains("No space left on device"), Error);

  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::string got;
  {
    const std::jthread reader([&] { got = read(fifo); });
    write_file(fifo, "through");
  }
  CHECK(got == "through");
  CHECK(fs::is_fifo(fifo));
}

TEST_CASE("what cannot be written is said, and the old file stays") {
  const test::TempFolder folder;
  CHECK_THROWS_WITH_AS(write_file(folder.path(), "x"), doctest::Contains("Is a directory"), Error);
  CHECK_THROWS_WITH_AS(check_writable(folder.path() / "no/x"), doctest::Contains("no folder"),
                       Error);
  const fs::path file = folder.path() / "x";
  put(file, "old");
  fs::permissions(folder.path(), fs::perms::all);
  ::chmod(file.c_str(), 0444);
  const NotRoot somebody;
  CHECK_THROWS_WITH_AS(write_file(file, "new"), doctest::Contains("Permission denied"), Error);
  CHECK(read(file) == "old");
}

TEST_CASE("parts that nobody writes any more are removed, others are not") {
  const test::TempFolder folder;
  const fs::path& at = folder.path();
  const std::vector<std::string> strangers = {
      "x.part",    "x.123.part",       "x.sb3lm-.part",     "x.sb3lm-a.part",
      "x.sb3lm-1", "y.sb3lm-1-0.part", "yx.sb3lm-1-0.part", "x.sb3lm-1-0.part.txt"};
  for (const std::string& name : strangers) put(at / name, "not ours");
  put(at / "x.sb3lm-999999-0.part", "lost");
  put(at / "x.sb3lm-1-3.part", "of a writer");
  fs::create_symlink("y.sb3lm-1-0.part", at / "x.sb3lm-2-0.part");
  const int writer = ::open((at / "x.sb3lm-1-3.part").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(writer, LOCK_EX) == 0);

  write_file(at / "x", "new");
  for (const std::string& name : strangers) CHECK(fs::exists(at / name));
  CHECK_FALSE(fs::exists(at / "x.sb3lm-999999-0.part"));
  CHECK(fs::exists(at / "x.sb3lm-1-3.part"));
  CHECK(fs::is_symlink(at / "x.sb3lm-2-0.part"));

  ::close(writer);
  write_file(at / "x", "newer");
  CHECK_FALSE(fs::exists(at / "x.sb3lm-1-3.part"));
}

TEST_CASE("one process may write while another cleans up") {
  const test::TempFolder folder;
  const fs::path file = folder.path() / "x";
  std::vector<std::string> errors;
  std::mutex telling;
  {
    std::vector<std::jthread> writers;
    for (const char letter : {'a', 'b', 'c'}) {
      writers.emplace_back([&, letter] {
        for (int i = 0; i < 50; ++i) {
          try {
            write_file(file, std::string(10'000, letter));
          } catch (const Error& error) {
            const std::lock_guard lock(telling);
            errors.emplace_back(error.what());
          }
        }
      });
    }
  }
  for (const std::string& error : errors) FAIL_CHECK(error);
  const std::string found = read(file);
  CHECK(found == std::string(10'000, found.at(0)));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("names of one file") {
  const test::TempFolder folder;
  const fs::path& at = folder.path();
  put(at / "one", "1");
  put(at / "two", "1");
  fs::create_symlink("one", at / "link");
  fs::create_hard_link(at / "one", at / "hard");
  CHECK(same_file(at / "one", at / "one"));
  CHECK(same_file(at / "one", at / "link"));
  CHECK(same_file(at / "link", at / "hard"));
  CHECK_FALSE(same_file(at / "one", at / "two"));
  CHECK_FALSE(same_file(at / "one", at / "none"));
  CHECK_FALSE(same_file(at / "none", at / "none"));
  CHECK_FALSE(same_file("/dev/null", "/dev/null"));
}
