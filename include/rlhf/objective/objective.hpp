/// All of objective/: pure functions on tensors, one file a topic.
#pragma once

#include "rlhf/objective/advantages.hpp"
#include "rlhf/objective/dpo.hpp"
#include "rlhf/objective/group_advantages.hpp"
#include "rlhf/objective/kl.hpp"
#include "rlhf/objective/log_probs.hpp"
#include "rlhf/objective/ppo.hpp"
#include "rlhf/objective/ranking.hpp"
