/**
 * Says what is wrong with a small system as a cut left it: once as Linux sees it, once as GRUB's own code does.
 *
 * Right is: every entry of the menu has its kernel, its initial RAM disk, the overlay and its root, each whole. What the
 * bytes have to be is known from the versions, not from what hacktree recorded.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type BootMenu, buildOverlay, type ExpectedDigests, HOST_ID, openBootloader } from '../../../src/bootloader/index.ts';
import type { ContentDigest } from '../../../src/core/index.ts';
import { runOk } from '../../helpers/run.ts';
import { motdOf, sha256, smallVersion } from './small-system.ts';

export interface Verdict {
  /** What boots by itself. */
  readonly defaultId: string;
  readonly problems: readonly string[];
}

/** A version deployed twice is `root-2.1.2`. */
const versionOf = (root: string): string => /^root-(\d+\.\d+)/.exec(root)?.[1] ?? root;

/** Judges a mounted system. */
export function judgeLinux(top: string): Verdict {
  const { menu, problems } = judgeBoot(top, sha256(buildOverlay()));
  return { defaultId: menu.defaultId, problems: [...problems, ...menu.entries.flatMap(({ id }) => rootProblems(top, id))] };
}

/**
 * Judges an image as GRUB reads it: with code of its own and without replaying a journal. The roots that its menu names are
 * looked for in `top`, the same image mounted by Linux: that is what the kernel finds once GRUB has started it.
 * (grub-mount unpacks what is compressed by gzip, as the overlay is.)
 */
export function judgeGrub(image: string, mountPoint: string, top: string, options: readonly string[] = []): Verdict {
  fs.mkdirSync(mountPoint, { recursive: true });
  runOk('grub-mount', [...options, image, mountPoint]);
  try {
    const isSourced = textOf(join(mountPoint, 'boot/grub/custom.cfg'))?.includes('hacktree.cfg') === true;
    if (!isSourced) return { defaultId: HOST_ID, problems: [] };
    const { menu, problems } = judgeBoot(mountPoint, sha256(gunzipSync(buildOverlay())));
    return { defaultId: menu.defaultId, problems: [...problems, ...menu.entries.flatMap(({ id }) => rootProblems(top, id))] };
  } finally {
    runOk('umount', [mountPoint]);
  }
}

function judgeBoot(top: string, overlay: string): { menu: BootMenu; problems: string[] } {
  const loader = openBootloader(top);
  const menu = loader.read();
  const findings = loader.verify(menu, expectedDigests(menu, overlay));
  return { menu, problems: findings.map(({ entryId, path, problem }) => `${entryId ?? 'menu'}: ${path} ${problem}`) };
}

function expectedDigests(menu: BootMenu, overlay: string): ExpectedDigests {
  return new Map(
    menu.entries.flatMap(({ id, kernel, initrds: [initrd = '', ...others] }) => {
      const { kernelDigest, initrdDigest } = smallVersion(versionOf(id));
      return [[kernel, kernelDigest], [initrd, initrdDigest], ...others.map((path) => [path, overlay])] as [
        string,
        ContentDigest,
      ][];
    }),
  );
}

function rootProblems(top: string, root: string): string[] {
  const dir = join(top, 'gnomeos', root);
  const version = versionOf(root);
  const wanted = [...smallVersion(version).tree, ['etc/motd', motdOf(version)], ['usr/etc/motd', motdOf(version)]] as const;
  const problems = wanted.flatMap(([path, content]) =>
    contentIs(join(dir, path), content) ? [] : [`${root}: ${path} is not whole`],
  );
  const varName = /^var=(.+)$/m.exec(textOf(join(top, 'gnomeos/state', root, 'boot')) ?? '')?.[1];
  if (varName === undefined) problems.push(`${root}: its state does not name its /var`);
  else if (textOf(join(top, 'gnomeos/var', varName, 'log/started')) !== 'yes\n') problems.push(`${root}: its /var is not whole`);
  return problems;
}

function contentIs(path: string, content: string | Buffer): boolean {
  try {
    return fs.readFileSync(path).equals(Buffer.from(content));
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined;
}
