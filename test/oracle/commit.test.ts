/** commit against the real ostree: the same checksums for the same options, repositories that ostree accepts and extends. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Checksum } from '../../src/core/index.ts';
import {
  type CommitOptions,
  commit,
  initRepo,
  listObjects,
  loadFile,
  lookupPath,
  openRepo,
  parseSkipList,
  parseStatOverrides,
  type Repo,
  resolveRev,
} from '../../src/repo/index.ts';
import { initOstreeRepo, ostree, ostreeCommit, ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { makePolicy } from '../helpers/selinux.ts';
import { makeSmallTree, makeVectorTree } from '../helpers/trees.ts';

const withOstree = requireTool('ostree', 'tar', 'xz', 'zstd', 'bzip2') && requireRoot() ? it : it.skip;

const MODES = ['bare', 'bare-user', 'bare-user-only', 'archive'] as const;
const FIXED = { branch: 'main', subject: 'test', timestampSec: 1700000000n, fsync: false } as const;

interface Pair {
  readonly dir: string;
  readonly repo: Repo;
  readonly oracle: string;
}

function pair(mode: string): Pair {
  const dir = scratchDir();
  const oracle = join(dir, 'oracle');
  initOstreeRepo(oracle, mode);
  return { dir, repo: initRepo(join(dir, 'repo'), { mode }), oracle };
}

async function commitDir(repo: Repo, path: string, options: Partial<CommitOptions> = {}): Promise<string> {
  return (await commit(repo, { ...FIXED, trees: [{ kind: 'dir', path }], ...options })).commit;
}

/** Checksum of a file in a commit. */
function fileIn(repo: Repo, rev: string, path: string): Checksum {
  const node = lookupPath(repo, rev as Checksum, path);
  if (node.kind !== 'file') throw new Error(`${path} is a directory`);
  return node.checksum;
}

const objectNames = (path: string): string[] =>
  [...listObjects(openRepo(path))].map(({ checksum, type }) => `${checksum}.${type}`).sort();

describe('commit of a directory', () => {
  for (const mode of MODES) {
    for (const threads of [0, 2]) {
      withOstree(`gives ostree's checksum and objects in ${mode}, ${threads} threads`, async () => {
        const { dir, repo, oracle } = pair(mode);
        makeSmallTree(join(dir, 't'));
        expect(await commitDir(repo, join(dir, 't'), { threads })).toBe(ostreeCommit(oracle, join(dir, 't')));
        expect(objectNames(repo.path)).toEqual(objectNames(oracle));
        expect(ostreeFsck(repo.path)).toBe('');
      });
    }
  }

  withOstree('gives the checksums of the test vectors', async () => {
    const { dir, repo } = pair('bare');
    makeVectorTree(join(dir, 't'));
    const texts = { subject: 'Subject line', body: 'Body text', metadataStrings: [['version', '1.0']] as const };
    expect(await commitDir(repo, join(dir, 't'), texts)).toBe('234e6f49923c15733fe2ab1de34661c3c931f7674c9f8e6435caa141db1eca19');
  });

  withOstree('gives the checksum of a bootable commit', async () => {
    const { dir, repo } = pair('bare');
    fs.mkdirSync(join(dir, 'bt/usr/lib/modules/5.1'), { recursive: true });
    fs.writeFileSync(join(dir, 'bt/usr/lib/modules/5.1/vmlinuz'), 'k\n');
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', join(dir, 'bt')]);
    const options = {
      subject: 'x',
      bootable: true,
      metadataStrings: [['version', '1']] as const,
      noXattrs: true,
      ownerUid: 0,
      ownerGid: 0,
    };
    expect(await commitDir(repo, join(dir, 'bt'), options)).toBe(
      'c678d1c04125bcba8a705327711ff99419af033763978e93dfe798db8ec0fbef',
    );
  });

  const variants: [string, Partial<CommitOptions>, string[]][] = [
    ['owners', { ownerUid: 7, ownerGid: 8 }, ['--owner-uid=7', '--owner-gid=8']],
    ['canonical permissions', { canonicalPermissions: true }, ['--canonical-permissions']],
    ['no xattrs', { noXattrs: true }, ['--no-xattrs']],
    ['read-only executables', { readOnlyExecutables: true }, ['--mode-ro-executables']],
    ['no bindings', { bindings: false }, ['--no-bindings']],
    ['more bindings', { bindRefs: ['zz', 'aa'] }, ['--bind-ref=zz', '--bind-ref=aa']],
    ['body', { body: 'some\ntext' }, ['--body=some\ntext']],
    [
      'metadata',
      {
        metadataStrings: [
          ['b', '1'],
          ['a', 'ä'],
        ],
        metadata: [['n', { type: 'u', value: 5 }]],
      },
      ['--add-metadata-string=b=1', '--add-metadata-string=a=ä', '--add-metadata=n=uint32 5'],
    ],
  ];
  for (const mode of ['bare', 'bare-user-only', 'archive']) {
    for (const [name, options, args] of variants) {
      withOstree(`${name} in ${mode}`, async () => {
        const { dir, repo, oracle } = pair(mode);
        makeVectorTree(join(dir, 't'));
        expect(await commitDir(repo, join(dir, 't'), options)).toBe(ostreeCommit(oracle, join(dir, 't'), ...args));
      });
    }
  }

  withOstree('sizes', async () => {
    const { dir, repo, oracle } = pair('archive');
    makeVectorTree(join(dir, 't'));
    expect(await commitDir(repo, join(dir, 't'), { generateSizes: true })).toBe(
      ostreeCommit(oracle, join(dir, 't'), '--generate-sizes'),
    );
  });

  withOstree('a collection binding', async () => {
    const { dir, repo, oracle } = pair('archive');
    ostree(oracle, 'config', 'set', 'core.collection-id', 'org.example.Os');
    initRepo(repo.path, { mode: 'archive', collectionId: 'org.example.Os' });
    makeVectorTree(join(dir, 't'));
    expect(await commitDir(openRepo(repo.path), join(dir, 't'))).toBe(ostreeCommit(oracle, join(dir, 't')));
  });

  withOstree('overrides and skips, and complaints about unmatched ones', async () => {
    const { dir, repo, oracle } = pair('bare');
    makeVectorTree(join(dir, 't'));
    fs.writeFileSync(join(dir, 'so'), '+2048 /usr/bin/tool\n=448 /empty\n');
    fs.writeFileSync(join(dir, 'sl'), '/zero\n/link\n');
    const options = {
      statOverrides: parseStatOverrides(fs.readFileSync(join(dir, 'so'), 'utf8'), 'so'),
      skipList: parseSkipList(fs.readFileSync(join(dir, 'sl'), 'utf8')),
    };
    const expected = ostreeCommit(oracle, join(dir, 't'), `--statoverride=${join(dir, 'so')}`, `--skip-list=${join(dir, 'sl')}`);
    for (let round = 0; round < 2; round++) {
      expect(await commitDir(repo, join(dir, 't'), { ...options, parent: 'none' })).toBe(expected);
    }
    await expect(commitDir(repo, join(dir, 't'), { skipList: new Set(['/nothing']) })).rejects.toMatchObject({ code: 'usage' });
  });

  withOstree('keeps metadata of the parent, and follows the branch', async () => {
    const { dir, repo, oracle } = pair('bare');
    makeVectorTree(join(dir, 't'));
    await commitDir(repo, join(dir, 't'), { metadataStrings: [['k', 'v']] });
    ostreeCommit(oracle, join(dir, 't'), '--add-metadata-string=k=v');
    fs.writeFileSync(join(dir, 't/new'), 'x');
    expect(await commitDir(repo, join(dir, 't'), { keepMetadata: ['k'] })).toBe(
      ostreeCommit(oracle, join(dir, 't'), '--keep-metadata=k'),
    );
  });
});

describe('SELinux labels', () => {
  // Without other xattrs: 2022.7 appends the label to them, later versions and hacktree sort (ostree-format 3).
  withOstree('are those that ostree gives, by a policy or by that of the base', async () => {
    const { dir, repo, oracle } = pair('archive');
    fs.mkdirSync(join(dir, 't/usr/bin'), { recursive: true });
    fs.writeFileSync(join(dir, 't/usr/bin/tool'), 'tool');
    fs.writeFileSync(join(dir, 't/a'), 'a');
    fs.symlinkSync('a', join(dir, 't/usr/lib'));
    const policy = join(dir, 'policy');
    makePolicy(policy);
    // ostree wants the compiled policy to be there, and only hashes it
    fs.mkdirSync(join(policy, 'etc/selinux/small/policy'));
    fs.writeFileSync(join(policy, 'etc/selinux/small/policy/policy.33'), 'compiled');
    const expected = ostreeCommit(oracle, join(dir, 't'), `--selinux-policy=${policy}`);
    expect(await commitDir(repo, join(dir, 't'), { selinuxPolicy: policy })).toBe(expected);
    expect(await commitDir(repo, join(dir, 't'), { selinuxPolicy: policy, parent: 'none', threads: 2 })).toBe(expected);
    expect(loadFile(repo, fileIn(repo, expected, '/usr/bin/tool')).header.xattrs.map(({ value }) => `${value}`)).toEqual([
      'tool_t\0',
    ]);
    await commitDir(repo, policy, { branch: 'base' });
    const fromBase = await commitDir(repo, join(dir, 't'), { branch: 'other', base: 'base', selinuxPolicyFromBase: true });
    expect(loadFile(repo, fileIn(repo, fromBase, '/usr/bin/tool')).header.xattrs.map(({ value }) => `${value}`)).toEqual([
      'tool_t\0',
    ]);
  });
});

describe('layers', () => {
  const layers = async (options: Partial<CommitOptions>, args: string[]): Promise<void> => {
    const { dir, repo, oracle } = pair('bare');
    makeVectorTree(join(dir, 't'));
    fs.mkdirSync(join(dir, 'u/usr/share'), { recursive: true });
    fs.writeFileSync(join(dir, 'u/usr/share/doc'), 'doc\n');
    fs.writeFileSync(join(dir, 'u/zero'), 'not zero\n');
    fs.chmodSync(join(dir, 'u'), 0o711);
    await commitDir(repo, join(dir, 't'), { branch: 'base' });
    ostreeCommit(oracle, join(dir, 't'), '--branch=base');
    const trees = (options.trees ?? []).map((tree) => (tree.kind === 'ref' ? tree : { ...tree, path: join(dir, tree.path) }));
    const found = await commit(repo, { ...FIXED, ...options, trees });
    const given = args.map((arg) => arg.replace('DIR', dir));
    expect(found.commit).toBe(ostree(oracle, 'commit', '--branch=main', '--subject=test', '--timestamp=@1700000000', ...given));
    expect(ostreeFsck(repo.path)).toBe('');
    expect(objectNames(repo.path)).toEqual(objectNames(oracle));
  };

  withOstree('of two directories', () =>
    layers(
      {
        trees: [
          { kind: 'dir', path: 't' },
          { kind: 'dir', path: 'u' },
        ],
      },
      ['--tree=dir=DIR/t', '--tree=dir=DIR/u'],
    ),
  );
  withOstree('of a revision and a directory', () =>
    layers(
      {
        trees: [
          { kind: 'ref', rev: 'base' },
          { kind: 'dir', path: 'u' },
        ],
      },
      ['--tree=ref=base', '--tree=dir=DIR/u'],
    ),
  );
  withOstree('of a revision with other owners', () =>
    layers({ trees: [{ kind: 'ref', rev: 'base' }], ownerUid: 3 }, ['--tree=ref=base', '--owner-uid=3']),
  );
  withOstree('on a base', () =>
    layers({ base: 'base', trees: [{ kind: 'dir', path: 'u' }] }, ['--base=base', '--tree=dir=DIR/u']),
  );
});

describe('tar', () => {
  const COMPRESSORS: [string, string[]][] = [
    ['none', []],
    ['gzip', ['-z']],
    ['xz', ['-J']],
    ['zstd', ['--zstd']],
    ['bzip2', ['-j']],
  ];
  for (const [name, flags] of COMPRESSORS) {
    withOstree(`is the same as its directory (${name})`, async () => {
      const { dir, repo } = pair('bare');
      makeSmallTree(join(dir, 't'));
      fs.rmSync(join(dir, 't/xattrs/empty-value'), { force: true });
      const file = join(dir, 't.tar');
      runOk('tar', ['-C', join(dir, 't'), '--xattrs', '--xattrs-include=*', '--format=pax', ...flags, '-cf', file, '.']);
      const fromDir = await commitDir(repo, join(dir, 't'), { parent: 'none' });
      const fromTar = await commit(repo, { ...FIXED, parent: 'none', trees: [{ kind: 'tar', path: file }] });
      expect(fromTar.commit).toBe(fromDir);
    });
  }

  withOstree('gives what ostree gives, with missing parents and renamed paths', async () => {
    const { dir, repo, oracle } = pair('archive');
    makeVectorTree(join(dir, 't'));
    runOk('tar', ['-C', join(dir, 't'), '-cf', join(dir, 't.tar'), 'usr/bin/tool', 'zero']);
    const trees = [{ kind: 'tar', path: join(dir, 't.tar') }] as const;
    const filter = { pattern: '^usr', replacement: 'opt' };
    const found = await commit(repo, { ...FIXED, trees, tarAutocreateParents: true, tarPathnameFilter: filter });
    const args = ['--tar-autocreate-parents', '--tar-pathname-filter=^usr,opt', `--tree=tar=${join(dir, 't.tar')}`];
    expect(found.commit).toBe(ostree(oracle, 'commit', '--branch=main', '--subject=test', '--timestamp=@1700000000', ...args));
    await expect(commit(repo, { ...FIXED, trees })).rejects.toMatchObject({ code: 'tar-invalid' });
  });

  withOstree('that is cut is an error, and publishes nothing', async () => {
    const { dir, repo } = pair('bare');
    makeSmallTree(join(dir, 't'));
    runOk('tar', ['-C', join(dir, 't'), '-czf', join(dir, 't.tar.gz'), '.']);
    fs.truncateSync(join(dir, 't.tar.gz'), 100_000);
    await expect(commit(repo, { ...FIXED, trees: [{ kind: 'tar', path: join(dir, 't.tar.gz') }] })).rejects.toMatchObject({
      code: 'tar-invalid',
    });
    expect(objectNames(repo.path)).toEqual([]);
  });
});

describe('working together', () => {
  withOstree('either tool continues what the other began', async () => {
    for (const mode of MODES) {
      const { dir, repo } = pair(mode);
      makeVectorTree(join(dir, 't'));
      const first = await commitDir(repo, join(dir, 't'));
      fs.writeFileSync(join(dir, 't/second'), '2');
      const second = ostreeCommit(repo.path, join(dir, 't'));
      expect(ostree(repo.path, 'rev-parse', `${second}^`)).toBe(first);
      fs.writeFileSync(join(dir, 't/third'), '3');
      const third = await commitDir(repo, join(dir, 't'));
      expect(ostree(repo.path, 'rev-parse', 'main', 'main^', 'main^^').split('\n')).toEqual([third, second, first]);
      expect(resolveRev(repo, 'main^')).toBe(second);
      expect(ostreeFsck(repo.path)).toBe('');
    }
  });

  withOstree('a staging directory that ostree left is taken over', async () => {
    const { dir, repo } = pair('bare');
    makeVectorTree(join(dir, 't'));
    const broken = run('ostree', [`--repo=${repo.path}`, 'commit', '-b', 'main', join(dir, 't')], {
      env: { OSTREE_REPO_TEST_ERROR: 'pre-commit' },
    });
    expect(broken.status).not.toBe(0);
    await commitDir(repo, join(dir, 't'));
    expect(fs.readdirSync(join(repo.path, 'tmp'))).toEqual(['cache']);
    expect(ostreeFsck(repo.path)).toBe('');
  });

  withOstree('ostree passes over what an interrupted hacktree staged', async () => {
    for (const mode of MODES) {
      const { dir, repo } = pair(mode);
      makeVectorTree(join(dir, 't'));
      const broken = { ...repo, testErrors: new Set(['pre-commit'] as const) };
      await expect(commitDir(broken, join(dir, 't'))).rejects.toMatchObject({ code: 'test-error' });
      const [staging] = fs.readdirSync(join(repo.path, 'tmp')).filter((name) => /^staging-.*(?<!-lock)$/.test(name));
      // As if the process had been killed at its work.
      const objects = fs.readdirSync(join(repo.path, 'tmp', `${staging}`), { recursive: true }).map(String);
      const files = objects.filter((name) => /\.filez?$/.test(name)).map((name) => join(repo.path, 'tmp', `${staging}`, name));
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) if (fs.lstatSync(file).isFile()) fs.writeFileSync(file, 'cut');
      ostreeCommit(repo.path, join(dir, 't'));
      expect(ostreeFsck(repo.path)).toBe('');
      expect(fs.readdirSync(join(repo.path, 'tmp'))).toEqual(['cache']);
    }
  });

  withOstree('two processes commit at once', async () => {
    const { dir, repo } = pair('bare');
    makeSmallTree(join(dir, 't'));
    fs.cpSync(join(dir, 't'), join(dir, 'u'), { recursive: true, verbatimSymlinks: true });
    fs.writeFileSync(join(dir, 'u/other'), 'other');
    const [a, b] = await Promise.all([
      commitDir(repo, join(dir, 't')),
      commitDir(openRepo(repo.path), join(dir, 'u'), { branch: 'other' }),
    ]);
    expect([resolveRev(repo, 'main'), resolveRev(repo, 'other')]).toEqual([a, b]);
    expect(ostreeFsck(repo.path)).toBe('');
  });
});
