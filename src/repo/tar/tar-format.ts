/**
 * Reading tar streams: the only file that imports tar-stream. (Writing is simple enough without: tar-write.ts.)
 *
 * Names and PAX records are taken as raw bytes, because tar-stream decodes them as UTF-8 and xattr values are binary
 * (security.capability). For that one method of its extractor is wrapped; the version is pinned by the lock file.
 *
 * Source: POSIX.1-2008 pax; GNU and star's `SCHILY.xattr.NAME` records, libarchive's `LIBARCHIVE.xattr.NAME` (base64).
 */
import type { Readable } from 'node:stream';
import * as tar from 'tar-stream';
import { HacktreeError, tryUtf8 } from '../../core/index.ts';
import { sortXattrs, type Xattrs } from '../../format/index.ts';

export interface TarMember {
  /** As in the archive, `./` and slashes included. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'special';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Target of a symlink, or the earlier member that a hard link names. */
  readonly linkName: string;
  readonly xattrs: Xattrs;
  /** Content; must be read to its end before the next member. */
  readonly content: AsyncIterable<Buffer>;
}

type PaxRecords = Map<string, Buffer>;

interface ExtractInternals {
  _header: { type: string } | null;
  _decodeLongHeader(bytes: Buffer): void;
}

const KINDS: Record<string, TarMember['kind']> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  link: 'hardlink',
};

/** Yields the members of an uncompressed tar stream. Errors: `tar-invalid`, `name-invalid`. */
export async function* readTar(input: Readable): AsyncGenerator<TarMember> {
  const extract = tar.extract({ filenameEncoding: 'latin1' } as never);
  const pax = capturePax(extract as unknown as ExtractInternals);
  input.on('error', (error) => extract.destroy(error));
  input.pipe(extract as unknown as NodeJS.WritableStream);
  try {
    for await (const entry of extract) {
      yield toMember(entry.header, pax.take(), entry as unknown as AsyncIterable<Buffer>);
      (entry as unknown as Readable).resume();
    }
  } catch (cause) {
    if (cause instanceof HacktreeError) throw cause;
    throw new HacktreeError('tar-invalid', `Damaged tar stream: ${(cause as Error).message}`, { cause });
  } finally {
    input.destroy();
  }
}

function capturePax(extract: ExtractInternals): { take(): PaxRecords } {
  let global: PaxRecords = new Map();
  let local: PaxRecords | undefined;
  const decode = extract._decodeLongHeader.bind(extract);
  extract._decodeLongHeader = (bytes) => {
    const type = extract._header?.type;
    if (type === 'pax-global-header') global = new Map([...global, ...parsePax(bytes)]);
    else if (type === 'pax-header') local = parsePax(bytes);
    decode(bytes);
  };
  return {
    take() {
      const records = local === undefined ? global : new Map([...global, ...local]);
      local = undefined;
      return records;
    },
  };
}

/** Parses records `LENGTH KEY=VALUE\n`; the length counts the whole record. */
function parsePax(bytes: Buffer): PaxRecords {
  const records: PaxRecords = new Map();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(bytes.toString('latin1', at, space));
    if (!(length > 0) || at + length > bytes.length) break;
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= at + length) break;
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function toMember(header: tar.Header, pax: PaxRecords, content: AsyncIterable<Buffer>): TarMember {
  const name = decodeName(pax.get('path') ?? Buffer.from(header.name, 'latin1'));
  const linkBytes = pax.get('linkpath') ?? Buffer.from(header.linkname ?? '', 'latin1');
  return {
    name,
    kind: KINDS[header.type ?? 'file'] ?? 'special',
    uid: numberOf(pax, 'uid') ?? header.uid ?? 0,
    gid: numberOf(pax, 'gid') ?? header.gid ?? 0,
    mode: (header.mode ?? 0) & 0o7777,
    sizeBytes: header.size ?? 0,
    linkName: decodeName(linkBytes),
    xattrs: xattrsOf(pax),
    content,
  };
}

function numberOf(pax: PaxRecords, key: string): number | undefined {
  const text = pax.get(key)?.toString('latin1');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function decodeName(bytes: Buffer): string {
  const text = tryUtf8(bytes);
  if (text !== undefined) return text;
  const shown = bytes.toString('latin1');
  throw new HacktreeError('name-invalid', `Name in tar is not UTF-8: ${JSON.stringify(shown)}`, {
    details: { expected: 'UTF-8', found: bytes.toString('hex') },
  });
}

function xattrsOf(pax: PaxRecords): Xattrs {
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of pax) {
    if (key.startsWith('SCHILY.xattr.')) xattrs.set(key.slice('SCHILY.xattr.'.length), Buffer.from(value));
    else if (key.startsWith('LIBARCHIVE.xattr.')) {
      const name = decodeURIComponent(key.slice('LIBARCHIVE.xattr.'.length));
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value.toString('latin1'), 'base64'));
    }
  }
  return sortXattrs([...xattrs].map(([name, value]) => ({ name: Buffer.from(name), value })));
}
