/** Where objects of a pull go, and whether a file object may go there: its mode can hold it, and the caller's rules allow it. Source: ostree-format 6. */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import { type FileHeader, isRegularMode } from '../../format/index.ts';
import type { ObjectWriter } from '../../repo/index.ts';
import type { KnownDigests } from './known-digests.ts';

export interface Storage {
  readonly writer: ObjectWriter;
  readonly stagingPath: string;
  readonly known: KnownDigests;
  /** Regular files must have no bits beyond 0775. */
  readonly bareUserOnlyFiles: boolean;
}

const PLAIN_BITS = 0o775;

/** Errors: `repo-mode` for mode bits that the caller refuses, or when a bare-user-only repository would change the checksum. */
export function checkStorable({ writer, bareUserOnlyFiles }: Storage, header: FileHeader, checksum?: Checksum): void {
  if (bareUserOnlyFiles) checkBits(header, checksum);
  if (writer.repo.mode !== 'bare-user-only') return;
  const canonical = writer.canonicalHeader(header);
  const isSame =
    canonical.uid === header.uid && canonical.gid === header.gid && canonical.mode === header.mode && header.xattrs.length === 0;
  if (isSame) return;
  const bits = header.mode & ~canonical.mode & 0o7777;
  const why = bits === 0 ? 'its owner or xattrs' : `mode 0${header.mode.toString(8)} with bits 0${bits.toString(8)}`;
  throw new HacktreeError('repo-mode', `${nameOf(checksum)}: invalid ${why} for a bare-user-only repository`, {
    details: {
      path: writer.repo.path,
      ...objectOf(checksum),
      expected: 'uid 0, gid 0, no xattrs, mode within 0755',
    },
    hints: ['commit with --canonical-permissions, or use a repository of mode bare-user'],
  });
}

function checkBits({ mode }: FileHeader, checksum: Checksum | undefined): void {
  const bits = mode & 0o7777 & ~PLAIN_BITS;
  if (!isRegularMode(mode) || bits === 0) return;
  const found = `mode 0${mode.toString(8)} with bits 0${bits.toString(8)}`;
  throw new HacktreeError('repo-mode', `${nameOf(checksum)}: invalid ${found}`, {
    details: { ...objectOf(checksum), expected: 'mode within 0775', found },
    hints: ['--bareuseronly-files refuses files that are setuid, setgid, sticky or writable for others'],
  });
}

const nameOf = (checksum: Checksum | undefined): string =>
  checksum === undefined ? 'A file of a static delta' : `Content object ${checksum}`;
const objectOf = (checksum: Checksum | undefined): object => (checksum === undefined ? {} : { object: `${checksum}.file` });
