/* examples/shout: a whole flowrun plugin in plain C11. Writes the ASCII letters of each text in capitals.
 *
 * It shows what the C++ headers do for their users: a descriptor as JSON, a schema copied for the host, a batch built beside the one that is
 * borrowed, and a release function that runs once, on any thread, maybe long after the node is gone.
 */

#include <flowrun/abi.h>

#include <stdlib.h>
#include <string.h>

static const char kDescriptor[] =
    "{\"abi\":{\"major\":1,\"minor\":0},\"id\":\"examples/shout\",\"version\":\"1.0.0\","
    "\"summary\":\"Writes the ASCII letters of each text in capitals.\",\"tier\":\"portable\",\"kind\":\"map\","
    "\"inputs\":[{\"name\":\"in\",\"type\":\"documents\",\"edge\":\"stream\",\"optional\":false,\"columns_needed\":[]}],"
    "\"outputs\":[{\"name\":\"out\",\"type\":\"documents\",\"edge\":\"stream\",\"columns_added\":[]}],"
    "\"parameters\":[{\"name\":\"first_line_only\",\"type\":\"boolean\",\"unit\":null,\"default\":false,\"min\":null,\"max\":null,\"choices\":null,"
    "\"required\":false,\"description\":\"Whether only the first line of each text is changed.\"}],"
    "\"constraints\":[],\"declares_state\":false,\"determinism\":\"pure\",\"threads\":\"Any number of calls at once.\",\"devices\":[\"cpu\"],"
    "\"source\":\"\",\"example\":\"[node.loud]\\nplugin = \\\"examples/shout\\\"\\nin = \\\"books\\\"\\n\",\"fingerprint\":null}";

typedef struct Shout {
  int32_t first_line_only;
  int64_t text_column;
} Shout;

static flowrun_status fail(const flowrun_call* call, flowrun_status status, const char* message) {
  call->fail(call, status, message, strlen(message));
  return status;
}

/* ------------------------------------------------------------------------------------------------------------------------- schema */

static void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  free((void*)schema->format);
  free((void*)schema->name);
  schema->release = NULL;
}

static char* copy_text(const char* text) {
  const size_t bytes = strlen(text) + 1;
  char* copy = malloc(bytes);
  return copy ? memcpy(copy, text, bytes) : NULL;
}

/* Copies names, formats and children: the schema that is given may be gone after the call. Returns 0 where memory ran out; `to` then owns what
 * it has. */
static int copy_schema(const struct ArrowSchema* from, struct ArrowSchema* to) {
  memset(to, 0, sizeof *to);
  to->flags = from->flags;
  to->release = release_schema;
  to->format = copy_text(from->format);
  to->name = copy_text(from->name ? from->name : "");
  to->children = calloc((size_t)from->n_children + 1, sizeof *to->children);
  if (!to->format || !to->name || !to->children) return 0;
  for (; to->n_children < from->n_children; ++to->n_children) {
    struct ArrowSchema* child = malloc(sizeof *child);
    if (!child) return 0;
    const int whole = copy_schema(from->children[to->n_children], child);
    to->children[to->n_children] = child;
    if (!whole) {
      ++to->n_children; /* so that it is released with the rest */
      return 0;
    }
  }
  return 1;
}

/* -------------------------------------------------------------------------------------------------------------------------- batch */

/* What an output batch is made of: a share of the input for every other column, and a text column of its own. */
typedef struct Output {
  struct ArrowArray kept; /* keeps the buffers of the borrowed columns alive */
  struct ArrowArray* columns;
  struct ArrowArray** pointers;
  const void* no_validity[1];
  const void* text_buffers[3];
  int32_t* offsets;
  char* text;
} Output;

static void free_output(Output* output) {
  if (output->kept.release) output->kept.release(&output->kept);
  free(output->columns);
  free(output->pointers);
  free(output->offsets);
  free(output->text);
  free(output);
}
static void release_batch(struct ArrowArray* array) {
  free_output(array->private_data);
  array->release = NULL;
}
static void release_nothing(struct ArrowArray* array) { array->release = NULL; }

static Output* make_output(int64_t columns, int64_t rows, size_t text_bytes) {
  Output* output = calloc(1, sizeof *output);
  if (!output) return NULL;
  output->columns = calloc((size_t)columns, sizeof *output->columns);
  output->pointers = calloc((size_t)columns, sizeof *output->pointers);
  output->offsets = malloc(((size_t)rows + 1) * sizeof *output->offsets);
  output->text = malloc(text_bytes + 1); /* malloc(0) may give NULL */
  if (output->columns && output->pointers && output->offsets && output->text) return output;
  free_output(output);
  return NULL;
}

static void shout(const char* from, char* to, int32_t length, int first_line_only) {
  memcpy(to, from, (size_t)length);
  for (int32_t i = 0; i < length && !(first_line_only && to[i] == '\n'); ++i)
    if (to[i] >= 'a' && to[i] <= 'z') to[i] = (char)(to[i] - 'a' + 'A');
}

static flowrun_status process(void* self, const flowrun_call* call, const struct ArrowArray* in, struct ArrowArray* outputs) {
  const Shout* node = self;
  const struct ArrowArray* text = in->children[node->text_column];
  /* A batch may begin inside its buffers, and so may each of its columns. */
  const int32_t* offsets = (const int32_t*)text->buffers[1] + text->offset + in->offset;
  const int32_t begin = in->length ? offsets[0] : 0, end = in->length ? offsets[in->length] : 0;

  Output* output = make_output(in->n_children, in->length, (size_t)(end - begin));
  if (!output) return fail(call, FLOWRUN_OUT_OF_MEMORY, "out of memory");
  output->offsets[0] = 0;
  for (int64_t row = 0; row < in->length; ++row) {
    output->offsets[row + 1] = offsets[row + 1] - begin;
    shout((const char*)text->buffers[2] + offsets[row], output->text + output->offsets[row], offsets[row + 1] - offsets[row], node->first_line_only);
  }

  call->retain(call, in, &output->kept);
  for (int64_t i = 0; i < in->n_children; ++i) {
    output->pointers[i] = &output->columns[i];
    output->columns[i] = *in->children[i];
    output->columns[i].offset += in->offset;
    output->columns[i].length = in->length;
    output->columns[i].release = release_nothing; /* the buffers are those of `kept` */
  }
  struct ArrowArray* mine = &output->columns[node->text_column];
  output->text_buffers[1] = output->offsets;
  output->text_buffers[2] = output->text;
  mine->buffers = output->text_buffers;
  mine->offset = 0;
  mine->null_count = 0;

  outputs[0] = (struct ArrowArray){.length = in->length,
                                   .n_buffers = 1,
                                   .n_children = in->n_children,
                                   .buffers = output->no_validity,
                                   .children = output->pointers,
                                   .release = release_batch,
                                   .private_data = output};
  return FLOWRUN_OK;
}

/* --------------------------------------------------------------------------------------------------------------------------- node */

static const char* descriptor(void) { return kDescriptor; }

static flowrun_status create(const flowrun_call* call, const flowrun_params* params, void** self) {
  Shout* node = calloc(1, sizeof *node);
  if (!node) return fail(call, FLOWRUN_OUT_OF_MEMORY, "out of memory");
  params->get_bool(params, "first_line_only", &node->first_line_only);
  *self = node;
  return FLOWRUN_OK;
}

static flowrun_status open_node(void* self, const flowrun_call* call, flowrun_open* open) {
  Shout* node = self;
  const struct ArrowSchema* schema = open->input_schemas[0];
  node->text_column = -1;
  for (int64_t i = 0; i < schema->n_children; ++i)
    if (strcmp(schema->children[i]->name, "text") == 0 && strcmp(schema->children[i]->format, "u") == 0) node->text_column = i;
  if (node->text_column < 0) return fail(call, FLOWRUN_INVALID_ARGUMENT, "the input has no utf8 column 'text'");
  if (copy_schema(schema, &open->output_schemas[0])) return FLOWRUN_OK;
  open->output_schemas[0].release(&open->output_schemas[0]);
  return fail(call, FLOWRUN_OUT_OF_MEMORY, "out of memory");
}

static void close_node(void* self) { (void)self; }

static const flowrun_map kMap = {sizeof(flowrun_map), process};

static const void* get_interface(const char* id) { return strcmp(id, FLOWRUN_MAP_V1) == 0 ? &kMap : NULL; }

const flowrun_plugin flowrun_plugin_v1 = {sizeof(flowrun_plugin), FLOWRUN_ABI_MAJOR, FLOWRUN_ABI_MINOR, descriptor, create, open_node, close_node, free, get_interface};
