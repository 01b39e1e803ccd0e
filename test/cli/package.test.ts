/** The package as users get it: packed, unpacked elsewhere, run, imported, and type-checked against. Needs dist/. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  mkdirSync(join(dir, 'tree'));
  writeFileSync(join(dir, 'tree/file'), 'content\n');
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

  it('is a library, worker threads included', () => {
    const dir = installedProject();
    writeFileSync(
      join(dir, 'use.js'),
      `import { commit, initRepo, loadCommit, lookupPath, resolveRev } from 'hacktree';
      const repo = initRepo('repo', { mode: 'bare' });
      const report = await commit(repo, { branch: 'main', trees: [{ kind: 'dir', path: 'tree' }], subject: 'first', threads: 2 });
      const rev = resolveRev(repo, 'main');
      console.log(rev === report.commit, loadCommit(repo, rev).subject, lookupPath(repo, rev, '/file').kind);`,
    );
    expect(runOk(process.execPath, ['use.js'], { cwd: dir })).toBe('true first file');
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
