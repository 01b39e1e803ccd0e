/** A system root with GRUB and a small OS tree, for tests of the commands that deploy: no machine is needed or touched. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { hacktree, hacktreeOk, type RunResult, runOk } from './run.ts';
import { scratchDir } from './scratch.ts';

/** A configuration of GRUB as hosts have it, which sources custom.cfg. */
export const GRUB_CFG = `search --no-floppy --fs-uuid --set=root 1234-abcd
set timeout=3
menuentry 'Host' --id host {
  linux /boot/vmlinuz root=UUID=1234-abcd ro console=ttyS0 quiet
  initrd /boot/initrd.img
}
if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
elif [ -z "\${config_directory}" -a -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi
`;

/** A host with a sysroot, and a tree to commit. */
export class TestSystem {
  readonly dir: string;
  /** The system root; its `etc` is the host's. */
  readonly root: string;
  readonly tree: string;

  private constructor(dir: string) {
    this.dir = dir;
    this.root = join(dir, 'sys');
    this.tree = join(dir, 'tree');
  }

  /** Makes one in an empty directory; default: one that is gone after the test. */
  static make(dir: string = scratchDir()): TestSystem {
    const system = new TestSystem(dir);
    system.#fill();
    return system;
  }

  /** Copies another one, as it is now, for one test. */
  static copy({ dir }: TestSystem): TestSystem {
    const to = join(scratchDir(), 'copy');
    runOk('cp', ['-a', dir, to]);
    return new TestSystem(to);
  }

  #fill(): void {
    for (const part of ['boot/grub', 'etc', 'home']) fs.mkdirSync(join(this.root, part), { recursive: true });
    fs.writeFileSync(join(this.root, 'boot/grub/grub.cfg'), GRUB_CFG);
    runOk('grub-editenv', [join(this.root, 'boot/grub/grubenv'), 'create']);
    this.write('sys/etc/fstab', 'UUID=1234-abcd / ext4 errors=remount-ro 0 1\n');
    this.write('tree/usr/lib/modules/6.1/initramfs.img', 'initial');
    this.write('tree/etc/os-release', 'PRETTY_NAME="Test OS"\n');
    for (const part of ['var/log', 'root', 'usr/bin']) fs.mkdirSync(join(this.tree, part), { recursive: true });
    this.run('sysroot', 'init');
  }

  /** Writes a file relative to the test's directory. */
  write(path: string, text: string, mode = 0o644): void {
    const full = join(this.dir, path);
    fs.mkdirSync(join(full, '..'), { recursive: true });
    fs.writeFileSync(full, text);
    fs.chmodSync(full, mode);
  }

  /** Reads a file of a deployed root. */
  read(root: string, path: string): string {
    return fs.readFileSync(this.at(root, path), 'utf8');
  }

  /** Where a path of a deployed root is. */
  at(root: string, path = ''): string {
    return join(this.root, 'gnomeos', root, path);
  }

  /** Runs a hacktree command on this sysroot, which must succeed; gives its output. */
  run(...args: string[]): string {
    return hacktreeOk([...args, `--sysroot=${this.root}`]);
  }

  /** Runs a hacktree command on this sysroot, whatever comes of it. */
  try(...args: string[]): RunResult {
    return hacktree([...args, `--sysroot=${this.root}`]);
  }

  /** Runs a hacktree command with --json and gives its data. */
  json(...args: string[]): Record<string, unknown> {
    return JSON.parse(this.run(...args, '--json')).data;
  }

  /** Commits the tree as a version of the branch `os`, with a kernel of its own. */
  commit(version: string): void {
    this.write('tree/usr/lib/modules/6.1/vmlinuz', `kernel of ${version}`);
    const metadata = `--add-metadata-string=version=${version}`;
    hacktreeOk(['commit', `--repo=${this.root}/gnomeos/repo`, '--branch=os', metadata, this.tree]);
  }

  /** Commits the tree and deploys it; gives what the command wrote. */
  deploy(version: string, ...options: string[]): RunResult {
    this.commit(version);
    const result = this.try('deploy', 'os', ...options);
    if (result.status !== 0) throw new Error(`deploy ended with ${result.status}\n${result.stdout}${result.stderr}`);
    return result;
  }
}
