/**
 * What the boot stories share: versions of a stock tree, a mirror that has them, a disk with a host on it that has hacktree and
 * the first version, and the machine's steps.
 *
 * Everything happens inside the machine (guest/story, a step for each start). node and hacktree lie in /home, which all roots
 * share: the deployed trees have nothing of hacktree in them. Version 1.0 is in /gnomeos/repo from the start, as if pulled
 * before; the others come from the mirror, nginx, over HTTP.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type Nginx, startNginx } from '../../helpers/nginx.ts';
import { hacktreeOk, PROJECT_DIR, requireRoot, requireTool, runOk } from '../../helpers/run.ts';
import { type BaseRoot, ensureBaseRoot, type InitrdName } from './base-root.ts';
import type { DiskKind } from './disk.ts';
import { type Report, reportUntilExit } from './report.ts';
import { breakTree, finishDisk, makeStage, makeTree, topOf, writeInto } from './stage.ts';
import { BOOT_LIMIT_MS, startVm, stopAllVms, type Vm, type VmOptions } from './vm.ts';

const STORY_TOOLS = ['qemu-system-x86_64', 'mmdebstrap', 'mke2fs', 'setpriv', 'grub-mkimage', 'nginx', 'mcopy'];

/** A step boots, works and shuts down; the machine's own limit says more when it is the first to be over. */
const STEP_LIMIT_MS = 5 * BOOT_LIMIT_MS;
export const STEP_TEST_LIMIT_MS = STEP_LIMIT_MS + BOOT_LIMIT_MS;
/** Long enough for the base root to be made. */
export const LAB_LIMIT_MS = 900_000;
const BRANCH = 'lab/debian';

export interface StoryLab {
  readonly dir: string;
  readonly base: BaseRoot;
  /** Repository with version 1.0. */
  readonly first: string;
  /** Mirror with version 2.0. */
  readonly mirror: string;
  readonly nginx: Nginx;
}

const canTell = (): boolean => requireTool(...STORY_TOOLS) && requireRoot();

/** A test that needs the lab. */
export const inStory: (name: string, test: () => Promise<void>, limitMs: number) => void = canTell() ? it : it.skip;

/** Makes a lab and a machine for the tests of a file, and takes them away after them. The result is there once tests run. */
export function useStory(name: string, options: StoryOptions): () => { readonly lab: StoryLab; readonly story: Story } {
  let lab: StoryLab | undefined;
  let story: Story | undefined;
  beforeAll(async () => {
    if (!canTell()) return;
    lab = await openStoryLab(options.initrd ?? 'small');
    if (options.story === 'short') publishBrokenVersion(lab, `${BRANCH}-broken`);
    story = new Story(lab, options);
  }, LAB_LIMIT_MS);
  afterEach(stopAllVms);
  afterAll(async () => {
    await closeStoryLab(lab);
    process.stderr.write(story?.times.map((line) => `${name}, ${line}\n`).join('') ?? '');
  });
  return () => ({ lab: lab as StoryLab, story: story as Story });
}

/** Makes the first two versions, and serves the second. */
async function openStoryLab(initrd: InitrdName): Promise<StoryLab> {
  const dir = mkdtempSync('/var/tmp/hacktree-test-');
  const base = await ensureBaseRoot();
  const [first, mirror] = [join(dir, 'first'), join(dir, 'mirror')];
  hacktreeOk(['init', `--repo=${first}`, '--mode=bare']);
  hacktreeOk(['init', `--repo=${mirror}`, '--mode=archive']);
  hacktreeOk(['config', `--repo=${mirror}`, 'set', 'archive.zlib-level', '1']);
  for (const [version, repo] of [
    ['1.0', first],
    ['2.0', mirror],
  ] as const) {
    const tree = join(dir, 'tree');
    makeVersion(base, tree, version, initrd);
    hacktreeOk(commitOf(version, BRANCH, `--repo=${repo}`, tree));
    rmSync(tree, { recursive: true });
  }
  return { dir, base, first, mirror, nginx: await startNginx(mirror, join(dir, 'nginx')) };
}

/** Stops the mirror and removes everything. */
async function closeStoryLab(lab: StoryLab | undefined): Promise<void> {
  await lab?.nginx.stop();
  if (lab !== undefined) rmSync(lab.dir, { recursive: true });
}

/** The stock tree with defaults in /etc that tell the version; from 2.0 on there is one more system user. */
function makeVersion(base: BaseRoot, tree: string, version: string, initrd: InitrdName): void {
  makeTree(base, tree, `root-${version}`, initrd);
  writeInto(tree, 'etc/issue', `Lab ${version}\n`);
  writeInto(tree, 'etc/lab.conf', `# of version ${version}\nname = unset\n\n# limits\nfiles = 10\n`);
  if (version === '1.0') return;
  for (const [file, line] of [
    ['passwd', 'labd:x:950:950::/nonexistent:/usr/sbin/nologin'],
    ['group', 'labd:x:950:'],
    ['shadow', 'labd:!:19000::::::'],
  ] as const) {
    writeInto(
      tree,
      `etc/${file}`,
      `${readFileSync(join(tree, 'etc', file), 'utf8')}${line}\n`,
      file === 'shadow' ? 0o640 : 0o644,
    );
  }
}

/** Version N is committed N days after some day: upgrades refuse what is older. */
const commitOf = (version: string, branch: string, ...rest: string[]): string[] => [
  ...['commit', `--branch=${branch}`, `--add-metadata-string=version=${version}`],
  `--timestamp=@${1_700_000_000 + 86_400 * Number(version)}`,
  ...rest,
];

/** Publishes version 3.0, on the branch or another: it has nothing that could start, neither init nor a shell. */
export function publishBrokenVersion({ dir, mirror }: StoryLab, branch: string = BRANCH): void {
  const change = join(dir, 'broken');
  breakTree(change);
  hacktreeOk(commitOf('3.0', branch, `--repo=${mirror}`, `--tree=ref=${BRANCH}`, `--tree=dir=${change}`));
}

export interface StoryOptions {
  /** What is done in the machine: guest/story. */
  readonly story: 'full' | 'short';
  readonly kind: DiskKind;
  /** Initial RAM disk of the deployed trees, not of the host. Default: a small one by initramfs-tools. */
  readonly initrd?: InitrdName;
}

/** A machine's disk, and its steps one after the other. */
export class Story {
  /** One line for each step. */
  readonly times: string[] = [];
  readonly #image: string;
  readonly #kind: DiskKind;

  /** Makes the disk: a host with hacktree, and version 1.0 in its repository. */
  constructor(lab: StoryLab, { story, kind }: StoryOptions) {
    this.#kind = kind;
    this.#image = join(lab.dir, `${kind}.img`);
    const stage = makeStage(lab.base, { kind });
    const top = topOf(stage);
    rmSync(join(top, 'gnomeos'), { recursive: true });
    hacktreeOk(['sysroot', 'init', '--sysroot', top]);
    const repo = `--repo=${join(top, 'gnomeos/repo')}`;
    hacktreeOk(['remote', 'add', repo, '--no-sign-verify', 'lab', lab.nginx.url.replace('127.0.0.1', '10.0.2.2')]);
    hacktreeOk(['pull-local', repo, '--remote=lab', lab.first, BRANCH]);
    addHacktree(top, 'story');
    writeInto(top, 'home/story', `${story}\n`);
    writeInto(top, 'home/branch', `${BRANCH}\n`);
    finishDisk(stage, this.#image);
  }

  /** Starts the machine. */
  start(options: Partial<VmOptions> = {}): Vm {
    const disk = { path: this.#image, isDiscarded: false };
    return startVm({ disk, hasNetwork: true, firmware: this.#kind === 'uefi' ? 'uefi' : 'bios', ...options });
  }

  /** Waits for the end of a step. */
  async stepOf(vm: Vm, step: number): Promise<Report> {
    const found = await reportUntilExit(vm, STEP_LIMIT_MS);
    this.times.push(`step ${step}: ${vm.elapsedSec.toFixed(0)} s, report after ${found.one('uptime')} s of uptime`);
    expect(found.one('step')).toBe(String(step));
    return found;
  }
}

/** hacktree's lines of GRUB's environment that are set. */
export const environmentOf = (found: Report): string[] =>
  found
    .all('env')
    .filter((line) => /^hacktree_.*=./.test(line))
    .sort();

/** Puts node, the built hacktree and what is to be done (a file of test/boot/guest) where every root sees them. */
export function addHacktree(top: string, script: string): void {
  const home = join(top, 'home/hacktree');
  mkdirSync(join(home, 'lib'), { recursive: true });
  for (const name of ['bin', 'dist', 'initramfs', 'package.json'])
    cpSync(join(PROJECT_DIR, name), join(home, name), { recursive: true });
  for (const name of ['koffi', '@koromix'])
    cpSync(join(PROJECT_DIR, 'node_modules', name), join(home, 'node_modules', name), { recursive: true });
  cpSync(process.execPath, join(home, 'node'));
  for (const line of runOk('ldd', [process.execPath]).split('\n')) {
    const path = /lib(?:stdc\+\+|gcc_s)\.so\S* => (\S+)/.exec(line)?.[1];
    if (path !== undefined) cpSync(path, join(home, 'lib', basename(path)), { dereference: true });
  }
  writeInto(top, 'home/lab-extra', readFileSync(join(PROJECT_DIR, 'test/boot/guest', script)), 0o755);
}
