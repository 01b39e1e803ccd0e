/**
 * The history of /etc in a bare git repository: what each deployment started from and made of it.
 *
 *     upstream        old defaults (D) ---------- new defaults (N) ---...
 *                            \                          \
 *     OLD ROOT                local state (U) ---------\ |
 *                                                       \|
 *     NEW ROOT                                         result (merge of U and N)
 *
 * One branch of upstream defaults, one per root. `git log --graph -p` reads it. A tree is an /etc with `.hacktree-meta`
 * (history-tree.ts). Recording never stops a deployment: what goes wrong is a warning.
 */
import { isHacktreeError } from '../core/index.ts';
import { type GitCommit, type GitId, GitStore } from './git-store.ts';
import { type BlobCache, writeHistoryTree } from './history-tree.ts';
import type { EtcReport } from './report.ts';

/** Where a sysroot's history is, below its /gnomeos. */
export const ETC_HISTORY_NAME = 'etc.git';

const UPSTREAM = 'upstream';
const DEPLOYED = 'Deployed-Root: ';
const MAX_REPORT_LINES = 200;

export interface EtcRecording {
  /** The repository; made when missing, mode 0700. */
  readonly historyDir: string;
  /** N, its `usr/etc`. */
  readonly newDefaultsDir: string;
  /** The new root's `etc` after merging. */
  readonly resultDir: string;
  /** Names the branch of the new root. */
  readonly toRoot: string;
  /** The version deployed, for the messages. */
  readonly version?: string;
  /** What was merged; undefined for a first deployment. */
  readonly from?: {
    /** Names the branch of the old root. */
    readonly root: string;
    readonly defaultsDir: string;
    readonly userDir: string;
    readonly report: EtcReport;
  };
  readonly timeSec: number;
}

export interface EtcRecordingResult {
  /** The commit of the result; undefined when there is a warning. */
  readonly commit: GitId | undefined;
  readonly warning: string | undefined;
}

/** Records a deployment. Never fails: what went wrong is the warning, and then no branch was moved. */
export async function recordEtcHistory(recording: EtcRecording): Promise<EtcRecordingResult> {
  return orWarning(() => record(recording));
}

/** A state of a root's /etc to be kept. */
export interface EtcLocalRecording {
  readonly historyDir: string;
  readonly root: string;
  readonly defaultsDir: string;
  readonly etcDir: string;
  /** What is going to happen, for the message: `deploying root-2`. */
  readonly before: string;
  readonly timeSec: number;
}

/** Records a root's /etc as it is now, unless the history has it. Never fails, as recordEtcHistory. */
export async function recordLocalEtc(recording: EtcLocalRecording): Promise<EtcRecordingResult> {
  return orWarning(async () => {
    const store = await GitStore.open(recording.historyDir, { create: true });
    const upstream = await openUpstream(store, recording.timeSec);
    const commit = await commitLocal(store, upstream, recording, new Map());
    store.writeBranches({ [UPSTREAM]: upstream.tip(), [branchOf(recording.root)]: commit });
    return commit;
  });
}

async function orWarning(write: () => Promise<GitId>): Promise<EtcRecordingResult> {
  try {
    return { commit: await write(), warning: undefined };
  } catch (error) {
    const reason = error instanceof Error || isHacktreeError(error) ? (error as Error).message : String(error);
    return { commit: undefined, warning: `The history of /etc was not written: ${reason}` };
  }
}

async function record(recording: EtcRecording): Promise<GitId> {
  const { from, toRoot, timeSec } = recording;
  const store = await GitStore.open(recording.historyDir, { create: true });
  const cache: BlobCache = new Map();
  const upstream = await openUpstream(store, timeSec);
  const parents: GitId[] = [];
  const branches: Record<string, GitId> = {};
  if (from !== undefined) {
    const { root, defaultsDir, userDir: etcDir } = from;
    const state = { root, defaultsDir, etcDir, before: `deploying ${toRoot}`, timeSec };
    const local = await commitLocal(store, upstream, state, cache);
    branches[branchOf(from.root)] = local;
    parents.push(local);
  }
  const version = recording.version === undefined ? '' : ` (${recording.version})`;
  parents.push(upstream.commit(writeHistoryTree(store, recording.newDefaultsDir, cache), `Defaults of ${toRoot}${version}`));
  const earlier = await store.readBranch(branchOf(toRoot));
  if (earlier !== undefined && !parents.includes(earlier)) parents.push(earlier);
  const message = `${from === undefined ? 'First /etc of' : 'Merge into'} ${toRoot}${version}\n\n${printReport(from?.report)}${DEPLOYED}${toRoot}\n`;
  const result = store.writeCommit({
    tree: writeHistoryTree(store, recording.resultDir, cache),
    parents,
    message,
    timeSec,
  });
  store.writeBranches({ ...branches, [UPSTREAM]: upstream.tip(), [branchOf(toRoot)]: result });
  return result;
}

interface Upstream {
  /** Finds the commit with this tree, or makes it on top. */
  commit(tree: GitId, message: string): GitId;
  tip(): GitId;
}

async function openUpstream(store: GitStore, timeSec: number): Promise<Upstream> {
  let tip = await store.readBranch(UPSTREAM);
  const byTree = new Map<GitId, GitId>();
  for (const { id, tree } of tip === undefined ? [] : await listAncestors(store, [tip]))
    if (!byTree.has(tree)) byTree.set(tree, id);
  return {
    commit(tree, message) {
      const known = byTree.get(tree);
      if (known !== undefined) return known;
      tip = store.writeCommit({ tree, parents: tip === undefined ? [] : [tip], message: `${message}\n`, timeSec });
      byTree.set(tree, tip);
      return tip;
    },
    tip: () => tip as GitId,
  };
}

/** A root's /etc as it is now: a commit on its branch, unless nothing changed since the last. */
async function commitLocal(
  store: GitStore,
  upstream: Upstream,
  { root, defaultsDir, etcDir, before, timeSec }: Omit<EtcLocalRecording, 'historyDir'>,
  cache: BlobCache,
): Promise<GitId> {
  const base = upstream.commit(writeHistoryTree(store, defaultsDir, cache), `Defaults of ${root}`);
  const tree = writeHistoryTree(store, etcDir, cache);
  const tip = await store.readBranch(branchOf(root));
  if (tip !== undefined && (await store.readCommit(tip)).tree === tree) return tip;
  return store.writeCommit({ tree, parents: [tip ?? base], message: `Local /etc of ${root} before ${before}\n`, timeSec });
}

/** A root may not take the name of the branch of defaults. */
function branchOf(root: string): string {
  return root === UPSTREAM ? `root-${root}` : root;
}

/** Reads from a commit's message which root it deployed; undefined for other commits. */
export function deployedRoot(message: string): string | undefined {
  return message
    .split('\n')
    .findLast((line) => line.startsWith(DEPLOYED))
    ?.slice(DEPLOYED.length);
}

function printReport(report: EtcReport | undefined): string {
  if (report === undefined) return '';
  const lines = report.actions
    .filter(({ outcome }) => outcome !== 'take-new')
    .map(({ outcome, path, reason }) => `${outcome}: ${path} (${reason})`);
  const more = lines.length - MAX_REPORT_LINES;
  return `${[...lines.slice(0, MAX_REPORT_LINES), ...(more > 0 ? [`and ${more} more`] : []), ''].join('\n')}\n`;
}

/** Lists commits and all their ancestors, each once, newest first, never before a child, at the same time in the order of parents. */
export async function listAncestors(store: GitStore, tips: readonly GitId[]): Promise<GitCommit[]> {
  const commits = new Map<GitId, GitCommit>();
  const children = new Map<GitId, number>();
  for (const pending = [...tips]; pending.length > 0; ) {
    const id = pending.shift() as GitId;
    if (commits.has(id)) continue;
    const commit = await store.readCommit(id);
    commits.set(id, commit);
    for (const parent of commit.parents) children.set(parent, (children.get(parent) ?? 0) + 1);
    pending.push(...commit.parents);
  }
  const found = new Map([...commits.keys()].map((id, index) => [id, index]));
  const place = (id: GitId): number => found.get(id) ?? 0;
  const ready = [...commits.values()].filter(({ id }) => !children.has(id));
  const ordered: GitCommit[] = [];
  while (ready.length > 0) {
    ready.sort((a, b) => a.timeSec - b.timeSec || place(b.id) - place(a.id));
    const commit = ready.pop() as GitCommit;
    ordered.push(commit);
    for (const parent of commit.parents) {
      const left = (children.get(parent) ?? 0) - 1;
      children.set(parent, left);
      if (left === 0) ready.push(commits.get(parent) as GitCommit);
    }
  }
  return ordered;
}

export interface EtcHistoryCleanup {
  readonly commitsKept: number;
  readonly branchesDeleted: readonly string[];
  readonly objectsDeleted: number;
  readonly bytesFreed: number;
}

/**
 * Keeps the newest deployments with what they were made from, and the branches of the roots named; forgets the rest.
 * History ends there as in a shallow clone, and ids stay what they are. Errors: `path-not-found` without a history.
 */
export async function gcEtcHistory(historyDir: string, keep: number, roots: readonly string[]): Promise<EtcHistoryCleanup> {
  const store = await GitStore.open(historyDir, { create: false });
  const branches = await store.listBranches();
  const tips = new Map<string, GitId>();
  for (const name of branches) tips.set(name, (await store.readBranch(name)) as GitId);
  const all = await listAncestors(store, [...tips.values()]);
  const byId = new Map(all.map((commit) => [commit.id, commit]));
  const kept = new Set<GitId>();
  for (const { id, parents } of all.filter(({ message }) => deployedRoot(message) !== undefined).slice(0, keep)) {
    for (const one of [id, ...parents, ...parents.flatMap((parent) => byId.get(parent)?.parents ?? [])]) kept.add(one);
  }
  const wanted = new Set([UPSTREAM, ...roots.map(branchOf)]);
  for (const [name, tip] of tips) if (wanted.has(name)) kept.add(tip);
  const shallow = [...kept].filter((id) => byId.get(id)?.parents.some((parent) => !kept.has(parent)) || isCut(byId.get(id)));
  store.writeShallow(new Set(shallow));
  const dropped = branches.filter((name) => !kept.has(tips.get(name) as GitId));
  for (const name of dropped) await store.deleteBranch(name);
  const { objects, bytes } = store.deleteObjectsExcept(
    await reachableObjects(
      store,
      [...kept].map((id) => byId.get(id) as GitCommit),
    ),
  );
  return { commitsKept: kept.size, branchesDeleted: dropped, objectsDeleted: objects, bytesFreed: bytes };
}

/** A commit without parents may be one that was cut off before, and must stay so. */
function isCut(commit: GitCommit | undefined): boolean {
  return commit?.parents.length === 0;
}

async function reachableObjects(store: GitStore, commits: readonly GitCommit[]): Promise<Set<GitId>> {
  const reachable = new Set<GitId>();
  const addTree = async (id: GitId): Promise<void> => {
    if (reachable.has(id)) return;
    reachable.add(id);
    for (const entry of await store.readTree(id)) {
      if (entry.mode === '040000') await addTree(entry.id);
      else reachable.add(entry.id);
    }
  };
  for (const { id, tree } of commits) {
    reachable.add(id);
    await addTree(tree);
  }
  return reachable;
}
