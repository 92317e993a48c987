/// The parts of a run as one checkpoint, and back.
///
///   const std::vector<Part> parts{{"trainer", trainer}, {"prompts", loader}};
///   checkpoint::save("runs/1/best", checkpoint::gather(parts));
///   checkpoint::put_back(parts, checkpoint::load("runs/1/best"));
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlhf/checkpoint/checkpoint.hpp"
#include "rlhf/core/archive.hpp"
#include "rlhf/core/concepts.hpp"  // models are parts by their named_parameters()

namespace rlhf {

/// A part of a run under its name: a trainer, a loader, a sink, a model, anything with
/// archive(Archive&). Borrowed, unless it is shared(): it must outlive whoever holds the Part.
class Part {
 public:
  template <class T>
  Part(std::string name, T& part)  // NOLINT(google-explicit-constructor): reads as a pair
      : name_(std::move(name)),
        tell_([&part](Archive& archive, const std::string& as) { archive.part(as, part); }) {}

  template <class T>
  static Part shared(std::string name, std::shared_ptr<T> part) {
    Part result(std::move(name), *part);
    result.owner_ = std::move(part);
    return result;
  }

  const std::string& name() const { return name_; }
  void archive(Archive& archive) const { tell_(archive, name_); }

 private:
  std::string name_;
  std::function<void(Archive&, const std::string&)> tell_;
  std::shared_ptr<void> owner_;
};

namespace checkpoint {

/// All that changes in a run but its tensors, and a number that changes when those do.
struct Note {
  std::map<std::string, Archive::Value> values;
  uint64_t tensor_versions = 0;
};
Note note(std::span<const Part> parts);

/// A checkpoint of the parts; their tensors are borrowed.
/// @throws Error naming two parts, values or tensors of one name
Checkpoint gather(std::span<const Part> parts);

/// Replaces the values of a checkpoint by those of a note, taken while its tensors were the same.
void replace_values(Checkpoint& checkpoint, const Note& note);

/// How far a program may differ from the one that saved.
struct Tolerance {
  std::vector<std::string> may_change = {};  ///< options, as "trainer/optimizer/learning_rate"
};

/// What put_back() found.
struct PutBack {
  std::vector<std::string> changed;  ///< sentences about options that differ and may
  std::set<std::string> unread;      ///< what the checkpoint holds and none of the parts asked for
};

/// Makes the parts what they were when the checkpoint was gathered. All is compared before anything
/// changes.
/// @throws Error naming every option that differs; a value that is missing or of another type; what
///         restore() and a part's own check throw
PutBack put_back(std::span<const Part> parts, const Checkpoint& checkpoint,
                 const Tolerance& tolerance = {});

}  // namespace checkpoint
}  // namespace rlhf
