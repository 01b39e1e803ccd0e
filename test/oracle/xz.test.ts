/** xz against the xz program, both ways. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { compressXz, decompressXz, decompressXzSync } from '../../src/sys/index.ts';
import { noise } from '../helpers/noise.ts';
import { requireTool } from '../helpers/run.ts';

const xz = (args: string[], input: Uint8Array): Buffer => execFileSync('xz', args, { input, maxBuffer: 1 << 30 });

const SAMPLES = [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(3_000_000, 'pattern'), noise(200_000, 1)];

const withXz = requireTool('xz') ? describe : describe.skip;

withXz('xz', () => {
  it('is read by the program, with CRC64 as ostree wants it', () => {
    for (const bytes of SAMPLES) {
      const ours = Buffer.concat([...compressXz([bytes], { inputBytes: bytes.length })]);
      expect(xz(['-dc'], ours).equals(bytes)).toBe(true);
      // Stream flags: the byte after the magic and a zero is the kind of check; 4 is CRC64.
      expect(ours.subarray(0, 8).toString('hex')).toBe('fd377a585a000004');
    }
  });

  it('without compression is read and found sound by the program', () => {
    for (const bytes of SAMPLES) {
      const stored = Buffer.concat([...compressXz([bytes], { native: false })]);
      expect(xz(['-dc'], stored).equals(bytes)).toBe(true);
      expect(xz(['-tv'], stored)).toHaveLength(0);
    }
  });

  it('compresses as well as the program does', () => {
    const bytes = Buffer.concat([Buffer.from(process.execPath.repeat(1000)), noise(1000, 2), Buffer.alloc(100_000)]);
    const ours = Buffer.concat([...compressXz([bytes], { inputBytes: bytes.length })]);
    expect(ours.length).toBeLessThanOrEqual(xz(['-8', '-c', '--check=crc64'], bytes).length);
  });

  it('is read from the program, whatever its settings', async () => {
    const settings = [['-0'], ['-9e'], ['--check=crc32'], ['--check=none'], ['--block-size=65536', '-T2']];
    for (const bytes of SAMPLES) {
      for (const setting of settings) {
        const theirs = xz([...setting, '-c'], bytes);
        const limits = { maxBytes: bytes.length, what: setting.join(' ') };
        expect(Buffer.concat([...decompressXzSync([theirs], limits)]).equals(bytes)).toBe(true);
        const pieces: Buffer[] = [];
        for await (const piece of decompressXz([theirs], { ...limits, native: false })) pieces.push(piece);
        expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
      }
    }
  });

  it('that would need too much memory is refused', () => {
    const theirs = xz(['--lzma2=dict=256MiB', '-c'], Buffer.alloc(1000));
    expect(() => [...decompressXzSync([theirs], { maxBytes: 1000, what: 'test' })]).toThrow(/more memory than is allowed/);
  });
});
