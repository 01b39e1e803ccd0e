/**
 * `static-delta generate`: makes a delta and puts it into the repository, or into files of the user's choice.
 *
 * Parts come first, the superblock last: a delta that has its superblock is whole.
 *
 * Source: ostree-format 10.1, 10.2; ostree-cli A.1 (`static-delta`).
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type Checksum, wrapSystemError } from '../../core/index.ts';
import { type ByteOrder, type Dict, deltaDirectory, encodeSignedDelta } from '../../format/index.ts';
import { lockRepo, type Repo } from '../../repo/index.ts';
import { ensureDir, writeFileDurable } from '../../sys/index.ts';
import { type GeneratedDelta, generateDelta } from './generate.ts';
import type { DeltaLimits } from './plan.ts';
import { total } from './total.ts';

export interface MakeDeltaOptions {
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  readonly limits?: Partial<DeltaLimits>;
  /** Parts go into the superblock. */
  readonly inline?: boolean;
  /** Order of the superblock's numbers. Default: little. */
  readonly byteOrder?: ByteOrder;
  /** Where the superblock goes; parts go beside it. Default: the repository. */
  readonly filename?: string | undefined;
  /** Signs the superblock's bytes: gets the signatures so far, returns those to store. */
  readonly sign?: ((bytes: Buffer, signatures: Dict) => Promise<Dict>) | undefined;
  /** Seconds since 1970 UTC. Default: now. */
  readonly nowSec?: number;
  /** Threads; 0 = inline. Default: one per core. */
  readonly threads?: number | undefined;
  readonly onLockWait?: () => void;
}

export interface MadeDelta {
  /** Path of the superblock. */
  readonly path: string;
  readonly superblockBytes: number;
  readonly partCount: number;
  /** Bytes of the part files, inline ones too. */
  readonly partBytes: bigint;
  readonly unpackedBytes: bigint;
  readonly fallbackCount: number;
  /** How many objects of each kind there are. */
  readonly counts: GeneratedDelta['counts'];
}

/** Makes a delta. Errors: `object-missing`, `object-corrupt`, `usage` (limits), `repo-locked`, and what `sign` throws. */
export async function makeDelta(repo: Repo, options: MakeDeltaOptions): Promise<MadeDelta> {
  const { from, to, filename, nowSec = Math.floor(Date.now() / 1000) } = options;
  const lock = await lockRepo(repo, 'shared', options.onLockWait);
  const path = filename ?? join(repo.path, deltaDirectory({ from, to }), 'superblock');
  const durable = { sync: repo.config.fsync };
  try {
    if (filename === undefined) ensureDir(dirname(path));
    const delta = await generateDelta(repo, {
      from,
      to,
      limits: options.limits ?? {},
      inline: options.inline === true,
      byteOrder: options.byteOrder ?? 'little',
      timestampSec: BigInt(nowSec),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      writePart: (index, bytes) => writeFileDurable(join(dirname(path), String(index)), bytes, durable),
    });
    const { superblock } = delta;
    const signatures = await options.sign?.(superblock, []);
    const bytes = signatures === undefined ? superblock : encodeSignedDelta({ superblock, signatures });
    writeFileDurable(path, bytes, durable);
    if (filename === undefined) removeStaleParts(dirname(path), options.inline === true ? 0 : delta.parts.length);
    return report(path, bytes.length, delta);
  } catch (error) {
    throw wrapSystemError(error, 'Writing', path);
  } finally {
    lock.release();
  }
}

/** An earlier delta under the same name may have had more parts. */
function removeStaleParts(directory: string, count: number): void {
  const stale = fs.readdirSync(directory).filter((name) => /^\d+$/.test(name) && Number(name) >= count);
  for (const name of stale) fs.rmSync(join(directory, name));
}

function report(path: string, superblockBytes: number, { parts, fallbacks, counts }: GeneratedDelta): MadeDelta {
  return {
    path,
    superblockBytes,
    partCount: parts.length,
    partBytes: total(parts, 'sizeBytes'),
    unpackedBytes: total(parts, 'unpackedBytes'),
    fallbackCount: fallbacks.length,
    counts,
  };
}
