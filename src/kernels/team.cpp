#include "team.hpp"

#include <algorithm>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace rlhf::kernels {

Member::Range Member::part(int64_t count, int64_t grain) const {
  const int64_t grains = (count + grain - 1) / grain;
  const auto bound = [&](int64_t rank_) { return std::min(count, grains * rank_ / size * grain); };
  return {bound(rank), bound(rank + 1)};
}

void Member::barrier() const {
#ifdef _OPENMP
  if (size > 1) {
#pragma omp barrier
  }
#endif
}

int threads_for(int64_t rows) {
#ifdef _OPENMP
  return static_cast<int>(std::clamp<int64_t>(rows / grain, 1, omp_get_max_threads()));
#else
  static_cast<void>(rows);
  return 1;
#endif
}

void run_team(int threads, const std::function<void(const Member&)>& work) {
#ifdef _OPENMP
  if (threads > 1 && omp_in_parallel() == 0) {
#pragma omp parallel num_threads(threads)
    work({.rank = omp_get_thread_num(), .size = omp_get_num_threads()});
    return;
  }
#else
  static_cast<void>(threads);
#endif
  work({.rank = 0, .size = 1});
}

}  // namespace rlhf::kernels
