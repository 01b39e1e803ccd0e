/**
 * Content digests of file objects that a trusted repository on this machine knows from its index: such contents are hashed once, under
 * their headers, not twice. A thread keeps those of the tasks at hand.
 */
import { asBuffer, CHECKSUM_BYTES, type Checksum, type ContentDigest } from '../../core/index.ts';
import type { ObjectName } from '../../format/index.ts';
import { findDigests, type Repo } from '../../repo/index.ts';

const UNKNOWN = '0'.repeat(2 * CHECKSUM_BYTES);

/** What is known of the objects of one task, in their order: 32 bytes each, zeros where nothing is. */
export type TaskDigests = Uint8Array | undefined;

/** Looks the digests of all missing objects up; gives a function that tells those of some of them. */
export function lookUpDigests(
  source: Repo | undefined,
  missing: readonly Checksum[],
): (some: readonly Checksum[]) => TaskDigests {
  const digests = source && findDigests(source, missing);
  if (digests === undefined) return () => undefined;
  const rows = new Map(missing.map((checksum, row) => [checksum, row]));
  return (some) => {
    const taken = Buffer.alloc(some.length * CHECKSUM_BYTES);
    for (const [i, checksum] of some.entries()) {
      const at = (rows.get(checksum) ?? 0) * CHECKSUM_BYTES;
      taken.set(digests.subarray(at, at + CHECKSUM_BYTES), i * CHECKSUM_BYTES);
    }
    return taken;
  };
}

export class KnownDigests {
  readonly #digests = new Map<Checksum, ContentDigest>();

  /** Notes those of a task. */
  add(objects: readonly ObjectName[], digests: TaskDigests): void {
    if (digests === undefined) return;
    const bytes = asBuffer(digests);
    for (const [i, { checksum }] of objects.entries()) {
      const digest = bytes.toString('hex', i * CHECKSUM_BYTES, (i + 1) * CHECKSUM_BYTES);
      if (digest !== UNKNOWN) this.#digests.set(checksum, digest as ContentDigest);
    }
  }

  /** Gives the digest of an object's content, once. */
  take(object: Checksum): ContentDigest | undefined {
    const digest = this.#digests.get(object);
    if (digest !== undefined) this.#digests.delete(object);
    return digest;
  }
}
