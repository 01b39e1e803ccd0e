/**
 * What `static-delta show` tells of a delta.
 *
 * Source: ostree-format 10.2, 10.3; ostree-cli A.1 (`static-delta`).
 */
import type { Checksum } from '../../core/index.ts';
import { type ByteOrder, type DeltaOperation, decodeOperations } from '../../format/index.ts';
import type { StoredDelta } from './open.ts';
import { readPart } from './open.ts';
import { unpackPart } from './pack.ts';
import { total } from './total.ts';

export interface DeltaPartFacts {
  readonly objectCount: number;
  readonly sizeBytes: bigint;
  readonly unpackedBytes: bigint;
  readonly modeCount: number;
  readonly xattrsCount: number;
  readonly blobBytes: number;
  readonly programBytes: number;
  /** How often each operation occurs. */
  readonly operations: Readonly<
    Record<'splice' | 'open' | 'write' | 'set-read-source' | 'unset-read-source' | 'close' | 'bspatch', number>
  >;
}

export interface DeltaFacts {
  readonly isSigned: boolean;
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  readonly byteOrder: ByteOrder;
  /** Time made, seconds since 1970 UTC. */
  readonly timestampSec: bigint;
  readonly fallbackCount: number;
  readonly fallbackBytes: bigint;
  readonly fallbackUnpackedBytes: bigint;
  readonly partCount: number;
}

/** What the superblock says. */
export function describeDelta({ block, signatures }: StoredDelta): DeltaFacts {
  const { from, to, byteOrder, timestampSec, parts, fallbacks } = block;
  return {
    isSigned: signatures !== undefined,
    from,
    to,
    byteOrder,
    timestampSec,
    fallbackCount: fallbacks.length,
    fallbackBytes: total(fallbacks, 'compressedBytes'),
    fallbackUnpackedBytes: total(fallbacks, 'unpackedBytes'),
    partCount: parts.length,
  };
}

/** Unpacks a part and counts what is in it. Errors: `path-not-found`, `delta-invalid`. */
export async function describePart(delta: StoredDelta, index: number): Promise<DeltaPartFacts> {
  const { file, part } = readPart(delta, index);
  const payload = await unpackPart(file, part);
  const operations = { splice: 0, open: 0, write: 0, 'set-read-source': 0, 'unset-read-source': 0, close: 0, bspatch: 0 };
  for (const { op } of decodeOperations(payload, part.objects)) operations[kindOf(op)]++;
  return {
    objectCount: part.objects.length,
    sizeBytes: part.sizeBytes,
    unpackedBytes: part.unpackedBytes,
    modeCount: payload.modes.length,
    xattrsCount: payload.xattrs.length,
    blobBytes: payload.blob.length,
    programBytes: payload.operations.length,
    operations,
  };
}

function kindOf(op: DeltaOperation['op']): keyof DeltaPartFacts['operations'] {
  return op === 'splice-metadata' || op === 'splice-content' ? 'splice' : op;
}
