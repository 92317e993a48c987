#include "golden/golden.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "rlhf/optimizer/schedule.hpp"
#include "support/tensor_matchers.hpp"

namespace rlhf {
namespace {

using test::golden_leaf;
using test::golden_tensor;
using test::json;
using test::read_golden;
using test::TensorNear;

AdamWOptions adamw_options(const json& options) {
  return {.learning_rate = options["learning_rate"],
          .beta1 = options["beta1"],
          .beta2 = options["beta2"],
          .epsilon = options["epsilon"],
          .weight_decay = options["weight_decay"],
          .max_gradient_norm = options["max_gradient_norm"]};
}

TEST(Golden, AdamW) {
  const json records = read_golden("optimizer")["adamw"];
  ASSERT_FALSE(records.empty());
  for (const json& record : records) {
    SCOPED_TRACE(record["name"].get<std::string>());
    std::vector<NamedTensor> parameters;
    for (const auto& [name, value] : record["inputs"]["parameters"].items()) {
      parameters.emplace_back(name, golden_leaf(value));
    }
    AdamW optimizer(parameters, adamw_options(record["inputs"]["options"]));
    for (const json& step : record["outputs"]["steps"]) {
      for (auto& [name, x] : parameters) {
        if (!step["gradients"][name].is_null())
          x.mutable_grad() = golden_tensor(step["gradients"][name]);
      }
      EXPECT_NEAR(optimizer.step(step["factor"]), step["norm"].get<double>(), 1e-13);
      for (const auto& [name, x] : parameters) {
        EXPECT_THAT(x, TensorNear(golden_tensor(step["parameters"][name]), 1e-12)) << name;
      }
    }
  }
}

TEST(Golden, Schedule) {
  const std::map<std::string, Schedule::Shape> shapes{{"constant", Schedule::Shape::constant},
                                                      {"linear", Schedule::Shape::linear},
                                                      {"cosine", Schedule::Shape::cosine}};
  const json records = read_golden("optimizer")["schedule"];
  ASSERT_FALSE(records.empty());
  for (const json& record : records) {
    SCOPED_TRACE(record["name"].get<std::string>());
    const json& in = record["inputs"];
    const Schedule schedule{.shape = shapes.at(in["shape"]),
                            .warmup_steps = in["warmup_steps"],
                            .total_steps = in["total_steps"],
                            .final_fraction = in["final_fraction"]};
    schedule.validate();
    int64_t step = 0;
    for (const json& factor : record["outputs"]["factors"]) {
      EXPECT_NEAR(schedule.factor(step++), factor.get<double>(), 1e-15);
    }
  }
}

}  // namespace
}  // namespace rlhf
