/** Merging whole trees: attributes, policy, accounts, reports, properties, safety. Needs root, for owners and devices. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyEtcMerge,
  defaultEtcPolicy,
  listUnresolved,
  loadEtcPolicy,
  parseEtcPolicy,
  planEtcMerge,
  reportEtcPlan,
  resolveConflict,
} from '../../src/etc/index.ts';
import { type Entry, inTemporaryDir, mergeDirs, mergeTrees, readTree, type TreeEntries, treeOf, writeTree } from './trees.ts';

function outcomes(plan: ReturnType<typeof planEtcMerge>): Record<string, string> {
  return Object.fromEntries(plan.actions.filter(({ path }) => path !== '.').map(({ path, outcome }) => [path, outcome]));
}

describe('attributes', () => {
  it.each<[string, Entry, Entry, Entry, Entry, string]>([
    [
      'a chmod here, new content',
      { file: 'a', mode: 0o644 },
      { file: 'a', mode: 0o600 },
      { file: 'b', mode: 0o644 },
      { file: 'b', mode: 0o600 },
      'merged',
    ],
    [
      'new content here, a chmod of the default',
      { file: 'a', mode: 0o644 },
      { file: 'b', mode: 0o644 },
      { file: 'a', mode: 0o640 },
      { file: 'b', mode: 0o640 },
      'merged',
    ],
    [
      'owner here, group there',
      { file: 'a' },
      { file: 'a', uid: 7 },
      { file: 'a', gid: 9 },
      { file: 'a', uid: 7, gid: 9 },
      'merged',
    ],
    [
      'different modes',
      { file: 'a' },
      { file: 'a', mode: 0o600 },
      { file: 'a', mode: 0o640 },
      { file: 'a', mode: 0o600 },
      'conflict',
    ],
    [
      'set-user-ID kept with a new owner',
      { file: 'a', mode: 0o4755 },
      { file: 'a', mode: 0o4755, uid: 3 },
      { file: 'b', mode: 0o4755 },
      { file: 'b', mode: 0o4755, uid: 3 },
      'merged',
    ],
    [
      'a chmod of a directory alone',
      { dir: { x: '1' } },
      { dir: { x: '1' }, mode: 0o700 },
      { dir: { x: '2' } },
      { dir: { x: '2' }, mode: 0o700 },
      'keep-user',
    ],
    [
      'directory mode here, owner there',
      { dir: {} },
      { dir: {}, mode: 0o750 },
      { dir: {}, uid: 5 },
      { dir: {}, mode: 0o750, uid: 5 },
      'merged',
    ],
    [
      'xattrs of both',
      { file: 'a' },
      { file: 'a', xattrs: { 'user.u': '1' } },
      { file: 'a', xattrs: { 'user.n': '2' } },
      { file: 'a', xattrs: { 'user.n': '2', 'user.u': '1' } },
      'merged',
    ],
    [
      'an xattr removed here',
      { file: 'a', xattrs: { 'user.x': '1' } },
      { file: 'a' },
      { file: 'b', xattrs: { 'user.x': '1' } },
      { file: 'b' },
      'merged',
    ],
    [
      'different xattr values',
      { file: 'a' },
      { file: 'a', xattrs: { 'user.x': 'u' } },
      { file: 'a', xattrs: { 'user.x': 'n' } },
      { file: 'a', xattrs: { 'user.x': 'u' } },
      'conflict',
    ],
  ])('merges %s', (_, base, user, next, expected, outcome) => {
    const { plan, tree, warnings } = mergeTrees({ base: { p: base }, user: { p: user }, next: { p: next } });
    expect(tree).toEqual(treeOf({ p: expected }));
    expect(plan.actions.find(({ path }) => path === 'p')?.outcome).toBe(outcome);
    expect(warnings).toEqual([]);
  });

  it('merges those of /etc itself', () => {
    inTemporaryDir((dir) => {
      const [d, u, n] = ['D', 'U', 'N'].map((name) => path.join(dir, name)) as [string, string, string];
      for (const each of [d, u, n]) fs.mkdirSync(each, { mode: 0o755 });
      fs.chmodSync(u, 0o750);
      mergeDirs([d, u, n], path.join(dir, 'R'));
      expect(fs.statSync(path.join(dir, 'R')).mode & 0o7777).toBe(0o750);
    });
  });
});

describe('content', () => {
  it('merges text by lines and keeps an edit and a new default of the same file', () => {
    const base = 'Port 22\n\n# auth\nPermitRootLogin no\n\nX11Forwarding no\n';
    const { plan, tree } = mergeTrees({
      base: { sshd_config: base },
      user: { sshd_config: base.replace('Port 22', 'Port 2222') },
      next: { sshd_config: base.replace('X11Forwarding no', 'X11Forwarding yes') },
    });
    expect(tree.sshd_config).toContain('Port 2222\n');
    expect(tree.sshd_config).toContain('X11Forwarding yes\n');
    expect(outcomes(plan)).toEqual({ sshd_config: 'merged' });
  });

  it('does not merge binary files', () => {
    const sides = { base: { b: 'a\0\nx\ny\nz\n' }, user: { b: 'A\0\nx\ny\nz\n' }, next: { b: 'a\0\nx\ny\nZ\n' } };
    const { plan, tree } = mergeTrees(sides);
    expect(tree).toEqual(treeOf({ b: sides.user.b, 'b.hacktree-new': sides.next.b }));
    expect(outcomes(plan)).toEqual({ b: 'conflict' });
  });

  it('merges accounts, and keeps the new default beside when ids clash', () => {
    const root = 'root:x:0:0:root:/root:/bin/bash\n';
    const { plan, tree } = mergeTrees({
      base: { passwd: root },
      user: { passwd: `${root}svc:x:101:101::/srv:/bin/false\n` },
      next: { passwd: `${root}new:x:102:102::/:/bin/false\ntss:x:101:101::/:/bin/false\n` },
    });
    expect(tree.passwd).toBe(`file 0:0 644 ${root}new:x:102:102::/:/bin/false\nsvc:x:101:101::/srv:/bin/false\n`);
    expect(tree['passwd.hacktree-new']).toContain('tss:x:101');
    expect(plan.actions.find(({ path }) => path === 'passwd')).toMatchObject({
      outcome: 'conflict',
      beside: 'passwd.hacktree-new',
      details: ["uid 101 is 'svc' here and 'tss' in the new defaults; it was left out"],
    });
  });

  it('leaves files with the name of an account file elsewhere to the lines', () => {
    const { plan } = mergeTrees({
      base: { x: { dir: { passwd: 'a:1\n' } } },
      user: { x: { dir: { passwd: 'a:2\n' } } },
      next: { x: { dir: { passwd: 'a:3\n' } } },
    });
    expect(outcomes(plan)['x/passwd']).toBe('conflict');
  });
});

describe('policy', () => {
  const base = { 'machine-id': '', hostname: 'tree\n', motd: 'zero\n', '.updated': '1' };
  const user = { 'machine-id': 'abc\n', hostname: 'tree\n', motd: 'one\n', '.updated': '2' };
  const next = { 'machine-id': '', hostname: 'other\n', motd: 'two\n', '.updated': '3', fstab: 'new\n' };

  it('keeps the identity of the machine and drops stamps', () => {
    const { tree, plan } = mergeTrees({ base, user, next });
    expect(tree).toEqual(
      treeOf({ 'machine-id': 'abc\n', hostname: 'tree\n', motd: 'one\n', 'motd.hacktree-new': 'two\n', fstab: 'new\n' }),
    );
    expect(outcomes(plan)).toMatchObject({
      'machine-id': 'keep-user',
      hostname: 'keep-user',
      '.updated': 'removed',
      motd: 'conflict',
    });
  });

  it('follows the rules of the policy file in the old /etc', () => {
    const merged = (rules: string): Record<string, string> => mergeTrees({ base, user, next }, parseEtcPolicy(rules)).tree;
    expect(merged('motd new')).toMatchObject({ motd: 'file 0:0 644 two\n', 'motd.hacktree-user': 'file 0:0 644 one\n' });
    expect(merged('motd default').motd).toBe('file 0:0 644 two\n');
    expect(merged('motd user')).toMatchObject({ motd: 'file 0:0 644 one\n' });
    expect(merged('hostname merge').hostname).toBe('file 0:0 644 other\n');
    expect(() => merged('motd fail')).toThrow(expect.objectContaining({ code: 'etc-conflict' }));
    inTemporaryDir((dir) => {
      expect(loadEtcPolicy(dir).conflict).toBe('keep');
      writeTree(dir, { hacktree: { dir: { 'etc-policy.conf': 'motd what\n' } } });
      expect(() => loadEtcPolicy(dir)).toThrow(expect.objectContaining({ code: 'etc-policy' }));
    });
  });

  it('does not merge lines of what is to be taken whole', () => {
    const text = 'a\nb\nc\nd\n';
    const sides = { base: { f: text }, user: { f: text.replace('a', 'A') }, next: { f: text.replace('d', 'D') } };
    expect(outcomes(mergeTrees(sides).plan)).toEqual({ f: 'merged' });
    expect(outcomes(mergeTrees(sides, parseEtcPolicy('f whole')).plan)).toEqual({ f: 'conflict' });
  });
});

const dirsOf = (dir: string): { etcDir: string; defaultsDir: string } => ({ etcDir: dir, defaultsDir: dir });
const unresolvedOf = (dir: string): ReturnType<typeof listUnresolved> => listUnresolved(dirsOf(dir));

describe('conflicts left beside', () => {
  const first = { base: { f: '0' }, user: { f: 'u' }, next: { f: '1' } };

  it('survive the next update, are replaced by a newer default, and can be resolved', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      writeTree(at('D'), first.base);
      writeTree(at('U'), first.user);
      writeTree(at('N'), first.next);
      mergeDirs([at('D'), at('U'), at('N')], at('R1'));
      expect(unresolvedOf(at('R1'))).toEqual([{ path: 'f', beside: 'f.hacktree-new', kind: 'new', details: undefined }]);

      const again = mergeDirs([at('N'), at('R1'), at('N')], at('R2'));
      expect(again.tree).toEqual(readTree(at('R1')));

      writeTree(at('N3'), { f: '3' });
      const third = mergeDirs([at('N'), at('R2'), at('N3')], at('R3'));
      expect(third.tree).toEqual(treeOf({ f: 'u', 'f.hacktree-new': '3' }));

      resolveConflict(dirsOf(at('R3')), 'f', 'new');
      expect(readTree(at('R3'))).toEqual(treeOf({ f: '3' }));
      resolveConflict(dirsOf(at('R2')), 'f', 'keep');
      expect(readTree(at('R2'))).toEqual(treeOf({ f: 'u' }));
      expect(() => resolveConflict(dirsOf(at('R2')), 'f', 'keep')).toThrow(expect.objectContaining({ code: 'path-not-found' }));
    });
  });

  it("never replace an older one of the user's", () => {
    const policy = parseEtcPolicy('f new');
    const { tree } = mergeTrees({ base: { f: '0' }, user: { f: 'u', 'f.hacktree-user': 'older' }, next: { f: '1' } }, policy);
    expect(tree).toEqual(treeOf({ f: '1', 'f.hacktree-user': 'older', 'f.hacktree-user-2': 'u' }));
  });

  it('resolve between a file and a directory', () => {
    inTemporaryDir((dir) => {
      writeTree(dir, { p: { dir: { x: '1' } }, 'p.hacktree-user': 'mine' });
      expect(unresolvedOf(dir)).toEqual([{ path: 'p', beside: 'p.hacktree-user', kind: 'user', details: undefined }]);
      resolveConflict(dirsOf(dir), 'p', 'keep');
      expect(readTree(dir)).toEqual(treeOf({ p: 'mine' }));
    });
  });
});

describe('what is no file, directory or symlink', () => {
  it('is ignored and reported', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      for (const name of ['D', 'U', 'N']) writeTree(at(name), { a: '1' });
      execFileSync('mkfifo', [at('U/fifo')]);
      execFileSync('mknod', [at('U/device'), 'c', '1', '3']);
      fs.rmSync(at('U/a'));
      execFileSync('mkfifo', [at('U/a')]);
      writeTree(at('U'), { added: { dir: {} } });
      execFileSync('mkfifo', [at('U/added/fifo')]);
      const { plan, tree } = mergeDirs([at('D'), at('U'), at('N')], at('R'));
      expect(outcomes(plan)).toEqual({
        a: 'ignored',
        fifo: 'ignored',
        device: 'ignored',
        added: 'keep-user',
        'added/fifo': 'ignored',
      });
      expect(tree).toEqual(treeOf({ a: '1', added: { dir: {} } }));
    });
  });

  it('keeps names that are no UTF-8', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      for (const name of ['D', 'U', 'N']) writeTree(at(name), {});
      const name = Buffer.concat([Buffer.from(`${at('U')}/caf`), Buffer.from([0xe9])]);
      fs.mkdirSync(name, { mode: 0o700 });
      fs.writeFileSync(Buffer.concat([name, Buffer.from('/ü\n')]), 'x');
      writeTree(at('R'), {});
      const request = { defaultsDir: at('D'), userDir: at('U'), newDefaultsDir: at('N'), policy: defaultEtcPolicy() };
      applyEtcMerge(planEtcMerge(request), at('R'));
      const found = execFileSync('find', [at('R'), '-type', 'f'], { encoding: 'buffer' });
      expect(found.toString('latin1')).toContain(`caf\xe9/${Buffer.from('ü').toString('latin1')}\n`);
    });
  });
});

describe('safety', () => {
  it('never writes through symlinks that lead out of the new root', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      const outside = at('outside');
      const trap = (): Entry => ({ link: outside });
      writeTree(outside, { victim: 'untouched' });
      const before = readTree(outside);
      writeTree(at('D'), {
        a: { dir: { victim: '0' } },
        b: '0',
        c: { dir: { victim: '0' } },
        'd.hacktree-new': trap(),
        d: '0',
        e: trap(),
      });
      writeTree(at('U'), {
        a: { dir: { victim: 'u' } },
        b: { dir: { victim: 'u' } },
        c: trap(),
        d: 'u',
        e: { dir: { victim: 'u' } },
      });
      writeTree(at('N'), { a: trap(), b: trap(), c: { dir: { victim: '0' } }, 'd.hacktree-new': trap(), d: 'n', e: trap() });
      const { tree } = mergeDirs([at('D'), at('U'), at('N')], at('R'));
      expect(readTree(outside)).toEqual(before);
      expect(tree['a/victim']).toBe('file 0:0 644 u');
      expect(tree['b/victim']).toBe('file 0:0 644 u');
      expect(tree.c).toBe(`link 0:0 ${outside}`);
      expect(tree['d.hacktree-new']).toBe('file 0:0 644 n');
      expect(tree['e/victim']).toBe('file 0:0 644 u');
    });
  });

  it('refuses a target whose directories are not what was planned', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      writeTree(at('D'), { a: { dir: { f: '0' } } });
      writeTree(at('U'), { a: { dir: { f: 'u' } } });
      writeTree(at('N'), { a: { dir: { f: '0' } } });
      writeTree(at('outside'), { f: 'untouched' });
      writeTree(at('R'), { a: { link: at('outside') } });
      const request = { defaultsDir: at('D'), userDir: at('U'), newDefaultsDir: at('N'), policy: defaultEtcPolicy() };
      const plan = planEtcMerge(request);
      expect(() => applyEtcMerge(plan, at('R'))).toThrow(expect.objectContaining({ code: 'path-unsafe' }));
      expect(fs.readFileSync(at('outside/f'), 'utf8')).toBe('untouched');
      expect(() => planEtcMerge({ ...request, userDir: at('missing') })).toThrow(
        expect.objectContaining({ code: 'path-not-found' }),
      );
    });
  });

  it('makes a file anew rather than write a secret into one that others may have open, or one with another name', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      const defaults = {
        secret: 'long default text',
        linked: 'long default text',
        plain: { file: 'long default text', xattrs: { 'user.x': '1' } },
      };
      for (const name of ['D', 'N', 'R']) writeTree(at(name), defaults);
      writeTree(at('U'), { secret: { file: 'mine', mode: 0o600 }, linked: 'mine', plain: 'mine' });
      fs.utimesSync(at('U/plain'), 1_000_000_000, 1_000_000_000);
      fs.linkSync(at('R/linked'), at('other-name'));
      const opened = fs.openSync(at('R/secret'), 'r');
      const inode = fs.statSync(at('R/plain')).ino;
      const plan = planEtcMerge({ defaultsDir: at('D'), userDir: at('U'), newDefaultsDir: at('N'), policy: defaultEtcPolicy() });
      applyEtcMerge(plan, at('R'));
      expect(readTree(at('R'))).toEqual(readTree(at('U')));
      expect(fs.readFileSync(opened, 'utf8')).toBe('long default text');
      expect(fs.readFileSync(at('other-name'), 'utf8')).toBe('long default text');
      expect(fs.statSync(at('R/plain'))).toMatchObject({ ino: inode, mtimeMs: 1_000_000_000_000 });
      fs.closeSync(opened);
    });
  });

  it('changes one file where the copy of the new defaults has equal files as hard links', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      for (const name of ['D', 'N', 'R']) writeTree(at(name), { a: 'same', b: 'same' });
      writeTree(at('U'), { a: { file: 'same', mode: 0o600 }, b: 'same' });
      fs.writeFileSync(at('N/a'), 'newer');
      fs.writeFileSync(at('N/b'), 'newer');
      fs.rmSync(at('R/b'));
      fs.writeFileSync(at('R/a'), 'newer');
      fs.linkSync(at('R/a'), at('R/b'));
      applyEtcMerge(
        planEtcMerge({ defaultsDir: at('D'), userDir: at('U'), newDefaultsDir: at('N'), policy: defaultEtcPolicy() }),
        at('R'),
      );
      expect(readTree(at('R'))).toEqual(treeOf({ a: { file: 'newer', mode: 0o600 }, b: 'newer' }));
    });
  });

  it('goes on when a file vanishes between plan and apply', () => {
    inTemporaryDir((dir) => {
      const at = (name: string): string => path.join(dir, name);
      for (const name of ['D', 'N', 'R']) writeTree(at(name), {});
      writeTree(at('U'), { gone: '1', here: '2' });
      const plan = planEtcMerge({ defaultsDir: at('D'), userDir: at('U'), newDefaultsDir: at('N'), policy: defaultEtcPolicy() });
      fs.rmSync(at('U/gone'));
      expect(applyEtcMerge(plan, at('R')).warnings).toEqual(['gone vanished while it was being merged']);
      expect(readTree(at('R'))).toEqual(treeOf({ here: '2' }));
    });
  });
});

describe('properties', () => {
  const content = fc.constantFrom('0', '1', '2', 'a\nb\nc\nd\n', 'A\nb\nc\nd\n', 'a\nb\nc\nD\n', 'a\nb\nc\nd\ne\n');
  const file = fc.record({ file: content, mode: fc.constantFrom(0o644, 0o600, 0o755), uid: fc.constantFrom(0, 1) });
  const leaf = fc.oneof({ weight: 4, arbitrary: file }, { weight: 1, arbitrary: fc.constantFrom({ link: 'x' }, { link: 'y' }) });
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const inner: fc.Arbitrary<Entry> = fc.record({
    dir: fc.dictionary(name, leaf, { maxKeys: 3 }),
    mode: fc.constantFrom(0o755, 0o700),
  });
  const middle: fc.Arbitrary<Entry> = fc.record({
    dir: fc.dictionary(name, fc.oneof<fc.Arbitrary<Entry>[]>(leaf, inner), { maxKeys: 3 }),
    mode: fc.constantFrom(0o755, 0o711),
  });
  const tree: fc.Arbitrary<TreeEntries> = fc.dictionary(name, fc.oneof<fc.Arbitrary<Entry>[]>(leaf, inner, middle), {
    maxKeys: 4,
  });

  it('merge(D, U, D) = U and merge(D, D, N) = N', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        expect(mergeTrees({ base: a, user: b, next: a }).tree).toEqual(treeOf(b));
        expect(mergeTrees({ base: a, user: a, next: b }).tree).toEqual(treeOf(b));
      }),
      { numRuns: 80 },
    );
  });

  it('merging again changes nothing', () => {
    fc.assert(
      fc.property(tree, tree, tree, (base, user, next) => {
        inTemporaryDir((dir) => {
          const at = (name: string): string => path.join(dir, name);
          writeTree(at('D'), base);
          writeTree(at('U'), user);
          writeTree(at('N'), next);
          const once = mergeDirs([at('D'), at('U'), at('N')], at('R'));
          const twice = mergeDirs([at('N'), at('R'), at('N')], at('R2'));
          expect(twice.tree).toEqual(once.tree);
          applyEtcMerge(once.plan, at('R'));
          expect(readTree(at('R'))).toEqual(once.tree);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('no change of the user is lost without being named in the report', () => {
    fc.assert(
      fc.property(tree, tree, tree, fc.constantFrom('keep' as const, 'new' as const), (base, user, next, conflict) => {
        const { plan, tree: result } = mergeTrees({ base, user, next }, parseEtcPolicy('', { conflict }));
        const [d, u] = [treeOf(base), treeOf(user)];
        const { actions } = reportEtcPlan(plan);
        const named = (at: string): boolean =>
          at !== '.' &&
          (actions.some((action) => action.path === at && action.outcome !== 'take-new') || named(path.dirname(at)));
        for (const at of new Set([...Object.keys(d), ...Object.keys(u)])) {
          if (d[at] === u[at] || result[at] === u[at]) continue;
          expect({ at, isNamed: named(at) }).toEqual({ at, isNamed: true });
        }
        for (const { beside } of actions) if (beside !== undefined) expect(Object.keys(result)).toContain(beside);
      }),
      { numRuns: 80 },
    );
  });
});
