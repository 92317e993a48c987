#include "fault/system_calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sstream>

namespace rlhf::fault {
namespace {

constexpr size_t log_bytes = size_t{1} << 20;

struct Log {
  size_t used = 0;
  std::array<char, log_bytes> text;
};

// Made before any fork: forked processes write to the same.
Log& shared_log = *static_cast<Log*>(
    ::mmap(nullptr, sizeof(Log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

// False until the globals below are made.
bool watching = false;
// Never destroyed: files are closed after the last destructor, too.
std::string& watched = *new std::string;
int64_t bad_call = -1;
Fault bad_fault = Fault::error;
int64_t counted = 0;
auto& path_of_file = *new std::array<std::string, 4096>;  // by descriptor; empty: not ours

std::string ours(const char* path) {
  const std::string text(path);
  return text.starts_with(watched) ? text : "";
}

std::string ours(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return ours(path);
  const auto place = static_cast<size_t>(folder);
  if (place >= path_of_file.size() || path_of_file[place].empty()) return "";
  return path_of_file[place] + "/" + path;
}

std::string ours(int file) {
  const auto place = static_cast<size_t>(file);
  return place < path_of_file.size() ? path_of_file[place] : "";
}

enum class Verdict { goes_on, fails, half };

/// Counts a call and says what becomes of it; sets errno where it fails.
Verdict judge(const char* call, const std::string& path) {
  if (!watching || path.empty()) return Verdict::goes_on;
  const std::string line = std::string(call) + " " + path + "\n";
  Log& log = shared_log;
  if (log.used + line.size() <= log_bytes) {
    std::memcpy(log.text.data() + log.used, line.data(), line.size());
    log.used += line.size();
  }
  if (counted++ != bad_call) return Verdict::goes_on;
  switch (bad_fault) {
    case Fault::kill:
      ::kill(::getpid(), SIGKILL);
      break;
    case Fault::error:
      errno = EIO;
      break;
    case Fault::no_space:
      errno = ENOSPC;
      break;
    case Fault::short_write:
      return Verdict::half;
  }
  return Verdict::fails;
}

void remember(int file, const std::string& path) {
  if (watching && file >= 0 && static_cast<size_t>(file) < path_of_file.size()) {
    path_of_file[static_cast<size_t>(file)] = path;
  }
}

/// The C library's own.
template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_file(int folder, const char* path, int flags, mode_t mode) {
  static const auto next = real<int(int, const char*, int, ...)>("openat");
  const std::string own = watching ? ours(folder, path) : "";
  // Opening only to read changes nothing, but for a folder that is synced next.
  if (judge("open", own) == Verdict::fails) return -1;
  const int file = next(folder, path, flags, mode);
  remember(file, own);
  return file;
}

}  // namespace

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::error:
      return "error";
    case Fault::no_space:
      return "no space";
    case Fault::short_write:
      return "short write";
    case Fault::kill:
      return "kill";
  }
  return "";
}

bool applies(Fault fault, const std::string& call) {
  const std::string name = call.substr(0, call.find(' '));
  if (fault == Fault::short_write) return name == "write";
  if (fault == Fault::no_space) {
    return name == "write" || name == "open" || name == "mkdir" || name == "symlink" ||
           name == "rename" || name == "fsync";
  }
  return true;
}

void watch(const std::string& folder, int64_t at, Fault fault) {
  shared_log.used = 0;
  watched = folder;
  bad_call = at;
  bad_fault = fault;
  counted = 0;
  watching = true;
}

std::vector<std::string> calls() {
  const Log& log = shared_log;
  std::istringstream text(std::string(log.text.data(), log.used));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace rlhf::fault

// The names below stand before those of the C library for the whole process.
using rlhf::fault::judge;
using rlhf::fault::open_file;
using rlhf::fault::ours;
using rlhf::fault::real;
using rlhf::fault::remember;
using rlhf::fault::Verdict;
using rlhf::fault::watching;

// NOLINTBEGIN: the C library's signatures
#define RLHF_MODE_OF(flags)                                              \
  va_list rest;                                                          \
  va_start(rest, flags);                                                 \
  const mode_t mode = ((flags)&O_CREAT) != 0 ? va_arg(rest, mode_t) : 0; \
  va_end(rest);

extern "C" int open(const char* path, int flags, ...) {
  RLHF_MODE_OF(flags)
  return open_file(AT_FDCWD, path, flags, mode);
}
extern "C" int open64(const char* path, int flags, ...) {
  RLHF_MODE_OF(flags)
  return open_file(AT_FDCWD, path, flags, mode);
}
extern "C" int openat(int folder, const char* path, int flags, ...) {
  RLHF_MODE_OF(flags)
  return open_file(folder, path, flags, mode);
}
extern "C" int openat64(int folder, const char* path, int flags, ...) {
  RLHF_MODE_OF(flags)
  return open_file(folder, path, flags, mode);
}
extern "C" ssize_t write(int file, const void* bytes, size_t count) {
  static const auto next = real<ssize_t(int, const void*, size_t)>("write");
  const Verdict verdict = watching ? judge("write", ours(file)) : Verdict::goes_on;
  if (verdict == Verdict::fails) return -1;
  return next(file, bytes, verdict == Verdict::half && count > 1 ? count / 2 : count);
}
extern "C" ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
  static const auto next = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  if (watching && judge("pwrite", ours(file)) == Verdict::fails) return -1;
  return next(file, bytes, count, offset);
}
extern "C" ssize_t writev(int file, const iovec* pieces, int count) {
  static const auto next = real<ssize_t(int, const iovec*, int)>("writev");
  const Verdict verdict = watching ? judge("write", ours(file)) : Verdict::goes_on;
  if (verdict == Verdict::fails) return -1;
  return next(file, pieces, verdict == Verdict::half ? 1 : count);
}
extern "C" FILE* fopen64(const char* path, const char* mode) {
  static const auto next = real<FILE*(const char*, const char*)>("fopen64");
  const std::string own = watching ? ours(path) : "";
  if (judge("open", own) == Verdict::fails) return nullptr;
  FILE* const file = next(path, mode);
  if (file != nullptr) remember(::fileno(file), own);
  return file;
}
extern "C" FILE* fopen(const char* path, const char* mode) {
  return fopen64(path, mode);
}
extern "C" int fsync(int file) {
  static const auto next = real<int(int)>("fsync");
  if (watching && judge("fsync", ours(file)) == Verdict::fails) return -1;
  return next(file);
}
extern "C" int close(int file) {
  static const auto next = real<int(int)>("close");
  const Verdict verdict = watching ? judge("close", ours(file)) : Verdict::goes_on;
  remember(file, "");
  const int result = next(file);
  if (verdict != Verdict::fails) return result;
  errno = EIO;
  return -1;
}
extern "C" int rename(const char* from, const char* to) {
  static const auto next = real<int(const char*, const char*)>("rename");
  if (watching && judge("rename", ours(to)) == Verdict::fails) return -1;
  return next(from, to);
}
extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                         unsigned flags) {
  static const auto next = real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  if (watching && judge("rename", ours(to_folder, to)) == Verdict::fails) return -1;
  return next(from_folder, from, to_folder, to, flags);
}
extern "C" int symlink(const char* target, const char* link) {
  static const auto next = real<int(const char*, const char*)>("symlink");
  if (watching && judge("symlink", ours(link)) == Verdict::fails) return -1;
  return next(target, link);
}
extern "C" int unlink(const char* path) {
  static const auto next = real<int(const char*)>("unlink");
  if (watching && judge("unlink", ours(path)) == Verdict::fails) return -1;
  return next(path);
}
extern "C" int unlinkat(int folder, const char* path, int flags) {
  static const auto next = real<int(int, const char*, int)>("unlinkat");
  if (watching && judge("unlink", ours(folder, path)) == Verdict::fails) return -1;
  return next(folder, path, flags);
}
extern "C" int mkdir(const char* path, mode_t mode) {
  static const auto next = real<int(const char*, mode_t)>("mkdir");
  if (watching && judge("mkdir", ours(path)) == Verdict::fails) return -1;
  return next(path, mode);
}
extern "C" int truncate(const char* path, off_t size) {
  static const auto next = real<int(const char*, off_t)>("truncate");
  if (watching && judge("truncate", ours(path)) == Verdict::fails) return -1;
  return next(path, size);
}
extern "C" int ftruncate(int file, off_t size) {
  static const auto next = real<int(int, off_t)>("ftruncate");
  if (watching && judge("truncate", ours(file)) == Verdict::fails) return -1;
  return next(file, size);
}
extern "C" int flock(int file, int operation) {
  static const auto next = real<int(int, int)>("flock");
  if (watching && judge("flock", ours(file)) == Verdict::fails) return -1;
  return next(file, operation);
}
// NOLINTEND
