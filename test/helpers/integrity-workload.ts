/**
 * What test/faults/integrity.test.ts runs under strace: one job on a repository, in one thread.
 *
 * Arguments: job, repository, and for `repair` the source. Prints JSON; exits 1 with the error's code on standard error.
 */
import { createHash } from 'node:crypto';
import type { Checksum, ContentDigest } from '../../src/core/index.ts';
import {
  addToContentIndex,
  ContentRecords,
  checkContentIndex,
  du,
  fsck,
  openRepo,
  prune,
  rebuildContentIndex,
  repairFromRepo,
} from '../../src/repo/index.ts';

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Digests that the job `add` adds, and the one object that each is said to be of. */
export function addedRecords(): readonly (readonly [ContentDigest, Checksum])[] {
  return Array.from({ length: 40 }, (_, i) => [sha(`digest ${i}`) as ContentDigest, sha(`object ${i}`) as Checksum]);
}

/** Records that the job `add-many` adds under a name, one at a time: the same contents, other objects. */
export function recordsOf(name: string): readonly (readonly [ContentDigest, Checksum])[] {
  return addedRecords().map(([digest], i) => [digest, sha(`${name} ${i}`) as Checksum]);
}

const JOBS: Record<string, (repo: ReturnType<typeof openRepo>, source: string) => unknown> = {
  add(repo) {
    const records = new ContentRecords();
    for (const [digest, object] of addedRecords()) records.add(digest, object);
    return addToContentIndex(repo, records.bytes);
  },
  'add-many'(repo, name) {
    for (const [digest, object] of recordsOf(name)) {
      const records = new ContentRecords();
      records.add(digest, object);
      addToContentIndex(repo, records.bytes);
    }
  },
  rebuild: (repo) => rebuildContentIndex(repo, { threads: 0 }),
  prune: (repo) => prune(repo, { refsOnly: true, depth: 0 }),
  delete: (repo) => fsck(repo, { threads: 0, deleteDamaged: true }),
  repair: (repo, source) => fsck(repo, { threads: 0, repairFrom: repairFromRepo(openRepo(source)) }),
  async look(repo) {
    const [report, plan, index] = [
      await fsck(repo, { threads: 0 }),
      await prune(repo, { refsOnly: true, depth: 0, dryRun: true }),
      await checkContentIndex(repo, { threads: 0 }),
    ];
    return { report, plan, index, usage: du(repo) };
  },
};

/** Runs a job in this process. */
export async function runJob(job: string, path: string, source = ''): Promise<unknown> {
  return JOBS[job]?.(openRepo(path), source);
}

const [, , job, path, source] = process.argv;
if (job !== undefined && path !== undefined && JOBS[job] !== undefined) {
  try {
    console.log(JSON.stringify((await runJob(job, path, source)) ?? null));
  } catch (error) {
    console.error((error as { code?: string }).code ?? error);
    process.exitCode = 1;
  }
}
