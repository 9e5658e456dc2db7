#include "base/version.h"

#include <features.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#elif defined(__i386__)
#define ARCH "386"
#else
#define ARCH "unknown"
#endif

#if defined(__clang__)
#define COMPILER                                                          \
	"clang" TEXT(__clang_major__) "." TEXT(__clang_minor__) "." TEXT( \
		__clang_patchlevel__)
#else
#define COMPILER "gcc" __VERSION__
#endif

const struct version_info *version_info(void)
{
	static const struct version_info info = {
		.version = ZREPL_VERSION,
		.runtime = "glibc" TEXT(__GLIBC__) "." TEXT(__GLIBC_MINOR__),
		.os = "linux",
		.arch = ARCH,
		.compiler = COMPILER,
	};

	return &info;
}

char *version_text(const struct version_info *v)
{
	return xasprintf("zrepl version=%s go=%s GOOS=%s GOARCH=%s Compiler=%s",
			 v->version, v->runtime, v->os, v->arch, v->compiler);
}
