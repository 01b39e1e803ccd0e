/**
 * du: how much space commits, refs and paths need, alone and together with others.
 *
 * du(1) cannot tell: objects are shared by hard link between commits and checkouts. Here every object counts once, and
 * what something needs is split into what would be free without it and what others need as well.
 */
import * as fs from 'node:fs';
import { type Checksum, HacktreeError } from '../../core/index.ts';
import type { ObjectType } from '../../format/index.ts';
import { listCommits, listObjects } from '../object-list.ts';
import { loadCommit, missingObject, objectPath } from '../object-read.ts';
import { listAllRefs, printRef } from '../refs.ts';
import type { Repo } from '../repo.ts';
import { resolveRev } from '../resolve.ts';
import { listTreeDir, lookupPath, rootOf, type TreeNode } from '../tree-walk.ts';
import { measureDuplicates } from './duplicates.ts';
import { isReadableCommit, type NodeId, ObjectGraph, UsageSum } from './object-graph.ts';
import { Owners } from './owners.ts';
import type { CommitUsage, DuOptions, DuReport, PathUsage, RefUsage, SharedUsage } from './report.ts';

/** Measures a repository. Errors: those of DuOptions, `object-corrupt`, system errors. */
export function du(repo: Repo, options: DuOptions = {}): DuReport {
  const report = (phase: string, objectsDone: number): void => {
    if (options.signal?.aborted === true) throw new HacktreeError('interrupted', 'du was interrupted');
    options.onProgress?.({ phase, objectsDone, bytesDone: 0 });
  };
  const graph = new ObjectGraph(repo);
  const commits = listCommits(repo).filter((checksum) => isReadableCommit(repo, checksum));
  for (const checksum of commits) {
    graph.addCommit(checksum);
    report('Reading trees', graph.size);
  }
  const owners = new Owners(graph);
  const missing = commits.map((checksum) => {
    let count = 0;
    owners.add([nodeOf(repo, graph, checksum)], (node) => {
      if (graph.isMissing(node)) count++;
    });
    return count;
  });
  const measured = measureAll(repo, graph, (objects) => report('Measuring objects', objects));
  return {
    ...measured,
    commits: commitUsages(repo, commits, owners, missing),
    refs: refUsages(repo, graph, new Set(commits)),
    paths: options.path === undefined ? [] : pathUsages(repo, graph, owners, { commits, ...options.path }),
    duplicates: measureDuplicates(repo),
  };
}

/** Errors: `object-missing` for what only a parent repository has. */
function nodeOf(repo: Repo, graph: ObjectGraph, checksum: Checksum, type: ObjectType = 'commit'): NodeId {
  const node = graph.find(checksum, type);
  if (node === undefined) throw missingObject(repo, checksum, type);
  return node;
}

const TREE_TYPES: readonly ObjectType[] = ['file', 'dirtree', 'dirmeta'];

/** Measures every object there is. */
function measureAll(
  repo: Repo,
  graph: ObjectGraph,
  report: (objects: number) => void,
): Pick<DuReport, 'total' | 'byType' | 'unneeded'> {
  const total = new UsageSum();
  const unneeded = new UsageSum();
  const byType: Partial<Record<ObjectType, UsageSum>> = {};
  for (const { checksum, type } of listObjects(repo)) {
    const stat = fs.lstatSync(objectPath(repo, checksum, type), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const sums = [total];
    byType[type] ??= new UsageSum();
    sums.push(byType[type]);
    if (TREE_TYPES.includes(type) && graph.find(checksum, type) === undefined) sums.push(unneeded);
    for (const sum of sums) sum.add(stat.size, stat.blocks * 512);
    if (total.objects % REPORT_OBJECTS === 0) report(total.objects);
  }
  const types = Object.entries(byType).map(([type, sum]) => [type, sum.toUsage()]);
  return { total: total.toUsage(), byType: Object.fromEntries(types), unneeded: unneeded.toUsage() };
}

const REPORT_OBJECTS = 1000;

function commitUsages(repo: Repo, commits: readonly Checksum[], owners: Owners, missing: readonly number[]): CommitUsage[] {
  const usages = owners.usages();
  const refs = listAllRefs(repo);
  return commits
    .map((commit, i): CommitUsage => {
      const { timestampSec, subject } = loadCommit(repo, commit);
      return {
        commit,
        timestampSec: Number(timestampSec),
        subject,
        refs: refs
          .filter(({ checksum }) => checksum === commit)
          .map(printRef)
          .sort(),
        ...(usages[i] as SharedUsage),
        missingObjects: missing[i] as number,
      };
    })
    .sort((a, b) => b.timestampSec - a.timestampSec || (a.commit < b.commit ? -1 : 1));
}

/** Aliases stand for another ref and need nothing of their own. */
function refUsages(repo: Repo, graph: ObjectGraph, commits: ReadonlySet<Checksum>): RefUsage[] {
  const refs = listAllRefs(repo).filter(({ aliasOf }) => aliasOf === undefined);
  const owners = new Owners(graph);
  const histories = refs.map(({ checksum }) => {
    const history = new Set<Checksum>();
    for (let at: Checksum | undefined = checksum; at !== undefined && commits.has(at); at = loadCommit(repo, at).parent) {
      if (history.has(at)) break;
      history.add(at);
    }
    owners.add([...history].map((commit) => nodeOf(repo, graph, commit)));
    return history.size;
  });
  const usages = owners.usages();
  return refs
    .map((entry, i): RefUsage => {
      return { ref: printRef(entry), commit: entry.checksum, commits: histories[i] as number, ...(usages[i] as SharedUsage) };
    })
    .sort((a, b) => (a.ref < b.ref ? -1 : 1));
}

/** Measures the names in a directory. */
function pathUsages(
  repo: Repo,
  graph: ObjectGraph,
  owners: Owners,
  { rev, path, commits }: { rev: string; path: string; commits: readonly Checksum[] },
): PathUsage[] {
  const commit = resolveRev(repo, rev);
  const found = lookupPath(repo, commit, path);
  const names = found.kind === 'dir' ? listTreeDir(repo, found) : [found];
  const siblings = new Owners(graph);
  siblings.add(elsewhere(repo, graph, commit, found));
  for (const node of names) siblings.add(nodesOf(repo, graph, node));
  const owner = commits.indexOf(commit);
  return names.map((node, i): PathUsage => {
    const total = new UsageSum();
    const exclusive = new UsageSum();
    graph.walk(nodesOf(repo, graph, node), (id) => {
      graph.count(id, total);
      if (siblings.isExclusive(id, i + 1) && owners.isExclusive(id, owner)) graph.count(id, exclusive);
    });
    return { path: node.path, kind: node.kind, exclusive: exclusive.toUsage(), shared: total.minus(exclusive) };
  });
}

function nodesOf(repo: Repo, graph: ObjectGraph, node: TreeNode): NodeId[] {
  if (node.kind === 'file') return [nodeOf(repo, graph, node.checksum, 'file')];
  return [nodeOf(repo, graph, node.tree, 'dirtree'), nodeOf(repo, graph, node.meta, 'dirmeta')];
}

/** Everything of a commit that is beside a path: what is next to each directory on the way to it. */
function elsewhere(repo: Repo, graph: ObjectGraph, commit: Checksum, found: TreeNode): NodeId[] {
  const nodes: NodeId[] = [];
  let dir = rootOf(loadCommit(repo, commit));
  for (const name of found.path.split('/').filter((part) => part !== '')) {
    const children = listTreeDir(repo, dir);
    for (const child of children) if (child.name !== name) nodes.push(...nodesOf(repo, graph, child));
    const next = children.find((child) => child.name === name);
    if (next?.kind === 'dir') dir = next;
  }
  return nodes;
}
