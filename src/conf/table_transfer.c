#include "conf/tables.h"

#include "conf/value.h"

#include <string.h>

#define AT(member) offsetof(struct conf_bandwidth, member)

static int decode_max(struct schema *s, const struct schema_type *t,
		      const struct yaml_node *n, void *out)
{
	int64_t bytes;

	if (value_size.decode(s, t, n, &bytes) < 0)
		return -1;
	if (bytes == 0)
		return schema_fail(
			s, n,
			"is below one byte a second, and nothing would ever be "
			"sent; want -1 B for no limit");
	memcpy(out, &bytes, sizeof(bytes));
	return 0;
}

static int decode_capacity(struct schema *s, const struct schema_type *t,
			   const struct yaml_node *n, void *out)
{
	int64_t bytes;

	if (value_size.decode(s, t, n, &bytes) < 0)
		return -1;
	if (bytes <= 0)
		return schema_fail(s, n,
				   "is below one byte; want a size such as 128 KiB");
	memcpy(out, &bytes, sizeof(bytes));
	return 0;
}

static const struct schema_type max_type = {
	.decode = decode_max,
	.see = "Sizes",
	.want = "a size such as 10 MiB, or -1 B for no limit",
	.size = sizeof(int64_t),
};
static const struct schema_type capacity_type = {
	.decode = decode_capacity,
	.see = "Sizes",
	.want = "a size such as 128 KiB",
	.size = sizeof(int64_t),
};

static const struct schema_key bandwidth_keys[] = {
	DEFAULT("max", &max_type, AT(max), "-1 B",
		"Bytes a second, of all streams of the job together."),
	DEFAULT("bucket_capacity", &capacity_type, AT(bucket_capacity), "128 KiB",
		"How much may be sent at once after a pause."),
};
static const struct schema_table bandwidth_table =
	SCHEMA_TABLE("bandwidth_limit", bandwidth_keys, NULL);
static const struct schema_type bandwidth_type =
	TABLE_TYPE(bandwidth_table, "a map with max and bucket_capacity");

#undef AT
#define AT(member) offsetof(struct conf_send, member)

static const struct schema_key send_keys[] = {
	DEFAULT("encrypted", &schema_bool, AT(encrypted), "false",
		"Send encrypted filesystems as they are (`-w`), and refuse all that are "
		"not encrypted."),
	DEFAULT("raw", &schema_bool, AT(raw), "false",
		"Send encrypted filesystems as they are, others in plain (`-w`)."),
	DEFAULT("send_properties", &schema_bool, AT(send_properties), "false",
		"Send the properties with the snapshot (`-p`)."),
	DEFAULT("backup_properties", &schema_bool, AT(backup_properties), "false",
		"Send the received properties rather than the local ones (`-b`)."),
	DEFAULT("large_blocks", &schema_bool, AT(large_blocks), "false",
		"Blocks of more than 128 KiB stay large (`-L`). Not to be switched off "
		"once a filesystem was received so."),
	DEFAULT("compressed", &schema_bool, AT(compressed), "false",
		"Compressed blocks are sent as they are (`-c`)."),
	DEFAULT("embedded_data", &schema_bool, AT(embedded_data), "false",
		"Blocks embedded in pointers are sent as they are (`-e`)."),
	DEFAULT("saved", &schema_bool, AT(saved), "false",
		"Send what is there of a partly received dataset (`-S`)."),
	SECTION("bandwidth_limit", &bandwidth_type, AT(bandwidth),
		"How fast streams are sent."),
};
static const struct schema_table send_table = SCHEMA_TABLE("send", send_keys, NULL);
const struct schema_type table_send =
	TABLE_TYPE(send_table, "a map of flags, such as {compressed: true}");

#undef AT
#define AT(member) offsetof(struct conf_recv, member)

static const struct schema_word placeholder_words[] = {
	{ "unspecified", PLACEHOLDER_ENCRYPTION_UNSPECIFIED },
	{ "inherit", PLACEHOLDER_ENCRYPTION_INHERIT },
	{ "off", PLACEHOLDER_ENCRYPTION_OFF },
};
static const struct schema_type placeholder_encryption_type =
	ENUM_TYPE(placeholder_words);

static const struct schema_key properties_keys[] = {
	OPTIONAL("inherit", &value_properties, AT(inherit),
		 "Properties that are not taken from the stream, but inherited (`-x`)."),
	OPTIONAL("override", &value_overrides, AT(override),
		 "Properties that are set to these values instead of those in the stream "
		 "(`-o`). Quote `on` and `off` if you like; they are texts here."),
};
static const struct schema_key placeholder_keys[] = {
	DEFAULT("encryption", &placeholder_encryption_type, AT(placeholder_encryption),
		"unspecified",
		"How a dataset is made that stands for a parent which was not sent: with "
		"`inherit` it is encrypted as its own parent, with `off` not at all. "
		"With `unspecified` none is made, and what is below it is refused, until "
		"this is set."),
};
static const struct schema_table properties_table =
	SCHEMA_TABLE("properties", properties_keys, NULL);
static const struct schema_table placeholder_table =
	SCHEMA_TABLE("placeholder", placeholder_keys, NULL);
static const struct schema_type properties_type =
	TABLE_TYPE(properties_table, "a map with inherit and override");
static const struct schema_type placeholder_type =
	TABLE_TYPE(placeholder_table, "a map with encryption");

static const struct schema_key recv_keys[] = {
	SECTION("properties", &properties_type, 0,
		"What becomes of the properties in the stream."),
	SECTION("bandwidth_limit", &bandwidth_type, AT(bandwidth),
		"How fast streams are received."),
	SECTION("placeholder", &placeholder_type, 0, "Parents that were not sent."),
};
static const struct schema_table recv_table = SCHEMA_TABLE("recv", recv_keys, NULL);
const struct schema_type table_recv =
	TABLE_TYPE(recv_table, "a map with properties, bandwidth_limit and placeholder");

#undef AT
#define AT(member) offsetof(struct conf_replication, member)

static const struct schema_word protection_words[] = {
	{ "guarantee_resumability", PROTECTION_RESUMABILITY },
	{ "guarantee_incremental", PROTECTION_INCREMENTAL },
	{ "guarantee_nothing", PROTECTION_NOTHING },
};
static const struct schema_word initial_replication_words[] = {
	{ "most_recent", INITIAL_MOST_RECENT },
	{ "all", INITIAL_ALL },
	{ "fail", INITIAL_FAIL },
};
static const struct schema_type protection_type = ENUM_TYPE(protection_words);
static const struct schema_type initial_replication_type =
	ENUM_TYPE(initial_replication_words);
static const struct schema_type concurrency_number = {
	.decode = schema_decode_int,
	.want = "how many at the same time, at least 1",
	.min = 1,
	.max = INT32_MAX,
};

static const struct schema_key protection_keys[] = {
	DEFAULT("initial", &protection_type, AT(protect_initial),
		"guarantee_resumability",
		"While a filesystem is sent for the first time."),
	DEFAULT("incremental", &protection_type, AT(protect_incremental),
		"guarantee_resumability", "While what is new is sent."),
};
static const struct schema_key concurrency_keys[] = {
	DEFAULT("steps", &concurrency_number, AT(concurrency_steps), "1",
		"How many streams at a time."),
	DEFAULT("size_estimates", &concurrency_number, AT(concurrency_size_estimates),
		"4", "How many estimates of a stream's size at a time."),
};
static const struct schema_table protection_table =
	SCHEMA_TABLE("protection", protection_keys, NULL);
static const struct schema_table concurrency_table =
	SCHEMA_TABLE("concurrency", concurrency_keys, NULL);
static const struct schema_type protection_section =
	TABLE_TYPE(protection_table, "a map with initial and incremental");
static const struct schema_type concurrency_section =
	TABLE_TYPE(concurrency_table, "a map with steps and size_estimates");

static const struct schema_key replication_keys[] = {
	SECTION("protection", &protection_section, 0,
		"What is held and bookmarked, so that a replication can go on later. See "
		"[Protection](#protection-of-what-is-replicated)."),
	SECTION("concurrency", &concurrency_section, 0, "How much happens at a time."),
};
static const struct schema_key conflict_keys[] = {
	DEFAULT("initial_replication", &initial_replication_type, AT(initial_replication),
		"most_recent",
		"Which snapshots of a filesystem to send that the receiver does not "
		"have: the `most_recent`, `all`, or none (`fail`)."),
};
static const struct schema_table replication_table =
	SCHEMA_TABLE("replication", replication_keys, NULL);
static const struct schema_table conflict_table =
	SCHEMA_TABLE("conflict_resolution", conflict_keys, NULL);
const struct schema_type table_replication =
	TABLE_TYPE(replication_table, "a map with protection and concurrency");
const struct schema_type table_conflict_resolution =
	TABLE_TYPE(conflict_table, "a map with initial_replication");

#undef AT

const char *protection_name(enum protection p)
{
	static const struct schema_words words = WORDS(protection_words);

	return schema_word(&words, p);
}

const char *initial_replication_name(enum initial_replication i)
{
	static const struct schema_words words = WORDS(initial_replication_words);

	return schema_word(&words, i);
}
