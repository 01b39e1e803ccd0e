/** What differs by nature (times, temporary names), and what differs on purpose (docs/ostree-compatibility.md). */

/** Paths below a side's directory whose content says nothing. */
export function isMasked(path: string): boolean {
  return (
    path === '.' ||
    /^(cache|delta-file|\d+)(\/|$)/.test(path) ||
    /^[^/]+\/(extensions|\.lock|summary(\.sig)?|deltas|delta-indexes|uncompressed-objects-cache)(\/|$)/.test(path) ||
    /\/tmp(\/|$)/.test(path)
  );
}

/** Takes times and places out of what a line says, and the order that depends on the file system or on a hash table. */
export function maskText(words: readonly string[], text: string, dir: string): string {
  const masked = text
    .replaceAll(dir, 'DIR')
    .replace(/in \d+ seconds/g, 'in N seconds')
    .replace(/Signature made .* using/g, 'Signature made T using')
    .replace(/(last-modified': <uint64) \d+/g, '$1 T')
    .replace(/^Last-Modified (.*): .*$/gm, 'Last-Modified $1: T')
    .replace(/^Static Deltas .*$/gm, (line) => line.replace(/\[[^\]]*\]/g, '[DIGEST]'));
  const isUnordered = words[0] === 'refs' || words.join(' ').startsWith('static-delta list') || isLocalDiff(words);
  if (isHttpPull(words)) return masked.replace(/^\d+ metadata, (.*); \S+ \S+ transferred/gm, 'N metadata, $1; N transferred');
  return isUnordered ? masked.split('\n').sort().join('\n') : masked;
}

/** Where deltas are possible ostree asks for the index of deltas of each commit, and counts it. */
const isHttpPull = (words: readonly string[]): boolean => words[0] === 'pull' && words.some((word) => word.startsWith('web'));

const isLocalDiff = (words: readonly string[]): boolean => words[0] === 'diff' && words.some((word) => word.startsWith('./'));

export type Aspect = 'status' | 'stdout' | 'files';

export interface RealEnd {
  readonly status: number | null;
  readonly stderr: string;
}

interface Accepted {
  readonly why: string;
  readonly aspects: readonly Aspect[];
  /** Of the files only these. */
  readonly paths?: RegExp;
  readonly applies: (words: readonly string[], real: RealEnd) => boolean;
}

const ALL = ['status', 'stdout', 'files'] as const;
const isLine = (words: readonly string[], start: string): boolean => `${words.join(' ')} `.startsWith(`${start} `);
const has = (words: readonly string[], option: string): boolean =>
  words.some((word) => word === option || word.startsWith(`${option}=`));

/** Each with a row in docs/ostree-compatibility.md. */
export const ACCEPTED: readonly Accepted[] = [
  { why: 'the real ostree crashes', aspects: ALL, applies: (_, { status }) => status === null },
  {
    why: 'a checkout that fails leaves nothing',
    aspects: ['files'],
    applies: (words, { status }) => isLine(words, 'checkout') && status !== 0,
  },
  {
    why: 'a prune that fails changes nothing, not even core.tombstone-commits',
    aspects: ['files'],
    applies: (words, { status }) => has(words, '--delete-commit') && status !== 0,
  },
  {
    why: 'a pull that fails leaves no mark of the commit that it did not take',
    aspects: ['files'],
    applies: (words, { status }) => (isLine(words, 'pull') || isLine(words, 'pull-local')) && status !== 0,
  },
  {
    why: 'a pull writes a local ref also where some REMOTE:REF is at that commit already',
    aspects: ['files'],
    paths: /^r\/refs\/(heads|mirrors)\//,
    applies: (words) => (words[0] === 'pull' && has(words, '--mirror')) || words[0] === 'pull-local',
  },
  {
    why: 'with --bareuseronly-files each file is read, not linked',
    aspects: ['stdout'],
    applies: (words, { status }) => has(words, '--bareuseronly-files') && status === 0,
  },
  {
    why: 'pull-local --untrusted between archives counts the bytes it copies',
    aspects: ['stdout'],
    applies: (words, { status }) => isLine(words, 'pull-local') && has(words, '--untrusted') && status === 0,
  },
  {
    why: 'pull-local --require-static-deltas counts as a pull over the network there',
    aspects: ['stdout'],
    applies: (words, { status }) => isLine(words, 'pull-local') && has(words, '--require-static-deltas') && status === 0,
  },
  {
    why: 'an export that fails leaves nothing',
    aspects: ['files'],
    applies: (words, { status }) => isLine(words, 'export') && status !== 0,
  },
  {
    why: 'sign -d deletes',
    aspects: ALL,
    applies: (words) => isLine(words, 'sign') && has(words, '--delete'),
  },
  {
    why: 'init makes missing parent directories',
    aspects: ALL,
    applies: (words, { stderr }) => words[0] === 'init' && stderr.includes('mkdirat: No such file'),
  },
  {
    why: 'init sets the collection ID of an existing repository',
    aspects: ['files'],
    applies: (words) => words[0] === 'init' && has(words, '--collection-id') && words.includes('--repo=r'),
  },
  {
    why: 'remote add refuses an invalid collection ID',
    aspects: ALL,
    applies: (words) => isLine(words, 'remote add') && words.includes('--collection-id=bad'),
  },
  {
    why: 'refs --alias lists aliases only',
    aspects: ['stdout'],
    applies: (words) => words[0] === 'refs' && has(words, '--alias') && !has(words, '--create'),
  },
  {
    why: 'fsck --verify-back-refs implies --verify-bindings, as its help says',
    aspects: ['status', 'stdout'],
    applies: (words) => words[0] === 'fsck' && has(words, '--verify-back-refs'),
  },
];

/** Tells in which aspects, and of the files in which, a line may differ. */
export function acceptedFor(words: readonly string[], real: RealEnd): (aspect: Aspect, path?: string) => boolean {
  const accepted = ACCEPTED.filter(({ applies }) => applies(words, real));
  return (aspect, path = '') => accepted.some(({ aspects, paths = /^/ }) => aspects.includes(aspect) && paths.test(path));
}
