// A MariaDB server of the test program's own: on loopback, on a free port, in a temporary folder, ended by its process id.
// The installed data folder is made once and copied, since making it takes longer than all tests together.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "test_support/temporary_folder.h"

inline std::uint16_t free_loopback_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

class PrivateServer {
 public:
  // Nothing where no MariaDB server is installed: the test skips.
  static std::unique_ptr<PrivateServer> start(const std::vector<std::string>& extra_options = {}) {
    if (program("mariadbd").empty() || program("mariadb-install-db").empty()) return nullptr;
    std::unique_ptr<PrivateServer> server(new PrivateServer);
    std::filesystem::copy(installed_data(), server->folder_.file("data"), std::filesystem::copy_options::recursive);
    server->options_ = extra_options;
    // Between the port's choice and its use another process may have taken it.
    for (int tries = 0; tries < 5 && !server->launch(); ++tries) server->port_ = free_loopback_port();
    if (server->pid_ == 0) throw std::runtime_error("a MariaDB server that does not start");
    return server;
  }
  ~PrivateServer() { stop(SIGKILL); }

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  // Root has no password; TCP from 127.0.0.1.
  std::string url(const std::string& schema = "") const { return "mysql://root@127.0.0.1:" + std::to_string(port_) + "/" + schema; }

  void freeze() { ::kill(pid_, SIGSTOP); }
  void thaw() { ::kill(pid_, SIGCONT); }
  void stop(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // False where the server ended before it answered.
  bool launch() {
    std::filesystem::remove(folder_.file("pid"));
    std::vector<std::string> arguments{program("mariadbd"), "--no-defaults", "--user=root", "--datadir=" + folder_.file("data"),
                                       "--bind-address=127.0.0.1", "--port=" + std::to_string(port_),
                                       "--socket=" + folder_.file("s"), "--pid-file=" + folder_.file("pid"),
                                       // A server that starts deletes the temporary tables of others in the same folder.
                                       "--tmpdir=" + folder_.file("."),
                                       "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
                                       "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve", "--log-error=" + folder_.file("log")};
    arguments.insert(arguments.end(), options_.begin(), options_.end());
    pid_ = spawn(arguments);
    // The pid file is written when the server is ready: that something listens on the port doesn't say who.
    for (int tries = 0; tries < 600 && !(std::filesystem::exists(folder_.file("pid")) && listens()); ++tries) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return pid_ = 0, false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }

 private:
  PrivateServer() = default;

  static std::string program(const std::string& name) {
    for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"})
      if (::access((folder + name).c_str(), X_OK) == 0) return folder + name;
    return "";
  }
  static pid_t spawn(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
    int null = ::open("/dev/null", O_RDWR);
    for (int fd : {0, 1, 2}) ::dup2(null, fd);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  static std::filesystem::path installed_data() {
    std::filesystem::path ready = std::filesystem::current_path() / "mariadb-installed-data";
    if (std::filesystem::exists(ready)) return ready;
    std::string making = ready.string() + "." + std::to_string(::getpid());
    // A temporary folder of its own: two that are installed at once would delete each other's temporary tables, and the
    // accounts with them.
    TemporaryFolder temporary;
    pid_t pid = spawn({program("mariadb-install-db"), "--no-defaults", "--datadir=" + making, "--tmpdir=" + temporary.path().string(), "--skip-test-db", "--force", "--user=root",
                       "--auth-root-authentication-method=normal", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"});
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) throw std::runtime_error("mariadb-install-db failed, see " + making);
    std::error_code lost_the_race;
    std::filesystem::rename(making, ready, lost_the_race);
    if (lost_the_race) std::filesystem::remove_all(making, lost_the_race);
    return ready;
  }
  bool listens() const {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
  }

  TemporaryFolder folder_;
  std::uint16_t port_ = free_loopback_port();
  pid_t pid_ = 0;
  std::vector<std::string> options_;
};
