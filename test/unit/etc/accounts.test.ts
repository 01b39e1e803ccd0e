/** Merging of the account files by name and field. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AccountFile } from '../../../src/etc/account-files.ts';
import { type AccountVersions, mergeAccountFiles } from '../../../src/etc/account-merge.ts';

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

function mergeOne(
  file: AccountFile,
  versions: AccountVersions,
): { text: string | undefined; conflicts: readonly string[] | undefined } {
  const merge = mergeAccountFiles({ [file]: versions })[file];
  return { text: merge?.text, conflicts: merge?.conflicts };
}

const ROOT = 'root:x:0:0:root:/root:/bin/bash';
const DAEMON = 'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin';
const NOBODY = 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin';
const ALICE = 'alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash';
const SSHD = 'sshd:x:101:65534::/run/sshd:/usr/sbin/nologin';

describe('passwd', () => {
  it('keeps added users, takes new default ones where they stand there, follows changed fields', () => {
    const base = lines(ROOT, DAEMON, NOBODY);
    const user = lines(ROOT.replace('/bin/bash', '/bin/zsh'), DAEMON, NOBODY, ALICE);
    const next = lines(ROOT.replace(':root:/', ':Super-User:/'), DAEMON, SSHD, NOBODY);
    expect(mergeOne('passwd', { base, user, next })).toEqual({
      text: lines('root:x:0:0:Super-User:/root:/bin/zsh', DAEMON, SSHD, NOBODY, ALICE),
      conflicts: [],
    });
  });

  it('removes what the user removed and what the new defaults dropped untouched', () => {
    const base = lines(ROOT, DAEMON, 'games:x:5:60:games:/usr/games:/bin/sh', 'news:x:9:9:news:/n:/bin/sh');
    const user = lines(ROOT, 'games:x:5:60:games:/usr/games:/bin/sh', 'news:x:9:9:my news:/n:/bin/sh', ALICE);
    const next = lines(ROOT.replace('bash', 'sh'), DAEMON.replace('nologin', 'false'));
    expect(mergeOne('passwd', { base, user, next })).toEqual({
      text: lines(ROOT.replace('bash', 'sh'), 'news:x:9:9:my news:/n:/bin/sh', ALICE),
      conflicts: [],
    });
  });

  it('lets the user win a field that both changed, and says so', () => {
    const base = lines(ROOT, DAEMON);
    const user = lines(ROOT.replace('/bin/bash', '/bin/zsh'), DAEMON);
    const next = lines(ROOT.replace('/bin/bash', '/bin/sh'), DAEMON);
    expect(mergeOne('passwd', { base, user, next })).toEqual({
      text: user,
      conflicts: ["'root': field 7 of passwd was changed both here and in the new defaults"],
    });
  });

  it('keeps comments, NIS entries, damaged lines and duplicate names', () => {
    const base = lines(ROOT, DAEMON);
    const user = lines(
      '# mine',
      ROOT,
      'broken line',
      'toor:x:0:0::/root:/bin/sh',
      'toor:x:0:0:again:/root:/bin/sh',
      DAEMON,
      '',
      '+::::::',
    );
    const next = lines(ROOT, DAEMON, SSHD);
    expect(mergeOne('passwd', { base, user, next })).toEqual({
      text: lines(
        '# mine',
        ROOT,
        'broken line',
        'toor:x:0:0::/root:/bin/sh',
        'toor:x:0:0:again:/root:/bin/sh',
        DAEMON,
        SSHD,
        '',
        '+::::::',
      ),
      conflicts: [],
    });
  });

  it('leaves a new default account out whose id is taken, in all files', () => {
    const merged = mergeAccountFiles({
      passwd: { base: lines(ROOT), user: lines(ROOT, 'svc:x:101:101::/srv:/bin/false'), next: lines(ROOT, SSHD, DAEMON) },
      shadow: {
        base: lines('root:*:1::::::'),
        user: lines('root:*:1::::::', 'svc:!:2::::::'),
        next: lines('root:*:1::::::', 'sshd:!:3::::::', 'daemon:*:3::::::'),
      },
    });
    expect(merged.passwd).toEqual({
      text: lines(ROOT, DAEMON, 'svc:x:101:101::/srv:/bin/false'),
      conflicts: ["uid 101 is 'svc' here and 'sshd' in the new defaults; it was left out"],
    });
    expect(merged.shadow).toEqual({ text: lines('root:*:1::::::', 'daemon:*:3::::::', 'svc:!:2::::::'), conflicts: [] });
  });

  it('leaves a new default account out whose primary group is another group here', () => {
    const merged = mergeAccountFiles({
      group: { base: lines('root:x:0:'), user: lines('root:x:0:', 'docker:x:105:alice'), next: lines('root:x:0:', 'tss:x:105:') },
      gshadow: { base: lines('root:*::'), user: lines('root:*::', 'docker:!::alice'), next: lines('root:*::', 'tss:!::') },
      passwd: { base: lines(ROOT), user: lines(ROOT, ALICE), next: lines(ROOT, 'tss:x:105:105::/:/bin/false') },
    });
    expect(merged.group).toEqual({
      text: lines('root:x:0:', 'docker:x:105:alice'),
      conflicts: ["gid 105 is 'docker' here and 'tss' in the new defaults; it was left out"],
    });
    expect(merged.gshadow?.text).toBe(lines('root:*::', 'docker:!::alice'));
    expect(merged.passwd).toEqual({
      text: lines(ROOT, ALICE),
      conflicts: ["the new default account 'tss' has the group 105, which is another group here; it was left out"],
    });
  });

  it('keeps the old id where the new defaults move an account to one that is taken', () => {
    const base = lines(ROOT, SSHD);
    const user = lines(ROOT, SSHD, 'svc:x:102:102::/srv:/bin/false');
    const next = lines(ROOT, SSHD.replace(':101:', ':102:'));
    expect(mergeOne('passwd', { base, user, next })).toEqual({
      text: user,
      conflicts: ["uid 102 is 'svc' here and 'sshd' in the new defaults"],
    });
  });

  it('accepts ids that the new defaults share on purpose', () => {
    const next = lines(ROOT, 'toor:x:0:0::/root:/bin/sh');
    expect(mergeOne('passwd', { base: lines(ROOT), user: lines(ROOT, ALICE), next })).toEqual({
      text: lines(ROOT, 'toor:x:0:0::/root:/bin/sh', ALICE),
      conflicts: [],
    });
  });
});

describe('group and gshadow', () => {
  it('merges members as sets', () => {
    const base = lines('sudo:x:27:', 'audio:x:29:pulse,old');
    const user = lines('sudo:x:27:alice', 'audio:x:29:pulse,old,alice');
    const next = lines('sudo:x:27:', 'audio:x:29:pulse,pipewire');
    expect(mergeOne('group', { base, user, next })).toEqual({
      text: lines('sudo:x:27:alice', 'audio:x:29:pulse,alice,pipewire'),
      conflicts: [],
    });
    const shadow = { base: lines('audio:*:adm:a'), user: lines('audio:*:adm:a,b'), next: lines('audio:*:adm,new:a') };
    expect(mergeOne('gshadow', shadow)).toEqual({ text: lines('audio:*:adm,new:a,b'), conflicts: [] });
  });
});

describe('shadow', () => {
  it('takes the day of the last change from the side whose password it took, without a conflict', () => {
    const base = lines('root:*:19000:0:99999:7:::', 'daemon:*:19000:0:99999:7:::');
    const user = lines('root:$y$secret:20100:0:99999:7:::', 'daemon:*:19000:0:99999:7:::', 'alice:$y$a:20100:0:99999:7:::');
    const next = lines('root:*:19500:0:99999:14:::', 'daemon:*:19500:0:99999:7:::');
    expect(mergeOne('shadow', { base, user, next })).toEqual({
      text: lines('root:$y$secret:20100:0:99999:14:::', 'daemon:*:19500:0:99999:7:::', 'alice:$y$a:20100:0:99999:7:::'),
      conflicts: [],
    });
  });

  it('says so when both changed the password', () => {
    const merged = mergeOne('shadow', { base: 'root:*:1::::::\n', user: 'root:u:2::::::\n', next: 'root:n:3::::::\n' });
    expect(merged.text).toBe('root:u:2::::::\n');
    expect(merged.conflicts).toEqual(["'root': field 2 of shadow was changed both here and in the new defaults"]);
  });
});

describe('subuid', () => {
  it('leaves out a new default range that overlaps one in use', () => {
    const versions = { base: '', user: 'alice:100000:65536\n', next: 'builder:165535:65536\nother:300000:65536\n' };
    expect(mergeOne('subuid', versions)).toEqual({
      text: 'other:300000:65536\nalice:100000:65536\n',
      conflicts: ["uids 165535-231070 is 'alice' here and 'builder' in the new defaults; it was left out"],
    });
  });
});

describe('any account file', () => {
  const name = fc.constantFrom('root', 'a', 'b', 'c', 'd', 'e');
  const record = fc.tuple(
    name,
    fc.constantFrom('x', '*'),
    fc.integer({ min: 0, max: 6 }),
    fc.constantFrom('', 'a', 'a,b', 'b,c'),
  );
  const file = fc.uniqueArray(record, { selector: ([key]) => key }).map((all) => lines(...all.map((fields) => fields.join(':'))));

  it('gives the side that changed, and the user never loses a line to nobody', () => {
    fc.assert(
      fc.property(file, file, file, (base, user, next) => {
        expect(mergeOne('group', { base, user, next: base })).toEqual({ text: user, conflicts: [] });
        const { text = '', conflicts = [] } = mergeOne('group', { base, user, next });
        expect(mergeOne('group', { base: next, user: text, next }).text).toBe(text);
        const added = user.split('\n').filter((line) => line !== '' && !base.includes(`${line.split(':')[0]}:`));
        const names = text.split('\n').map((line) => line.split(':')[0]);
        for (const line of added) expect(names).toContain(line.split(':')[0]);
        const ids = text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.split(':')[2]);
        const isDistinct = (all: readonly unknown[]): boolean => new Set(all).size === all.length;
        const idsOf = (source: string): unknown[] =>
          source
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => line.split(':')[2]);
        if (isDistinct(idsOf(user)) && isDistinct(idsOf(next)) && conflicts.length === 0) expect(isDistinct(ids)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
