/** Options that several commands have. Where a command means something narrower, it changes the summary. */
import type { OptionSpec } from '../spec.ts';

export const SIGN_TYPE = {
  long: 'sign-type',
  kind: 'string',
  value: 'NAME',
  choices: ['ed25519', 'spki', 'dummy'],
  summary: 'Kind of the keys: ed25519 (default), spki or dummy',
} as const satisfies OptionSpec;

export const KEYS_FILE = {
  long: 'keys-file',
  kind: 'string',
  value: 'FILE',
  completes: 'path',
  summary: 'Check with the public keys in this file',
} as const satisfies OptionSpec;

export const KEYS_DIR = {
  long: 'keys-dir',
  kind: 'string',
  value: 'DIR',
  completes: 'dir',
  summary: "Directory with trusted.TYPE and revoked.TYPE to use instead of the system's",
} as const satisfies OptionSpec;

export const GPG_HOMEDIR = {
  long: 'gpg-homedir',
  kind: 'string',
  value: 'DIR',
  completes: 'dir',
  summary: 'Where GnuPG keeps its keyrings',
} as const satisfies OptionSpec;

/** The keys to sign with what a command writes. */
export const SIGN_WITH = [
  { long: 'gpg-sign', kind: 'list', value: 'KEYID', summary: 'Sign with a key of GnuPG' },
  GPG_HOMEDIR,
  { long: 'sign', kind: 'list', value: 'KEY', summary: 'Sign with this secret key' },
  { long: 'sign-from-file', kind: 'list', value: 'FILE', completes: 'path', summary: 'Sign with the secret key in this file' },
  SIGN_TYPE,
] as const satisfies readonly OptionSpec[];

export const CACHE_DIR = {
  long: 'cache-dir',
  kind: 'string',
  value: 'DIR',
  completes: 'dir',
  summary: 'Keep fetched summaries there',
} as const satisfies OptionSpec;

export const THREADS = {
  long: 'threads',
  kind: 'int',
  value: 'N',
  frontEnds: ['hacktree'],
  summary: 'Worker threads; default one per core',
} as const satisfies OptionSpec;
