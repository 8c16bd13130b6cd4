#pragma once

/* DRAFT of an extension: a tokenizer that can be asked directly, outside a graph. `flowrun tokenize` asks the plugin tokenizers/load for it by this id
 * through `flowrun_plugin.get_interface`. The rules of abi.h hold.
 */

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLOWRUN_TOKENIZER_DRAFT_2 "flowrun.tokenizer.draft/2"

/* A text as tokens. All pointers are valid during the call that gives them. */
typedef struct flowrun_encoding {
  uint32_t size;
  uint64_t count;             /* tokens */
  const uint32_t* ids;        /* [count] */
  const char* const* tokens;  /* [count] as the vocabulary spells them, UTF-8 */
  const uint64_t* lengths;    /* [count] bytes of each of `tokens` */
  const uint64_t* offsets;    /* [2 * count] begin and end of each in the text, in code points; 0, 0 for tokens that are not from the text */
} flowrun_encoding;

typedef struct flowrun_tokenizer {
  uint32_t size;
  /* Loads a file or folder. `pattern` names how ranks of tiktoken cut text, or is null. FLOWRUN_NOT_FOUND, FLOWRUN_INVALID_ARGUMENT, FLOWRUN_CORRUPT_DATA or
   * FLOWRUN_UNSUPPORTED name it and the place in it. */
  flowrun_status (*load)(const flowrun_call* call, const char* path, const char* pattern, void** self);                                      /* [any] */
  /* Calls `give` once. `text` is UTF-8; `add_special_tokens` puts those of the post-processor around it. */
  flowrun_status (*encode)(void* self, const flowrun_call* call, const char* text, uint64_t length, int32_t add_special_tokens,
                           void (*give)(void* context, const flowrun_encoding* encoding), void* context);                                   /* [any] */
  /* Calls `give` once with the text of `count` ids, UTF-8. */
  flowrun_status (*decode)(void* self, const flowrun_call* call, const uint32_t* ids, uint64_t count, int32_t skip_special_tokens,
                           void (*give)(void* context, const char* text, uint64_t length), void* context);                                  /* [any] */
  void (*unload)(void* self);                                                                                                               /* [any] */
} flowrun_tokenizer;

#ifdef __cplusplus
}
#endif
