/** On btrfs and XFS content that the repository has under other metadata is shared, not written again. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { addRemote, pull, updateSummary } from '../../src/remote/index.ts';
import { commit, initRepo, openRepo } from '../../src/repo/index.ts';
import { startNginx } from '../helpers/nginx.ts';
import { ostreeFsck } from '../helpers/oracle.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { noise } from '../helpers/trees.ts';

const withTools = requireTool('mkfs.btrfs', 'mkfs.xfs', 'mount', 'ostree', 'nginx') && requireRoot() ? it : it.skip;

const MAKE: Record<string, string[]> = { btrfs: ['mkfs.btrfs', '-q', '-f'], xfs: ['mkfs.xfs', '-q', '-f', '-m', 'reflink=1'] };

/** Runs a test on a new file system. */
async function onNew(kind: string, test: (path: string) => Promise<void>): Promise<void> {
  const dir = scratchDir();
  const [image, path] = [join(dir, 'image'), join(dir, 'mount')];
  fs.mkdirSync(path);
  fs.closeSync(fs.openSync(image, 'w'));
  fs.truncateSync(image, 400 << 20);
  const [program = '', ...args] = MAKE[kind] ?? [];
  runOk(program, [...args, image]);
  runOk('mount', ['-o', 'loop', image, path]);
  try {
    await test(path);
  } finally {
    runOk('umount', [path]);
  }
}

function usedBytes(path: string): number {
  runOk('sync', ['-f', path]);
  const { blocks, bfree, bsize } = fs.statfsSync(path);
  return (blocks - bfree) * bsize;
}

function makeTree(): string {
  const tree = join(scratchDir(), 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < 20; i++) fs.writeFileSync(join(tree, `file-${i}`), noise(500_000, `${i}`));
  fs.writeFileSync(join(tree, 'large'), noise(5_000_000, 'large'));
  return tree;
}

function changeModes(tree: string): void {
  for (const name of fs.readdirSync(tree)) fs.chmodSync(join(tree, name), 0o700);
}

describe('a commit of the same content under other metadata', () => {
  for (const kind of Object.keys(MAKE)) {
    withTools(`writes nothing again on ${kind}`, () =>
      onNew(kind, async (path) => {
        const tree = makeTree();
        const repo = initRepo(join(path, 'repo'), { mode: 'bare' });
        const options = { branch: 'main', trees: [{ kind: 'dir', path: tree }], threads: 0 } as const;
        await commit(repo, options);
        const before = usedBytes(path);
        changeModes(tree);
        const second = await commit(repo, options);
        expect(second.contentWritten).toBe(21);
        expect(usedBytes(path) - before).toBeLessThan(3_000_000);
        expect(ostreeFsck(repo.path)).toBe('');
      }),
    );
  }
});

describe('a pull of the same content under other metadata', () => {
  for (const kind of Object.keys(MAKE)) {
    withTools(`writes nothing again on ${kind}`, () =>
      onNew(kind, async (path) => {
        const tree = makeTree();
        const dir = scratchDir();
        const mirror = initRepo(join(dir, 'mirror'), { mode: 'archive' });
        const publish = async (): Promise<void> => {
          await commit(mirror, { branch: 'main', trees: [{ kind: 'dir', path: tree }], threads: 0 });
          await updateSummary(mirror);
        };
        await publish();
        const nginx = await startNginx(mirror.path, join(dir, 'nginx'));
        try {
          addRemote(initRepo(join(path, 'repo'), { mode: 'bare' }), { name: 'm', url: nginx.url, noGpgVerify: true });
          const client = openRepo(join(path, 'repo'));
          await pull(client, 'm', { refs: ['main'], threads: 0 });
          const before = usedBytes(path);
          changeModes(tree);
          await publish();
          expect(await pull(client, 'm', { refs: ['main'], threads: 0 })).toMatchObject({ contentReused: 21, contentFetched: 0 });
          expect(usedBytes(path) - before).toBeLessThan(3_000_000);
          expect(ostreeFsck(client.path)).toBe('');
        } finally {
          await nginx.stop();
        }
      }),
    );
  }
});
