/** `find-remotes`: finds who has refs of collections, and pulls them. */
import { HacktreeError } from '../../core/index.ts';
import {
  type CollectionRef,
  FINDERS,
  type Finder,
  type FoundRemote,
  findRemotes,
  printCollectionRef,
  pullFromRemotes,
} from '../../remote/index.ts';
import { printDate, type Repo } from '../../repo/index.ts';
import { readPairs } from '../collection-pairs.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { type RemoteReach, reachOf } from '../network.ts';
import { openForChange } from '../open-repo.ts';
import type { Input } from '../spec.ts';
import type { findRemotes as spec } from '../table/collections.ts';

type FindInput = Input<typeof spec>;

export async function run(context: Context, input: FindInput): Promise<unknown> {
  const repo = openForChange(context);
  const wanted = readPairs(input.refs);
  if (input.mirror && !input.pull) throw usageError('When --mirror is specified, --pull must also be');
  const reach = reachOf(context, repo, input.cacheDir);
  const found = await findRemotes(repo, wanted, { ...reach, finders: readFinders(input.finders) });
  printFound(context, wanted, found);
  const pulled = input.pull && found.length > 0 ? await pullFound(context, repo, { wanted, found, input, reach }) : [];
  return { remotes: found.map(remoteData), pulled };
}

/** Errors: `usage`. */
function readFinders(text: string | undefined): readonly Finder[] {
  if (text === undefined) return FINDERS;
  const names = text.split(',').filter((name) => name !== '');
  if (names.length === 0) throw usageError('List of finders in --finders option must not be empty');
  const known = names.map((name, i) => {
    const finder = FINDERS.find((each) => each === name);
    if (finder !== undefined && !names.slice(0, i).includes(name)) return finder;
    throw usageError(`Unknown or duplicate finder type given in --finders option: ‘${name}’`);
  });
  return known;
}

function printFound(context: Context, wanted: readonly CollectionRef[], found: readonly FoundRemote[]): void {
  if (found.length === 0) {
    context.line('No results.');
    return;
  }
  for (const [i, { url, finder, keyring, priority, lastModifiedSec, refs }] of found.entries()) {
    context.line(`Result ${i}: ${url}`);
    context.line(` - Finder: OstreeRepoFinder${finder === 'config' ? 'Config' : 'Mount'}`);
    context.line(` - Keyring: ${keyring}.trustedkeys.gpg`);
    context.line(` - Priority: ${priority}`);
    if (lastModifiedSec !== undefined) context.line(` - Summary last modified: ${isoTime(lastModifiedSec)}`);
    context.line(' - Refs:');
    for (const ref of refs) context.line(`    - ${printCollectionRef(ref)} = ${ref.commit ?? '(not found)'}`);
    context.line();
  }
  const missing = wanted.filter(
    (ref) => !found.some(({ refs }) => refs.some((each) => isSame(each, ref) && each.commit !== undefined)),
  );
  context.line(`${wanted.length - missing.length}/${wanted.length} refs were found.`);
  if (missing.length > 0) context.line('Refs not found in any remote:');
  for (const ref of missing) context.line(` - ${printCollectionRef(ref)}`);
}

const isSame = (a: CollectionRef, b: CollectionRef): boolean => a.collection === b.collection && a.ref === b.ref;

/** `2024-01-31T12:00:00Z`. */
function isoTime(seconds: bigint): string {
  return (printDate(seconds) ?? `${seconds}`).replace(' ', 'T').replace(' +0000', 'Z');
}

interface PullJob {
  readonly wanted: readonly CollectionRef[];
  readonly found: readonly FoundRemote[];
  readonly input: FindInput;
  readonly reach: RemoteReach;
}

/** Errors: that of the first ref that no remote gave, as part of a message that names all such refs. */
async function pullFound(
  context: Context,
  repo: Repo,
  { wanted, found, input, reach }: PullJob,
): Promise<readonly CollectionRef[]> {
  const { pulled, failed } = await pullFromRemotes(repo, wanted, found, {
    ...reach,
    mirror: input.mirror,
    disableFsync: input.disableFsync,
    signal: context.signal,
    onProgress: context.report,
    onLockWait: context.onLockWait,
  });
  const [first] = failed;
  if (first !== undefined) {
    throw new HacktreeError(
      first.reason?.code ?? 'ref-not-found',
      `Failed to pull some refs from the remotes: ${failed.map(printCollectionRef).join(', ')}`,
      { cause: first.reason },
    );
  }
  context.line(`Pulled ${pulled.length}/${wanted.length} refs successfully.`);
  return pulled;
}

function remoteData({ url, finder, keyring, priority, lastModifiedSec, refs }: FoundRemote): object {
  return {
    url,
    finder,
    keyring,
    priority,
    lastModifiedSec: lastModifiedSec ?? null,
    refs: refs.map((ref) => ({ ...ref, commit: ref.commit ?? null })),
  };
}
