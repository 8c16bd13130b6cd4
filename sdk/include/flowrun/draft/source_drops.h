#pragma once

/* DRAFT of an extension: what a source has found and leaves out because of what its parameters say (redirects, namespaces, generated code, ...). It stands in
 * funnel.json and dropped.jsonl.zst as what filters drop does. The host asks a plugin of kind "source" for it by this id through
 * `flowrun_plugin.get_interface`; a plugin without it leaves nothing out, or says nothing of it. The rules of abi.h hold.
 */

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLOWRUN_SOURCE_DROPS_DRAFT_1 "flowrun.source_drops.draft/1"

/* A record that was found and is left out. Pointers are valid until the next call for the same cursor. */
typedef struct flowrun_source_drop {
  uint32_t size;
  const char* id; /* as its document's would have been; UTF-8, `id_length` bytes */
  uint64_t id_length;
  const char* reason; /* counted under this name: snake_case, never changed once published, for example "redirect" */
  int64_t bytes;      /* of the text of its document, where known, else 0 */
  double value;       /* what the decision was about; NaN: nothing */
  double threshold;   /* NaN: none */
} flowrun_source_drop;

typedef struct flowrun_source_drops {
  uint32_t size;
  /* Writes the next record that the cursor has left out, each once and in the order of its unit, and returns 1; 0 where there is none. Called after each `next` of
   * the cursor that succeeds until it returns 0; one call at a time for each cursor. A source that leaves out many records in a row ends a batch for them: `next` may
   * then give an empty one that does not end the unit. */
  int32_t (*take)(void* self, void* cursor, flowrun_source_drop* out);
} flowrun_source_drops;

#ifdef __cplusplus
}
#endif
