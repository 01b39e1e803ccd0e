/** The policy file: its lines, its globs, its errors. */
import { describe, expect, it } from '@jest/globals';
import { defaultEtcPolicy, globPattern, parseEtcPolicy, ruleFor } from '../../../src/etc/policy.ts';

describe('globPattern', () => {
  it.each([
    ['ssh/*', 'ssh/sshd_config', true],
    ['ssh/*', 'ssh/sshd_config.d/a', false],
    ['*', 'ssh/x', false],
    ['**', 'ssh/x', true],
    ['**/*.conf', 'a.conf', true],
    ['**/*.conf', 'a/b/c.conf', true],
    ['apt/**', 'apt/a/b', true],
    ['apt/**', 'apt', false],
    ['a.b', 'axb', false],
    ['rc[0-6].d/?00x', 'rc3.d/S00x', true],
    ['rc[!0-6].d', 'rc3.d', false],
    ['{passwd,group}-', 'group-', true],
    ['{passwd,group}-', 'shadow-', false],
    ['a+b(c)', 'a+b(c)', true],
    ['a[b', 'a[b', true],
  ])('%s on %s: %s', (glob, path, matches) => {
    expect(globPattern(glob).test(path)).toBe(matches);
  });
});

describe('parseEtcPolicy', () => {
  it('has built-in rules that the file can change; the last match counts', () => {
    expect(ruleFor(defaultEtcPolicy(), 'machine-id')).toBe('user');
    expect(ruleFor(defaultEtcPolicy(), 'ssh/ssh_host_ed25519_key.pub')).toBe('user');
    expect(ruleFor(defaultEtcPolicy(), '.updated')).toBe('drop');
    expect(ruleFor(defaultEtcPolicy(), 'fstab.d')).toBeUndefined();
    const policy = parseEtcPolicy('machine-id merge\n/etc/apt/** new # all of it\n\n  # nothing\napt/sources.list fail\n');
    expect(ruleFor(policy, 'machine-id')).toBe('merge');
    expect(ruleFor(policy, 'apt/apt.conf')).toBe('new');
    expect(ruleFor(policy, 'apt/sources.list')).toBe('fail');
    expect(policy.conflict).toBe('keep');
  });

  it('reads accounts and scripts', () => {
    const policy = parseEtcPolicy('[accounts]\nuser root\ngroup docker\n[scripts]\nnetwork 20-*\ntime-limit 600\n', {
      conflict: 'fail',
    });
    expect(policy.accounts).toEqual({ users: ['root'], groups: ['docker'] });
    expect(policy.scripts.timeLimitSec).toBe(600);
    expect(policy.scripts.network.map((pattern) => pattern.test('20-fetch'))).toEqual([true]);
    expect(policy.conflict).toBe('fail');
  });

  it.each([
    ['motd always', "line 1: unknown rule 'always'"],
    ['\nmotd', "line 2: expected two words, found 'motd'"],
    ['motd keep it', 'line 1: expected two words'],
    ['[other]', "line 1: expected two words, found '[other]'"],
    ['[accounts]\nhost root', "line 2: unknown setting 'host' in [accounts]"],
    ['[scripts]\ntime-limit soon', 'line 2: time-limit is a number of seconds'],
    ['rc[z-a] keep', "line 1: cannot understand the pattern 'rc[z-a]'"],
  ])('refuses %j', (text, message) => {
    expect(() => parseEtcPolicy(text)).toThrow(
      expect.objectContaining({ code: 'etc-policy', message: expect.stringContaining(message) }),
    );
  });
});
