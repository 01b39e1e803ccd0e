/**
 * GPG keyrings as bytes: cutting them into keys, merging keys in, finding keys by ID. No cryptography.
 *
 * `<remote>.trustedkeys.gpg` is a sequence of public keys (key packet, user IDs, subkeys, each followed by its
 * signatures), interleaved with trust packets when GnuPG wrote it; those say nothing to others and are dropped. Also
 * read: ASCII armour and GnuPG's keybox (`pubring.kbx`). Merging keeps every signature of both sides and judges none:
 * that is done when a signature is verified (openpgp.ts).
 *
 * Source: ostree-format 6.1 (`<remote>.trustedkeys.gpg`); RFC 9580 10.1 (transferable public keys); GnuPG
 * kbx/keybox-blob.c (layout of a keybox).
 */
import { asBuffer, HacktreeError } from '../core/index.ts';
import { keyFingerprint, keyIdOf, type Packet, splitPackets, TAG, unarmour } from './pgp-packets.ts';

/** A key, user ID or subkey with the signatures that follow it. */
interface Section {
  readonly head: Packet;
  readonly signatures: readonly Packet[];
}

/** A public key with everything that belongs to it. */
export interface KeyBlock {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string;
  /** Of the primary key and all subkeys. */
  readonly fingerprints: readonly string[];
  readonly userIds: readonly string[];
  readonly sections: readonly Section[];
}

const HEAD_TAGS: readonly number[] = [TAG.publicKey, TAG.userId, TAG.userAttribute, TAG.publicSubkey];

/**
 * Reads a keyring: binary, armoured or a keybox. Keys of versions that nobody can use are left out.
 * Errors: `key-invalid` when it is none of these or holds a secret key.
 */
export function readKeyring(bytes: Uint8Array): KeyBlock[] {
  try {
    const blocks = isKeybox(bytes) ? keyboxBlocks(asBuffer(bytes)) : [unarmour(bytes)];
    return blocks.flatMap((block) => blocksOf(splitPackets(block)));
  } catch (cause) {
    if ((cause as HacktreeError).code !== 'format-invalid') throw cause;
    throw new HacktreeError('key-invalid', `Invalid GPG keyring: ${(cause as Error).message}`, { cause });
  }
}

function blocksOf(packets: readonly Packet[]): KeyBlock[] {
  const blocks: Section[][] = [];
  let signatures: Packet[] = [];
  for (const packet of packets) {
    if (packet.tag === TAG.secretKey) {
      throw new HacktreeError('key-invalid', 'The keyring holds a secret key; only public keys belong here', {
        hints: ['gpg --export KEYID gives the public key alone'],
      });
    }
    if (HEAD_TAGS.includes(packet.tag)) {
      signatures = [];
      if (packet.tag === TAG.publicKey) blocks.push([]);
      blocks.at(-1)?.push({ head: packet, signatures });
    } else if (packet.tag === TAG.signature) signatures.push(packet);
  }
  return blocks.map(blockOf).filter((block) => block !== undefined);
}

function blockOf(sections: readonly Section[]): KeyBlock | undefined {
  const fingerprints = sections
    .filter(({ head }) => head.tag === TAG.publicKey || head.tag === TAG.publicSubkey)
    .map(({ head }) => keyFingerprint(head.body));
  const [fingerprint] = fingerprints;
  if (fingerprint === undefined) return undefined;
  const userIds = sections.filter(({ head }) => head.tag === TAG.userId).map(({ head }) => head.body.toString('utf8'));
  return { fingerprint, fingerprints: fingerprints.filter((known) => known !== undefined), userIds, sections };
}

/** Prints a keyring in binary. */
export function printKeyring(blocks: readonly KeyBlock[]): Buffer {
  return Buffer.concat(blocks.map(printKeyBlock));
}

/** Prints one key in binary, as `gpg --export` does. */
export function printKeyBlock({ sections }: KeyBlock): Buffer {
  return Buffer.concat(sections.flatMap(({ head, signatures }) => [head.raw, ...signatures.map(({ raw }) => raw)]));
}

/** Tells whether a key or one of its subkeys has this ID: 8, 16, 40 or 64 hex digits, or the e-mail address of a user ID. */
export function hasKeyId(block: KeyBlock, id: string): boolean {
  const hex = id.replace(/^0x/i, '').toUpperCase();
  if (!/^[0-9A-F]+$/.test(hex) || ![8, 16, 40, 64].includes(hex.length)) {
    const address = id.replace(/^<|>$/g, '').toLowerCase();
    return address.includes('@') && block.userIds.some((userId) => parseUserId(userId).email?.toLowerCase() === address);
  }
  return block.fingerprints.some((fingerprint) => fingerprint === hex || keyIdOf(fingerprint).endsWith(hex));
}

/** Splits a user ID `Name (comment) <address>`; a bare address has no name. */
export function parseUserId(text: string): { name: string; email: string | undefined } {
  const match = /^(.*?)\s*(?:\(([^)]*)\)\s*)?<([^<>]+)>\s*$/.exec(text);
  if (match !== null) return { name: match[1] ?? '', email: match[3] };
  if (/^[^\s<>@]+@[^\s<>@]+$/.test(text)) return { name: '', email: text };
  return { name: text.replace(/\s*\([^)]*\)\s*$/, ''), email: undefined };
}

export interface ImportResult {
  readonly blocks: readonly KeyBlock[];
  /** Number of keys that were not there before; a key that only gained signatures does not count, as with ostree. */
  readonly imported: number;
}

/**
 * Merges keys into a keyring. With `keyIds` only those keys are taken.
 * Errors: `key-invalid` when there is nothing to take, or no key of such an ID.
 */
export function importKeys(
  present: readonly KeyBlock[],
  incoming: readonly KeyBlock[],
  keyIds: readonly string[] = [],
): ImportResult {
  const chosen = keyIds.length === 0 ? incoming : keyIds.flatMap((id) => chooseKey(incoming, id));
  if (chosen.length === 0) throw new HacktreeError('key-invalid', 'No GPG keys to import');
  const blocks = new Map(present.map((block) => [block.fingerprint, block]));
  const before = blocks.size;
  for (const block of chosen) {
    const known = blocks.get(block.fingerprint);
    blocks.set(block.fingerprint, known === undefined ? block : mergeBlocks(known, block));
  }
  return { blocks: [...blocks.values()], imported: blocks.size - before };
}

function chooseKey(blocks: readonly KeyBlock[], id: string): KeyBlock[] {
  const found = blocks.filter((block) => hasKeyId(block, id));
  if (found.length > 0) return found;
  throw new HacktreeError('key-invalid', `Unable to find key "${id}" among ${blocks.length} key(s)`, { details: { found: id } });
}

function mergeBlocks(present: KeyBlock, incoming: KeyBlock): KeyBlock {
  const added = incoming.sections.filter(({ head }) => !present.sections.some((section) => isSame(section.head, head)));
  const merged = present.sections.map((section) => {
    const other = incoming.sections.find(({ head }) => isSame(head, section.head));
    const news = (other?.signatures ?? []).filter((signature) => !section.signatures.some((known) => isSame(known, signature)));
    return { head: section.head, signatures: [...section.signatures, ...news] };
  });
  const isSubkey = ({ head }: Section): boolean => head.tag === TAG.publicSubkey;
  const all = [...merged, ...added];
  return blockOf([...all.filter((section) => !isSubkey(section)), ...all.filter(isSubkey)]) ?? present;
}

const isSame = (a: Packet, b: Packet): boolean => a.tag === b.tag && a.body.equals(b.body);

const KEYBOX_MAGIC_AT = 8;
const BLOB_TYPE_OPENPGP = 2;

function isKeybox(bytes: Uint8Array): boolean {
  return asBuffer(bytes).toString('latin1', KEYBOX_MAGIC_AT, KEYBOX_MAGIC_AT + 4) === 'KBXf';
}

/** Blob: length (u32 BE, with itself), type, version, flags (u16), offset and length (u32 BE) of the keys inside. */
function keyboxBlocks(b: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 0; at < b.length; ) {
    const length = at + 16 <= b.length ? b.readUInt32BE(at) : 0;
    if (length < 16 || at + length > b.length) throw new HacktreeError('key-invalid', 'Invalid keybox: blob ends outside');
    const start = b.readUInt32BE(at + 8);
    const end = start + b.readUInt32BE(at + 12);
    if (b[at + 4] === BLOB_TYPE_OPENPGP) {
      if (end > length) throw new HacktreeError('key-invalid', 'Invalid keybox: key ends outside its blob');
      blocks.push(b.subarray(at + start, at + end));
    }
    at += length;
  }
  return blocks;
}
