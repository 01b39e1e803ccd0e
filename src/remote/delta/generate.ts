/**
 * Generates a static delta: plan, compare files, assemble parts, compress, describe.
 *
 * The expensive work (comparing, compressing) runs in a pool of threads; what comes out does not depend on its size,
 * because results are used in the order of the plan. At most a few comparisons and parts are in memory at a time.
 * Where the parts go is the caller's.
 *
 * **Source:** ostree-format 10.2, 10.3, 10.4.
 */
import type { Checksum } from '../../core/index.ts';
import {
  type ByteOrder,
  type Commit,
  type DeltaFallback,
  type DeltaPart,
  type Dict,
  deltaCommitmetaKey,
  encodeSuperblock,
  endiannessEntry,
  inlinePartKey,
  type ObjectName,
} from '../../format/index.ts';
import { loadCommit, loadDetachedMetadata, loadFile, type Repo, readContent, readMetadata } from '../../repo/index.ts';
import { openPool, type Pool } from '../../sys/index.ts';
import { copySteps, type DeltaEntry, PartAssembler, type RawPart } from './assemble.ts';
import type { Difference } from './compare.ts';
import type { GenerateInit, GenerateResult, GenerateTask } from './generate-worker.ts';
import { compareCommits } from './inventory.ts';
import type { PackedPart } from './pack.ts';
import { checkLimits, DEFAULT_LIMITS, type DeltaLimits, type DeltaPlan, planDelta } from './plan.ts';

export interface GenerateRequest {
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  readonly limits?: Partial<DeltaLimits>;
  /** Parts go into the superblock. */
  readonly inline?: boolean;
  /** Order of the superblock's versions and sizes. Default: little. */
  readonly byteOrder?: ByteOrder;
  /** Put in front of the superblock's own metadata. */
  readonly metadata?: Dict;
  /** Seconds since 1970 UTC. */
  readonly timestampSec: bigint;
  /** Threads; 0 = inline. Default: one per core. */
  readonly threads?: number;
  /** Takes the file of a part, in the order of their numbers. Not called for inline parts. */
  readonly writePart: (index: number, bytes: Uint8Array) => void | Promise<void>;
}

export interface GeneratedDelta {
  readonly superblock: Buffer;
  readonly parts: readonly DeltaPart[];
  readonly fallbacks: readonly DeltaFallback[];
  /** How many objects of each kind there are. */
  readonly counts: Readonly<Record<DeltaEntry['kind'], number>>;
}

type GeneratePool = Pool<GenerateTask, GenerateResult>;

/** Generates the delta. Errors: `object-missing`, `object-corrupt`, `usage` (limits), and what `writePart` throws. */
export async function generateDelta(repo: Repo, request: GenerateRequest): Promise<GeneratedDelta> {
  const limits = { ...DEFAULT_LIMITS, ...request.limits };
  checkLimits(limits);
  const commit = loadCommit(repo, request.to);
  const plan = planDelta(compareCommits(repo, request.from, request.to), limits);
  const pool: GeneratePool = openPool<GenerateInit, GenerateTask, GenerateResult>({
    module: new URL('./generate-worker.js', import.meta.url),
    init: { repoPath: repo.path },
    size: request.threads,
  });
  try {
    return await new DeltaGenerator(repo, request, { limits, plan, commit, pool }).run();
  } finally {
    await pool.close();
  }
}

interface Prepared {
  readonly limits: DeltaLimits;
  readonly plan: DeltaPlan;
  readonly commit: Commit;
  readonly pool: GeneratePool;
}

class DeltaGenerator {
  readonly #repo: Repo;
  readonly #request: GenerateRequest;
  readonly #prepared: Prepared;
  readonly #assembler: PartAssembler;
  readonly #counts = { metadata: 0, rollsum: 0, bsdiff: 0, plain: 0, symlink: 0 };
  readonly #parts: DeltaPart[] = [];
  readonly #inline: (readonly [string, Dict[number][1]])[] = [];
  /** Parts being compressed, oldest first. */
  readonly #packing: { raw: RawPart; packed: Promise<PackedPart> }[] = [];

  constructor(repo: Repo, request: GenerateRequest, prepared: Prepared) {
    this.#repo = repo;
    this.#request = request;
    this.#prepared = prepared;
    this.#assembler = new PartAssembler(prepared.limits.maxChunkBytes);
  }

  async run(): Promise<GeneratedDelta> {
    try {
      for await (const entry of this.#entries()) {
        this.#counts[entry.kind]++;
        await this.#pack(this.#assembler.add(entry));
      }
      await this.#pack(this.#assembler.finish());
      while (this.#packing.length > 0) await this.#settle();
    } finally {
      await Promise.allSettled(this.#packing.map(({ packed }) => packed));
    }
    const fallbacks = this.#prepared.plan.fallbacks.map(
      ({ checksum, archivedBytes, sizeBytes }): DeltaFallback => ({
        object: { checksum, type: 'file' },
        compressedBytes: BigInt(archivedBytes),
        unpackedBytes: BigInt(sizeBytes),
      }),
    );
    return { superblock: this.#superblock(fallbacks), parts: this.#parts, fallbacks, counts: this.#counts };
  }

  async *#entries(): AsyncGenerator<DeltaEntry> {
    const { plan } = this.#prepared;
    for (const object of plan.metadata) yield this.#metadataEntry(object);
    yield* this.#pairEntries();
    for (const { checksum } of plan.plain) yield this.#plainEntry(checksum);
    for (const { checksum } of plan.symlinks) yield { kind: 'symlink', checksum, header: loadFile(this.#repo, checksum).header };
  }

  #metadataEntry(object: ObjectName): DeltaEntry {
    return { kind: 'metadata', object, bytes: readMetadata(this.#repo, object.checksum, object.type) };
  }

  #plainEntry(checksum: Checksum): DeltaEntry {
    const file = loadFile(this.#repo, checksum);
    return { kind: 'plain', checksum, header: file.header, content: readContent(file) };
  }

  /** Compares ahead as far as the pool has room, and gives the results in order. */
  async *#pairEntries(): AsyncGenerator<DeltaEntry> {
    const { plan, limits, pool } = this.#prepared;
    const waiting: { checksum: Checksum; source: Checksum; sizeBytes: number; difference: Promise<GenerateResult> }[] = [];
    try {
      for (const { file, source } of plan.pairs) {
        const bsdiff = limits.maxBsdiffBytes > 0 && file.sizeBytes + source.sizeBytes <= limits.maxBsdiffBytes;
        const difference = pool.run({ kind: 'compare', source: source.checksum, target: file.checksum, bsdiff });
        difference.catch(() => {}); // reported when its turn comes
        waiting.push({ checksum: file.checksum, source: source.checksum, sizeBytes: file.sizeBytes, difference });
        if (waiting.length >= pool.capacity) yield* this.#nextPair(waiting);
      }
      while (waiting.length > 0) yield* this.#nextPair(waiting);
    } finally {
      await Promise.allSettled(waiting.map(({ difference }) => difference));
    }
  }

  async *#nextPair(
    waiting: { checksum: Checksum; source: Checksum; sizeBytes: number; difference: Promise<GenerateResult> }[],
  ): AsyncGenerator<DeltaEntry> {
    const pair = waiting[0];
    if (pair === undefined) return;
    const difference = (await pair.difference) as Difference;
    waiting.shift();
    const { checksum, source, sizeBytes } = pair;
    if (difference.kind === 'plain') yield this.#plainEntry(checksum);
    else if (difference.kind === 'bsdiff') {
      const { header } = loadFile(this.#repo, checksum);
      yield { kind: 'bsdiff', checksum, header, source, patch: difference.patch, sizeBytes };
    } else {
      const file = loadFile(this.#repo, checksum);
      yield {
        kind: 'rollsum',
        checksum,
        header: file.header,
        source,
        steps: copySteps(readContent(file), difference.ranges),
        sizeBytes,
      };
    }
  }

  /** Hands a part to the pool; waits for an older one when enough are under way. */
  async #pack(raw: RawPart | undefined): Promise<void> {
    if (raw === undefined) return;
    const { pool } = this.#prepared;
    const packed = pool.run({ kind: 'pack', payload: raw.payload }) as Promise<PackedPart>;
    packed.catch(() => {}); // reported when its turn comes
    this.#packing.push({ raw, packed });
    if (this.#packing.length > Math.max(1, pool.size)) await this.#settle();
  }

  async #settle(): Promise<void> {
    const first = this.#packing[0];
    if (first === undefined) return;
    const { bytes, checksum } = await first.packed;
    this.#packing.shift();
    const index = this.#parts.length;
    const { objects, unpackedBytes } = first.raw;
    this.#parts.push({
      version: 0,
      checksum,
      sizeBytes: BigInt(bytes.length),
      unpackedBytes: BigInt(unpackedBytes),
      objects,
    });
    if (this.#request.inline === true) {
      this.#inline.push([inlinePartKey(this.#request, index), { type: '(yay)', value: [bytes[0] ?? 0, bytes.subarray(1)] }]);
    } else await this.#request.writePart(index, bytes);
  }

  #superblock(fallbacks: readonly DeltaFallback[]): Buffer {
    const { from, to, timestampSec, byteOrder = 'little', metadata = [] } = this.#request;
    const detached = loadDetachedMetadata(this.#repo, to);
    const commitmeta: Dict =
      detached === undefined ? [] : [[deltaCommitmetaKey(this.#request), { type: 'a{sv}', value: detached }]];
    return encodeSuperblock({
      metadata: [...metadata, endiannessEntry(byteOrder), ...this.#inline, ...commitmeta],
      timestampSec,
      from,
      to,
      commit: this.#prepared.commit,
      parts: this.#parts,
      fallbacks,
      byteOrder,
    });
  }
}
