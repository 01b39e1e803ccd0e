/** Checking metadata objects that came from elsewhere: checksum first, then structure. Source: ostree-format 2, 5. */
import { type Checksum, checksumOf, HacktreeError, isHacktreeError } from '../../core/index.ts';
import { decodeCommit, decodeDirmeta, decodeDirtree, type ObjectType } from '../../format/index.ts';

export type TreeMetadata = 'commit' | 'dirtree' | 'dirmeta';

const DECODERS = { commit: decodeCommit, dirtree: decodeDirtree, dirmeta: decodeDirmeta };

/** What was received, for messages: a web page is told from other bytes. */
export interface Origin {
  readonly where: string;
  readonly contentType?: string | undefined;
}

/** Decodes the bytes of a metadata object. Errors: `object-corrupt`, `server-invalid` (a web page), `path-unsafe`. */
export function decodeVerified<Type extends TreeMetadata>(
  bytes: Uint8Array,
  checksum: Checksum,
  type: Type,
  origin: Origin,
): ReturnType<(typeof DECODERS)[Type]> {
  const actual = checksumOf(bytes);
  if (actual !== checksum) throw corruptObject(checksum, type, origin, actual);
  return decodeHashed(bytes, checksum, type, origin);
}

/** As decodeVerified, of bytes that are known to have this checksum. */
export function decodeHashed<Type extends TreeMetadata>(
  bytes: Uint8Array,
  checksum: Checksum,
  type: Type,
  origin: Origin,
): ReturnType<(typeof DECODERS)[Type]> {
  try {
    return DECODERS[type](bytes) as ReturnType<(typeof DECODERS)[Type]>;
  } catch (cause) {
    if (!isHacktreeError(cause)) throw cause;
    throw new HacktreeError(
      cause.code === 'path-unsafe' ? 'path-unsafe' : 'object-corrupt',
      `Corrupted ${type} object ${checksum} from ${origin.where}: ${cause.message}`,
      { details: { path: origin.where, object: `${checksum}.${type}` }, cause },
    );
  }
}

/** Error for an object that is not what its name says. */
export function corruptObject(checksum: Checksum, type: ObjectType, origin: Origin, actual: string): HacktreeError {
  if (origin.contentType?.startsWith('text/html') === true) return webPage(origin.where);
  return new HacktreeError(
    'object-corrupt',
    `Corrupted ${type} object ${checksum} from ${origin.where}; checksum expected='${checksum}' actual='${actual}'`,
    { details: { path: origin.where, object: `${checksum}.${type}`, expected: checksum, found: actual } },
  );
}

/** Error for a page in place of a file: a login portal, or a server that answers everything. */
export function webPage(where: string): HacktreeError {
  return new HacktreeError('server-invalid', `${where} is a web page (text/html), expected a file of a repository`, {
    details: { path: where, expected: 'a repository file', found: 'text/html' },
    hints: ['a login page of the network, or a server that answers every path; open the address in a browser'],
  });
}
