// How a server process is started: what Node and the C library can only be told from outside, before it runs.

/**
 * Young objects get 24 MB at most (three spaces of 8) instead of 48: answers are made of short-lived text, which is collected
 * just as cheaply in a smaller space, and resident memory under load grows half as far.
 */
export const SERVER_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];

/** glibc keeps what each thread frees in arenas of their own; two are enough for threads that hardly allocate. */
export const SERVER_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2' };
