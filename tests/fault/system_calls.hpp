/// A layer between this program and the C library, where system calls on files of one folder are
/// counted, and one of them goes wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rlhf::fault {

/// What happens to a call.
enum class Fault : uint8_t {
  error,        ///< it fails with EIO
  no_space,     ///< it fails with ENOSPC
  short_write,  ///< a write takes half of the bytes and says so
  kill,         ///< the process dies before it
};
const char* name_of(Fault fault);

/// Whether such a call can have such a fault: "write /folder/file" and the like.
bool applies(Fault fault, const std::string& call);

/// From now on, calls that touch `folder` are counted from 0 on, and number `at` goes wrong; -1:
/// none does.
void watch(const std::string& folder, int64_t at = -1, Fault fault = Fault::error);

/// The calls so far, by this process and those it was forked from or has forked: "fsync /folder/a".
std::vector<std::string> calls();

}  // namespace rlhf::fault
