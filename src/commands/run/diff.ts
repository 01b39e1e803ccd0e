/** `diff`: compares two commits, or a commit with a directory. */
import { type Checksum, HacktreeError, printSize } from '../../core/index.ts';
import { countShared, type DiffSide, describeCommit, diffTrees, openRepo, type Repo, resolveRev } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import type { diff } from '../table/history.ts';

type DiffInput = Input<typeof diff>;

const LETTERS = { modified: 'M', deleted: 'D', added: 'A' } as const;

export async function run(context: Context, input: DiffInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const [from, to] = sides(repo, input);
  const wantsDiff = input.fsDiff || !input.stats;
  const changes = wantsDiff ? diffTrees(repo, from, to) : undefined;
  for (const kind of ['modified', 'deleted', 'added'] as const) {
    const side = kind === 'added' ? to : from;
    for (const path of changes?.[kind] ?? []) context.line(`${LETTERS[kind]}    ${shownPath(context, side, path)}`);
  }
  const stats = input.stats ? countShared(repo, commitOf(from), commitOf(to)) : undefined;
  if (stats !== undefined) {
    context.line(`[A] Object Count: ${stats.fromCount}`);
    context.line(`[B] Object Count: ${stats.toCount}`);
    context.line(`Common Object Count: ${stats.commonCount}`);
    context.line(`Common Object Size: ${printSize(stats.commonBytes)}`);
  }
  return { from: sideData(from), to: sideData(to), ...changes, ...(stats === undefined ? {} : { stats }) };
}

/** ostree prints paths of a directory without their slash. */
function shownPath(context: Context, side: DiffSide, path: string): string {
  return context.frontEnd === 'ostree' && side.kind === 'directory' ? path.slice(1) : path;
}

/** With one revision: its parent and it. */
function sides(repo: Repo, input: DiffInput): [DiffSide, DiffSide] {
  if (input.to !== undefined) return [parseSide(repo, input.from, input), parseSide(repo, input.to, input)];
  const side = parseSide(repo, input.from, input);
  if (side.kind === 'directory') throw usageError('A directory is compared with a revision: name both');
  const { parent } = describeCommit(repo, side.commit);
  if (parent === undefined) {
    throw new HacktreeError('ref-not-found', `Commit ${side.commit} has no parent`, { details: { found: input.from } });
  }
  return [{ kind: 'commit', commit: parent }, side];
}

/** What starts with `/` or `./` is a directory. */
function parseSide(repo: Repo, text: string, { noXattrs, ownerUid, ownerGid }: DiffInput): DiffSide {
  if (!text.startsWith('/') && !text.startsWith('./')) return { kind: 'commit', commit: resolveRev(repo, text) };
  return { kind: 'directory', path: text, options: { ignoreXattrs: noXattrs, ownerUid, ownerGid } };
}

function commitOf(side: DiffSide): Checksum {
  if (side.kind === 'commit') return side.commit;
  throw usageError('--stats compares commits, not directories');
}

function sideData(side: DiffSide): object {
  return side.kind === 'commit' ? { commit: side.commit } : { directory: side.path };
}
