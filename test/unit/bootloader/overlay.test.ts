import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { encodeCpio } from '../../../src/bootloader/cpio.ts';
import { baseArguments, buildOverlay } from '../../../src/bootloader/index.ts';

describe('encodeCpio', () => {
  it('lays out headers, names and data at multiples of 4', () => {
    const archive = encodeCpio([
      { path: 'd', mode: 0o755, bytes: undefined },
      { path: 'd/file', mode: 0o644, bytes: Buffer.from('hello') },
    ]);
    expect(archive.length % 512).toBe(0);
    const text = archive.toString('latin1');
    expect(text.slice(0, 112)).toBe(
      `07070100000001000041ED${'0'.repeat(16)}00000002${'0'.repeat(8 * 6)}00000002${'0'.repeat(8)}d\0`,
    );
    expect(text.indexOf('070701', 1)).toBe(112);
    const data = text.indexOf('hello');
    expect(data % 4).toBe(0);
    expect(text.indexOf('TRAILER!!!')).toBe(data + 8 + 110);
  });
});

describe('buildOverlay', () => {
  it('holds the scripts under the names that the initramfs looks for, and is the same each time', () => {
    const overlay = buildOverlay();
    expect(buildOverlay().equals(overlay)).toBe(true);
    const names = gunzipSync(overlay)
      .toString('latin1')
      .match(/(?<=07070[0-9A-F]{105})[!-~]+(?=\0)/g);
    expect(names).toEqual([
      'hacktree',
      'hacktree/prepare-root',
      'hacktree/boot-complete',
      'scripts/hacktree',
      'lib/dracut/hooks/pre-pivot/50-hacktree.sh',
      'TRAILER!!!',
    ]);
  });

  it('holds scripts that a POSIX shell accepts', () => {
    const text = gunzipSync(buildOverlay()).toString('latin1');
    const scripts = text.match(/#!\/bin\/sh[^\0]*/g) ?? [];
    expect(scripts).toHaveLength(3);
    for (const script of scripts) execFileSync('/bin/sh', ['-n'], { input: script });
  });
});

describe('baseArguments', () => {
  it("takes the machine's arguments from the host and leaves out what is the host's own", () => {
    const hostArguments = ['root=UUID=1', 'rw', 'quiet', 'console=ttyS0', 'init=/bin/x', 'panic=0'];
    expect(baseArguments({ root: 'root-1', hostArguments })).toEqual([
      ...['root=UUID=1', 'quiet', 'console=ttyS0', 'ro', 'hacktree=/gnomeos/root-1', 'boot=hacktree', 'panic=10'],
      ...['rd.emergency=reboot', 'rd.shell=0', 'systemd.crash_reboot=1', 'systemd.gpt_auto=0'],
    ]);
  });
});
