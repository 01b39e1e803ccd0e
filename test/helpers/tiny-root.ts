/** A root in which programs run: some of this machine's, with the libraries that they need. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { copySync } from 'fs-extra/esm';
import { run, runOk } from './run.ts';

/** Makes one in a directory that exists. Needs ldd. */
export function makeTinyRoot(dir: string, programs: readonly string[]): void {
  for (const part of ['usr/bin', 'etc', 'var', 'proc', 'sys', 'dev', 'run', 'tmp'])
    fs.mkdirSync(path.join(dir, part), { recursive: true });
  for (const [link, target] of [
    ['bin', 'usr/bin'],
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
  ] as const)
    fs.symlinkSync(target, path.join(dir, link));
  for (const name of programs) {
    const program = fs.realpathSync(runOk('sh', ['-c', `command -v ${name}`]));
    fs.copyFileSync(program, path.join(dir, 'usr/bin', name));
    for (const [, library = ''] of run('ldd', [program]).stdout.matchAll(/(\/[^ ]+) \(0x/g)) {
      copySync(library, path.join(dir, 'usr', library.replace(/^\/usr/, '')), { dereference: true });
    }
  }
}
