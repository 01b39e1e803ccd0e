/** Contents on their way to the disk: what changes after it was hashed is refused and leaves nothing; two may write the same. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import { FileStore } from '../../../src/repo/file-store.ts';
import { beginTransaction, initRepo } from '../../../src/repo/index.ts';
import { ObjectFiles } from '../../../src/repo/object-files.ts';
import { scratchDir } from '../../helpers/scratch.ts';
import { noise } from '../../helpers/trees.ts';

it.each([
  ['has other bytes', 0],
  ['has grown', 100_000],
])('an archive refuses a file that %s now', async (_, grownBytes) => {
  const dir = scratchDir();
  const repo = initRepo(join(dir, 'repo'), { mode: 'archive' });
  const path = join(dir, 'file');
  fs.writeFileSync(path, noise(2_000_000 + grownBytes, 'new'));
  const transaction = await beginTransaction(repo);
  const { stagingPath, budget } = transaction.writerInit;
  const store = new FileStore(new ObjectFiles(transaction.writerInit, repo), budget);
  const header = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [] };
  const known = { digest: undefined, object: undefined, sizeBytes: 2_000_000 };
  const fd = fs.openSync(path, 'r');
  try {
    const checksum = 'ab'.repeat(32) as Checksum;
    expect(() => store.fromFile(checksum, header, { fd, path }, known)).toThrow(`${path} changed while it was being committed`);
    expect(fs.readdirSync(stagingPath, { recursive: true })).toEqual([]);
  } finally {
    fs.closeSync(fd);
    transaction.abort();
  }
});

it('two writers of the same object do not disturb each other', async () => {
  const repo = initRepo(join(scratchDir(), 'repo'), { mode: 'bare-user-only' });
  const transaction = await beginTransaction(repo);
  const [one, other] = [new ObjectFiles(transaction.writerInit, repo), new ObjectFiles(transaction.writerInit, repo)];
  const header = { uid: 0, gid: 0, mode: 0o100644, target: '', xattrs: [] };
  const checksum = 'cd'.repeat(32) as Checksum;
  const fillWith = (files: ObjectFiles, meanwhile: () => void) => (fd: number) => {
    fs.writeSync(fd, 'some ');
    meanwhile();
    fs.writeSync(fd, 'content');
    files.finishInode(fd, header);
  };
  const writeOther = (): void =>
    other.storeVerified(
      checksum,
      'file',
      12,
      fillWith(other, () => {}),
    );
  one.storeVerified(checksum, 'file', 12, fillWith(one, writeOther));
  const path = one.stagedPath(checksum, 'file');
  expect([fs.readFileSync(path, 'utf8'), fs.statSync(path).mtimeMs]).toEqual(['some content', 0]);
  expect(fs.readdirSync(transaction.writerInit.stagingPath)).toEqual(['cd']);
  transaction.abort();
});
