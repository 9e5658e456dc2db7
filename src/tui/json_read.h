/*
 * json_read.h - members of a JSON object that may be missing or of another type.
 */
#ifndef TUI_JSON_READ_H
#define TUI_JSON_READ_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct json_object *json_member(struct json_object *o, const char *key); /* or NULL */
const char *json_text(struct json_object *o, const char *key);           /* or "" */
uint64_t json_number(struct json_object *o, const char *key);            /* or 0 */
bool json_flag(struct json_object *o, const char *key);                  /* or false */
struct timespec json_time(struct json_object *o, const char *key);       /* or zero */
/* Elements of an array member; 0 for anything else. */
size_t json_length(struct json_object *o, const char *key);
struct json_object *json_element(struct json_object *o, const char *key, size_t i);
const char *json_element_text(struct json_object *o, const char *key,
			      size_t i); /* or "" */

#endif
