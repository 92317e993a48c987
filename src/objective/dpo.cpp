#include "rlhf/objective/dpo.hpp"

#include "checks.hpp"
#include "elementwise.hpp"

namespace rlhf::objective {

Tensor dpo_loss(const Tensor& chosen, const Tensor& rejected, const Tensor& ref_chosen,
                const Tensor& ref_rejected, double beta) {
  require_positive(beta, "beta");
  require_real(chosen, "chosen");
  require(chosen.dim() == 1, "chosen", "[B]", chosen.sizes());
  require_like(rejected, chosen, "rejected");
  require_like(ref_chosen, chosen, "ref_chosen");
  require_like(ref_rejected, chosen, "ref_rejected");
  const Tensor lead = (chosen - ref_chosen) - (rejected - ref_rejected);
  return -log_sigmoid_of(lead * beta);
}

}  // namespace rlhf::objective
