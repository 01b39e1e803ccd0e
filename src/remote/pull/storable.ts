/** Whether a repository's mode can hold a file object without changing its checksum. Source: ostree-format 6. */
import { type Checksum, HacktreeError } from '../../core/index.ts';
import type { FileHeader } from '../../format/index.ts';
import type { ObjectWriter } from '../../repo/index.ts';

/** Errors: `repo-mode` when a bare-user-only repository would change the object's checksum. */
export function checkStorable(writer: ObjectWriter, header: FileHeader, checksum: Checksum): void {
  if (writer.repo.mode !== 'bare-user-only') return;
  const canonical = writer.canonicalHeader(header);
  const isSame =
    canonical.uid === header.uid && canonical.gid === header.gid && canonical.mode === header.mode && header.xattrs.length === 0;
  if (isSame) return;
  const bits = header.mode & ~canonical.mode & 0o7777;
  const why = bits === 0 ? 'its owner or xattrs' : `mode 0${header.mode.toString(8)} with bits 0${bits.toString(8)}`;
  throw new HacktreeError('repo-mode', `Content object ${checksum}: invalid ${why} for a bare-user-only repository`, {
    details: { path: writer.repo.path, object: `${checksum}.file`, expected: 'uid 0, gid 0, no xattrs, mode within 0755' },
    hints: ['commit with --canonical-permissions, or use a repository of mode bare-user'],
  });
}
