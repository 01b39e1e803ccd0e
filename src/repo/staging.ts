/**
 * Staging directories: where a transaction's objects wait until they are published.
 *
 * `tmp/staging-BOOTID-XXXXXX/` with a lock file `...-lock` beside it that is held as long as the transaction lives. A
 * new transaction takes over an unlocked one of the same boot, with every complete object in it; those of an earlier
 * boot may hold unwritten pages and are deleted. Other leftovers in tmp/ go after core.tmp-expiry-secs.
 *
 * Objects are in its folder `hacktree/`, which ostree passes over, because objects are written under their names there: one more
 * rename for each would be a tenth of the work. One that a killed process was writing shows by what is done last, its modification
 * time or its mode. ostree's own objects are beside that folder, always complete, and are moved into it.
 *
 * Source: ostree-format 11.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../core/index.ts';
import { acquireLock, type FileLock } from '../sys/index.ts';
import { tmpDir } from './layout.ts';
import { PLAIN_MODE } from './object-files.ts';
import { OBJECT_PREFIX } from './object-list.ts';
import type { Repo } from './repo.ts';

export interface Staging {
  readonly path: string;
  /** Where objects are, and temporary files. */
  readonly objectsPath: string;
  readonly lock: FileLock;
  /** It holds objects of an earlier transaction. */
  readonly isResumed: boolean;
}

const TEMPORARY = /^\.tmp-/;
const OWN_FOLDER = 'hacktree';

/** Names the current boot: OSTREE_BOOTID when the caller passes it on, else the kernel's. */
export function currentBootId(override?: string): string {
  return override ?? fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** Takes over or makes a staging directory, and cleans tmp/ up on the way. */
export async function openStaging(repo: Repo, bootId: string): Promise<Staging> {
  const tmp = tmpDir(repo.path);
  fs.mkdirSync(tmp, { recursive: true });
  let reused: Staging | undefined;
  for (const name of fs.readdirSync(tmp)) {
    if (!name.startsWith('staging-')) {
      removeExpired(repo, join(tmp, name), name);
    } else if (!name.endsWith('-lock')) {
      const taken = await takeOver(join(tmp, name), reused === undefined && name.startsWith(`staging-${bootId}-`));
      reused ??= taken;
    }
  }
  removeStaleLocks(tmp);
  return reused ?? createStaging(tmp, bootId);
}

/** Locks an abandoned staging directory; keeps it for use, or deletes it. */
async function takeOver(path: string, wanted: boolean): Promise<Staging | undefined> {
  const lock = await acquireLock(`${path}-lock`, { kind: 'exclusive', timeoutMs: 0, mode: 0o600 });
  if (lock === undefined) return undefined;
  if (wanted && fs.existsSync(path)) {
    const objectsPath = join(path, OWN_FOLDER);
    fs.mkdirSync(objectsPath, { recursive: true });
    removeUnfinished(objectsPath);
    for (const name of fs.readdirSync(path)) {
      if (OBJECT_PREFIX.test(name)) moveInto(join(path, name), join(objectsPath, name));
      else if (TEMPORARY.test(name)) fs.rmSync(join(path, name), { force: true });
    }
    return { path, objectsPath, lock, isResumed: true };
  }
  fs.rmSync(path, { recursive: true, force: true });
  fs.rmSync(`${path}-lock`, { force: true });
  lock.release();
  return undefined;
}

/** Removes what a killed process had not finished. */
function removeUnfinished(objectsPath: string): void {
  for (const entry of fs.readdirSync(objectsPath)) {
    if (TEMPORARY.test(entry)) fs.rmSync(join(objectsPath, entry), { force: true });
    if (!OBJECT_PREFIX.test(entry)) continue;
    for (const name of fs.readdirSync(join(objectsPath, entry))) {
      const path = join(objectsPath, entry, name);
      if (!isFinished(name, fs.lstatSync(path))) fs.rmSync(path, { force: true });
    }
  }
}

/** Tells whether an object was written to its end: ObjectFiles.finishInode sets the time last, finishPlain the mode. */
function isFinished(name: string, { mtimeMs, mode }: fs.Stats): boolean {
  return name.endsWith('.file') ? mtimeMs === 0 : (mode & 0o777) === PLAIN_MODE;
}

/** Moves a folder of objects; where there is one already, its objects. */
function moveInto(from: string, to: string): void {
  if (!fs.existsSync(to)) return fs.renameSync(from, to);
  for (const name of fs.readdirSync(from)) fs.renameSync(join(from, name), join(to, name));
  fs.rmdirSync(from);
}

function removeStaleLocks(tmp: string): void {
  for (const name of fs.readdirSync(tmp)) {
    if (!name.startsWith('staging-') || !name.endsWith('-lock')) continue;
    if (!fs.existsSync(join(tmp, name.slice(0, -'-lock'.length)))) fs.rmSync(join(tmp, name), { force: true });
  }
}

function removeExpired(repo: Repo, path: string, name: string): void {
  if (name === 'cache') return;
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || Date.now() - stat.mtimeMs < repo.config.tmpExpirySec * 1000) return;
  fs.rmSync(path, { recursive: true, force: true });
}

async function createStaging(tmp: string, bootId: string): Promise<Staging> {
  for (;;) {
    const path = join(tmp, `staging-${bootId}-${nodeCrypto().randomBytes(4).toString('base64url').replace(/[-_]/g, 'x')}`);
    if (fs.existsSync(path)) continue;
    // The lock comes first: a directory without a held lock may be taken over by anybody.
    const lock = await acquireLock(`${path}-lock`, { kind: 'exclusive', timeoutMs: 0, mode: 0o600 });
    if (lock === undefined) continue;
    fs.mkdirSync(path, { mode: 0o755 });
    fs.chmodSync(path, 0o755);
    const objectsPath = join(path, OWN_FOLDER);
    fs.mkdirSync(objectsPath);
    return { path, objectsPath, lock, isResumed: false };
  }
}

/** Deletes a staging directory that has been published or is not worth keeping. */
export function removeStaging(staging: Staging): void {
  fs.rmSync(staging.path, { recursive: true, force: true });
  fs.rmSync(`${staging.path}-lock`, { force: true });
  staging.lock.release();
}
