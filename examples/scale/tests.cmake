# The run in small: every stage works, and the answers get better.
add_test(NAME example_scale_quick COMMAND scale --quick --threads 1 --out "${CMAKE_CURRENT_BINARY_DIR}/scale_quick")
set_tests_properties(example_scale_quick PROPERTIES LABELS fast TIMEOUT 300)
if(TARGET rlhf_test)
  set(place "${CMAKE_CURRENT_SOURCE_DIR}/scale")
  rlhf_test_program(example_scale_world "${place}/tests/world_test.cpp" "${place}/world.cpp")
  target_include_directories(example_scale_world PRIVATE "${place}")
endif()
