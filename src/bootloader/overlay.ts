/**
 * The overlay: a tiny initramfs that is loaded after a tree's own and adds the step that turns the physical root into a
 * deployed one. The tree needs no hacktree in it.
 *
 *     hacktree/prepare-root                          the step (initramfs/hacktree-prepare-root)
 *     hacktree/boot-complete                         put into /run for the running system
 *     scripts/hacktree                               run by initramfs-tools, chosen with boot=hacktree
 *     lib/dracut/hooks/pre-pivot/50-hacktree.sh      run by dracut
 *
 * Directories other than `hacktree` are not listed: where they are missing (the other kind of initramfs) the kernel leaves the
 * file out, and where `lib` is a symbolic link it is followed; a listed directory would replace the link.
 *
 * It is compressed, little as there is to gain: the kernel takes a plain archive at multiples of 4 alone, and not every boot
 * loader aligns what it loads (GRUB does, systemd-boot with the kernel's EFI stub does not).
 *
 * **Source:** kernel init/initramfs.c: `unpack_to_rootfs` for what may follow what; `do_name` opens a file by its path
 * and skips it when that fails, but removes what is in the way of a directory of another type.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { HacktreeError } from '../core/index.ts';
import { encodeCpio } from './cpio.ts';

/** Files of the overlay by their path below the package's `initramfs/`. */
const FILES = [
  { source: 'hacktree-prepare-root', path: 'hacktree/prepare-root', mode: 0o755 },
  { source: 'hacktree-boot-complete', path: 'hacktree/boot-complete', mode: 0o755 },
  { source: 'overlay/scripts-hacktree', path: 'scripts/hacktree', mode: 0o644 },
  { source: 'overlay/pre-pivot.sh', path: 'lib/dracut/hooks/pre-pivot/50-hacktree.sh', mode: 0o755 },
] as const;

/** Kernel argument without which initramfs-tools does not run the overlay's script. Others ignore it. */
export const OVERLAY_ARGUMENT = 'boot=hacktree';

/** Builds the overlay from the scripts of this package, a gzip file. The same package and Node give the same bytes. */
export function buildOverlay(): Buffer {
  const dir = initramfsDir();
  const archive = encodeCpio([
    { path: 'hacktree', mode: 0o755, bytes: undefined },
    ...FILES.map(({ source, path, mode }) => ({ path, mode, bytes: fs.readFileSync(join(dir, source)) })),
  ]);
  return gzipSync(archive, { level: 9 });
}

/** Directory `initramfs/` of this package, wherever the code was bundled to. */
function initramfsDir(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let dir = start; ; dir = dirname(dir)) {
    const candidate = join(dir, 'initramfs');
    if (fs.existsSync(join(candidate, FILES[0].source))) return candidate;
    if (dir === dirname(dir)) throw new HacktreeError('internal', `The scripts of the initramfs are missing beside ${start}`);
  }
}
