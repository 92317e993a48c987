#include "lookup.hpp"

#include <algorithm>

#include "fused_passes.hpp"
#include "gemm.hpp"

namespace rlhf::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedLookup : torch::autograd::Function<FusedLookup> {
  static Tensor forward(AutogradContext* ctx, const Tensor& table, const Tensor& rows) {
    const int64_t count = rows.size(0), width = table.size(1);
    ctx->save_for_backward({rows});
    ctx->saved_data["size"] = table.size(0);
    const Tensor result = pooled({count, width});
    const auto* const wanted = rows.const_data_ptr<int64_t>();
    const float* const from = table.const_data_ptr<float>();
    kernels::run_team(kernels::threads_for(count), [&](const kernels::Member& member) {
      fused::gather(from, wanted, member.part(count, kernels::grain), width,
                    result.data_ptr<float>());
    });
    return result;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const Tensor rows = ctx->get_saved_variables()[0], gradient = gradients[0].contiguous();
    const int64_t size = ctx->saved_data["size"].toInt(), width = gradient.size(1);
    const Tensor result = pooled({size, width});
    const auto* const wanted = rows.const_data_ptr<int64_t>();
    kernels::run_team(kernels::threads_for(rows.size(0)), [&](const kernels::Member& member) {
      constexpr int64_t line = 16;
      const auto [begin, end] = member.part(width, line);  // of columns: as much for each thread
      float* const to = result.data_ptr<float>() + begin;
      const float* const from = gradient.const_data_ptr<float>() + begin;
      if (begin == end) return;
      for (int64_t i = 0; i < size; ++i) std::fill_n(to + i * width, end - begin, 0.0F);
      for (int64_t i = 0; i < rows.size(0); ++i) {
        kernels::kernels().add_rows(from + i * width, 1, end - begin, to + wanted[i] * width);
      }
    });
    return {result, Tensor()};
  }
};

}  // namespace

Tensor lookup(const Tensor& table, const Tensor& rows) {
  return can_fuse(table) && rows.is_cpu() ? FusedLookup::apply(table, rows.contiguous())
                                          : torch::embedding(table, rows);
}

}  // namespace rlhf::model
