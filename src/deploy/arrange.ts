/**
 * Turns a checked-out tree into one that boots as a deployed root: /etc and its defaults apart, mount points made,
 * fstab without the root file system.
 *
 * Only directories and files of the root's own are changed; hard links to objects are never written to.
 *
 * Source: ostree-cli B.4 (etc); docs/layout.md (mount points); systemd-remount-fs(8) for the trap with `/` in fstab.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { copyTree, writeFileDurable } from '../sys/index.ts';
import { bothEtcs } from './commit-tree.ts';

/** Mount points that every root needs, with their modes. */
const MOUNT_POINTS: readonly (readonly [string, number])[] = [
  ['proc', 0o555],
  ['sys', 0o555],
  ['dev', 0o755],
  ['run', 0o755],
  ['tmp', 0o1777],
  ['var', 0o755],
  ['home', 0o755],
  ['boot', 0o755],
  ['sysroot', 0o755],
  ['root', 0o700],
  ['srv', 0o755],
  ['mnt', 0o755],
  ['media', 0o755],
];

/** Makes missing mount points and the link /gnomeos. What the tree has in such a place stays. */
export function makeMountPoints(tree: string): void {
  for (const [name, mode] of MOUNT_POINTS) {
    const path = join(tree, name);
    if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    fs.mkdirSync(path);
    fs.chmodSync(path, mode);
  }
  const link = join(tree, 'gnomeos');
  if (fs.lstatSync(link, { throwIfNoEntry: false }) === undefined) fs.symlinkSync('sysroot/gnomeos', link);
}

/** Makes `usr/etc` the defaults, empty if need be, and `etc` a full copy of them. Errors: `tree-invalid` when both are populated. */
export function splitEtc(tree: string): void {
  const [etc, defaults] = [join(tree, 'etc'), join(tree, 'usr/etc')];
  const [hasEtc, hasDefaults] = [isPopulated(etc), isPopulated(defaults)];
  if (hasEtc && hasDefaults) throw bothEtcs();
  if (hasEtc) {
    fs.rmSync(defaults, { recursive: true, force: true });
    fs.renameSync(etc, defaults);
  } else {
    fs.rmSync(etc, { recursive: true, force: true });
  }
  fs.mkdirSync(defaults, { recursive: true });
  copyTree(defaults, etc);
}

function isPopulated(dir: string): boolean {
  return fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true && fs.readdirSync(dir).length > 0;
}

/** Systemd fills an empty machine-id at first boot, and runs its first-boot units where `.updated` is missing. */
export function finishEtc(tree: string, hostFstab: string): void {
  const etc = join(tree, 'etc');
  fs.rmSync(join(etc, '.updated'), { force: true });
  if (fs.lstatSync(join(etc, 'machine-id'), { throwIfNoEntry: false }) === undefined)
    fs.writeFileSync(join(etc, 'machine-id'), '', { mode: 0o444 });
  const fstab = join(etc, 'fstab');
  const own = fs.lstatSync(fstab, { throwIfNoEntry: false })?.isFile() === true ? fs.readFileSync(fstab, 'utf8') : '';
  writeFileDurable(fstab, Buffer.from(mergeFstab(own, hostFstab)), { sync: false });
}

interface FstabLine {
  readonly text: string;
  readonly device: string;
  /** undefined for comments and blank lines. */
  readonly mountPoint: string | undefined;
}

function parseFstab(text: string): FstabLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    const [device = '', mountPoint] = line.trim().split(/\s+/);
    return { text: line, device, mountPoint: device === '' || device.startsWith('#') ? undefined : mountPoint };
  });
}

/**
 * Gives the root's fstab: its own lines and the host's others (a /home or /boot of its own, swap), without `/`: that line
 * would make /usr writable, or /etc and /var read-only.
 */
function mergeFstab(own: string, host: string): string {
  const kept = parseFstab(own).filter(({ mountPoint }) => mountPoint !== '/');
  const places = new Set(kept.map(({ mountPoint }) => mountPoint));
  const devices = new Set(kept.map(({ device }) => device));
  const isSwap = (mountPoint: string): boolean => mountPoint === 'none' || mountPoint === 'swap';
  const added = parseFstab(host).filter(
    ({ mountPoint, device }) =>
      mountPoint !== undefined && mountPoint !== '/' && (isSwap(mountPoint) ? !devices.has(device) : !places.has(mountPoint)),
  );
  return [...kept, ...added].map(({ text }) => `${text}\n`).join('');
}

/** Package databases under /var that describe the tree: shown from the root itself. */
const PACKAGE_DATABASES = new Set(['lib/dpkg', 'lib/rpm', 'lib/pacman/local', 'db/pkg', 'db/xbps']);

/** Fills a new /var from the tree: its var without package databases, and what stands in /root, /srv, /mnt, /media. */
export function fillVar(tree: string, target: string): void {
  copyTree(join(tree, 'var'), target, { skip: PACKAGE_DATABASES });
  fs.rmSync(join(target, '.updated'), { force: true });
  for (const [from, to, mode] of [
    ['root', 'roothome', 0o700],
    ['srv', 'srv', 0o755],
    ['mnt', 'mnt', 0o755],
    ['media', 'media', 0o755],
  ] as const) {
    const [source, place] = [join(tree, from), join(target, to)];
    if (fs.lstatSync(place, { throwIfNoEntry: false }) !== undefined) continue;
    if (fs.lstatSync(source, { throwIfNoEntry: false })?.isDirectory() === true) copyTree(source, place);
    else {
      fs.mkdirSync(place);
      fs.chmodSync(place, mode);
    }
  }
}
