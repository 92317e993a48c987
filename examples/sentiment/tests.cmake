# A few steps on the real model, where its files are.
if(EXISTS "${RLHF_DATA_DIR}/model/stories260K.bin")
  add_test(NAME example_sentiment COMMAND sentiment --steps 2 "${RLHF_DATA_DIR}/model/stories260K.bin"
    "${RLHF_DATA_DIR}/model/tok512.bin" "${RLHF_DATA_DIR}/reward/vader_lexicon.txt")
  set_tests_properties(example_sentiment PROPERTIES LABELS fast TIMEOUT 300 ENVIRONMENT "OMP_NUM_THREADS=1")
endif()
