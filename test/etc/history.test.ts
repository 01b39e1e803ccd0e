/** The history of /etc, written by us and read by git itself. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EtcHistory, gcEtcHistory, recordEtcHistory, reportEtcPlan } from '../../src/etc/index.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { mergeDirs, readTree, type TreeEntries, writeTree } from './trees.ts';

const withGit = requireTool('git') && requireRoot() ? it : it.skip;

const V1: TreeEntries = {
  ssh: { dir: { sshd_config: 'Port 22\n\n\nX11 no\n' } },
  shadow: { file: 'root:*\n', mode: 0o640, gid: 42 },
  motd: 'one\n',
  empty: { dir: {} },
};
const V2: TreeEntries = { ...V1, ssh: { dir: { sshd_config: 'Port 22\n\n\nX11 yes\n' } }, motd: 'two\n' };
const LOCAL: TreeEntries = {
  ...V1,
  ssh: { dir: { sshd_config: 'Port 2222\n\n\nX11 no\n' } },
  mine: { file: '#!/bin/sh\n', mode: 0o755 },
  link: { link: '../run/x' },
};

class Machine {
  readonly dir = scratchDir();
  readonly history = path.join(this.dir, 'etc.git');
  #day = 0;

  at(name: string): string {
    return path.join(this.dir, name);
  }

  tree(name: string, entries: TreeEntries): string {
    writeTree(this.at(name), entries);
    return this.at(name);
  }

  git(...args: string[]): string {
    return runOk('git', ['--git-dir', this.history, ...args], { env: { GIT_CONFIG_NOSYSTEM: '1', HOME: this.dir } });
  }

  async first(toRoot: string, defaults: string): Promise<void> {
    const recording = {
      historyDir: this.history,
      newDefaultsDir: defaults,
      resultDir: defaults,
      toRoot,
      timeSec: this.#nextDay(),
    };
    expect(await recordEtcHistory(recording)).toMatchObject({ warning: undefined });
  }

  /** Merges an old root's /etc into a new root and records it. Returns the result's directory and commit. */
  async deploy(
    root: string,
    toRoot: string,
    sides: { d: string; u: string; n: string },
  ): Promise<{ etc: string; commit: string }> {
    const etc = this.at(`${toRoot}-etc`);
    const { plan } = mergeDirs([sides.d, sides.u, sides.n], etc);
    const { commit, warning } = await recordEtcHistory({
      historyDir: this.history,
      newDefaultsDir: sides.n,
      resultDir: etc,
      toRoot,
      version: '2',
      from: { root, defaultsDir: sides.d, userDir: sides.u, report: reportEtcPlan(plan) },
      timeSec: this.#nextDay(),
    });
    expect(warning).toBeUndefined();
    return { etc, commit: commit ?? '' };
  }

  #nextDay(): number {
    this.#day++;
    return 1_700_000_000 + this.#day * 86_400;
  }
}

async function twoRoots(): Promise<{ machine: Machine; etc: string; commit: string; u: string }> {
  const machine = new Machine();
  const [d, n, u] = [machine.tree('D', V1), machine.tree('N', V2), machine.tree('U', LOCAL)];
  fs.mkdirSync(path.join(u, '.git'));
  fs.writeFileSync(path.join(u, '.git/config'), 'of etckeeper');
  await machine.first('root-1', d);
  const { etc, commit } = await machine.deploy('root-1', 'root-2', { d, u, n });
  return { machine, etc, commit, u };
}

describe('recordEtcHistory', () => {
  withGit('makes a graph that git reads and finds sound', async () => {
    const { machine, commit } = await twoRoots();
    expect(machine.git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(machine.git('branch', '--format=%(refname:short)').split('\n')).toEqual(['root-1', 'root-2', 'upstream']);
    expect(machine.git('rev-parse', 'root-2')).toBe(commit);
    expect(machine.git('rev-parse', 'root-2^1')).toBe(machine.git('rev-parse', 'root-1'));
    expect(machine.git('rev-parse', 'root-2^2')).toBe(machine.git('rev-parse', 'upstream'));
    expect(machine.git('merge-base', 'root-1', 'upstream')).toBe(machine.git('rev-parse', 'upstream^'));
    const graph = machine.git('log', '--graph', '-p', '--format=%s', 'root-2');
    expect(graph).toContain('Merge into root-2 (2)');
    expect(graph).toContain('+Port 2222');
    expect(graph).toContain('+X11 yes');
    expect(machine.git('log', '-1', '--format=%b', 'root-2')).toContain(
      'merged: ssh/sshd_config (changed on both sides, merged)',
    );
    expect(machine.git('show', 'root-2:ssh/sshd_config')).toBe('Port 2222\n\n\nX11 yes');
    expect(machine.git('ls-tree', '-r', '--name-only', 'root-2').split('\n')).toEqual([
      '.hacktree-meta',
      'link',
      'mine',
      'motd',
      'shadow',
      'ssh/sshd_config',
    ]);
    expect(machine.git('show', 'root-2:.hacktree-meta')).toBe('dir 0755 0:0 empty\nfile 0640 0:42 shadow');
  });

  withGit('is for its owner alone', async () => {
    const { machine } = await twoRoots();
    expect(fs.statSync(machine.history).mode & 0o7777).toBe(0o700);
  });

  withGit('says what git would merge, where both can', async () => {
    const { machine } = await twoRoots();
    const merged = runOk('git', ['--git-dir', machine.history, 'merge-tree', '--write-tree', 'root-1', 'upstream']);
    expect(machine.git('show', `${merged}:ssh/sshd_config`)).toBe(machine.git('show', 'root-2:ssh/sshd_config'));
  });

  it('warns instead of failing', async () => {
    const machine = new Machine();
    const d = machine.tree('D', V1);
    fs.writeFileSync(machine.history, 'in the way');
    const recording = { historyDir: machine.history, newDefaultsDir: d, resultDir: d, toRoot: 'root-1', timeSec: 1 };
    const { commit, warning } = await recordEtcHistory(recording);
    expect(commit).toBeUndefined();
    expect(warning).toMatch(/^The history of \/etc was not written: /);
  });

  withGit('goes on from a root whose branch was not recorded, and from a name used before', async () => {
    const machine = new Machine();
    const [d, n, u] = [machine.tree('D', V1), machine.tree('N', V2), machine.tree('U', LOCAL)];
    await machine.deploy('root-1', 'root-2', { d, u, n });
    fs.rmSync(machine.at('root-2-etc'), { recursive: true });
    const earlier = machine.git('rev-parse', 'root-2');
    await machine.deploy('root-1', 'root-2', { d, u, n });
    expect(machine.git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(machine.git('log', '-1', '--format=%P', 'root-2').split(' ')).toContain(earlier);
    expect(machine.git('rev-list', '--count', 'upstream')).toBe('2');
    expect(machine.git('rev-list', '--count', 'root-1')).toBe('2');
  });
});

describe('EtcHistory', () => {
  withGit('logs a path, shows a commit, compares roots', async () => {
    const { machine, commit } = await twoRoots();
    const history = await EtcHistory.open(machine.history);
    const subjects = async (options: { from?: string; path?: string }): Promise<string[]> =>
      (await history.log(options)).map(({ subject }) => subject);
    expect(await subjects({ from: 'root-2' })).toEqual([
      'Merge into root-2 (2)',
      'Local /etc of root-1 before deploying root-2',
      'Defaults of root-2 (2)',
      'First /etc of root-1',
      'Defaults of root-1',
    ]);
    expect(await subjects({ path: 'motd' })).toEqual(['Defaults of root-2 (2)', 'Defaults of root-1']);
    expect(await subjects({ path: 'ssh/sshd_config', from: 'root-2' })).toEqual([
      'Merge into root-2 (2)',
      'Local /etc of root-1 before deploying root-2',
      'Defaults of root-2 (2)',
      'Defaults of root-1',
    ]);
    const shown = await history.show(commit.slice(0, 10));
    expect(shown).toMatchObject({ id: commit, branches: ['root-2'] });
    expect(shown.changes).toEqual([
      { path: 'motd', change: 'modified' },
      { path: 'ssh/sshd_config', change: 'modified' },
    ]);
    expect(await history.compare('upstream', 'root-2')).toEqual([
      { path: 'link', change: 'added' },
      { path: 'mine', change: 'added' },
      { path: 'ssh/sshd_config', change: 'modified' },
    ]);
    expect((await history.read('root-1', 'ssh/sshd_config'))?.content.toString()).toBe('Port 2222\n\n\nX11 no\n');
    expect(await history.read('root-1', 'nothing')).toBeUndefined();
    await expect(history.show('root-9')).rejects.toMatchObject({ code: 'ref-not-found' });
    await expect(EtcHistory.open(machine.at('D'))).rejects.toMatchObject({ code: 'path-not-found' });
  });

  withGit('sees a change of owner or mode alone', async () => {
    const machine = new Machine();
    const d = machine.tree('D', V1);
    const n = machine.tree('N', { ...V1, shadow: { file: 'root:*\n', mode: 0o600, gid: 42, xattrs: { 'user.a': 'é' } } });
    await machine.deploy('root-1', 'root-2', { d, u: d, n });
    const history = await EtcHistory.open(machine.history);
    expect(await history.compare('root-1', 'root-2')).toEqual([{ path: 'shadow', change: 'attributes' }]);
    expect((await history.log({ path: 'shadow' })).map(({ subject }) => subject)).toEqual([
      'Defaults of root-2 (2)',
      'Defaults of root-1',
    ]);
    const attributes = (await history.read('root-2', 'shadow'))?.attributes;
    expect(attributes).toEqual({ uid: 0, gid: 42, mode: 0o600, xattrs: new Map([['user.a', Buffer.from('é')]]) });
  });

  withGit('restores files, links and directories with what they were', async () => {
    const { machine, etc, u } = await twoRoots();
    const history = await EtcHistory.open(machine.history);
    for (const dir of [u, etc]) fs.rmSync(path.join(dir, '.git'), { recursive: true });
    for (const name of ['ssh', 'shadow', 'link', 'mine', 'empty', 'motd']) fs.rmSync(path.join(etc, name), { recursive: true });
    for (const name of ['ssh/sshd_config', 'shadow', 'link', 'mine', 'empty']) await history.restore(name, 'root-1', etc);
    fs.writeFileSync(path.join(etc, 'motd'), 'wrong');
    await history.restore('motd', 'root-1', etc);
    expect(readTree(etc)).toEqual(readTree(u));
    fs.rmSync(path.join(etc, 'ssh'), { recursive: true });
    expect(await history.restore('ssh', 'root-1', etc)).toEqual(['ssh', 'ssh/sshd_config']);
    expect(readTree(etc)).toEqual(readTree(u));
    await expect(history.restore('nothing', 'root-1', etc)).rejects.toMatchObject({ code: 'path-not-found' });
  });

  withGit('restores nothing through a symlink', async () => {
    const { machine, etc } = await twoRoots();
    const history = await EtcHistory.open(machine.history);
    fs.rmSync(path.join(etc, 'ssh'), { recursive: true });
    fs.mkdirSync(machine.at('outside'));
    fs.symlinkSync(machine.at('outside'), path.join(etc, 'ssh'));
    await expect(history.restore('ssh/sshd_config', 'root-1', etc)).rejects.toMatchObject({ code: 'path-unsafe' });
    expect(fs.readdirSync(machine.at('outside'))).toEqual([]);
  });
});

describe('gcEtcHistory', () => {
  withGit('keeps the newest deployments readable and drops the rest', async () => {
    const machine = new Machine();
    let [d, u] = [machine.tree('defaults-1', { motd: 'default 1\n', big: 'x'.repeat(10_000) }), ''];
    u = machine.tree('etc-1', { motd: 'default 1\n', big: 'x'.repeat(10_000), mine: '1\n' });
    for (let version = 2; version <= 6; version++) {
      const n = machine.tree(`defaults-${version}`, { motd: `default ${version}\n`, big: `${version}`.repeat(10_000) });
      const { etc } = await machine.deploy(`root-${version - 1}`, `root-${version}`, { d, u, n });
      fs.writeFileSync(path.join(etc, 'mine'), `${version}\n`);
      [d, u] = [n, etc];
    }
    const before = machine.git('rev-parse', 'root-6', 'root-5', 'upstream');
    const cleanup = await gcEtcHistory(machine.history, 2, ['root-6', 'root-3']);
    expect(cleanup.objectsDeleted).toBeGreaterThan(0);
    expect(cleanup.branchesDeleted).toEqual(['root-1', 'root-2']);
    expect(machine.git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(machine.git('rev-parse', 'root-6', 'root-5', 'upstream')).toBe(before);
    expect(machine.git('show', 'root-3:motd')).toBe('default 3');
    expect(machine.git('show', 'root-6^1:mine')).toBe('5');
    const history = await EtcHistory.open(machine.history);
    const subjects = (await history.log({ from: 'root-6' })).map(({ subject }) => subject);
    expect(subjects).toEqual(
      expect.arrayContaining(['Merge into root-6 (2)', 'Merge into root-5 (2)', 'Local /etc of root-4 before deploying root-5']),
    );
    expect(subjects).not.toContain('Merge into root-2 (2)');

    const n = machine.tree('defaults-7', { motd: 'default 7\n', big: 'y' });
    await machine.deploy('root-6', 'root-7', { d, u, n });
    expect(await gcEtcHistory(machine.history, 2, ['root-6', 'root-7'])).toMatchObject({ branchesDeleted: ['root-3', 'root-4'] });
    expect(machine.git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(await gcEtcHistory(machine.history, 2, ['root-6', 'root-7'])).toMatchObject({
      objectsDeleted: 0,
      branchesDeleted: [],
    });
  });
});
