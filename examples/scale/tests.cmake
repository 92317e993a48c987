# The run in small: every stage works, and the answers get better.
add_test(NAME example_scale_quick COMMAND scale --quick --threads 1 --out "${CMAKE_CURRENT_BINARY_DIR}/scale_quick")
set_tests_properties(example_scale_quick PROPERTIES LABELS fast TIMEOUT 300)
