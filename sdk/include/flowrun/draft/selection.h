#pragma once

/* DRAFT of an extension: a blocking node whose stream is its input without some of its rows, such as a deduper that must see all documents before it can say which of them
 * stay. The host keeps the rows on disk, in order, and asks the node for those to drop when it has seen all; so the node holds no documents, every row is accounted for, and
 * the costly part of looking at a row runs on many threads. The host asks a plugin of kind "blocking" with one stream in and one out for it by this id through
 * `flowrun_plugin.get_interface`. `produce` is then never called. The rules of abi.h hold.
 *
 * Order: `sketch` for each batch, then `consume` for the batches in order, then `finish`, then `next_drop` until it ends.
 */

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLOWRUN_SELECTION_DRAFT_1 "flowrun.selection.draft/1"

/* The column that `consume` finds behind those of the input: binary (Arrow format "z"), as `sketch` has made it. */
#define FLOWRUN_SELECTION_SKETCH "flowrun.sketch"

/* A row that goes. Pointers are valid until the next call. */
typedef struct flowrun_selection_drop {
  uint32_t size;
  int64_t row;        /* counted from 0 over all input; larger than that of the drop before */
  const char* reason; /* counted under this name: snake_case, never changed once published */
  double value;       /* what the decision was about; NaN: nothing */
  double threshold;   /* NaN: none */
  const char* kept;   /* id of the document that stays in its place, UTF-8, `kept_length` bytes; NULL: none */
  uint64_t kept_length;
} flowrun_selection_drop;

typedef struct flowrun_selection {
  uint32_t size;
  /* Gives a binary column with a value for each row of the batch: all that `consume` needs of the row beside its columns. Pure. [any] */
  flowrun_status (*sketch)(void* self, const flowrun_call* call, const struct ArrowArray* in, struct ArrowArray* out);
  /* Writes the next row to drop, or sets *end to 1 where there is none. After `finish`. [node] */
  flowrun_status (*next_drop)(void* self, const flowrun_call* call, flowrun_selection_drop* out, int32_t* end);
} flowrun_selection;

#ifdef __cplusplus
}
#endif
