/*
 * banned.h - calls that must not appear, made into compile errors.
 *
 * The build puts this file in front of every source file (-include), so the
 * headers that declare the banned names come first and the names are poisoned
 * afterwards.  What to use instead:
 *
 *	strcpy strcat strncpy sprintf gets	buf.h, memcpy, snprintf
 *	strtok				a view and a loop
 *	atoi atol			parse.h
 *	system popen fork		proc.h
 *	alloca				a buffer of fixed size, or the heap
 *	signal				sigaction, signalfd
 *	localtime			localtime_r
 *	strerror			err_sys, strerrordesc_np
 *	readdir_r			readdir
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <alloca.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* Of a library whose macros use them, for a file that needs it: see hook/meson.build. */
#ifdef BANNED_BEHIND
#include BANNED_BEHIND
#endif

/* These are macros here and there. */
#undef alloca
#undef sprintf

#pragma GCC poison strcpy strcat strncpy sprintf gets strtok atoi atol
#pragma GCC poison system popen fork alloca signal localtime strerror readdir_r

#endif
