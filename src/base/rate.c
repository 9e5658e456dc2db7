#include "base/rate.h"

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

/* So that no product below overflows: 9 TB a second, 9 TB of debt. */
static const int64_t RATE_MAX = INT64_MAX / US_PER_S;

static int64_t at_most(int64_t n, int64_t max)
{
	return n < max ? n : max;
}

struct rate *rate_new(int64_t bytes_per_s, int64_t capacity)
{
	struct rate *r = xcalloc(1, sizeof(*r));

	r->bytes_per_s = at_most(bytes_per_s, RATE_MAX);
	r->capacity = at_most(capacity, RATE_MAX);
	r->tokens = r->capacity;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void rate_free(struct rate *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/*
 * Time advances by no more than what the tokens took, so that fractions of a token are
 * not lost, however often we are asked.
 */
static void fill(struct rate *r, int64_t now_us)
{
	int64_t missing = r->capacity - r->tokens, us = now_us - r->at_us;
	int64_t per_s = r->bytes_per_s, whole, part;

	if (us <= 0)
		return;
	if (us / US_PER_S > missing / per_s) {
		r->tokens = r->capacity;
		r->at_us = now_us;
		return;
	}
	whole = us / US_PER_S;
	part = us % US_PER_S * per_s / US_PER_S;
	r->tokens += whole * per_s + part;
	r->at_us += whole * US_PER_S + (part * US_PER_S + per_s - 1) / per_s;
	if (r->tokens >= r->capacity) {
		r->tokens = r->capacity;
		r->at_us = now_us;
	}
}

void rate_spend(struct rate *r, size_t bytes, int64_t now_us)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	fill(r, now_us);
	if (bytes < (size_t)(r->tokens + RATE_MAX))
		r->tokens -= (int64_t)bytes;
	else
		r->tokens = -RATE_MAX;
	pthread_mutex_unlock(&r->lock);
}

int64_t rate_wait_ms(struct rate *r, int64_t now_us)
{
	int64_t debt, us;

	if (!r)
		return 0;
	pthread_mutex_lock(&r->lock);
	fill(r, now_us);
	debt = r->tokens < 0 ? -r->tokens : 0;
	us = debt / r->bytes_per_s * US_PER_S +
	     (debt % r->bytes_per_s * US_PER_S + r->bytes_per_s - 1) / r->bytes_per_s;
	if (us > 0)
		us -= now_us - r->at_us; /* towards the next token */
	pthread_mutex_unlock(&r->lock);
	return us <= 0 ? 0 : (us + US_PER_MS - 1) / US_PER_MS;
}
