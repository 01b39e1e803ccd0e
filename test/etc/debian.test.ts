/** Debian 12's /etc with the edits that administrators make, brought to Debian 13's. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { requireRoot, requireTool, run } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { addUser, debianEtc } from './debian.ts';
import { copyTree, type Merged, mergeDirs, mergeTrees, readTree } from './trees.ts';

const hasTools = requireTool('apt-get', 'dpkg-deb', 'useradd', 'pwck', 'diff3') && requireRoot();
const bookworm = hasTools ? debianEtc('bookworm') : undefined;
const trixie = hasTools ? debianEtc('trixie') : undefined;
const withDebian = bookworm !== undefined && trixie !== undefined ? it : it.skip;
const [OLD, NEW] = [bookworm ?? '', trixie ?? ''];

interface Upgrade extends Merged {
  read(file: string): string;
  outcome(file: string): string | undefined;
  readonly dir: string;
}

/** Edits a copy of the old /etc and merges it into the new one. */
function upgrade(edit: (etcDir: string) => void): Upgrade {
  const work = scratchDir();
  const [user, dir] = [path.join(work, 'U'), path.join(work, 'R')];
  copyTree(OLD, user);
  edit(user);
  const merged = mergeDirs([OLD, user, NEW], dir);
  return {
    ...merged,
    dir,
    read: (file) => fs.readFileSync(path.join(dir, file), 'utf8'),
    outcome: (file) => merged.plan.actions.find((action) => action.path === file)?.outcome,
  };
}

function edit(etcDir: string, file: string, from: string, to: string): void {
  const full = path.join(etcDir, file);
  const text = fs.readFileSync(full, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  fs.writeFileSync(
    full,
    text.replace(from, () => to),
  );
}

const textOf = (dir: string, file: string): string => fs.readFileSync(path.join(dir, file), 'utf8');

describe('an upgrade from Debian 12 to 13', () => {
  withDebian('without local changes gives the new /etc', () => {
    const { tree, plan } = upgrade(() => {});
    expect(tree).toEqual(readTree(NEW));
    expect(plan.counts).toMatchObject({ 'keep-user': 0, merged: 0, conflict: 0, removed: 0, error: 0 });
    expect(plan.counts['take-new']).toBeGreaterThan(5);
  });

  withDebian('keeps edits of sshd_config and brings its new defaults', () => {
    const { read, outcome } = upgrade((etc) => {
      edit(etc, 'ssh/sshd_config', '#Port 22', 'Port 2222');
      edit(etc, 'ssh/sshd_config', '#PermitRootLogin prohibit-password', 'PermitRootLogin no');
      fs.appendFileSync(path.join(etc, 'ssh/sshd_config'), '\nMatch User backup\n\tForceCommand /bin/true\n');
    });
    expect(outcome('ssh/sshd_config')).toBe('merged');
    const expected = textOf(NEW, 'ssh/sshd_config')
      .replace('#Port 22', 'Port 2222')
      .replace('#PermitRootLogin prohibit-password', 'PermitRootLogin no');
    expect(read('ssh/sshd_config')).toBe(`${expected}\nMatch User backup\n\tForceCommand /bin/true\n`);
  });

  withDebian('keeps edits of default/grub beside a line that changed', () => {
    const { read, outcome } = upgrade((etc) => {
      edit(etc, 'default/grub', 'GRUB_TIMEOUT=5', 'GRUB_TIMEOUT=1');
      edit(etc, 'default/grub', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"', 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"');
    });
    expect(outcome('default/grub')).toBe('merged');
    const expected = textOf(NEW, 'default/grub')
      .replace('GRUB_TIMEOUT=5', 'GRUB_TIMEOUT=1')
      .replace('="quiet"', '="quiet splash"');
    expect(read('default/grub')).toBe(expected);
  });

  withDebian('keeps an edit of the very line that changed, and the new default beside it', () => {
    const { read, outcome } = upgrade((etc) => edit(etc, 'ssh/sshd_config', 'AcceptEnv LANG LC_*', 'AcceptEnv LANG'));
    expect(outcome('ssh/sshd_config')).toBe('conflict');
    expect(read('ssh/sshd_config')).toBe(textOf(OLD, 'ssh/sshd_config').replace('AcceptEnv LANG LC_*', 'AcceptEnv LANG'));
    expect(read('ssh/sshd_config.hacktree-new')).toBe(textOf(NEW, 'ssh/sshd_config'));
  });

  withDebian('keeps sudoers with its mode, and drop-ins', () => {
    const { read, tree, outcome } = upgrade((etc) => {
      edit(etc, 'sudoers', '%sudo\tALL=(ALL:ALL) ALL', '%sudo\tALL=(ALL:ALL) NOPASSWD: ALL');
      fs.writeFileSync(path.join(etc, 'sudoers.d/alice'), 'alice ALL=(ALL) ALL\n', { mode: 0o440 });
    });
    expect(read('sudoers')).toBe(
      textOf(NEW, 'sudoers').replace('%sudo\tALL=(ALL:ALL) ALL', '%sudo\tALL=(ALL:ALL) NOPASSWD: ALL'),
    );
    expect(tree.sudoers).toMatch(/^file 0:0 440 /);
    expect(tree['sudoers.d/alice']).toBe('file 0:0 440 alice ALL=(ALL) ALL\n');
    expect(outcome('sudoers.d/alice')).toBe('keep-user');
  });

  withDebian('keeps users that useradd added, with their secrets, in files that pwck and grpck accept', () => {
    const { read, tree, outcome, dir, plan } = upgrade((etc) => {
      addUser(etc, 'alice', ['sudo', 'audio']);
      edit(etc, 'shadow', 'root:*:19500', 'root:$y$secret:19777');
      edit(etc, 'passwd', 'root:x:0:0:root:/root:/bin/bash', 'root:x:0:0:root:/root:/bin/sh');
    });
    expect(read('passwd')).toContain('\nalice:x:1000:1000::/home/alice:/bin/bash\n');
    expect(read('passwd')).toContain('root:x:0:0:root:/root:/bin/sh\n');
    expect(read('shadow')).toMatch(/^root:\$y\$secret:19777:.*\ndaemon:\*:20300:[\s\S]*\nalice:!:\d+:/);
    expect(read('group')).toMatch(/^sudo:x?\*?:27:alice$/m);
    expect(read('subuid')).toMatch(/^alice:\d+:65536$/m);
    expect(tree.shadow).toMatch(/^file 0:42 640 /);
    expect(plan.counts.conflict).toBe(0);
    expect(outcome('shadow')).toBe('merged');
    const check = (program: string, files: string[]): string =>
      run(program, ['-r', ...files.map((file) => path.join(dir, file))]).stdout;
    const complaints = check('pwck', ['passwd', 'shadow']) + check('grpck', ['group', 'gshadow']);
    expect(complaints.split('\n').filter((line) => /invalid|duplicate|no matching/i.test(line))).toEqual([]);
  });

  withDebian('follows files that moved or went, and removals made here', () => {
    const { tree, outcome } = upgrade((etc) => {
      fs.rmSync(path.join(etc, 'grub.d'), { recursive: true });
      fs.rmSync(path.join(etc, 'issue'));
    });
    expect(Object.keys(tree).filter((at) => at.startsWith('grub.d') || at === 'issue')).toEqual([]);
    expect([outcome('grub.d'), outcome('issue')]).toEqual(['removed', 'removed']);
    const gone = Object.keys(readTree(OLD)).filter((at) => !(at in readTree(NEW)));
    expect(gone.length).toBeGreaterThan(0);
    expect(Object.keys(tree).filter((at) => gone.includes(at))).toEqual([]);
  });

  withDebian('merges as diff3 does wherever diff3 can, for an edit of any one line of any text', () => {
    let compared = 0;
    for (const file of Object.keys(readTree(OLD)).filter((at) => isChangedText(at))) {
      const text = textOf(OLD, file);
      const lines = text.split('\n');
      for (const at of [0, Math.floor(lines.length / 3), Math.floor((2 * lines.length) / 3)]) {
        const mine = lines.with(at, `edited ${at}`).join('\n');
        const sides = { base: { f: text }, user: { f: mine }, next: { f: textOf(NEW, file) } };
        const work = scratchDir();
        fs.writeFileSync(path.join(work, 'mine'), mine);
        const merged = run('diff3', ['-m', path.join(work, 'mine'), path.join(OLD, file), path.join(NEW, file)]);
        if (merged.status !== 0) continue;
        compared++;
        expect({ file, at, text: mergeTrees(sides).tree.f }).toEqual({ file, at, text: `file 0:0 644 ${merged.stdout}` });
      }
    }
    expect(compared).toBeGreaterThan(10);
  });
});

/** Text files that both releases have, and that differ; account files are merged otherwise. */
function isChangedText(file: string): boolean {
  const [a, b] = [path.join(OLD, file), path.join(NEW, file)];
  if (/^g?shadow$|^passwd$|^group$|^sub[ug]id$/.test(file)) return false;
  if (!fs.lstatSync(a).isFile() || !fs.existsSync(b) || !fs.lstatSync(b).isFile()) return false;
  return textOf(OLD, file) !== textOf(NEW, file);
}
