/**
 * Worker of a commit: reads, hashes and stores batches of files from start to end.
 *
 * A batch names files by directory. The answer holds, per file in order, a row of the content index (content digest and object
 * checksum), the stat fields taken before reading (for the stat cache), and flags. Plain arrays, so that a message costs
 * two buffers whatever the number of files.
 */
import * as fs from 'node:fs';
import { describeErrno, errnoOf, HacktreeError, tryUtf8 } from '../../core/index.ts';
import { isRegularMode, isSymlinkMode, NO_XATTRS } from '../../format/index.ts';
import type { WrittenFile } from '../file-sink.ts';
import type { WriterInit } from '../object-files.ts';
import { ObjectWriter } from '../object-write.ts';
import { joinTreePath } from '../tree-walk.ts';
import { readXattrs } from '../xattrs.ts';
import { type LabelFor, openLabels } from './labels.ts';
import { type FileModifiers, type ModeOverride, modifyInode } from './modifiers.ts';
import { STAT_FIELDS, writeStatFields } from './stat-fields.ts';

export interface CommitWorkerInit {
  readonly writer: WriterInit;
  readonly modifiers: FileModifiers;
  /** Adopt files by hard link where possible (--link). */
  readonly link: boolean;
}

/** Files of one directory: its path, their names, and overrides for a few of them. */
export interface BatchItem {
  readonly dir: string;
  readonly names: readonly string[];
  /** The directory's path in the tree. */
  readonly treeDir: string;
  readonly overrides?: Readonly<Record<string, ModeOverride>>;
}

export type Batch = readonly BatchItem[];

export interface BatchResult {
  /** Per file 32 bytes content digest (zeros for a symlink), 32 bytes object checksum. */
  readonly hashes: Uint8Array;
  /** Per file STAT_FIELDS numbers. */
  readonly stats: Float64Array;
  /** Per file FLAG_* bits. */
  readonly flags: Uint8Array;
}

export const FLAG_NEW = 1;
export const FLAG_HAS_DIGEST = 2;
export const HASH_BYTES = 64;

/** Source: open(2). Does not block on a FIFO that replaced a file, does not follow a symlink. */
const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

export function createWorker(init: CommitWorkerInit): ((batch: Batch) => BatchResult) & { close(): void } {
  const writer = new ObjectWriter(init.writer);
  const wantsXattrs = !init.modifiers.noXattrs && !writer.repo.config.disableXattrs && writer.repo.mode !== 'bare-user-only';
  const job: Job = { writer, init, wantsXattrs, labelFor: openLabels(init.modifiers.selinuxPolicy) };
  return Object.assign((batch: Batch) => runBatch(job, batch), { close: () => writer.close() });
}

interface Job {
  readonly writer: ObjectWriter;
  readonly init: CommitWorkerInit;
  readonly wantsXattrs: boolean;
  readonly labelFor: LabelFor | undefined;
}

/** A file to store: where it is on the host and in the tree. */
interface Place {
  readonly path: string;
  readonly treePath: string;
  readonly override: ModeOverride | undefined;
}

function runBatch(job: Job, batch: Batch): BatchResult {
  const count = batch.reduce((sum, item) => sum + item.names.length, 0);
  const hashes = Buffer.alloc(count * HASH_BYTES);
  const stats = new Float64Array(count * STAT_FIELDS);
  const flags = new Uint8Array(count);
  let at = 0;
  for (const { dir, names, treeDir, overrides } of batch) {
    for (const name of names) {
      const written = storePath(
        job,
        { path: `${dir}/${name}`, treePath: joinTreePath(treeDir, name), override: overrides?.[name] },
        (stat) => writeStatFields(stats, at, stat),
      );
      if (written.contentDigest !== undefined) hashes.write(written.contentDigest, at * HASH_BYTES, 'hex');
      hashes.write(written.checksum, at * HASH_BYTES + 32, 'hex');
      flags[at] = (written.isNew ? FLAG_NEW : 0) | (written.contentDigest === undefined ? 0 : FLAG_HAS_DIGEST);
      at++;
    }
  }
  return { hashes, stats, flags };
}

function storePath(job: Job, place: Place, onStat: (stat: fs.Stats) => void): WrittenFile {
  const { path } = place;
  let fd: number | undefined;
  try {
    fd = openUnlessSymlink(path);
    if (fd === undefined) return storeSymlink(job, place, onStat);
    const stat = fs.fstatSync(fd);
    if (!isRegularMode(stat.mode)) throw notCommittable(path);
    onStat(stat);
    return storeRegular(job, place, fd, stat);
  } catch (error) {
    throw describe(error, path);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function openUnlessSymlink(path: string): number | undefined {
  try {
    return fs.openSync(path, OPEN_FLAGS);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return undefined;
    if (errnoOf(error) === 'ENXIO') throw notCommittable(path);
    throw error;
  }
}

function storeRegular(job: Job, { path, treePath, override }: Place, fd: number, stat: fs.Stats): WrittenFile {
  const { uid, gid, mode, size } = stat;
  const raw = { uid, gid, mode, target: '', xattrs: job.wantsXattrs ? readXattrs(fd) : NO_XATTRS };
  const header = modifyInode(raw, job.init.modifiers, { override, label: job.labelFor?.(treePath, mode) });
  const same = header.uid === uid && header.gid === gid && header.mode === mode && header.xattrs === raw.xattrs;
  if (job.init.link && same) return job.writer.linkFile(header, { fd, path }, size);
  return job.writer.writeFile(header, { fd, path }, size);
}

function storeSymlink(job: Job, { path, treePath, override }: Place, onStat: (stat: fs.Stats) => void): WrittenFile {
  const stat = fs.lstatSync(path);
  if (!isSymlinkMode(stat.mode)) throw notCommittable(path);
  onStat(stat);
  const target = tryUtf8(fs.readlinkSync(path, { encoding: 'buffer' }));
  if (target === undefined) {
    throw new HacktreeError('name-invalid', `Symlink target is not UTF-8: ${path}`, {
      details: { path, expected: 'UTF-8', found: 'other bytes' },
    });
  }
  const { uid, gid, mode } = stat;
  const raw = { uid, gid, mode, target, xattrs: job.wantsXattrs ? readXattrs(path) : NO_XATTRS };
  const header = modifyInode(raw, job.init.modifiers, { override, label: job.labelFor?.(treePath, mode) });
  return job.writer.writeBuffer(header, Buffer.alloc(0));
}

/** Error for a device, FIFO or socket. */
export function notCommittable(path: string): HacktreeError {
  return new HacktreeError('special-file', `Not a regular file or symlink: ${path}`, {
    details: { path, expected: 'a regular file, symlink or directory' },
    hints: ['--skip-special leaves devices, FIFOs and sockets out and lists them'],
  });
}

function describe(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof HacktreeError) return error;
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'permission' : errno === 'ENOENT' ? 'path-not-found' : 'io';
  return new HacktreeError(code, `Cannot read ${path}: ${describeErrno(errno)}`, { details: { path, errno }, cause: error });
}
