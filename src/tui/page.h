/*
 * page.h - text under construction: indented lines, and how times, amounts and bars look.
 *
 * Pure; the numbers may be any, as they come from documents that nobody has checked.
 */
#ifndef TUI_PAGE_H
#define TUI_PAGE_H

#include "base/buf.h"

#include <time.h>

struct tzif;

struct page {
	struct buf *out;
	unsigned depth; /* three columns each */
	struct timespec now;
	const struct tzif *zone; /* for times */
};

/* One line; if the text has several, as errors may, the others are indented more. */
void page_line(struct page *p, const char *fmt, ...) printf_like(2, 3);
void page_text(struct page *p, const char *text); /* lines, as they are */

bool page_is_set(struct timespec t);

/* These return text that is the caller's. */
char *page_time(const struct page *p, struct timespec t) must_check;
char *page_between(struct timespec from, struct timespec to) must_check; /* to seconds */
char *page_bytes(uint64_t n) must_check;

/* "[====>-----]", width columns between the brackets; full if there is nothing to do. */
void page_bar(struct buf *b, uint64_t done, uint64_t total, int width);

#endif
