# The job in small must point the right way, where the model is at hand; its world keeps its promises.
add_test(NAME example_honesty_smollm2_quick COMMAND honesty_smollm2 --quick --threads 2
  --out "${CMAKE_CURRENT_BINARY_DIR}/honesty_smollm2_quick")
set_tests_properties(example_honesty_smollm2_quick PROPERTIES LABELS long TIMEOUT 3600
  SKIP_REGULAR_EXPRESSION "--model is required")
if(TARGET rlhf_test)
  set(place "${CMAKE_CURRENT_SOURCE_DIR}/honesty_smollm2")
  rlhf_test_program(example_honesty_smollm2_world "${place}/tests/world_test.cpp" "${place}/world.cpp"
    "${place}/invented_names.cpp" "${place}/../honesty/facts.cpp")
  target_compile_definitions(example_honesty_smollm2_world PRIVATE RLHF_EXAMPLE_DIR="${place}")
endif()
