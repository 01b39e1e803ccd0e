/**
 * Verifying one object: is it there, is it what its name says, is its structure valid.
 *
 * Never hangs and never needs much memory, whatever is found under an object's name: only regular files (and symlinks,
 * where file objects are such) are opened, metadata is bounded by the format, content is hashed in pieces.
 *
 * Source: ostree-format 2, 4, 5, 12.
 */
import * as fs from 'node:fs';
import { type Checksum, checksumOf, errnoOf, type HacktreeError, isHacktreeError, sha256 } from '../../core/index.ts';
import {
  type Commit,
  type Dirtree,
  decodeCommit,
  decodeDirmeta,
  decodeDirtree,
  encodeFileHeader,
  type InodeMeta,
  isSymlinkMode,
  MAX_METADATA_BYTES,
  type ObjectType,
} from '../../format/index.ts';
import { hashFileObject, WHOLE_BUFFER_BYTES } from '../content.ts';
import { type FileObject, loadFile, objectPath, readFully } from '../object-read.ts';
import type { Repo } from '../repo.ts';

/** What is wrong with an object. */
export type Verdict =
  | { readonly kind: 'missing' }
  /** The bytes hash to something else. */
  | { readonly kind: 'corrupt'; readonly actual: Checksum }
  /** The bytes are not an object of this type at all, or could not be read. */
  | { readonly kind: 'invalid'; readonly message: string };

const MISSING: Verdict = { kind: 'missing' };
const invalid = (message: string): Verdict => ({ kind: 'invalid', message });

export interface MetadataValues {
  commit: Commit;
  dirtree: Dirtree;
  dirmeta: InodeMeta;
}

export type VerifiableMetadata = keyof MetadataValues;

const DECODERS: { [Type in VerifiableMetadata]: (bytes: Uint8Array) => MetadataValues[Type] } = {
  commit: decodeCommit,
  dirtree: decodeDirtree,
  dirmeta: decodeDirmeta,
};

/** Either the value of a sound metadata object, or what is wrong. */
export type VerifiedMetadata<Type extends VerifiableMetadata> =
  | { readonly value: MetadataValues[Type]; readonly verdict: undefined; readonly sizeBytes: number }
  | { readonly value: undefined; readonly verdict: Verdict };

/** Reads a commit, dirtree or dirmeta (here or in the parent repository), hashes and decodes it. */
export function verifyMetadata<Type extends VerifiableMetadata>(
  repo: Repo,
  checksum: Checksum,
  type: Type,
): VerifiedMetadata<Type> {
  const bytes = readRegularFile(repo, checksum, type);
  return bytes instanceof Uint8Array ? verifyMetadataBytes(bytes, checksum, type) : { value: undefined, verdict: bytes };
}

/** Hashes and decodes the bytes of a metadata object. */
export function verifyMetadataBytes<Type extends VerifiableMetadata>(
  bytes: Uint8Array,
  checksum: Checksum,
  type: Type,
): VerifiedMetadata<Type> {
  const actual = checksumOf(bytes);
  if (actual !== checksum) return { value: undefined, verdict: { kind: 'corrupt', actual } };
  try {
    return { value: DECODERS[type](bytes), verdict: undefined, sizeBytes: bytes.length };
  } catch (error) {
    if (isHacktreeError(error)) return { value: undefined, verdict: invalid(error.message) };
    throw error;
  }
}

function readRegularFile(repo: Repo, checksum: Checksum, type: ObjectType): Buffer | Verdict {
  const path = objectPath(repo, checksum, type);
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return repo.parent === undefined ? MISSING : readRegularFile(repo.parent, checksum, type);
  if (!stat.isFile()) return invalid('Not a regular file');
  if (stat.size > MAX_METADATA_BYTES) return invalid(`${stat.size} bytes, expected at most ${MAX_METADATA_BYTES}`);
  try {
    return fs.readFileSync(path);
  } catch (error) {
    return readFailure(error);
  }
}

/** Only damage that belongs to this one object is a verdict; the rest is an error of the whole job. */
function readFailure(error: unknown): Verdict {
  const errno = errnoOf(error);
  if (errno === 'ENOENT') return MISSING;
  if (errno === 'EIO' || errno === 'EBADMSG' || errno === 'EUCLEAN' || errno === 'EISDIR')
    return invalid(`Reading it failed: ${errno}`);
  throw error;
}

/** Verifies file objects; keeps one buffer for all of them. One per thread. */
export class FileVerifier {
  readonly #repo: Repo;
  readonly #buffer = Buffer.allocUnsafeSlow(WHOLE_BUFFER_BYTES + (1 << 16));

  constructor(repo: Repo) {
    this.#repo = repo;
  }

  /** Returns what is wrong, and how many bytes of content were read. */
  async verify(checksum: Checksum): Promise<{ verdict: Verdict | undefined; sizeBytes: number }> {
    let file: FileObject;
    try {
      file = loadFile(this.#repo, checksum);
      const actual = this.#hashWhole(file) ?? (await hashFileObject(file, { digest: false })).checksum;
      return { verdict: actual === checksum ? undefined : { kind: 'corrupt', actual }, sizeBytes: file.sizeBytes };
    } catch (error) {
      return { verdict: failure(checksum, error), sizeBytes: 0 };
    }
  }

  /** Hashes header and content in one call where both fit into the buffer; undefined where they do not. */
  #hashWhole(file: FileObject): Checksum | undefined {
    const header = encodeFileHeader(file.header);
    if (isSymlinkMode(file.header.mode)) return checksumOf(header);
    if (file.deflateOffset !== undefined || header.length + file.sizeBytes >= this.#buffer.length) return undefined;
    header.copy(this.#buffer, 0);
    const fd = fs.openSync(file.path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      const space = this.#buffer.subarray(header.length);
      const read = readFully(fd, space.subarray(0, file.sizeBytes + 1), 0);
      return sha256(this.#buffer.subarray(0, header.length + read)).toString('hex') as Checksum;
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** Tells damage of an object from trouble with the whole repository. */
function failure(checksum: Checksum, error: unknown): Verdict {
  const cause = isHacktreeError(error) ? (error as HacktreeError).cause : undefined;
  if (errnoOf(error) !== undefined) return readFailure(error);
  if (errnoOf(cause) !== undefined) return readFailure(cause);
  if (!isHacktreeError(error)) throw error;
  if (error.code === 'object-missing') return error.details.object === `${checksum}.file` ? MISSING : invalid(error.message);
  if (error.code !== 'object-corrupt' && error.code !== 'format-invalid') throw error;
  return invalid(error.message.replace(/^Corrupted file object [0-9a-f]{64}: /, ''));
}
