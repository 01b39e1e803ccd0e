/** Accounts of the host on disk: owners and modes of the new root's files stay, and links lead nowhere. */
import * as path from 'node:path';
import { expect, it } from '@jest/globals';
import { applyHostAccounts, defaultEtcPolicy, readHostAccounts } from '../../src/etc/index.ts';
import { requireRoot } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';
import { readTree, writeTree } from './trees.ts';

const asRoot = requireRoot() ? it : it.skip;

asRoot('reads, plans and writes', () => {
  const dir = scratchDir();
  const [hostEtcDir, rootDir] = [path.join(dir, 'host'), path.join(dir, 'root')];
  const etcDir = path.join(rootDir, 'etc');
  writeTree(hostEtcDir, {
    passwd: 'a:x:1000:1000:\xe4:/home/a:/bin/bash\nb:x:1001:1001::/home/b:/usr/bin/fish\n',
    shadow: { file: 'a:$1:1::::::\n', mode: 0o640, gid: 42 },
  });
  writeTree(path.join(dir, 'outside'), { victim: 'untouched' });
  writeTree(rootDir, {
    etc: {
      dir: {
        passwd: 'root:x:0:0::/root:/bin/sh\n',
        shadow: { file: 'root:*:1::::::\n', mode: 0o640, gid: 15 },
        group: { link: '../../outside/victim' },
      },
    },
  });
  const accounts = readHostAccounts({
    hostEtcDir,
    etcDir,
    policy: defaultEtcPolicy(),
    hasShell: (shell) => shell === '/bin/bash',
  });
  expect(accounts.conflicts).toEqual(["the new root has no /usr/bin/fish, the shell of 'b'; it got /bin/sh"]);
  applyHostAccounts({ ...accounts, texts: { ...accounts.texts, group: 'a:x:1000:\n', gshadow: 'a:!::\n' } }, etcDir);
  const tree = readTree(etcDir);
  expect(tree.passwd).toContain('file 0:0 644 root:x:0:0::/root:/bin/sh\na:x:1000:1000:');
  expect(tree.shadow).toBe('file 0:15 640 root:*:1::::::\na:$1:1::::::\n');
  expect(tree.group).toBe('file 0:0 644 a:x:1000:\n');
  expect(tree.gshadow).toBe('file 0:0 600 a:!::\n');
  expect(readTree(path.join(dir, 'outside'))).toEqual({ victim: 'file 0:0 644 untouched' });
});
