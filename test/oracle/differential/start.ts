/** The start of every scenario: trees, lists, a repository `r` in some mode, and a mirror that both sides only read. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ostree, ostreeCommit } from '../../helpers/oracle.ts';
import { runOk } from '../../helpers/run.ts';
import { makePolicy } from '../../helpers/selinux.ts';

export const MODES = ['bare', 'bare-user', 'bare-user-only', 'archive'] as const;
export type Mode = (typeof MODES)[number];

/** Makes what does not depend on the mode: `base/common` to be copied, and the mirror `base/up`. */
export function makeCommon(base: string): void {
  const common = join(base, 'common');
  const put = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(join(common, path, '..'), { recursive: true });
    writeFileSync(join(common, path), text);
    chmodSync(join(common, path), mode);
  };
  put('tree/dir/file', 'content\n');
  put('tree/dir/tool', '#!/bin/sh\n', 0o755);
  put('tree/text', 'text\n'.repeat(300));
  put('tree/empty', '');
  symlinkSync('dir/file', join(common, 'tree/link'));
  put('small/only', 'one file\n');
  put('whiteouts/dir/.wh.file', '');
  put('whiteouts/new', 'new\n');
  put('boot/usr/lib/modules/6.1/vmlinuz', 'kernel\n');
  put('lists/body', 'Text of a file\n\nsecond part\n');
  put('lists/overrides', '=493 /text\n+2048 /dir/tool\n');
  put('lists/skips', '/dir/tool\n/only\n');
  put('lists/checkouts', 'main\0/dir\0other/one\0/\0');
  runOk('tar', ['--create', '--numeric-owner', '--sort=name', '--file=tree.tar', '--directory=tree', '.'], { cwd: common });
  for (const dir of ['cache', 'sys/ostree/deploy']) mkdirSync(join(common, dir), { recursive: true });
  makePolicy(join(common, 'policy'));
  put('policy/etc/selinux/small/policy/policy.33', 'compiled\n');
  put('lists/string', 'a string\0');
  const up = join(base, 'up');
  ostree(up, 'init', '--mode=archive');
  ostreeCommit(up, join(common, 'tree'), '--add-metadata-string=version=1');
  put('next/dir/file', 'changed\n');
  put('next/added', 'added\n');
  ostreeCommit(up, join(common, 'next'), '--timestamp=@1700000100');
  ostreeCommit(up, join(common, 'small'), '--branch=second');
  ostree(up, 'static-delta', 'generate', 'main');
  ostree(up, 'summary', '-u');
}

/** Makes the start in a mode: `common` and the repository, with the mirror as remote `up`, and as `web` by its URL. */
export function makeStart(base: string, mode: Mode, web: string): string {
  const start = join(base, mode);
  runOk('cp', ['-a', join(base, 'common'), start]);
  const repo = join(start, 'r');
  const at = (seconds: number): string => `--timestamp=@${1_700_000_000 + seconds}`;
  ostree(repo, 'init', `--mode=${mode}`);
  ostreeCommit(repo, join(start, 'small'), at(0), '--add-metadata-string=version=1');
  ostreeCommit(repo, join(start, 'tree'), at(10), '--add-metadata-string=version=2', '--add-detached-metadata-string=note=here');
  ostreeCommit(repo, join(start, 'tree'), at(20), '--branch=other/one', '--generate-sizes');
  ostreeCommit(repo, join(start, 'small'), at(30), '--branch=other/two');
  ostreeCommit(repo, join(start, 'whiteouts'), at(40), '--branch=whiteouts');
  ostree(repo, 'refs', '-A', '--create=al', 'main');
  ostree(repo, 'remote', 'add', '--no-gpg-verify', 'up', `file://${join(base, 'up')}`);
  ostree(repo, 'remote', 'add', '--no-gpg-verify', 'web', web, 'main');
  return start;
}
