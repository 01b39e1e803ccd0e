/**
 * GPG signatures: verification of detached signatures against keyrings, and what keyrings say about their keys.
 *
 * The only file that imports openpgp, loaded on first use. It asks one question at a time (do the bytes match, is the
 * key revoked, has the signature or the key expired, may this key sign) instead of taking one yes or no, so that a
 * verdict can say what is wrong. Expiry and revocation are judged as of `nowSec`, as GnuPG does: a signature made while
 * the key was good is not good any more once the key has expired. Neither an agent nor GnuPG is needed.
 *
 * Deliberately stricter than GnuPG: RSA keys below 2047 bits, DSA keys, MD5 and SHA-1 prove nothing (status `weak`).
 *
 * Source: ostree-format 5.5 (`ostree.gpgsigs`); RFC 9580 5.2 (signatures), 10.1 (keys).
 */
import type * as OpenPgp from 'openpgp';
import { asBuffer } from '../core/index.ts';
import { importKeys, type KeyBlock, parseUserId, printKeyBlock } from './keyring.ts';
import { keyIdOf, splitPackets, TAG } from './pgp-packets.ts';
import type { SignatureVerdict } from './verdict.ts';

type Library = typeof OpenPgp;
type Expiry = Date | number | null;

let library: Promise<Library> | undefined;
const parsedKeys = new WeakMap<KeyBlock, Promise<OpenPgp.Key | undefined>>();

function load(): Promise<Library> {
  library ??= import('openpgp');
  return library;
}

/** Reads a key with the library; undefined when it cannot (an algorithm it does not know, a damaged packet). */
function parseKey(pgp: Library, block: KeyBlock): Promise<OpenPgp.Key | undefined> {
  const known = parsedKeys.get(block);
  if (known !== undefined) return known;
  const parsed = pgp.readKey({ binaryKey: printKeyBlock(block) }).catch(() => undefined);
  parsedKeys.set(block, parsed);
  return parsed;
}

/**
 * Checks detached signatures over bytes. Each element of `signatures` is binary and may hold several; the verdicts are
 * in order. Keys that occur in several keyrings are merged first, so that a revocation in any of them counts.
 */
export async function checkGpg(
  signed: Uint8Array,
  signatures: readonly Uint8Array[],
  options: { readonly keys: readonly KeyBlock[]; readonly nowSec: number },
): Promise<SignatureVerdict[]> {
  if (signatures.length === 0) return [];
  const pgp = await load();
  const message = await pgp.createMessage({ binary: asBuffer(signed) });
  const literal = message.packets[0] as unknown as Uint8Array;
  const verdicts: SignatureVerdict[] = [];
  for (const bytes of signatures) {
    for (const packet of signaturePackets(bytes)) {
      verdicts.push(await checkPacket(pgp, packet, literal, options.keys, new Date(options.nowSec * 1000)));
    }
  }
  return verdicts;
}

/** The signature packets of one element; one that cannot be cut at all stands for itself, to become a bad verdict. */
function signaturePackets(bytes: Uint8Array): Uint8Array[] {
  try {
    const packets = splitPackets(bytes);
    const areSignatures = packets.length > 0 && packets.every(({ tag }) => tag === TAG.signature);
    return areSignatures ? packets.map(({ raw }) => raw) : [bytes];
  } catch {
    return [bytes];
  }
}

async function checkPacket(
  pgp: Library,
  bytes: Uint8Array,
  literal: Uint8Array,
  keys: readonly KeyBlock[],
  now: Date,
): Promise<SignatureVerdict> {
  const signature = await readSignature(pgp, bytes);
  if (signature === undefined) return { kind: 'gpg', status: 'bad', keyId: '', reason: 'the signature cannot be read' };
  const claim = claimOf(pgp, signature);
  const { keyId } = claim;
  const block = findKey(keys, claim);
  if (block === undefined) return { ...claim, status: 'key-missing' };
  const key = await parseKey(pgp, block);
  const part = key?.getKeys().find((candidate) => printKeyId(candidate) === keyId);
  if (key === undefined || part === undefined) {
    return { ...claim, status: 'key-missing', reason: 'the key is of a kind that cannot be used' };
  }
  const signer = await signerOf(key, part, now);
  const weakness = weaknessOf(pgp, signature, key, part);
  if (weakness !== undefined) return { ...claim, ...signer, status: 'weak', reason: weakness };
  const mismatch = await mismatchOf(pgp, signature, part, literal);
  if (mismatch !== undefined) {
    // What a wrong signature says about itself is not worth repeating; only whose key it claims is.
    const { userName, userEmail, primaryFingerprint } = signer;
    return { kind: 'gpg', status: 'bad', keyId, userName, userEmail, primaryFingerprint, reason: mismatch };
  }
  return { ...claim, ...signer, ...(await standingOf(pgp, signature, key, part, now)) };
}

async function readSignature(pgp: Library, bytes: Uint8Array): Promise<OpenPgp.SignaturePacket | undefined> {
  try {
    const [packet] = (await pgp.readSignature({ binarySignature: bytes })).packets;
    return packet instanceof pgp.SignaturePacket ? packet : undefined; // a version it does not know is another class
  } catch {
    return undefined;
  }
}

interface Claim {
  readonly kind: 'gpg';
  readonly keyId: string;
  readonly fingerprint: string | undefined;
  readonly keyAlgorithm: string | undefined;
  readonly createdSec: number | undefined;
  readonly expiresSec: number | undefined;
}

function claimOf(pgp: Library, signature: OpenPgp.SignaturePacket): Claim {
  const { issuerFingerprint } = signature;
  const fingerprint = issuerFingerprint === null ? undefined : asBuffer(issuerFingerprint).toString('hex').toUpperCase();
  return {
    kind: 'gpg',
    keyId: fingerprint === undefined ? signature.issuerKeyID.toHex().toUpperCase() : keyIdOf(fingerprint),
    fingerprint,
    keyAlgorithm: algorithmName(pgp, signature.publicKeyAlgorithm),
    createdSec: toSeconds(signature.created),
    expiresSec: toSeconds(signature.getExpirationTime()),
  };
}

function algorithmName({ enums }: Library, algorithm: number | null): string | undefined {
  const { rsaEncryptSign, rsaSign, dsa, ecdsa, eddsaLegacy, ed25519, ed448 } = enums.publicKey;
  if (algorithm === rsaEncryptSign || algorithm === rsaSign) return 'RSA';
  if (algorithm === dsa) return 'DSA';
  if (algorithm === ecdsa) return 'ECDSA';
  return algorithm === eddsaLegacy || algorithm === ed25519 || algorithm === ed448 ? 'EdDSA' : undefined;
}

function findKey(keys: readonly KeyBlock[], { fingerprint, keyId }: Claim): KeyBlock | undefined {
  const found = keys.filter(({ fingerprints }) =>
    fingerprint === undefined ? fingerprints.some((own) => keyIdOf(own) === keyId) : fingerprints.includes(fingerprint),
  );
  if (found.length < 2) return found[0];
  return importKeys([], found).blocks[0];
}

const printKeyId = (key: OpenPgp.Key | OpenPgp.Subkey): string => key.getKeyID().toHex().toUpperCase();
const printFingerprint = (key: OpenPgp.Key | OpenPgp.Subkey): string => key.getFingerprint().toUpperCase();

type Signer = Pick<
  SignatureVerdict,
  'fingerprint' | 'primaryFingerprint' | 'userName' | 'userEmail' | 'keyExpiresSec' | 'primaryKeyExpiresSec'
>;

async function signerOf(key: OpenPgp.Key, part: OpenPgp.Key | OpenPgp.Subkey, now: Date): Promise<Signer> {
  const userId = (await primaryUserId(key, now)) ?? key.getUserIDs()[0] ?? '';
  const { name, email } = parseUserId(userId);
  const primaryExpiry = toSeconds(await key.getExpirationTime());
  const isPrimary = isPrimaryKey(key, part);
  return {
    fingerprint: printFingerprint(part),
    primaryFingerprint: printFingerprint(key),
    userName: name,
    userEmail: email,
    keyExpiresSec: isPrimary ? primaryExpiry : toSeconds(await subkeyExpiry(part)),
    primaryKeyExpiresSec: isPrimary ? undefined : primaryExpiry,
  };
}

const isPrimaryKey = (key: OpenPgp.Key, part: OpenPgp.Key | OpenPgp.Subkey): part is OpenPgp.Key =>
  part.keyPacket === key.keyPacket;

async function primaryUserId(key: OpenPgp.Key, now: Date): Promise<string | undefined> {
  try {
    return (await key.getPrimaryUser(now)).user.userID?.userID;
  } catch {
    return undefined;
  }
}

function weaknessOf(
  { config }: Library,
  signature: OpenPgp.SignaturePacket,
  key: OpenPgp.Key,
  part: OpenPgp.Key | OpenPgp.Subkey,
): string | undefined {
  if (signature.hashAlgorithm !== null && config.rejectMessageHashAlgorithms.has(signature.hashAlgorithm)) {
    return 'its digest is too weak';
  }
  for (const { keyPacket } of [key, part]) {
    const { algorithm, bits, curve } = keyPacket.getAlgorithmInfo() as { algorithm: string; bits?: number; curve?: string };
    if (config.rejectPublicKeyAlgorithms.has(keyPacket.algorithm)) return `${algorithm} keys are too weak`;
    if (algorithm.startsWith('rsa') && (bits ?? 0) < config.minRSABits) return `RSA keys of ${bits} bits are too weak`;
    if (curve !== undefined && config.rejectCurves.has(curve as never)) return `keys on curve ${curve} are not accepted`;
  }
  return undefined;
}

async function mismatchOf(
  { enums }: Library,
  signature: OpenPgp.SignaturePacket,
  part: OpenPgp.Key | OpenPgp.Subkey,
  literal: Uint8Array,
): Promise<string | undefined> {
  const { signatureType } = signature;
  if (signatureType !== enums.signature.binary && signatureType !== enums.signature.text) return 'it is not over a document';
  try {
    // Without a date only the bytes are judged; expiry comes later.
    await signature.verify(part.keyPacket, signatureType, literal, null as never, true);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

type Standing = Pick<SignatureVerdict, 'status' | 'reason'>;

/** Judges a signature whose bytes match: revocation, then its own expiry, then the key's, then whether the key may sign. */
async function standingOf(
  pgp: Library,
  signature: OpenPgp.SignaturePacket,
  key: OpenPgp.Key,
  part: OpenPgp.Key | OpenPgp.Subkey,
  now: Date,
): Promise<Standing> {
  if (await isKeyRevoked(key, part, now)) return { status: 'key-revoked', reason: 'the key is revoked' };
  if (isPast(signature.getExpirationTime(), now)) return { status: 'expired', reason: 'the signature has expired' };
  const expiries = [await key.getExpirationTime(), isPrimaryKey(key, part) ? null : await subkeyExpiry(part)];
  if (expiries.some((expiry) => isPast(expiry, now))) return { status: 'key-expired', reason: 'the key has expired' };
  try {
    await key.getSigningKey(part.getKeyID(), now, undefined, pgp.config);
    return { status: 'good' };
  } catch (error) {
    return { status: 'bad', reason: (error as Error).message };
  }
}

async function isKeyRevoked(key: OpenPgp.Key, part: OpenPgp.Key | OpenPgp.Subkey, now: Date): Promise<boolean> {
  if (await key.isRevoked(undefined, undefined, now)) return true;
  return !isPrimaryKey(key, part) && isSubkeyRevoked(part, now);
}

async function isSubkeyRevoked(subkey: OpenPgp.Subkey, now: Date): Promise<boolean> {
  const answers = await Promise.all(
    subkey.bindingSignatures.map((binding) => subkey.isRevoked(binding, subkey.mainKey.keyPacket, now)),
  );
  return answers.includes(true);
}

/** As its latest binding says, whatever the clock says: one that runs late must not make the subkey last for ever. */
const subkeyExpiry = (subkey: OpenPgp.Subkey): Promise<Expiry> => subkey.getExpirationTime(null as never);

const isPast = (expiry: Expiry, now: Date): boolean => expiry !== null && expiry <= now;

/** Seconds since 1970; undefined for never and for unknown. */
function toSeconds(time: Expiry): number | undefined {
  return time instanceof Date ? Math.floor(time.getTime() / 1000) : undefined;
}

export interface ListedUserId {
  readonly text: string;
  readonly email: string | undefined;
  readonly isRevoked: boolean;
}

export interface ListedKey {
  readonly fingerprint: string;
  readonly createdSec: number;
  /** Undefined: never. */
  readonly expiresSec: number | undefined;
  readonly isExpired: boolean;
  readonly isRevoked: boolean;
  /** The primary one first. Empty for subkeys. */
  readonly userIds: readonly ListedUserId[];
  readonly subkeys: readonly ListedKey[];
}

/** Says what a keyring holds, in its order; keys that the library cannot read are left out. */
export async function listGpgKeys(blocks: readonly KeyBlock[], nowSec: number): Promise<ListedKey[]> {
  const pgp = await load();
  const keys = await Promise.all(blocks.map((block) => parseKey(pgp, block)));
  const now = new Date(nowSec * 1000);
  return Promise.all(keys.filter((key) => key !== undefined).map((key) => listKey(key, now)));
}

async function listKey(key: OpenPgp.Key, now: Date): Promise<ListedKey> {
  const expiry = await key.getExpirationTime();
  const isRevoked = await key.isRevoked(undefined, undefined, now);
  const isExpired = isPast(expiry, now);
  return {
    fingerprint: printFingerprint(key),
    createdSec: toSeconds(key.getCreationTime()) ?? 0,
    expiresSec: toSeconds(expiry),
    isExpired,
    isRevoked,
    userIds: await listUserIds(key, isRevoked, now),
    subkeys: await Promise.all(key.subkeys.map((subkey) => listSubkey(subkey, { isExpired, isRevoked }, now))),
  };
}

async function listSubkey(
  subkey: OpenPgp.Subkey,
  primary: { isExpired: boolean; isRevoked: boolean },
  now: Date,
): Promise<ListedKey> {
  const expiry = await subkeyExpiry(subkey);
  return {
    fingerprint: printFingerprint(subkey),
    createdSec: toSeconds(subkey.getCreationTime()) ?? 0,
    expiresSec: toSeconds(expiry),
    isExpired: primary.isExpired || isPast(expiry, now),
    isRevoked: primary.isRevoked || (await isSubkeyRevoked(subkey, now)),
    userIds: [],
    subkeys: [],
  };
}

async function listUserIds(key: OpenPgp.Key, isKeyGone: boolean, now: Date): Promise<ListedUserId[]> {
  const primary = await primaryUserId(key, now);
  const users = await Promise.all(
    key.users.map(async (user) => {
      const revocations = await Promise.all(user.selfCertifications.map((self) => user.isRevoked(self, undefined, now)));
      return { text: user.userID?.userID, isRevoked: isKeyGone || revocations.includes(true) };
    }),
  );
  const named = users.flatMap(({ text, isRevoked }) =>
    text === undefined ? [] : [{ text, email: parseUserId(text).email, isRevoked }],
  );
  return [...named.filter(({ text }) => text === primary), ...named.filter(({ text }) => text !== primary)];
}
