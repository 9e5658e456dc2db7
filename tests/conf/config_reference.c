/* Prints the reference of the keys, as docs/config.md has it. */
#include "conf/reference.h"
#include "conf/tables.h"

#include <stdio.h>

int main(void)
{
	cleanup(buf_free) struct buf out = { 0 };

	schema_reference(&out, &table_file);
	fputs(buf_str(&out), stdout);
	return 0;
}
