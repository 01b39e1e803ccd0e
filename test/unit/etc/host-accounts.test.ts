/** Which accounts of the host a new root gets. */
import { describe, expect, it } from '@jest/globals';
import { type AccountTexts, planHostAccounts } from '../../../src/etc/host-accounts.ts';
import { defaultEtcPolicy, parseEtcPolicy } from '../../../src/etc/policy.ts';

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const policy = defaultEtcPolicy();

const HOST: AccountTexts = {
  passwd: lines(
    'root:x:0:0:root:/root:/bin/bash',
    'alice:x:1000:1000:Alice:/home/alice:/bin/zsh',
    'bob:x:1001:100::/home/bob:/bin/bash',
    'backup:x:34:34::/var/backups:/bin/sh',
    'nobody:x:65534:65534::/:/bin/false',
  ),
  shadow: lines('root:$hostroot:1::::::', 'alice:$a:2::::::', 'bob:$b:3::::::', 'backup:$c:4::::::', 'nobody:*:5::::::'),
  group: lines(
    'root:x:0:',
    'users:x:100:',
    'sudo:x:27:alice',
    'docker:x:998:alice,bob',
    'alice:x:1000:',
    'team:x:1005:bob',
    'nogroup:x:65534:',
  ),
  gshadow: lines('sudo:*::alice', 'alice:!::', 'team:!:alice:bob'),
  subuid: lines('alice:100000:65536', '1001:165536:65536'),
  subgid: lines('alice:100000:65536'),
};
const ROOT: AccountTexts = {
  passwd: lines('root:x:0:0:root:/root:/bin/bash', 'daemon:x:1:1::/:/bin/false'),
  shadow: lines('root:*:1::::::', 'daemon:*:1::::::'),
  group: lines('root:x:0:', 'sudo:x:27:', 'users:x:100:'),
  gshadow: lines('root:*::', 'sudo:*::', 'users:*::'),
};

describe('planHostAccounts', () => {
  it('takes people with their secrets, groups, memberships and ranges, and leaves system accounts alone', () => {
    const { texts, users, groups, conflicts } = planHostAccounts({ host: HOST, root: ROOT, policy });
    expect(texts).toEqual({
      passwd: `${ROOT.passwd}${lines('alice:x:1000:1000:Alice:/home/alice:/bin/zsh', 'bob:x:1001:100::/home/bob:/bin/bash')}`,
      shadow: `${ROOT.shadow}${lines('alice:$a:2::::::', 'bob:$b:3::::::')}`,
      group: lines('root:x:0:', 'sudo:x:27:alice', 'users:x:100:', 'alice:x:1000:', 'team:x:1005:bob'),
      gshadow: lines('root:*::', 'sudo:*::alice', 'users:*::', 'alice:!::', 'team:!:alice:bob'),
      subuid: HOST.subuid,
      subgid: HOST.subgid,
    });
    expect(users).toEqual(['alice', 'bob']);
    expect(groups).toEqual(['alice', 'team']);
    expect(conflicts).toEqual(["the new root has no group 'docker', in which alice, bob is on the host"]);
  });

  it('takes the secret of a system account that the policy names, and a named group', () => {
    const named = parseEtcPolicy('[accounts]\nuser root\nuser backup\ngroup docker\n');
    const { texts, users, conflicts } = planHostAccounts({ host: HOST, root: ROOT, policy: named });
    expect(texts.shadow).toContain('root:$hostroot:1::::::');
    expect(texts.passwd?.split('\n')[0]).toBe('root:x:0:0:root:/root:/bin/bash');
    expect(texts.passwd).toContain('backup:x:34:34');
    expect(texts.group).toContain('docker:x:998:alice,bob');
    expect(users).toEqual(['root', 'alice', 'bob', 'backup']);
    expect(conflicts).toEqual([]);
  });

  it('takes a group below 1000 that is the primary one of a user and that the new root does not have', () => {
    const { texts, groups } = planHostAccounts({ host: HOST, root: { ...ROOT, group: lines('root:x:0:') }, policy });
    expect(groups).toEqual(['users', 'alice', 'team']);
    expect(texts.group).toContain('users:x:100:');
  });

  it("puts the host's people before the new root's, and the new root's system accounts before the host's people", () => {
    const root: AccountTexts = {
      passwd: lines('user:x:1000:1000::/home/user:/bin/sh', 'bob:x:991:991::/var/bob:/bin/false'),
      shadow: lines('user:!:1::::::', 'bob:!:1::::::'),
      group: lines('user:x:1000:', 'users:x:100:', 'team:x:1234:'),
      gshadow: lines('user:!::'),
      subuid: lines('user:100000:65536', 'builder:120000:65536', 'other:900000:65536'),
    };
    const { texts, users, conflicts } = planHostAccounts({ host: HOST, root, policy });
    expect(texts.passwd).toBe(lines('bob:x:991:991::/var/bob:/bin/false', 'alice:x:1000:1000:Alice:/home/alice:/bin/zsh'));
    expect(texts.shadow).toBe(lines('bob:!:1::::::', 'alice:$a:2::::::'));
    expect(texts.group).toBe(lines('users:x:100:', 'team:x:1005:bob', 'alice:x:1000:'));
    expect(texts.gshadow).toBe(lines('alice:!::', 'team:!:alice:bob'));
    expect(texts.subuid).toBe(lines('other:900000:65536', 'alice:100000:65536'));
    expect(users).toEqual(['alice']);
    expect(conflicts).toEqual([
      "gid 1000 is 'alice' on the host and 'user' in the new root; 'user' was left out",
      "group 'team' has gid 1005 on the host and 1234 in the new root; 1005 was taken",
      "uid 1000 is 'alice' on the host and 'user' in the new root; 'user' was left out",
      "user 'bob' has uid 1001 on the host and 991 in the new root; 991 stays",
      "the new root has no group 'sudo', in which alice is on the host",
      "the new root has no group 'docker', in which alice is on the host",
      "subuid: the range of 'builder' overlaps that of 'alice' and was left out",
    ]);
  });

  it('gives a shell that the new root has', () => {
    const { texts, conflicts } = planHostAccounts({ host: HOST, root: ROOT, policy, hasShell: (shell) => shell !== '/bin/zsh' });
    expect(texts.passwd).toContain('alice:x:1000:1000:Alice:/home/alice:/bin/sh\n');
    expect(conflicts).toContain("the new root has no /bin/zsh, the shell of 'alice'; it got /bin/sh");
  });

  it('changes nothing the second time, nor where the host has nobody', () => {
    const first = planHostAccounts({ host: HOST, root: ROOT, policy });
    expect(planHostAccounts({ host: HOST, root: { ...ROOT, ...first.texts }, policy }).texts).toEqual({});
    expect(planHostAccounts({ host: {}, root: ROOT, policy })).toEqual({ texts: {}, users: [], groups: [], conflicts: [] });
  });
});
