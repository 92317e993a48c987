# The job in small must point the right way.
add_test(NAME example_honesty_quick COMMAND honesty --quick --threads 1 --out "${CMAKE_CURRENT_BINARY_DIR}/honesty_quick")
set_tests_properties(example_honesty_quick PROPERTIES LABELS fast TIMEOUT 600)
