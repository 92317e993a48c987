# The facts are those of examples/honesty.
target_sources(honesty_smollm2 PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/honesty/facts.cpp")
