# Conversations with a model that the test makes, and with the real one where its file is.
if(TARGET rlhf_test)
  rlhf_test_program(example_chat "${CMAKE_CURRENT_SOURCE_DIR}/chat/tests/chat_test.cpp"
    "${CMAKE_CURRENT_SOURCE_DIR}/chat/speaker.cpp")
  target_include_directories(example_chat PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/chat")
endif()
