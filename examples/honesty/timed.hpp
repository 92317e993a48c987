/// How long a stage took.
#pragma once

#include <chrono>

namespace honesty {

/// Adds the seconds of its scope.
class Timed {
 public:
  explicit Timed(double& seconds) : seconds_(seconds), begin_(std::chrono::steady_clock::now()) {}
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  ~Timed() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace honesty
