/** The package as users get it: packed, unpacked elsewhere, run, imported, and type-checked against. Needs dist/. */
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROJECT_DIR, run, runOk } from '../helpers/run.ts';
import { scratchDir } from '../helpers/scratch.ts';

const packDir = mkdtempSync(join(tmpdir(), 'hacktree-pack-'));
let tarball = '';

beforeAll(() => {
  const name = runOk('npm', ['pack', '--silent', '--ignore-scripts', `--pack-destination=${packDir}`], { cwd: PROJECT_DIR });
  tarball = join(packDir, name);
});

afterAll(() => rmSync(packDir, { recursive: true }));

/** Makes a project that has the package and what it depends on at run time, and nothing else. */
function installedProject(): string {
  const dir = scratchDir();
  const modules = join(dir, 'node_modules');
  mkdirSync(join(modules, 'hacktree'), { recursive: true });
  runOk('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'hacktree')]);
  for (const name of ['koffi', '@koromix', 'openpgp', '@types'])
    symlinkSync(join(PROJECT_DIR, 'node_modules', name), join(modules, name));
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }\n');
  return dir;
}

describe('the packed package', () => {
  it('holds what is needed and nothing of the sources', () => {
    const paths = runOk('tar', ['-tzf', tarball]).split('\n');
    for (const path of [
      'bin/hacktree.js',
      'dist/main.js',
      'dist/library.js',
      'dist/types/library.d.ts',
      'LICENSE',
      'README.md',
    ]) {
      expect(paths).toContain(`package/${path}`);
    }
    expect(paths.filter((path) => /^package\/(src|test|scripts|bench)\//.test(path))).toEqual([]);
  });

  it('runs its command', () => {
    const dir = installedProject();
    const bin = join(dir, 'node_modules/hacktree/bin/hacktree.js');
    const { version } = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8'));
    expect(runOk(process.execPath, [bin, '--version'], { cwd: dir })).toContain(version);
    runOk(process.execPath, [bin, 'init', '--repo=repo'], { cwd: dir });
    expect(readFileSync(join(dir, 'repo/config'), 'utf8')).toContain('mode=bare');
  });

  it("is a library: the README's example runs, worker threads included", () => {
    const dir = installedProject();
    const [, example] = /```js\n([^`]+)```/.exec(readFileSync(join(PROJECT_DIR, 'README.md'), 'utf8')) ?? [];
    writeFileSync(join(dir, 'example.js'), example ?? '');
    for (const tree of ['v1', 'v2']) mkdirSync(join(dir, tree));
    writeFileSync(join(dir, 'v1/old'), 'old\n');
    writeFileSync(join(dir, 'v2/new'), 'new\n');
    const lines = runOk(process.execPath, ['example.js'], { cwd: dir }).split('\n');
    expect(lines.map((line) => line.replace(/^[0-9a-f]{64} /, 'CHECKSUM '))).toEqual([
      'CHECKSUM Second',
      'CHECKSUM First',
      "{ added: [ '/new' ], deleted: [ '/old' ], modified: [] }",
      'true 0',
    ]);
    expect(readFileSync(join(dir, 'out/old'), 'utf8')).toBe('old\n');
    expect(lstatSync(join(dir, 'out/old')).nlink).toBe(2);
  });

  it('has types', () => {
    const dir = installedProject();
    const tsc = join(PROJECT_DIR, 'node_modules/.bin/tsc');
    const args = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', 'use.ts'];
    writeFileSync(
      join(dir, 'use.ts'),
      "import { openRepo, resolveRev } from 'hacktree';\nexport const rev: string = resolveRev(openRepo('repo'), 'main');\n",
    );
    expect(run(tsc, args, { cwd: dir })).toMatchObject({ status: 0, stdout: '' });
    writeFileSync(join(dir, 'use.ts'), "import { openRepo } from 'hacktree';\nopenRepo(1);\n");
    expect(run(tsc, args, { cwd: dir }).stdout).toContain('TS2345');
  });
});
