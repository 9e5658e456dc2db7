#include "job/ticker.h"

struct ticker ticker_start(int64_t interval_ms, int64_t now_ms)
{
	return (struct ticker){ interval_ms, now_ms + interval_ms };
}

int64_t ticker_wait_ms(const struct ticker *t, int64_t now_ms)
{
	return now_ms < t->next_ms ? t->next_ms - now_ms : 0;
}

bool ticker_is_due(struct ticker *t, int64_t now_ms)
{
	if (now_ms < t->next_ms)
		return false;
	t->next_ms += ((now_ms - t->next_ms) / t->interval_ms + 1) * t->interval_ms;
	return true;
}
