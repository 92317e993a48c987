#include "rlhf/checkpoint/parts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "rlhf/core/error.hpp"
#include "rlhf/io/named_tensors.hpp"
#include "stored_values.hpp"

namespace rlhf::checkpoint {
namespace {

using nlohmann::json;

constexpr const char* values_key = "values";
constexpr const char* options_key = "options";

struct Parameters {
  Archive::Tensors learning, frozen;
  explicit Parameters(const Archive::Tensors& all) {
    for (const auto& [name, tensor] : all) {
      (tensor.requires_grad() ? learning : frozen).emplace_back(name, tensor);
    }
  }
};

std::string frozen_name(const std::string& path) {
  return path + "/frozen";
}

/// Reads the parts. Names that stand twice would overwrite each other, so they are refused.
class Gathering : public Archive {
 public:
  explicit Gathering(Phase phase) : Archive(phase) {}

  Note taken;
  std::map<std::string, Value> options;
  std::vector<NamedTensor> tensors;

 private:
  void exchange(const std::string& path, Value& value) override {
    require_new(taken.values.emplace(path, value).second, path);
  }
  void compare(const std::string& path, const Value& value, OnResume) override {
    require_new(options.emplace(path, value).second, path);
  }
  void exchange_tensors(const std::string& path, const Tensors& given) override {
    for (const auto& [name, tensor] : given) taken.tensor_versions += tensor._version();
    if (phase() == Phase::save) save_tensors(path, given);
  }
  void exchange_parameters(const std::string& path, const Tensors& all) override {
    const Parameters parameters(all);
    exchange_tensors(path, parameters.learning);
    if (phase() != Phase::save || parameters.frozen.empty()) return;
    compare(frozen_name(path), io::fingerprint(parameters.frozen), OnResume::same);
  }
  void save_tensors(const std::string& path, const Tensors& given) override {
    for (const auto& [name, tensor] : given) {
      tensors.emplace_back(fmt::format("{}/{}", path, name), tensor);
      require_new(names_.insert(tensors.back().first).second, tensors.back().first);
    }
  }
  Tensors stored_tensors(const std::string&) override { return {}; }

  static void require_new(bool is_new, const std::string& path) {
    require(is_new, "parts of a run", "a name for each", fmt::format("\"{}\" twice", path));
  }

  std::set<std::string> names_;
};

/// Compares the parts with a checkpoint, or fills them from it.
class Filling : public Archive {
 public:
  Filling(Phase phase, const Checkpoint& from, const Tolerance& tolerance)
      : Archive(phase), from_(from), tolerance_(tolerance) {}

  std::vector<std::string> refused, changed;
  std::set<std::string> read;

 private:
  void exchange(const std::string& path, Value& value) override {
    const json stored = entry(values_key, path);
    if (stored.is_null() && phase() == Phase::check) {
      refused.push_back(fmt::format("{}: absent in the checkpoint", path));
    } else {
      value = value_from(stored, value, path);
    }
  }

  void compare(const std::string& path, const Value& value, OnResume on_resume) override {
    const json now = to_json(value), before = entry(options_key, path);
    if (now == before || phase() != Phase::check) return;
    const std::string difference =
        fmt::format("{}: {} in the checkpoint, {} now", path,
                    before.is_null() ? "absent" : before.dump(), now.dump());
    const bool may =
        on_resume == OnResume::may_change || std::ranges::count(tolerance_.may_change, path) > 0;
    (may ? changed : refused).push_back(difference);
  }

  void exchange_tensors(const std::string& path, const Tensors& given) override {
    const Tensors stored = stored_tensors(path);
    const std::string what = fmt::format("checkpoint does not fit \"{}\"", path);
    phase() == Phase::load ? io::assign(given, stored, what) : io::require_fit(given, stored, what);
  }

  void exchange_parameters(const std::string& path, const Tensors& all) override {
    const Parameters parameters(all);
    exchange_tensors(path, parameters.learning);
    if (phase() != Phase::check || parameters.frozen.empty()) return;
    compare(frozen_name(path), io::fingerprint(parameters.frozen), OnResume::same);
  }

  void save_tensors(const std::string&, const Tensors&) override {}

  Tensors stored_tensors(const std::string& path) override {
    const std::string prefix = path + "/";
    for (const auto& [name, tensor] : from_.tensors) {
      if (name.starts_with(prefix)) read.insert(name);
    }
    return checkpoint::part(from_.tensors, prefix);
  }

  json entry(const char* key, const std::string& path) {
    read.insert(path);
    const json& state = from_.state;
    if (!state.contains(key) || !state[key].is_object() || !state[key].contains(path)) return {};
    return state[key][path];
  }

  const Checkpoint& from_;
  const Tolerance& tolerance_;
};

template <class Walk>
void over(std::span<const Part> parts, Walk& archive) {
  for (const Part& part : parts) part.archive(archive);
}

std::set<std::string> names_in(const Checkpoint& checkpoint) {
  std::set<std::string> names;
  for (const char* key : {values_key, options_key}) {
    if (!checkpoint.state.contains(key)) continue;
    for (const auto& [name, value] : checkpoint.state[key].items()) names.insert(name);
  }
  for (const auto& [name, tensor] : checkpoint.tensors) names.insert(name);
  return names;
}

}  // namespace

Note note(std::span<const Part> parts) {
  Gathering archive(Archive::Phase::note);
  over(parts, archive);
  return std::move(archive.taken);
}

Checkpoint gather(std::span<const Part> parts) {
  Gathering archive(Archive::Phase::save);
  over(parts, archive);
  return {.tensors = std::move(archive.tensors),
          .state = {{values_key, to_json(archive.taken.values)},
                    {options_key, to_json(archive.options)}}};
}

void replace_values(Checkpoint& checkpoint, const Note& note) {
  checkpoint.state[values_key] = to_json(note.values);
}

PutBack put_back(std::span<const Part> parts, const Checkpoint& checkpoint,
                 const Tolerance& tolerance) {
  Filling check(Archive::Phase::check, checkpoint, tolerance);
  for (const Part& part : parts) {
    try {
      part.archive(check);
    } catch (const Error& error) {
      check.refused.emplace_back(error.what());
    }
  }
  if (!check.refused.empty()) {
    fail(fmt::format("the program is another than the one that saved: {}",
                     fmt::join(check.refused, "; ")));
  }
  Filling load(Archive::Phase::load, checkpoint, tolerance);
  over(parts, load);
  PutBack result{.changed = std::move(check.changed), .unread = names_in(checkpoint)};
  for (const std::string& name : check.read) result.unread.erase(name);
  return result;
}

}  // namespace rlhf::checkpoint
