add_test(NAME example_minimal_ppo COMMAND minimal_ppo)
set_tests_properties(example_minimal_ppo PROPERTIES LABELS fast TIMEOUT 300 ENVIRONMENT "OMP_NUM_THREADS=1")
