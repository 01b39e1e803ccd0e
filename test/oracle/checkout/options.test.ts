/** Subpaths, whiteouts, skip lists, pairs and labels: what ostree gives for the same request. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CheckoutOptions, checkout, checkoutMany, parseCheckoutPairs, parseSkipList } from '../../../src/checkout/index.ts';
import { openRepo } from '../../../src/repo/index.ts';
import { setXattr } from '../../../src/sys/index.ts';
import { listCheckout } from '../../helpers/checkouts.ts';
import { initOstreeRepo, ostreeCommit } from '../../helpers/oracle.ts';
import { requireRoot, requireTool, run, runOk } from '../../helpers/run.ts';
import { scratchDir } from '../../helpers/scratch.ts';
import { makePolicy } from '../../helpers/selinux.ts';

const withOstree = requireTool('ostree') && requireRoot() ? it : it.skip;

let dir: string;
let repo: string;
let theirRepo: string;

beforeEach(() => {
  dir = scratchDir();
  [repo, theirRepo] = [join(dir, 'repo'), join(dir, 'their-repo')];
});

function commitTree(makeTree: (tree: string) => void): void {
  makeTree(join(dir, 'tree'));
  initOstreeRepo(repo);
  ostreeCommit(repo, join(dir, 'tree'));
  runOk('cp', ['-a', repo, theirRepo]);
}

const write = (path: string, text = path): void => {
  fs.mkdirSync(join(path, '..'), { recursive: true });
  fs.writeFileSync(path, text);
};

function makeTree(tree: string): void {
  for (const name of ['usr/bin/tool', 'usr/bin/passwd', 'usr/lib/a.so', 'etc/passwd', 'etc/deep/er/file', 'top'])
    write(join(tree, name), name);
  write(join(tree, 'usr/zero'), '');
  fs.symlinkSync('bin', join(tree, 'usr/sbin'));
  fs.chmodSync(join(tree, 'usr'), 0o711);
}

/** Runs both; the reference's failure must be ours too. Returns the code of our error. */
async function compare(
  options: CheckoutOptions,
  flags: readonly string[],
  prepare?: (dest: string) => void,
): Promise<string | undefined> {
  const [ours, theirs] = [join(dir, 'out'), join(dir, 'their-out')];
  for (const dest of [ours, theirs]) prepare?.(dest);
  const { status } = run('ostree', [`--repo=${theirRepo}`, 'checkout', ...flags, 'main', theirs]);
  const request = { rev: 'main', destination: ours, options };
  if (status !== 0) {
    const error = await checkout(openRepo(repo), request).catch((cause: unknown) => cause);
    return (error as { code?: string }).code ?? 'no error';
  }
  await checkout(openRepo(repo), request);
  expect(fs.existsSync(ours)).toBe(fs.existsSync(theirs));
  if (fs.existsSync(ours)) expect(listCheckout(ours)).toEqual(listCheckout(theirs));
  return undefined;
}

describe('--subpath', () => {
  const found = ['/usr', 'usr/bin', '/usr/bin/tool', 'top', '/usr/sbin', '/usr/zero', '/'];
  withOstree.each(found)('%s', async (subpath) => {
    commitTree(makeTree);
    expect(await compare({ subpath }, [`--subpath=${subpath}`])).toBeUndefined();
  });

  withOstree.each(['/nothing', '/usr/nothing/x', '/top/x', '/usr/sbin/tool', '/usr/../etc'])(
    '%s is not there',
    async (subpath) => {
      commitTree(makeTree);
      expect(await compare({ subpath }, [`--subpath=${subpath}`])).toBe('path-not-found');
      expect(fs.existsSync(join(dir, 'out'))).toBe(false);
    },
  );

  withOstree('--allow-noent', async () => {
    commitTree(makeTree);
    expect(await compare({ subpath: '/nothing', allowMissing: true }, ['--subpath=/nothing', '--allow-noent'])).toBeUndefined();
    expect(await compare({ subpath: '/top/x', allowMissing: true }, ['--subpath=/top/x', '--allow-noent'])).toBe(
      'path-not-found',
    );
  });

  withOstree('a file goes into an existing directory, but over no file without --union', async () => {
    commitTree(makeTree);
    const prepare = (dest: string): void => void fs.mkdirSync(dest, { recursive: true });
    expect(await compare({ subpath: '/top' }, ['--subpath=/top'], prepare)).toBeUndefined();
    expect(await compare({ subpath: '/top' }, ['--subpath=/top'], prepare)).toBe('checkout-exists');
    fs.rmSync(join(dir, 'out/top'));
    fs.rmSync(join(dir, 'their-out/top'));
    for (const out of ['out', 'their-out']) fs.writeFileSync(join(dir, out, 'top'), 'old');
    expect(await compare({ subpath: '/top', union: 'replace' }, ['--subpath=/top', '--union'], prepare)).toBeUndefined();
  });
});

describe('--skip-list', () => {
  const lists: [string, string][] = [
    ['files and directories', '/usr/bin/\n/etc/passwd\n/usr/lib/a.so\n'],
    ['a directory without its slash stays', '/usr/bin\n/etc\n'],
    ['not from the root', 'usr/bin/\ntop\n'],
    ['everything', '/\n'],
    ['empty lines', '\n\n/top\n'],
  ];
  withOstree.each(lists)('%s', async (_, text) => {
    commitTree(makeTree);
    fs.writeFileSync(join(dir, 'list'), text);
    expect(await compare({ skip: parseSkipList(text) }, [`--skip-list=${join(dir, 'list')}`])).toBeUndefined();
  });

  withOstree('counts from the subpath', async () => {
    commitTree(makeTree);
    fs.writeFileSync(join(dir, 'list'), '/usr/bin/\n/bin/tool\n');
    const skip = ['/usr/bin/', '/bin/tool'];
    expect(await compare({ skip, subpath: '/usr' }, [`--skip-list=${join(dir, 'list')}`, '--subpath=/usr'])).toBeUndefined();
  });
});

function makeLayer(tree: string): void {
  write(join(tree, 'd/.wh..wh..opq'), '');
  write(join(tree, 'd/new'));
  for (const name of ['gone', 'gone-dir', 'link', 'nothing', 'changed']) write(join(tree, `.wh.${name}`), '');
  write(join(tree, 'changed'));
  fs.mkdirSync(join(tree, '.wh.folder'));
}

function makeLower(dest: string): void {
  for (const name of ['d/old', 'd/deep/er', 'gone', 'gone-dir/x/y', 'kept', 'changed']) write(join(dest, name), name);
  fs.symlinkSync('/', join(dest, 'link'));
  fs.chownSync(join(dest, 'd'), 3, 3);
  fs.chmodSync(join(dest, 'd'), 0o700);
  setXattr(join(dest, 'd'), 'user.old', Buffer.from('old'));
}

describe('--whiteouts', () => {
  const cases: [string, CheckoutOptions, string[], ((dest: string) => void) | undefined][] = [
    ['--union', { union: 'replace' }, ['--union'], makeLower],
    ['--union-add', { union: 'add' }, ['--union-add'], makeLower],
    ['into a fresh directory', {}, [], undefined],
  ];
  withOstree.each(cases)('%s', async (_, options, flags, prepare) => {
    commitTree(makeLayer);
    expect(await compare({ ...options, whiteouts: true }, ['--whiteouts', ...flags], prepare)).toBeUndefined();
  });

  withOstree('one that names nothing', async () => {
    commitTree((tree) => write(join(tree, 'd/.wh.')));
    expect(await compare({ whiteouts: true }, ['--whiteouts'])).toBe('path-unsafe');
    expect(fs.readdirSync(dir)).not.toContain('out');
  });
});

function makeDevices(tree: string): void {
  write(join(tree, 'd/.ostree-wh.gone'), 'x');
  write(join(tree, '.ostree-wh.empty'), '');
  fs.symlinkSync('x', join(tree, '.ostree-wh.link'));
  fs.chownSync(join(tree, 'd/.ostree-wh.gone'), 3, 4);
  fs.chmodSync(join(tree, 'd/.ostree-wh.gone'), 0o666);
  setXattr(join(tree, 'd/.ostree-wh.gone'), 'trusted.x', Buffer.from('y'));
}

describe('--process-passthrough-whiteouts', () => {
  const cases: [string, CheckoutOptions, string[], ((dest: string) => void) | undefined][] = [
    ['into a fresh directory', {}, [], undefined],
    ['-U', { userMode: true }, ['-U'], undefined],
    ['-C', { forceCopy: true }, ['-C'], undefined],
    ['--union over a file', { union: 'replace' }, ['--union'], (dest) => write(join(dest, 'd/gone'), 'old')],
    ['--union-add over a file', { union: 'add' }, ['--union-add'], (dest) => write(join(dest, 'd/gone'), 'old')],
    ['--union over a directory', { union: 'replace' }, ['--union'], (dest) => write(join(dest, 'd/gone/x'), 'old')],
  ];
  withOstree.each(cases)('%s', async (name, options, flags, prepare) => {
    commitTree(makeDevices);
    const code = await compare(
      { ...options, passthroughWhiteouts: true },
      ['--process-passthrough-whiteouts', ...flags],
      prepare,
    );
    expect(code).toBe(name.endsWith('directory') && prepare !== undefined ? 'checkout-exists' : undefined);
  });
});

describe('pairs', () => {
  const texts: [string, string, CheckoutOptions, string[]][] = [
    ['one', 'main\0/usr\0', {}, []],
    ['without a NUL at the end', 'main\0/usr', {}, []],
    ['without a subpath', 'main\0', {}, []],
    ['two, --union', 'main\0/usr\0main\0/etc\0', { union: 'replace' }, ['--union']],
    ['two files', 'main\0/top\0main\0/etc/passwd\0', {}, []],
    ['none', '', {}, []],
    ['a missing one, --allow-noent', 'main\0/nothing\0main\0/usr\0', { allowMissing: true }, ['--allow-noent']],
  ];
  withOstree.each(texts)('%s', async (_, text, options, flags) => {
    commitTree(makeTree);
    runOk('ostree', [`--repo=${theirRepo}`, 'checkout', '--from-stdin', ...flags, join(dir, 'their-out')], { input: text });
    await checkoutMany(openRepo(repo), parseCheckoutPairs(text), { destination: join(dir, 'out'), options });
    expect(fs.existsSync(join(dir, 'out'))).toBe(fs.existsSync(join(dir, 'their-out')));
    if (text !== '') expect(listCheckout(join(dir, 'out'))).toEqual(listCheckout(join(dir, 'their-out')));
  });
});

/** Labels of regular files: ostree leaves those of directories and symlinks to a kernel with SELinux. */
const labelled = (root: string): string[] => listCheckout(root).filter((line) => / 100[0-7]{3} /.test(line));

describe('--selinux-policy', () => {
  const cases: [string, CheckoutOptions, string[]][] = [
    ['the whole tree', {}, []],
    ['a part of it', { subpath: '/usr' }, ['--subpath=/usr']],
    ['a file', { subpath: '/usr/bin/passwd' }, ['--subpath=/usr/bin/passwd']],
    ['a prefix', { selinuxPrefix: '/usr' }, ['--selinux-prefix=/usr']],
    ['a part with a prefix', { subpath: '/etc', selinuxPrefix: '/usr/lib/' }, ['--subpath=/etc', '--selinux-prefix=/usr/lib/']],
    [
      'a file with a prefix',
      { subpath: '/usr/bin/tool', selinuxPrefix: '/mnt' },
      ['--subpath=/usr/bin/tool', '--selinux-prefix=/mnt'],
    ],
    ['-U', { userMode: true }, ['-U']],
  ];
  withOstree.each(cases)('%s', async (_, options, flags) => {
    commitTree(makeTree);
    makePolicy(join(dir, 'policy'));
    write(join(dir, 'policy/etc/selinux/small/policy/policy.33'), 'x');
    const [ours, theirs] = [join(dir, 'out'), join(dir, 'their-out')];
    runOk('ostree', [`--repo=${theirRepo}`, 'checkout', `--selinux-policy=${join(dir, 'policy')}`, ...flags, 'main', theirs]);
    const all = { ...options, selinuxPolicy: join(dir, 'policy') };
    await checkout(openRepo(repo), { rev: 'main', destination: ours, options: all });
    expect(labelled(ours)).toEqual(labelled(theirs));
    expect(labelled(ours).length).toBeGreaterThan(0);
    expect(labelled(ours).every((line) => line.includes('security.selinux='))).toBe(options.userMode !== true);
  });

  withOstree('labels directories and symlinks too', async () => {
    commitTree(makeTree);
    makePolicy(join(dir, 'policy'));
    const options = { selinuxPolicy: join(dir, 'policy') };
    await checkout(openRepo(repo), { rev: 'main', destination: join(dir, 'out'), options });
    const labels = new Map(
      listCheckout(join(dir, 'out')).map((line) => {
        const value = /security\.selinux=([0-9a-f]+)/.exec(line)?.[1] ?? '';
        return [line.split(' ')[0], Buffer.from(value, 'hex').toString()];
      }),
    );
    expect(labels.get('/')).toBe('default_t');
    expect(labels.get('/usr')).toBe('usr_t');
    expect(labels.get('/usr/sbin')).toBe('bin_t');
    expect(labels.get('/usr/lib')).toBe('lib_t');
  });

  withOstree('wants a policy', async () => {
    commitTree(makeTree);
    const request = (options: CheckoutOptions) =>
      checkout(openRepo(repo), { rev: 'main', destination: join(dir, 'out'), options });
    await expect(request({ selinuxPolicy: dir })).rejects.toMatchObject({ code: 'selinux-policy' });
    await expect(request({ selinuxPrefix: '/x' })).rejects.toMatchObject({ code: 'usage' });
    expect(fs.readdirSync(dir)).not.toContain('out');
  });
});
