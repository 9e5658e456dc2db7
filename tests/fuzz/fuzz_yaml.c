/* YAML: trees keep within their limits, errors are one line that begins with a place. */
#include "codec/yaml.h"

#include <assert.h>
#include <ctype.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aliases included; returns how many nodes there are. */
static size_t walk(const struct yaml_node *n, unsigned depth)
{
	size_t count = 1;
	int64_t i;
	bool b;

	assert(depth <= YAML_MAX_DEPTH);
	assert(n->line > 0 && n->column > 0);
	if (n->kind == YAML_SCALAR || n->kind == YAML_NULL) {
		bool is_bool = yaml_bool(n, &b), is_int = yaml_int(n, &i);

		assert(n->text && n->n_items == 0);
		assert(!(is_bool && is_int));
		assert((n->is_plain && n->kind == YAML_SCALAR) || (!is_bool && !is_int));
		return count;
	}
	for (size_t k = 0; k < n->n_items; k++) {
		const struct yaml_node *key = n->items[k].key;

		assert((key != NULL) == (n->kind == YAML_MAP));
		assert(!key || (key->text && yaml_get(n, key->text)));
		count += walk(n->items[k].value, depth + 1) + (key != NULL);
	}
	return count;
}

static void check_message(const char *msg)
{
	assert(isdigit((unsigned char)msg[0]));
	for (const char *c = msg; *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(err_clear) struct err e = ERR_INIT;
	cleanup(yaml_deletep) struct yaml *y =
		yaml_parse((struct view){ (const char *)data, size }, &e);

	if (!y) {
		assert(e.kind == ERR_INVALID);
		check_message(err_msg(&e));
		return 0;
	}
	/* a merge key goes, and each key of the map it names comes: at most twice as many
	 */
	assert(walk(yaml_root(y), 0) <= 2 * (size_t)YAML_MAX_NODES);
	return 0;
}
