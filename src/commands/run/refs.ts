/** `refs`: lists, makes and deletes refs and aliases. */
import {
  type Checksum,
  checkCollectionId,
  checkRefName,
  HacktreeError,
  isHacktreeError,
  isRefName,
  parseRefspec,
  printRefspec,
} from '../../core/index.ts';
import {
  listAllRefs,
  openRepo,
  type RefEntry,
  type RefTarget,
  type Repo,
  resolveRev,
  tryResolveRev,
  updateRefs,
} from '../../repo/index.ts';
import { updateSummaryIfAsked } from '../auto-summary.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { refs } from '../table/repository.ts';

type RefsInput = Input<typeof refs>;

/** A ref as it is listed: `shown` is its name without the prefix that was asked for. */
interface Listed {
  readonly entry: RefEntry;
  readonly shown: string;
}

export async function run(context: Context, input: RefsInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  if (input.create !== undefined) return create(context, repo, input);
  if (input.delete) return remove(context, repo, input);
  const listed = select(context, repo, input).filter(({ entry }) => !input.alias || entry.aliasOf !== undefined);
  for (const each of listed) context.line(refLine(each, input));
  return { refs: listed.map(({ entry }) => refData(repo, entry)) };
}

function refLine({ entry, shown }: Listed, input: RefsInput): string {
  const name = input.collections ? `(${entry.collection}, ${entry.ref})` : shown;
  if (input.alias) return `${name} -> ${entry.aliasOf}`;
  return input.revision ? `${name}\t${entry.checksum}` : name;
}

function refData(repo: Repo, { ref, remote, collection, checksum, aliasOf }: RefEntry): object {
  const own = remote === undefined ? (repo.config.collectionId ?? null) : null;
  return { ref, remote: remote ?? null, collection: collection ?? own, commit: checksum, aliasOf: aliasOf ?? null };
}

/** As selectAll, with the words that ostree puts before its errors. */
function select(context: Context, repo: Repo, input: RefsInput): Listed[] {
  try {
    return selectAll(repo, input);
  } catch (error) {
    if (context.frontEnd !== 'ostree' || !isHacktreeError(error)) throw error;
    throw new HacktreeError(error.code, `Listing refs: ${error.message}`, { details: error.details, cause: error });
  }
}

/** What the prefixes select, each ref once. Errors: `ref-invalid`. */
function selectAll(repo: Repo, input: RefsInput): Listed[] {
  const all = listAllRefs(repo);
  if (input.collections) {
    for (const id of input.prefixes) checkCollectionId(id);
    return inCollections(repo, all).filter(
      ({ entry }) => input.prefixes.length === 0 || input.prefixes.includes(entry.collection ?? ''),
    );
  }
  const plain = all.filter(({ collection }) => collection === undefined);
  if (input.prefixes.length === 0) return plain.map((entry) => ({ entry, shown: printRef(entry) }));
  const seen = new Set<string>();
  return input.prefixes
    .flatMap((prefix) => selectByPrefix(plain, prefix, { whole: input.list || input.alias }))
    .filter(({ entry }) => !seen.has(printRef(entry)) && seen.add(printRef(entry)));
}

/** Heads belong to the repository's own collection, refs of a remote to the remote's, where there is one. */
function inCollections(repo: Repo, all: readonly RefEntry[]): Listed[] {
  const own = repo.config.collectionId;
  const collectionOf = ({ remote }: RefEntry): string | undefined =>
    remote === undefined ? own : repo.config.keyFile.getString(`remote "${remote}"`, 'collection-id');
  return all
    .map((entry) => ({ ...entry, collection: entry.collection ?? collectionOf(entry) }))
    .filter(({ collection }) => collection !== undefined)
    .map((entry) => ({ entry, shown: entry.ref }));
}

/** The ref of that name, or those below it; `REMOTE:` alone stands for all refs of a remote. */
function selectByPrefix(all: readonly RefEntry[], prefix: string, { whole }: { whole: boolean }): Listed[] {
  const remoteOnly = /^([^:]+):$/.exec(prefix)?.[1];
  if (remoteOnly !== undefined) {
    return all.filter(({ remote }) => remote === remoteOnly).map((entry) => ({ entry, shown: printRef(entry) }));
  }
  const wanted = parseRefspec(prefix);
  const near = all.filter(({ remote }) => remote === wanted.remote);
  const exact = near.find(({ ref }) => ref === wanted.ref);
  if (exact !== undefined) return [{ entry: exact, shown: printRef(exact) }];
  return near
    .filter(({ ref }) => ref.startsWith(`${wanted.ref}/`))
    .map((entry) => {
      const short = { remote: entry.remote, ref: entry.ref.slice(wanted.ref.length + 1) };
      return { entry, shown: whole ? printRef(entry) : printRefspec(short) };
    });
}

function printRef({ remote, ref }: RefTarget): string {
  return printRefspec({ remote, ref });
}

async function create(context: Context, repo: Repo, input: RefsInput): Promise<unknown> {
  const [rev, ...more] = input.prefixes;
  if (rev === undefined) throw usageError('You must specify a revision when creating a new ref');
  if (more.length > 0) throw usageError('You must specify only 1 existing ref when creating a new ref');
  const name = input.create ?? '';
  const commit = input.alias ? undefined : resolveRev(repo, rev);
  const target = input.collections ? parseCollectionRef(name) : parseNewRef(name);
  if (!input.force && !input.alias && !input.collections) checkIsNew(repo, name);
  const change = commit === undefined ? { target, alias: rev } : { target, commit };
  await updateRefs(repo, [change], { onLockWait: context.onLockWait });
  await updateSummaryIfAsked(context, repo.path);
  return { created: name, commit: commit ?? resolveRev(repo, rev) };
}

/** Errors: `ref-conflict`. */
function checkIsNew(repo: Repo, name: string): void {
  const existing: Checksum | undefined = tryResolveRev(repo, name);
  if (existing === undefined) return;
  throw new HacktreeError('ref-conflict', `--create specified but ref ${name} already exists`, {
    details: { found: existing },
    hints: ['--force overwrites it.'],
  });
}

function parseNewRef(name: string): RefTarget {
  const { remote, ref } = parseRefspec(name);
  return { remote, ref };
}

/** `COLLECTION:REF`. Errors: `ref-invalid`. */
function parseCollectionRef(name: string): RefTarget {
  const colon = name.indexOf(':');
  const collection = colon < 0 ? name : name.slice(0, colon);
  checkCollectionId(collection);
  const ref = name.slice(colon + 1);
  if (colon < 0 || !isRefName(ref)) checkRefName(ref);
  return { collection, ref };
}

async function remove(context: Context, repo: Repo, input: RefsInput): Promise<unknown> {
  if (input.prefixes.length === 0) throw usageError('At least one PREFIX is required when deleting refs');
  const entries = select(context, repo, input).map(({ entry }) => entry);
  // Aliases first: a head is not deleted while one stands for it.
  const ordered = [
    ...entries.filter(({ aliasOf }) => aliasOf !== undefined),
    ...entries.filter(({ aliasOf }) => aliasOf === undefined),
  ];
  const changes = ordered.map(({ ref, remote, collection }) => ({ target: { ref, remote, collection } }));
  await updateRefs(repo, changes, { onLockWait: context.onLockWait });
  return { deleted: entries.map((entry) => refData(repo, entry)) };
}
