/**
 * OpenPGP packets: where each begins and ends, what kind it is, and the fingerprints of keys. No cryptography.
 *
 * Keyrings and detached signatures are sequences of packets. Cutting them here, before the OpenPGP library sees them,
 * means that one key or signature it cannot read does not hide the others.
 *
 * Source: RFC 9580 4.2 (packet headers), 5.5.4 (fingerprints), 6 (ASCII armour).
 */
import { createHash } from 'node:crypto';
import { asBuffer, HacktreeError } from '../core/index.ts';

export const TAG = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
} as const;

export interface Packet {
  readonly tag: number;
  /** Header and body as found. */
  readonly raw: Buffer;
  readonly body: Buffer;
}

/** Cuts bytes into packets. Errors: `format-invalid` when a length leads outside, or is given in pieces. */
export function splitPackets(bytes: Uint8Array): Packet[] {
  const b = asBuffer(bytes);
  const packets: Packet[] = [];
  for (let at = 0; at < b.length; ) {
    const first = b[at] ?? 0;
    if ((first & 0x80) === 0) throw invalid(`no packet begins at byte ${at}`);
    const isNew = (first & 0x40) !== 0;
    const { bodyStart, bodyLength } = isNew ? newLength(b, at + 1) : oldLength(b, at, first & 3);
    const end = bodyStart + bodyLength;
    if (end > b.length) throw invalid(`packet at byte ${at} ends outside`);
    const tag = isNew ? first & 0x3f : (first >> 2) & 0x0f;
    packets.push({ tag, raw: b.subarray(at, end), body: b.subarray(bodyStart, end) });
    at = end;
  }
  return packets;
}

interface Extent {
  readonly bodyStart: number;
  readonly bodyLength: number;
}

function newLength(b: Buffer, at: number): Extent {
  const first = byteAt(b, at);
  if (first < 192) return { bodyStart: at + 1, bodyLength: first };
  if (first < 224) return { bodyStart: at + 2, bodyLength: ((first - 192) << 8) + byteAt(b, at + 1) + 192 };
  if (first === 255 && at + 5 <= b.length) return { bodyStart: at + 5, bodyLength: b.readUInt32BE(at + 1) };
  throw invalid('length in pieces or cut');
}

function oldLength(b: Buffer, at: number, lengthType: number): Extent {
  if (lengthType === 3) return { bodyStart: at + 1, bodyLength: b.length - at - 1 };
  const size = 1 << lengthType;
  if (at + 1 + size > b.length) throw invalid('cut inside a length');
  return { bodyStart: at + 1 + size, bodyLength: b.readUIntBE(at + 1, size) };
}

function byteAt(b: Buffer, at: number): number {
  const byte = b[at];
  if (byte === undefined) throw invalid('cut inside a length');
  return byte;
}

const invalid = (why: string): HacktreeError => new HacktreeError('format-invalid', `Invalid OpenPGP data: ${why}`);

/** Gives the fingerprint of a key packet in upper-case hex; undefined for versions that are not supported. */
export function keyFingerprint(body: Buffer): string | undefined {
  const version = body[0];
  if (version === 4) return fingerprintOf('sha1', 0x99, body, 2);
  if (version === 5) return fingerprintOf('sha256', 0x9a, body, 4);
  if (version === 6) return fingerprintOf('sha256', 0x9b, body, 4);
  return undefined;
}

function fingerprintOf(hash: string, mark: number, body: Buffer, lengthBytes: number): string {
  const prefix = Buffer.alloc(1 + lengthBytes);
  prefix[0] = mark;
  prefix.writeUIntBE(body.length % 256 ** lengthBytes, 1, lengthBytes);
  return createHash(hash).update(prefix).update(body).digest('hex').toUpperCase();
}

/** Gives the key ID (16 upper-case hex characters) of a fingerprint: its end in version 4, its start in later ones. */
export function keyIdOf(fingerprint: string): string {
  return fingerprint.length === 40 ? fingerprint.slice(-16) : fingerprint.slice(0, 16);
}

const ARMOUR = /-----BEGIN PGP ([A-Z ]+)-----\r?\n([\s\S]*?)-----END PGP \1-----/g;

/** Takes off ASCII armour, of several blocks too; bytes without armour come back as they are. Errors: `format-invalid`. */
export function unarmour(bytes: Uint8Array): Buffer {
  const b = asBuffer(bytes);
  if (((b[0] ?? 0) & 0x80) !== 0) return b;
  const blocks = [...b.toString('latin1').matchAll(ARMOUR)].map(([, , inside]) => unarmourBlock(inside ?? ''));
  if (blocks.length === 0 && b.length > 0) throw invalid('neither packets nor ASCII armour');
  return Buffer.concat(blocks);
}

function unarmourBlock(inside: string): Buffer {
  const lines = inside.split(/\r?\n/);
  // Headers (`Version: ...`) end at the first empty line; a line beginning with = is the optional checksum.
  const blank = lines.findIndex((line) => line.trim() === '');
  const start = blank >= 0 && lines.slice(0, blank).every((line) => line.includes(': ')) ? blank + 1 : 0;
  const body = lines.slice(start).filter((line) => !line.startsWith('='));
  return Buffer.from(body.join(''), 'base64');
}
