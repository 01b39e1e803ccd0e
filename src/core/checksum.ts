/**
 * Checksums: 64 lower-case hex characters naming an object, and their 32-byte form inside GVariants.
 *
 * Both are branded strings, so that a content digest (SHA-256 of file bytes alone) is never taken for an object
 * checksum (SHA-256 of header and content).
 */
import { asBuffer } from './bytes.ts';
import { HacktreeError } from './errors.ts';
import { sha256Hex } from './hash.ts';

/** SHA-256 that names an object. */
export type Checksum = string & { readonly __brand: 'checksum' };
/** SHA-256 of a regular file's bytes alone, what sha256sum(1) prints. */
export type ContentDigest = string & { readonly __brand: 'content-digest' };

export const CHECKSUM_BYTES = 32;

const HEX = /^[0-9a-f]{64}$/;

/** Tells whether text is 64 lower-case hex characters. */
export function isChecksum(text: string): text is Checksum {
  return HEX.test(text);
}

/** Parses 64 lower-case hex characters. Errors: `format-invalid`. */
export function parseChecksum(text: string): Checksum {
  if (isChecksum(text)) return text;
  throw new HacktreeError('format-invalid', `Invalid checksum '${text}', expected 64 lower-case hex characters`, {
    details: { expected: '64 hex characters', found: text },
  });
}

/** Prints the 32-byte form as hex. Errors: `format-invalid` when the length is not 32. */
export function checksumFromBytes(bytes: Uint8Array): Checksum {
  if (bytes.length !== CHECKSUM_BYTES) {
    throw new HacktreeError('format-invalid', `Invalid checksum of ${bytes.length} bytes, expected ${CHECKSUM_BYTES}`, {
      details: { expected: CHECKSUM_BYTES, found: bytes.length },
    });
  }
  return asBuffer(bytes).toString('hex') as Checksum;
}

/** Gives the 32-byte form. */
export function checksumToBytes(checksum: Checksum | ContentDigest): Buffer {
  return Buffer.from(checksum, 'hex');
}

/** Hashes bytes to the checksum that names a metadata object. */
export function checksumOf(bytes: Uint8Array): Checksum {
  return sha256Hex(bytes) as Checksum;
}
