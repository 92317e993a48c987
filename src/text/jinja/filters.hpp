/// Filters of lists and mappings.
#pragma once

#include "calls.hpp"

namespace rlhf::text::jinja {

Value first_of(Work& work, const Value& value, const Arguments& arguments);
Value last_of(Work& work, const Value& value, const Arguments& arguments);
Value joined_text(Work& work, const Value& value, const Arguments& arguments);
Value as_list(Work& work, const Value& value, const Arguments& arguments);
Value items_of(Work& work, const Value& value, const Arguments& arguments);
Value reversed(Work& work, const Value& value, const Arguments& arguments);
Value unique(Work& work, const Value& value, const Arguments& arguments);
Value sorted(Work& work, const Value& value, const Arguments& arguments);
Value sorted_mapping(Work& work, const Value& value, const Arguments& arguments);
Value sum_of(Work& work, const Value& value, const Arguments& arguments);
Value least(Work& work, const Value& value, const Arguments& arguments);
Value greatest(Work& work, const Value& value, const Arguments& arguments);
Value mapped(Work& work, const Value& value, const Arguments& arguments);
Value selected(Work& work, const Value& value, const Arguments& arguments);
Value rejected(Work& work, const Value& value, const Arguments& arguments);
Value selected_by_attribute(Work& work, const Value& value, const Arguments& arguments);
Value rejected_by_attribute(Work& work, const Value& value, const Arguments& arguments);

}  // namespace rlhf::text::jinja
