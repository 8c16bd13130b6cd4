#pragma once

/* flowrun's plugin boundary, in C11. DRAFT: it may still change; it is frozen once every plugin family has been built on it.
 *
 * A plugin is one shared library that exports one symbol, `flowrun_plugin_v1`. Everything else is reached from there.
 *
 * Rules that hold for every function below
 *  - No function throws or lets an exception pass. A function that can fail returns a `flowrun_status`; before it returns anything but
 *    FLOWRUN_OK it calls `call->fail` once.
 *  - Every struct starts with its size in bytes. A side reads only what lies inside the size that it is given: later versions append
 *    members, never move or remove one. A function pointer may be NULL where its comment says so.
 *  - Memory stays with the side that allocated it: strings passed in are borrowed for the call; arrays carry their own `release`.
 *  - Strings are UTF-8. Where there is a length they need not end in NUL.
 *  - Thread tags: [any] from any thread, also at once; [node] one call at a time for this node, but on any thread; [main] on the thread
 *    that builds the graph, before anything runs.
 *
 * A node's life: create [main] -> open [main] -> the calls of its kind -> close [main] -> destroy [main]. Nothing is called after a
 * failed `open` but `destroy`. Arrays that a node has given away may be released after `destroy`.
 *
 * Kinds are interfaces that the host asks `flowrun_plugin.get_interface` for by id; the descriptor's "kind" says which one is used:
 *   source   FLOWRUN_SOURCE_V1    gives documents from files or elsewhere
 *   map      FLOWRUN_MAP_V1       one batch in, one out for each output port; pure, parallel
 *   serial   FLOWRUN_SERIAL_V1    batches in order, one at a time; may hold state; also every writer
 *   blocking FLOWRUN_BLOCKING_V1  reads its input to the end, then gives an artifact or a stream
 *   indexed  FLOWRUN_INDEXED_V1   random access by position over datasets
 *   native   FLOWRUN_NATIVE_V1    inside a training region; C++ tensors, see native.hpp
 * and beside a kind: FLOWRUN_STATE_V1 (snapshot and restore). "flowrun.comm/1" is reserved.
 */

#include <stddef.h>
#include <stdint.h>

#include "arrow_c.h"
#include "dlpack.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLOWRUN_ABI_MAJOR 1
#define FLOWRUN_ABI_MINOR 0

#define FLOWRUN_SOURCE_V1 "flowrun.source/1"
#define FLOWRUN_MAP_V1 "flowrun.map/1"
#define FLOWRUN_SERIAL_V1 "flowrun.serial/1"
#define FLOWRUN_BLOCKING_V1 "flowrun.blocking/1"
#define FLOWRUN_INDEXED_V1 "flowrun.indexed/1"
#define FLOWRUN_NATIVE_V1 "flowrun.native/1"
#define FLOWRUN_STATE_V1 "flowrun.state/1"

#if defined(_WIN32)
#define FLOWRUN_EXPORT __declspec(dllexport)
#else
#define FLOWRUN_EXPORT __attribute__((visibility("default")))
#endif

/* Ports that a node may have on either side. Where a function takes `outputs`, the host passes this many arrays, all unset. */
#define FLOWRUN_MAX_PORTS 16

/* 0, or a flowrun_code. */
typedef int32_t flowrun_status;
#define FLOWRUN_OK 0

/* What kind of failure. A run that it ends exits 65 (corrupt data), 66 (not found), 69 (unavailable, unsupported), 74 (I/O), else 70. */
typedef enum flowrun_code {
  FLOWRUN_INVALID_ARGUMENT = 1, /* of `create`: a parameter is wrong, and the run exits 78 */
  FLOWRUN_NOT_FOUND = 2,
  FLOWRUN_CORRUPT_DATA = 3,
  FLOWRUN_IO = 4,
  FLOWRUN_OUT_OF_MEMORY = 5,
  FLOWRUN_UNAVAILABLE = 6,
  FLOWRUN_UNSUPPORTED = 7,
  FLOWRUN_CANCELLED = 8, /* the node saw stop_requested and gave up; not an error */
  FLOWRUN_INTERNAL = 9
} flowrun_code;

typedef enum flowrun_log_level {
  FLOWRUN_LOG_DEBUG = 0,
  FLOWRUN_LOG_INFO = 1,
  FLOWRUN_LOG_WARNING = 2
} flowrun_log_level;

/* A record that a source found and refused, or a part of a file that it could not read. */
typedef struct flowrun_record_error {
  uint32_t size;
  int32_t status;         /* a flowrun_code: how the run ends under on_error = "stop" */
  const char* code;       /* counted under this name, for example "bad_utf8", "bad_json", "damaged_gzip" */
  const char* message;    /* found and expected; may be NULL */
  const char* file;       /* as the user wrote it; may be NULL */
  int64_t record;         /* from 0; -1: none */
  int64_t offset;         /* byte offset in the file as stored; -1: unknown */
  int64_t documents;      /* 1 for a refused record, 0 for the unreadable rest of a file */
  int64_t bytes;          /* text bytes of the refused record, where known, else 0 */
  int64_t file_bytes;     /* stored bytes of the rest of a file that are given up, else 0 */
} flowrun_record_error;

/* The host, as seen from inside one call. Valid until that call returns; every function is [any] within it. */
typedef struct flowrun_call {
  uint32_t size;
  void* host;
  /* Explains the status that the call is about to return. */
  void (*fail)(const struct flowrun_call* call, flowrun_status status, const char* message, size_t length);
  /* Says that row `row` of the input is dropped. `value` and `threshold` may be NaN: none. */
  void (*drop)(const struct flowrun_call* call, int64_t row, const char* reason, double value, double threshold);
  /* Says that row `row` of the input is refused as an error; obeys on_error. The row must then be missing from every output. */
  void (*row_error)(const struct flowrun_call* call, int64_t row, flowrun_status status, const char* code, const char* message, size_t length);
  /* Sources: says that a record or the rest of a file is refused. Returns FLOWRUN_OK to go on, or a status to return at once. */
  flowrun_status (*record_error)(const struct flowrun_call* call, const flowrun_record_error* error);
  /* Non-zero once the run is stopping. A call that may take over 100 ms asks it now and then and returns FLOWRUN_CANCELLED. */
  int32_t (*stop_requested)(const struct flowrun_call* call);
  void (*log)(const struct flowrun_call* call, int32_t level, const char* message, size_t length);
  /* Makes `out` a second owner of an array that the host has lent in this call. No copy; `out->release` may run on any thread. */
  void (*retain)(const struct flowrun_call* call, const struct ArrowArray* borrowed, struct ArrowArray* out);
} flowrun_call;

/* Resolved parameters: defaults filled in, types and ranges checked against the descriptor. [main], during `create` alone.
 * The get functions return 1 and write the value, or return 0 where the parameter has neither value nor default. */
typedef struct flowrun_params {
  uint32_t size;
  void* host;
  int32_t (*get_bool)(const struct flowrun_params* params, const char* name, int32_t* value);
  int32_t (*get_int)(const struct flowrun_params* params, const char* name, int64_t* value);
  int32_t (*get_float)(const struct flowrun_params* params, const char* name, double* value);
  int32_t (*get_string)(const struct flowrun_params* params, const char* name, const char** value, size_t* length);
  /* Elements of a list, keys of a table, files of a "paths" parameter; -1 where absent. Field f of table i of the list p is named "p.i.f". */
  int64_t (*count)(const struct flowrun_params* params, const char* name);
  int32_t (*get_item_string)(const struct flowrun_params* params, const char* name, int64_t index, const char** value, size_t* length);
  int32_t (*get_item_float)(const struct flowrun_params* params, const char* name, int64_t index, double* value);
  int32_t (*get_key)(const struct flowrun_params* params, const char* name, int64_t index, const char** key, size_t* length);
  /* Parameters of type "path" and "paths": the absolute file to open, and the name by which documents and messages call it (relative to
   * the graph's folder unless written absolute). A "path" has the one index 0. Globs are already expanded, sorted by name. */
  int32_t (*get_path)(const struct flowrun_params* params, const char* name, int64_t index, const char** absolute, const char** display);
} flowrun_params;

/* An artifact that the node reads. */
typedef struct flowrun_artifact {
  uint32_t size;
  const char* port;
  const char* type; /* for example "tokenizer" */
  const char* path; /* absolute folder, read-only */
} flowrun_artifact;

/* What a node learns before its first batch, and the schemas that it gives in return. */
typedef struct flowrun_open {
  uint32_t size;
  uint32_t input_count;                           /* input ports in the descriptor's order */
  const struct ArrowSchema* const* input_schemas; /* NULL for a port that is not a stream or is not connected */
  uint32_t artifact_count;
  const flowrun_artifact* artifacts;
  const char* staging;      /* absolute folder to write into: an artifact's or a writer's; NULL where the node has none */
  uint64_t seed;            /* of this node; derived from the run's seed and the node's name unless written */
  int64_t memory_bytes;     /* above which declared state must spill; 0: the node declares none */
  int64_t batch_bytes;      /* a batch ends at the first document that takes its text to this, */
  int64_t batch_documents;  /* or to this many documents */
  uint32_t output_count;
  struct ArrowSchema* output_schemas; /* one for each output port; filled by the node for stream ports, given to the host */
} flowrun_open;

/* ------------------------------------------------------------------------------------------------------------------ kinds of node */

/* Gives documents. Its input is cut into units (a large file, or some small ones), whose number and content depend on parameters and
 * files alone. The host reads several units at once and passes their batches on in the order (unit, batch). */
typedef struct flowrun_source {
  uint32_t size;
  int64_t (*unit_count)(void* self);                                                                      /* [any] */
  flowrun_status (*open_unit)(void* self, const flowrun_call* call, int64_t unit, void** cursor);         /* [any] */
  /* Gives the next batch; one that ends the unit sets *end to 1 and may be empty. One call at a time for each cursor. */
  flowrun_status (*next)(void* self, void* cursor, const flowrun_call* call, struct ArrowArray* out, int32_t* end);
  void (*close_unit)(void* self, void* cursor);                                                           /* [any] */
} flowrun_source;

/* Turns one batch into one batch for each output port. Pure: the result depends on parameters and this batch alone. Every row of the input
 * is in an output, or dropped, or an error. An output that is left unset (release NULL) is empty. */
typedef struct flowrun_map {
  uint32_t size;
  flowrun_status (*process)(void* self, const flowrun_call* call, const struct ArrowArray* in, struct ArrowArray* outputs); /* [any] */
} flowrun_map;

/* Sees batches in order, one at a time, port after port in the order of the descriptor. Writers are serial nodes without outputs: they
 * write below `staging`, which the host commits after `finish`. */
typedef struct flowrun_serial {
  uint32_t size;
  flowrun_status (*process)(void* self, const flowrun_call* call, uint32_t port, const struct ArrowArray* in, struct ArrowArray* outputs); /* [node] */
  /* After the last batch; may still give one batch for each output. */
  flowrun_status (*finish)(void* self, const flowrun_call* call, struct ArrowArray* outputs); /* [node] */
} flowrun_serial;

/* Reads all input, then gives its artifact (written below `staging`) or a stream by `produce`. */
typedef struct flowrun_blocking {
  uint32_t size;
  flowrun_status (*consume)(void* self, const flowrun_call* call, uint32_t port, const struct ArrowArray* in); /* [node] in order */
  flowrun_status (*finish)(void* self, const flowrun_call* call);                                              /* [node] */
  /* Gives the next batch of the stream; *end as in flowrun_source. NULL for a node whose output is an artifact. */
  flowrun_status (*produce)(void* self, const flowrun_call* call, struct ArrowArray* out, int32_t* end); /* [node] */
} flowrun_blocking;

/* Rows by position: a spooled token stream, or what an indexed node makes of some. */
typedef struct flowrun_dataset {
  uint32_t size;
  void* self;
  int64_t (*count)(void* self); /* rows; -1: without end. [any] */
  /* Gives rows [first, first + n) without `input_ids` but with `length` (uint32, tokens) and every other column. [any] */
  flowrun_status (*index)(void* self, const flowrun_call* call, int64_t first, int64_t n, struct ArrowArray* out);
  /* Gives rows [first, first + n) whole. [any] */
  flowrun_status (*read)(void* self, const flowrun_call* call, int64_t first, int64_t n, struct ArrowArray* out);
  const struct ArrowSchema* index_schema;
  const struct ArrowSchema* schema;
} flowrun_dataset;

/* Named tensors of one batch, and the documents that they were made of. */
typedef struct flowrun_batch {
  uint32_t size;
  uint32_t tensor_count;
  const char* const* names;    /* for example "input_ids" */
  DLManagedTensor** tensors;   /* [rows, T] each, on the CPU; owned by the batch */
  int64_t id_count;
  const char* const* ids;      /* ids of the documents in it, in order */
  void (*release)(struct flowrun_batch* batch);
  void* private_data;
} flowrun_batch;

/* Gives row or batch `position` without reading those before. `prepare` runs once, before any read, and writes an index below `staging`,
 * which is kept as an artifact; `attach` is called in every run with that folder. */
typedef struct flowrun_indexed {
  uint32_t size;
  flowrun_status (*prepare)(void* self, const flowrun_call* call, const flowrun_dataset* const* inputs, uint32_t input_count, const char* staging); /* [main] */
  flowrun_status (*attach)(void* self, const flowrun_call* call, const flowrun_dataset* const* inputs, uint32_t input_count, const char* index); /* [main] */
  /* Rows (type tokens) or sequences (type batch) that there are; -1: without end. [any] */
  int64_t (*count)(void* self);
  /* Output of type tokens: as in flowrun_dataset. NULL otherwise. [any] */
  flowrun_status (*index_rows)(void* self, const flowrun_call* call, int64_t first, int64_t n, struct ArrowArray* out);
  flowrun_status (*read_rows)(void* self, const flowrun_call* call, int64_t first, int64_t n, struct ArrowArray* out);
  /* Output of type batch: sequences [first, first + n) as tensors [n, T], or k shorter ones in the place of each: [n k, T / k]. NULL otherwise. [any] */
  flowrun_status (*read_batch)(void* self, const flowrun_call* call, int64_t first, int64_t n, flowrun_batch* out);
} flowrun_indexed;

/* Snapshot and restore of a node's state between two batches. A node with it goes on from `restore` exactly as it would have after
 * `snapshot`. */
typedef struct flowrun_state {
  uint32_t size;
  /* Writes the whole state below `folder`, which exists and is empty. [node] */
  flowrun_status (*snapshot)(void* self, const flowrun_call* call, const char* folder);
  /* Takes the state back; called after `open`, before the first batch. [node] */
  flowrun_status (*restore)(void* self, const flowrun_call* call, const char* folder);
  /* Returns the bytes of memory that the state takes now. [node] */
  int64_t (*memory_bytes)(void* self);
} flowrun_state;

/* ---------------------------------------------------------------------------------------------------------------------- the plugin */

typedef struct flowrun_plugin {
  uint32_t size;
  uint16_t abi_major; /* must equal the host's */
  uint16_t abi_minor; /* may be lower or higher: sizes say what is there */
  /* Returns the descriptor: JSON, the same bytes as in the ELF section `.flowrun`. See docs/writing-a-plugin.md. [any] */
  const char* (*descriptor)(void);
  /* Makes a node. */
  flowrun_status (*create)(const flowrun_call* call, const flowrun_params* params, void** self); /* [main] */
  flowrun_status (*open)(void* self, const flowrun_call* call, flowrun_open* open);              /* [main] */
  /* Ends the node's work; whatever can fail is done in `finish`. */
  void (*close)(void* self);   /* [main] */
  void (*destroy)(void* self); /* [main] */
  /* Returns the table of an interface, or NULL. Named `get_interface` because some systems define `interface`. [any] */
  const void* (*get_interface)(const char* id);
} flowrun_plugin;

/* The one symbol that a plugin exports. */
extern FLOWRUN_EXPORT const flowrun_plugin flowrun_plugin_v1;

#ifdef __cplusplus
}
#endif
