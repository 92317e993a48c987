# The job in small must point the right way, and its world keep its promises.
add_test(NAME example_honesty_quick COMMAND honesty --quick --threads 1 --out "${CMAKE_CURRENT_BINARY_DIR}/honesty_quick")
set_tests_properties(example_honesty_quick PROPERTIES LABELS fast TIMEOUT 900)
if(TARGET rlhf_test)
  set(place "${CMAKE_CURRENT_SOURCE_DIR}/honesty")
  rlhf_test_program(example_honesty_world
    "${place}/tests/world_test.cpp" "${place}/world.cpp" "${place}/facts.cpp" "${place}/made_up_names.cpp")
  target_include_directories(example_honesty_world PRIVATE "${place}")
  target_compile_definitions(example_honesty_world PRIVATE RLHF_EXAMPLE_DIR="${place}")
endif()
