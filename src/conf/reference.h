/*
 * reference.h - the tables of a schema as a document.
 *
 * Markdown: a section for each table and each union that can be reached from `root`,
 * with a row for each key: its value, its default, what it is for.  What a value's type
 * refers to by .see is linked as a heading of the document that this becomes a part of.
 */
#ifndef CONF_REFERENCE_H
#define CONF_REFERENCE_H

#include "conf/schema.h"

void schema_reference(struct buf *out, const struct schema_table *root);

#endif
