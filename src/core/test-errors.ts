/** Faults that a repository can be told to act out, so that scripts can be tested. Source: ostree-cli A.0. */

/** `pre-commit`: transactions fail before anything gets its name; `invalid-cache`: a cached summary that does not verify fails. */
export type TestError = 'pre-commit' | 'invalid-cache';
