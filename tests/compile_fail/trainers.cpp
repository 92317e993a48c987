// Trainers borrow what they are given. Whoever passes a temporary reads these sentences.
#include "rlhf/rlhf.hpp"

namespace borrowers {

using namespace rlhf;

CausalLM policy();
ValueModel critic();
RewardModel reward();
Frozen<CausalLM> reference();
Generator generator();

void each_alone(CausalLM& p, ValueModel& c, RewardModel& r, Frozen<CausalLM>& f, Generator& g) {
  // error: PpoTrainer borrows its policy: pass a variable that outlives the trainer, not a
  //     temporary
  PpoTrainer{policy(), c, r, f, g};
  // error: PpoTrainer borrows its critic: pass a variable that outlives the trainer, not a
  //     temporary
  PpoTrainer{p, critic(), r, f, g, PpoOptions{.epochs = 1}};
  // error: PpoTrainer borrows its reward: pass a variable that outlives the trainer, not a
  //     temporary
  PpoTrainer{p, c, [](const Rollout&) { return Tensor(); }, f, g};
  // error: PpoTrainer borrows its reference: pass a variable that outlives the trainer, not a
  //     temporary
  PpoTrainer{p, c, r, reference(), g};
  // error: PpoTrainer borrows its generator: pass a variable that outlives the trainer, not a
  //     temporary
  PpoTrainer{p, c, r, f, generator()};
}

void one_model() {
  // error: SftTrainer borrows its policy: pass a variable that outlives the trainer, not a
  //     temporary
  SftTrainer{policy(), SftOptions{.micro_batch_tokens = 1}};
  // error: RewardTrainer borrows its model: pass a variable that outlives the trainer, not a
  //     temporary
  RewardTrainer{reward()};
}

}  // namespace borrowers
