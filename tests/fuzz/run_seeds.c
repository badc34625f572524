/* Runs the files named on the command line through a fuzz target, once each: a plain
 * test. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define SEED_MAX (1024 * 1024)

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(SEED_MAX);
    size_t size = 0;
    int failed = file == NULL || data == NULL;

    if (!failed)
        size = fread(data, 1, SEED_MAX, file);
    failed = failed || ferror(file) != 0 || LLVMFuzzerTestOneInput(data, size) != 0;
    if (failed)
        (void)fprintf(stderr, "%s failed\n", path);
    if (file != NULL)
        (void)fclose(file); /* only read from */
    free(data);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 2; /* no seeds is no test */

    for (int i = 1; i < argc; i++)
        failed |= run_file(argv[i]);
    return failed;
}
