#include "replicate/diff.h"

#include "base/buf.h"
#include "base/vec.h"

#include <assert.h>
#include <inttypes.h>

/* ---- the newest common version ---- */

struct place {
	uint64_t guid;
	size_t i;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->guid != y->guid)
		return x->guid < y->guid ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/* The last place with that guid. */
static bool find_place(const struct place *x, size_t n, uint64_t guid, size_t *i)
{
	size_t lo = 0, hi = n; /* x[0..lo) are not beyond guid, x[hi..n) are */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x[mid].guid <= guid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || x[lo - 1].guid != guid)
		return false;
	*i = x[lo - 1].i;
	return true;
}

static struct place *places_new(const struct versions *l)
{
	struct place *x = xcalloc(l->n, sizeof(*x));

	for (size_t i = 0; i < l->n; i++)
		x[i] = (struct place){ l->v[i].guid, i };
	qsort(x, l->n, sizeof(*x), compare_places);
	return x;
}

/* Index of the newest snapshot before end; end itself when there is none. */
static size_t snapshot_before(const struct versions *l, size_t end)
{
	for (size_t i = end; i-- > 0;)
		if (l->v[i].type == VERSION_SNAPSHOT)
			return i;
	return end;
}

/*
 * Nearly always the receiver's newest snapshot is a common one.  Only when it is not
 * does it pay to sort, so that long lists that share nothing cost no N * M.
 */
static const struct version *find_common(const struct versions *sender,
					 const struct versions *receiver, size_t newest,
					 size_t *r)
{
	const struct version *s = versions_find_guid(sender, receiver->v[newest].guid);
	struct place *x;
	size_t i;

	*r = newest;
	if (s)
		return s;
	x = places_new(sender);
	while (!s) {
		size_t next = snapshot_before(receiver, *r);

		if (next == *r)
			break;
		*r = next;
		if (find_place(x, sender->n, receiver->v[*r].guid, &i))
			s = &sender->v[i];
	}
	free(x);
	return s;
}

/* ---- what follows from it ---- */

static void make_path(const struct versions *sender, const struct version *start,
		      struct diff *out)
{
	size_t from = (size_t)(start - sender->v);

	out->path = xcalloc(sender->n - from, sizeof(struct version *));
	out->path[out->n++] = start;
	for (size_t i = from + 1; i < sender->n; i++) {
		const struct version *v = &sender->v[i];

		if (v->type == VERSION_SNAPSHOT && v->guid != out->path[out->n - 1]->guid)
			out->path[out->n++] = v;
	}
	out->outcome = out->n > 1 ? DIFF_PATH : DIFF_UP_TO_DATE;
}

void diff_versions(const struct versions *sender, const struct versions *receiver,
		   struct diff *out)
{
	size_t newest = snapshot_before(receiver, receiver->n), r;
	const struct version *s;

	*out = (struct diff){ .outcome = DIFF_NO_COMMON };
	if (sender->n == 0) {
		out->outcome = DIFF_NO_SENDER_VERSIONS;
		return;
	}
	if (newest == receiver->n || !(s = find_common(sender, receiver, newest, &r)))
		return;
	if (r != newest) {
		out->outcome = DIFF_DIVERGED;
		out->common_sender = s;
		out->common_receiver = &receiver->v[r];
		return;
	}
	make_path(sender, s, out);
}

void diff_free(struct diff *d)
{
	free(d->path);
	*d = (struct diff){ 0 };
}

/* ---- in words ---- */

static void describe(struct buf *b, const struct version *v)
{
	buf_printf(b, "%c%s (guid %" PRIu64 ")", version_sigil(v), v->name, v->guid);
}

/* Everything from index `from` on. */
static void describe_list(struct buf *b, const struct versions *l, size_t from,
			  bool snapshots_only)
{
	const struct version *first = NULL, *last = NULL;
	size_t n = 0;

	for (size_t i = from; i < l->n; i++) {
		if (snapshots_only && l->v[i].type != VERSION_SNAPSHOT)
			continue;
		if (n++ == 0)
			first = &l->v[i];
		last = &l->v[i];
	}
	if (n == 0) {
		buf_printf(b, "nothing");
		return;
	}
	describe(b, first);
	if (n > 1) {
		buf_printf(b, n > 2 ? " ... " : ", ");
		describe(b, last);
	}
	if (n > 2)
		buf_printf(b, ", %zu in all", n);
}

char *diff_explain(const struct diff *d, const struct versions *sender,
		   const struct versions *receiver)
{
	size_t s = 0, r = 0;
	struct buf b = { 0 };

	assert(d->outcome == DIFF_NO_COMMON || d->outcome == DIFF_DIVERGED);
	if (d->outcome == DIFF_DIVERGED) {
		buf_printf(&b, "the newest common version is ");
		describe(&b, d->common_sender);
		buf_printf(&b, "; ");
		s = (size_t)(d->common_sender - sender->v) + 1;
		r = (size_t)(d->common_receiver - receiver->v) + 1;
	}
	buf_printf(&b, "only the sender has ");
	describe_list(&b, sender, s, false);
	buf_printf(&b, "; only the receiver has ");
	describe_list(&b, receiver, r, true);
	return buf_take(&b);
}
