/*
 * fake_resolver.h - a getaddrinfo(3) that stands before the C library's, for one test.
 *
 *	hangs.test   no answer until fake_resolver_hang(false)
 *	many.test    the addresses of the last FAKE_ANSWER(), in that order
 *	again.test   "try again"; gone.test: "no such name"
 *
 * Everything else goes to the real one.
 */
#ifndef FAKE_RESOLVER_H
#define FAKE_RESOLVER_H

#include "tap.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

typedef int getaddrinfo_fn(const char *host, const char *port,
			   const struct addrinfo *hints, struct addrinfo **out);

enum { FAKE_MAX = 32 };

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;
/* Guarded by fake_lock. */
static bool fake_hangs = true;
static const char *fake_addresses[FAKE_MAX]; /* up to the first NULL */

#define FAKE_ANSWER(...) fake_answer((const char *const[]){ __VA_ARGS__, NULL })

static inline void fake_answer(const char *const *addresses)
{
	size_t n = 0;

	pthread_mutex_lock(&fake_lock);
	do
		fake_addresses[n] = addresses[n];
	while (addresses[n++] && n < FAKE_MAX);
	pthread_mutex_unlock(&fake_lock);
}

static inline int fake_many(getaddrinfo_fn *real, const char *port,
			    const struct addrinfo *hints, struct addrinfo **out)
{
	int r = 0;

	/* A lookup that nobody waits for any more may still run in the next test. */
	pthread_mutex_lock(&fake_lock);
	for (size_t i = 0; fake_addresses[i] && r == 0; i++) {
		r = real(fake_addresses[i], port, hints, out);
		if (r == 0)
			out = &(*out)->ai_next;
	}
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static inline int fake_hang(void)
{
	pthread_mutex_lock(&fake_lock);
	while (fake_hangs)
		pthread_cond_wait(&fake_changed, &fake_lock);
	pthread_mutex_unlock(&fake_lock);
	return EAI_AGAIN;
}

static inline void fake_resolver_hang(bool on)
{
	pthread_mutex_lock(&fake_lock);
	fake_hangs = on;
	pthread_cond_broadcast(&fake_changed);
	pthread_mutex_unlock(&fake_lock);
}

int getaddrinfo(const char *restrict host, const char *restrict port,
		const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	getaddrinfo_fn *real =
		(getaddrinfo_fn *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");

	if (host && !(hints->ai_flags & AI_NUMERICHOST)) {
		if (strcmp(host, "hangs.test") == 0)
			return fake_hang();
		if (strcmp(host, "many.test") == 0)
			return fake_many(real, port, hints, out);
		if (strcmp(host, "again.test") == 0)
			return EAI_AGAIN;
		if (strcmp(host, "gone.test") == 0)
			return EAI_NONAME;
	}
	return real(host, port, hints, out);
}

#endif
