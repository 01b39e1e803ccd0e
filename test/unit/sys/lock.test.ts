/** Locks between descriptors: whoever comes second waits, gives up, or is told at once. */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acquireLock, tryAcquireLock } from '../../../src/sys/index.ts';
import { scratchDir } from '../../helpers/scratch.ts';

describe('file locks', () => {
  it('keep a second exclusive holder out until released', async () => {
    const file = join(scratchDir(), 'lock');
    const first = tryAcquireLock(file, 'exclusive');
    expect(first).toBeDefined();
    expect(tryAcquireLock(file, 'exclusive')).toBeUndefined();
    expect(tryAcquireLock(file, 'shared')).toBeUndefined();
    expect(await acquireLock(file, { kind: 'shared', timeoutMs: 0 })).toBeUndefined();
    let waits = 0;
    const second = acquireLock(file, { kind: 'exclusive', timeoutMs: undefined, onWait: () => void waits++ });
    first?.release();
    first?.release();
    (await second)?.release();
    expect(waits).toBe(1);
    expect(tryAcquireLock(file, 'exclusive')).toBeDefined();
  });

  it('let any number share', () => {
    const file = join(scratchDir(), 'lock');
    const shared = [tryAcquireLock(file, 'shared'), tryAcquireLock(file, 'shared')];
    expect(shared.every((lock) => lock !== undefined)).toBe(true);
    expect(tryAcquireLock(file, 'exclusive')).toBeUndefined();
    for (const lock of shared) lock?.release();
    expect(tryAcquireLock(file, 'exclusive')).toBeDefined();
  });
});
