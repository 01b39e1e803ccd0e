/**
 * The refs' part of fsck: every ref leads to a commit, and bindings say of commits and refs what is so.
 *
 * Source: ostree-format 5.3 (ref-binding, collection-binding), 7, 12.
 */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import { type Commit, lookup, lookupString } from '../../format/index.ts';
import { listAllRefs, printRef, type RefEntry } from '../refs.ts';
import type { Repo } from '../repo.ts';
import type { FsckFinding } from './report.ts';

/** A problem with a ref or a binding. */
export type RefProblem = Pick<FsckFinding, 'kind' | 'message' | 'refs' | 'commits'>;

/** Lists all refs that hold a checksum, and a problem for each that does not. */
export function listSoundRefs(repo: Repo): { refs: RefEntry[]; problems: RefProblem[] } {
  const problems: RefProblem[] = [];
  const refs = listAllRefs(repo, (target, error) => {
    const message = `Loading commit for ref ${printRef(target)}: ${(error as Error).message}`;
    problems.push({ kind: 'ref-broken', message, refs: [printRef(target)], commits: [] });
  });
  return { refs, problems };
}

/** Problem of a ref whose commit is missing or damaged. */
export function unloadableRef(entry: RefEntry, reason: string): RefProblem {
  const message = `Loading commit for ref ${printRef(entry)}: ${reason}`;
  return { kind: 'ref-broken', message, refs: [printRef(entry)], commits: [entry.checksum] };
}

/** Collection that a ref belongs to, as far as the repository knows. */
function collectionOf(repo: Repo, { collection, remote }: RefEntry): string | undefined {
  if (remote === undefined) return collection ?? repo.config.collectionId;
  return repo.config.keyFile.getString(`remote "${remote}"`, 'collection-id');
}

/** Checks that a commit is bound to the ref that leads to it. */
export function bindingProblem(repo: Repo, entry: RefEntry, commit: Commit): RefProblem | undefined {
  const reason = bindingMismatch(commit, entry.ref, collectionOf(repo, entry));
  if (reason === undefined) return undefined;
  const message = `Commit ${entry.checksum}: ${reason}`;
  return { kind: 'binding-mismatch', message, refs: [printRef(entry)], commits: [entry.checksum] };
}

function bindingMismatch(commit: Commit, ref: string, collection: string | undefined): string | undefined {
  const bound = refBindings(commit);
  if (bound === undefined) {
    return collection === undefined ? undefined : 'Expected commit metadata to have ref binding information, found none';
  }
  if (!bound.includes(ref)) {
    const quoted = bound.map((name) => `‘${name}’`).join(', ');
    return `Commit has no requested ref ‘${ref}’ in ref binding metadata (${quoted})`;
  }
  if (collection === undefined) return undefined;
  const boundCollection = collectionBinding(commit);
  if (boundCollection === collection) return undefined;
  return boundCollection === undefined
    ? 'Expected commit metadata to have collection ID binding information, found none'
    : `Commit has collection ID ‘${boundCollection}’ in collection binding metadata, while the remote it came from has collection ID ‘${collection}’`;
}

/** Names in `ostree.ref-binding`; undefined when there is no such key, or not of that type. */
function refBindings(commit: Commit): readonly string[] | undefined {
  const variant = lookup(commit.metadata, 'ostree.ref-binding');
  return variant?.type === 'as' ? (variant.value as string[]) : undefined;
}

function collectionBinding(commit: Commit): string | undefined {
  try {
    return lookupString(commit.metadata, 'ostree.collection-binding');
  } catch (error) {
    if (error instanceof HacktreeError) return undefined;
    throw error;
  }
}

/** Tells where the refs of the repository lead, as bindings name them. */
export class RefResolver {
  readonly #byName = new Map<string, Checksum>();
  readonly #byCollection = new Map<string, Checksum>();

  constructor(repo: Repo, refs: readonly RefEntry[]) {
    for (const entry of refs) {
      const collection = collectionOf(repo, entry);
      if (collection !== undefined) this.#byCollection.set(`${collection} ${entry.ref}`, entry.checksum);
      const isHead = entry.remote === undefined && entry.collection === undefined;
      if (isHead || (entry.remote !== undefined && !this.#byName.has(entry.ref))) this.#byName.set(entry.ref, entry.checksum);
    }
  }

  /** Checks that every ref that a commit is bound to leads to that commit. */
  backRefProblems(checksum: Checksum, commit: Commit): RefProblem[] {
    const collection = collectionBinding(commit);
    return (refBindings(commit) ?? []).flatMap((ref): RefProblem[] => {
      const found = collection === undefined ? this.#byName.get(ref) : this.#byCollection.get(`${collection} ${ref}`);
      if (found === checksum) return [];
      const name = collection === undefined ? `Ref ‘${ref}’` : `Collection–ref (${collection}, ${ref})`;
      const how = found === undefined ? 'does not exist' : 'does not resolve to that commit';
      const message = `${name} in bindings for commit ${checksum} ${how}`;
      return [{ kind: 'binding-mismatch', message, refs: [printRef({ ref, collection })], commits: [checksum] }];
    });
  }
}
