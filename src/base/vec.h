/*
 * vec.h - typed growing lists, with one macro to push.
 *
 *	struct names {
 *		struct name *v;
 *		size_t n, cap;
 *	};
 *	VEC_PUSH(&names, ((struct name){ ... }));
 *
 * A zeroed list is a valid empty one.  Whoever defines the list type also
 * defines its _free().  Pointers into .v are good until the next push.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/base.h"

#define VEC_PUSH(l, item)                                                     \
	do {                                                                  \
		if ((l)->n == (l)->cap) {                                     \
			(l)->cap = (l)->cap ? (l)->cap * 2 : 8;               \
			(l)->v = xrealloc((l)->v, (l)->cap, sizeof(*(l)->v)); \
		}                                                             \
		(l)->v[(l)->n] = (item); /* which may read (l)->n */          \
		(l)->n++;                                                     \
	} while (0)

#define VEC_FOREACH(p, l) for ((p) = (l)->v; (p) && (p) < (l)->v + (l)->n; (p)++)

#endif
