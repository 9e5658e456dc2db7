/*
 * Runs a fuzz target over files: a program of its own for every target.
 *
 *	fuzz_duration tests/fuzz/corpus/duration ...
 *
 * Every regular file of the directories is one input.  A target that fails does
 * so by dying, in an assert or a sanitizer, so the file is named before it is
 * run.  Prints TAP: one point for all files.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 16 << 20 };

/* Returns -1 when the file could not be read whole. */
static int replay_file(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	int r = -1;

	if (!f)
		return -1;
	if (fstat(fileno(f), &st) == 0 && st.st_size <= LARGEST) {
		size_t n = (size_t)st.st_size;

		/* Exactly as large, so that the sanitizer sees a byte beyond. */
		data = malloc(n > 0 ? n : 1);
		if (data && fread(data, 1, n, f) == n) {
			printf("# %s\n", path);
			fflush(stdout);
			LLVMFuzzerTestOneInput(data, n);
			r = 0;
		}
		free(data);
	}
	fclose(f);
	return r;
}

/* Returns how many files were run, or -1. */
static int replay_directory(const char *dir)
{
	struct dirent **files;
	int n = scandir(dir, &files, NULL, alphasort), ran = 0;
	char path[4096];

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]->d_name);
		if (files[i]->d_name[0] != '.' && ran >= 0)
			ran = replay_file(path) == 0 ? ran + 1 : -1;
		free(files[i]);
	}
	free(files);
	return ran;
}

int main(int argc, char **argv)
{
	int total = 0;
	bool ok = true;

	for (int i = 1; i < argc; i++) {
		int n = replay_directory(argv[i]);

		if (n < 0)
			printf("# cannot read %s\n", argv[i]);
		ok = ok && n >= 0;
		total += n > 0 ? n : 0;
	}
	ok = ok && total > 0;
	printf("%sok 1 - survives %d inputs\n1..1\n", ok ? "" : "not ", total);
	return ok ? 0 : 1;
}
