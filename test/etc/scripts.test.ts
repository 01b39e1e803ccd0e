/** Local scripts, run for real in namespaces around a tiny root of dash, coreutils and their libraries. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  type DeployScript,
  defaultEtcPolicy,
  listDeployScripts,
  parseEtcPolicy,
  printScriptRuns,
  runDeployScripts,
  type ScriptsResult,
} from '../../src/etc/index.ts';
import { requireRoot, requireTool, runOk } from '../helpers/run.ts';
import { keptScratchDir, scratchDir } from '../helpers/scratch.ts';
import { makeTinyRoot } from '../helpers/tiny-root.ts';
import { writeTree } from './trees.ts';

const inRoom = requireTool('unshare', 'ldd') && requireRoot() ? it : it.skip;

let template: string;

beforeAll(() => {
  template = keptScratchDir();
  makeTinyRoot(template, ['sh', 'cat', 'ls', 'mkdir', 'sleep', 'touch', 'id', 'env']);
});

interface Room {
  readonly rootDir: string;
  readonly varDir: string;
  run(options?: Partial<Parameters<typeof runDeployScripts>[0]>): Promise<ScriptsResult>;
}

function room(files: Record<string, string>): Room {
  const dir = scratchDir();
  const [rootDir, varDir] = [path.join(dir, 'root'), path.join(dir, 'var')];
  fs.cpSync(template, rootDir, { recursive: true, verbatimSymlinks: true });
  fs.mkdirSync(varDir);
  const scripts = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, { file: `#!/bin/sh\n${text}\n`, mode: 0o755 }]),
  );
  writeTree(path.join(rootDir, 'etc/hacktree/deploy.d'), scripts);
  const listed = listDeployScripts(path.join(rootDir, 'etc'), defaultEtcPolicy());
  return { rootDir, varDir, run: (options) => runDeployScripts({ rootDir, varDir, scripts: listed.scripts, ...options }) };
}

const mounts = (): string => fs.readFileSync('/proc/self/mountinfo', 'utf8');

describe('runDeployScripts', () => {
  inRoom('runs scripts in order, inside the new root, with /etc and /var writable and kept', async () => {
    const before = mounts();
    const {
      rootDir,
      varDir,
      run: start,
    } = room({
      '20-second': 'cat /etc/first; echo state >/var/state; echo to-stderr >&2',
      '10-first': 'echo "$HACKTREE_ROOT $HOME" >/etc/first',
    });
    const { isOk, runs } = await start({ environment: { HACKTREE_ROOT: 'root-2' } });
    expect(isOk).toBe(true);
    expect(printScriptRuns(runs)).toBe(
      '== 10-first: ended with status 0\n== 20-second: ended with status 0\nroot-2 /root\nto-stderr\n',
    );
    expect(fs.readFileSync(path.join(rootDir, 'etc/first'), 'utf8')).toBe('root-2 /root\n');
    expect(fs.readFileSync(path.join(varDir, 'state'), 'utf8')).toBe('state\n');
    expect(fs.readdirSync(path.join(rootDir, 'var'))).toEqual([]);
    expect(fs.readdirSync(path.join(rootDir, 'dev'))).toEqual([]);
    expect(mounts()).toBe(before);
  });

  inRoom('keeps everything else read-only, and the machine out of reach', async () => {
    const { rootDir, run: start } = room({
      a: [
        'touch /usr/x && exit 1',
        'touch /x && exit 2',
        'touch /run/x /tmp/x /dev/shm/x || exit 3',
        '[ "$(ls /dev)" = "$(printf "fd\\nfull\\nnull\\nrandom\\nshm\\nstderr\\nstdin\\nstdout\\ntty\\nurandom\\nzero")" ] || exit 4',
        '[ "$(cat /proc/1/comm)" = sh ] || exit 5',
        '[ -z "$LEAK" ] || exit 6',
        'exit 0',
      ].join('\n'),
    });
    process.env.LEAK = 'leaked';
    const { isOk, runs } = await start();
    delete process.env.LEAK;
    expect({ isOk, outcome: runs[0]?.outcome }).toEqual({ isOk: true, outcome: 'ended with status 0' });
    expect(runs[0]?.output).toContain('Read-only file system');
    expect(fs.readdirSync(path.join(rootDir, 'tmp'))).toEqual([]);
  });

  inRoom('gives a network only to those that ask for it', async () => {
    const show = 'cat /proc/net/dev';
    const { run: start } = room({ a: show, b: `# hacktree: network\n${show}` });
    const { runs } = await start();
    const links = (output = ''): string[] => [...output.matchAll(/^ *([^ :|]+):/gm)].map(([, name]) => name as string).sort();
    expect(links(runs[0]?.output)).toEqual(['lo']);
    expect(links(runs[1]?.output)).toEqual(links(fs.readFileSync('/proc/net/dev', 'utf8')));
  });

  inRoom('ends at the first that fails, and says how', async () => {
    const { run: start } = room({ a: 'echo before; exit 7', b: 'echo never' });
    const { isOk, runs } = await start();
    expect(isOk).toBe(false);
    expect(runs).toEqual([{ name: 'a', isOk: false, outcome: 'ended with status 7', output: 'before\n' }]);
  });

  inRoom('stops a script, with all it started, when its time is over', async () => {
    const {
      rootDir,
      varDir,
      run: start,
    } = room({ a: '# hacktree: time-limit 1\nsleep 1000 &\n(sleep 1000; touch /var/late) & sleep 1000' });
    const { isOk, runs } = await start();
    expect(isOk).toBe(false);
    expect(runs[0]?.outcome).toBe('took longer than 1 s and was stopped');
    const left = fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && rootOf(pid) === rootDir);
    expect([left, fs.readdirSync(varDir)]).toEqual([[], []]);
  });

  inRoom('leaves nothing running behind a script that ends well', async () => {
    const { rootDir, run: start } = room({ a: 'sleep 1000 >/dev/null 2>&1 & exit 0' });
    expect((await start()).isOk).toBe(true);
    expect(fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && rootOf(pid) === rootDir)).toEqual([]);
  });

  inRoom('asks what to do about a failure', async () => {
    const { run: start } = room({ a: 'exit 1', b: 'echo on', c: 'exit 2' });
    const asked: string[] = [];
    const started: string[] = [];
    const { isOk, runs } = await start({
      onStart: ({ name }) => started.push(name),
      onFailure: async ({ name }) => {
        asked.push(name);
        return name === 'a';
      },
    });
    expect({ isOk, asked, started, ran: runs.map(({ name }) => name) }).toEqual({
      isOk: false,
      asked: ['a', 'c'],
      started: ['a', 'b', 'c'],
      ran: ['a', 'b', 'c'],
    });
  });

  inRoom('opens a shell in the new root after a failure, on this terminal', () => {
    const { rootDir, varDir } = room({ a: 'exit 1', b: 'cat /etc/mended' });
    const module = new URL('../../src/etc/index.js', import.meta.url).href;
    const program = `
      const { runDeployScripts, listDeployScripts, defaultEtcPolicy } = await import(${JSON.stringify(module)});
      const [rootDir, varDir] = process.argv.slice(1);
      const { scripts } = listDeployScripts(rootDir + '/etc', defaultEtcPolicy());
      const onFailure = async (run, openShell) => (await openShell()) === 0;
      const { isOk, runs } = await runDeployScripts({ rootDir, varDir, scripts, onFailure });
      console.log('\\n' + JSON.stringify([isOk, runs.map(({ output }) => output)]));`;
    const node = (input: string): string =>
      runOk(process.execPath, ['--input-type=module', '-e', program, rootDir, varDir], { input }).split('\n').at(-1) ?? '';
    expect(node('exit 3\n')).toBe('[false,[""]]');
    expect(node('echo by hand >/etc/mended; exit 0\n')).toBe('[true,["","by hand\\n"]]');
  });

  inRoom('says so when a script cannot be started', async () => {
    const { rootDir, run: start } = room({ a: '' });
    fs.writeFileSync(path.join(rootDir, 'etc/hacktree/deploy.d/a'), '#!/no/such/interpreter\n');
    const { isOk, runs } = await start();
    expect(isOk).toBe(false);
    expect(runs[0]?.output).toContain('/etc/hacktree/deploy.d/a');
  });

  inRoom('refuses a root whose /etc leads elsewhere', async () => {
    const { rootDir, run: start } = room({ a: 'exit 0' });
    fs.renameSync(path.join(rootDir, 'etc'), path.join(rootDir, 'elsewhere'));
    fs.symlinkSync('/etc', path.join(rootDir, 'etc'));
    await expect(start()).rejects.toMatchObject({ code: 'path-unsafe' });
  });

  inRoom('gives name servers to a script with a network where they are below /run', async () => {
    const { rootDir, run: start } = room({ a: '# hacktree: network\ncat /etc/resolv.conf' });
    fs.symlinkSync('../run/systemd/resolve/stub-resolv.conf', path.join(rootDir, 'etc/resolv.conf'));
    const { runs } = await start();
    expect(runs[0]?.output).toBe(fs.readFileSync('/etc/resolv.conf', 'utf8'));
  });
});

function rootOf(pid: string): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/root`);
  } catch {
    return undefined;
  }
}

describe('listDeployScripts', () => {
  it('sorts names, reads what they ask for, and says what it passes over', () => {
    const dir = scratchDir();
    const script = (text: string, mode = 0o755): { file: string; mode: number } => ({ file: text, mode });
    writeTree(path.join(dir, 'hacktree/deploy.d'), {
      '20-b': script('#!/bin/sh\n# hacktree: time-limit 60\n#hacktree:network\n'),
      '10-a': script('#!/bin/sh\necho\n# hacktree: network\n'),
      '30-c': script('\x7fELF'),
      '40-d': script('#!/bin/sh\n', 0o644),
      '50-e~': script(''),
      '.swp': script(''),
      '60-f.hacktree-new': script(''),
      '70-g': { link: '/bin/sh' },
    });
    const policy = parseEtcPolicy('[scripts]\nnetwork 30-*\ntime-limit 120\n');
    expect(listDeployScripts(dir, policy)).toEqual({
      scripts: [
        { name: '10-a', hasNetwork: false, timeLimitSec: 120 },
        { name: '20-b', hasNetwork: true, timeLimitSec: 60 },
        { name: '30-c', hasNetwork: true, timeLimitSec: 120 },
      ] satisfies DeployScript[],
      skipped: [
        { name: '.swp', reason: 'the name is that of a back-up' },
        { name: '40-d', reason: 'not executable' },
        { name: '50-e~', reason: 'the name is that of a back-up' },
        { name: '60-f.hacktree-new', reason: 'one side of a conflict' },
        { name: '70-g', reason: 'no regular file' },
      ],
    });
    expect(listDeployScripts(path.join(dir, 'none'), policy)).toEqual({ scripts: [], skipped: [] });
  });
});
