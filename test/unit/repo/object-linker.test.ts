/** Objects staged by hard link from another repository. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Checksum } from '../../../src/core/index.ts';
import { beginTransaction, initRepo, ObjectWriter } from '../../../src/repo/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';

const HEADER = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: 0o100644, target: '', xattrs: [] };

it('links what is there, once or twice, and tells what is not', async () => {
  const dir = scratchDir();
  const [source, target] = [initRepo(join(dir, 'source')), initRepo(join(dir, 'target'))];
  const filling = await beginTransaction(source);
  const objects = ['a', 'b', 'c'].map((text) => filling.writer.writeBuffer(HEADER, Buffer.from(text)).checksum);
  await filling.commit();
  const transaction = await beginTransaction(target);
  const writer = new ObjectWriter(transaction.writerInit);
  const linker = writer.openLinker(source);
  for (const object of [...objects, ...objects]) expect(linker.link(object)).toBe('linked');
  const [first] = objects as [Checksum];
  expect(linker.link(`${first.slice(0, 2)}${'0'.repeat(62)}` as Checksum)).toBe('missing');
  const prefixes = new Set(fs.readdirSync(source.objectsPath));
  const unused = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0')).find((prefix) => !prefixes.has(prefix));
  expect(linker.link(`${unused}${'0'.repeat(62)}` as Checksum)).toBe('missing');
  linker.close();
  writer.close();
  expect(objects.map((object) => writer.mayBeStaged(object))).toEqual([true, true, true]);
  await transaction.commit();
  for (const object of objects) {
    const [one, other] = [source, target].map(({ objectsPath }) =>
      fs.statSync(join(objectsPath, object.slice(0, 2), `${object.slice(2)}.file`)),
    );
    expect(other?.ino).toBe(one?.ino);
  }
});
