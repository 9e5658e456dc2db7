/*
 * yaml.c - libyaml's events of a file, thrown away: the least that reading a
 * configuration can cost.
 *
 *	yaml FILE
 */
#include <stdio.h>
#include <yaml.h>

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_event_type_t type;

	if (!file || !yaml_parser_initialize(&parser))
		return 1;
	yaml_parser_set_input_file(&parser, file);
	do {
		if (!yaml_parser_parse(&parser, &event))
			return 1;
		type = event.type;
		yaml_event_delete(&event);
	} while (type != YAML_STREAM_END_EVENT);
	yaml_parser_delete(&parser);
	fclose(file);
	return 0;
}
