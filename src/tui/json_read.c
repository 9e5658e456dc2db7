#include "tui/json_read.h"

#include "codec/rfc3339.h"

struct json_object *json_member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

const char *json_text(struct json_object *o, const char *key)
{
	struct json_object *v = json_member(o, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

uint64_t json_number(struct json_object *o, const char *key)
{
	struct json_object *v = json_member(o, key);

	return json_object_is_type(v, json_type_int) ? json_object_get_uint64(v) : 0;
}

bool json_flag(struct json_object *o, const char *key)
{
	struct json_object *v = json_member(o, key);

	return json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

struct timespec json_time(struct json_object *o, const char *key)
{
	cleanup(err_clear) struct err ignored = ERR_INIT;
	struct timespec t = { 0 };

	if (rfc3339_parse(json_text(o, key), &t, &ignored) < 0)
		return (struct timespec){ 0 };
	return t;
}

size_t json_length(struct json_object *o, const char *key)
{
	struct json_object *v = json_member(o, key);

	return json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;
}

struct json_object *json_element(struct json_object *o, const char *key, size_t i)
{
	return json_object_array_get_idx(json_member(o, key), i);
}

const char *json_element_text(struct json_object *o, const char *key, size_t i)
{
	struct json_object *v = json_element(o, key, i);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}
