/**
 * The rows of the benchmark that are about mirrors: pulls from nginx on the loopback, and between repositories of this machine.
 *
 * One mirror serves all contenders: an archive with three refs, `first` (the tree as it is), `update` (100 files changed) and `regrouped`
 * (another group for every file: every object is new, no content is). It is made, and nginx started, when the first row wants it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMIT } from './rows.mjs';

const CHANGED_FILES = 100;

/** Makes the rows; parameters as those of makeRows. */
export function makeMirrorRows({ tree, work, tools, run }) {
  const at = (name, path) => join(work, name, path);
  const call = (name, path, args) => [...tools[name], `--repo=${at(name, path)}`, ...args];
  const each = (args, path) => Object.fromEntries(Object.keys(tools).map((name) => [name, call(name, path, args)]));
  const mirror = join(work, 'mirror/repo');

  const ours = (args) => run([...tools.hacktree, `--repo=${mirror}`, ...args]);
  const ensureMirror = () => {
    if (existsSync(mirror)) return;
    mkdirSync(join(work, 'mirror/overlay/usr/share/bench'), { recursive: true });
    for (let i = 0; i < CHANGED_FILES; i++)
      writeFileSync(join(work, `mirror/overlay/usr/share/bench/file${i}`), `changed ${i}\n`.repeat(2000));
    ours(['init', '--mode=archive']);
    ours([...COMMIT, '--branch=first', tree]);
    ours([...COMMIT, '--branch=update', `--tree=dir=${tree}`, `--tree=dir=${join(work, 'mirror/overlay')}`]);
    ours([...COMMIT, '--branch=regrouped', '--owner-gid=7', tree]);
    ours(['summary', '-u']);
  };
  const port = 20_000 + (process.pid % 20_000);
  const ensureServer = () => {
    ensureMirror();
    const place = join(work, 'mirror/nginx');
    if (!existsSync(place)) startNginx(mirror, place, port, run);
  };

  const freshClient = (name, path, mode = 'bare') => {
    rmSync(at(name, path), { recursive: true, force: true });
    run(call(name, path, ['init', `--mode=${mode}`]));
    run(call(name, path, ['remote', 'add', '--no-gpg-verify', 'm', `http://127.0.0.1:${port}`]));
  };
  /** A client that has the first commit: hard links of one that pulled it. */
  const clientWithFirst = (name) => {
    ensureServer();
    if (!existsSync(at(name, 'first'))) {
      freshClient(name, 'first');
      run(call(name, 'first', ['pull', 'm', 'first']));
    }
    rmSync(at(name, 'client'), { recursive: true, force: true });
    run(['cp', '-al', at(name, 'first'), at(name, 'client')]);
    // What is written in place must not be shared.
    cpSync(at(name, 'first/config'), `${at(name, 'client/config')}.new`);
    run(['mv', `${at(name, 'client/config')}.new`, at(name, 'client/config')]);
  };
  const pulls = (ref) => each(['pull', 'm', ref], 'client');
  const ensureSource = () => {
    ensureMirror();
    if (existsSync(join(work, 'mirror/source'))) return;
    run([...tools.hacktree, `--repo=${join(work, 'mirror/source')}`, 'init', '--mode=bare']);
    run([...tools.hacktree, `--repo=${join(work, 'mirror/source')}`, 'pull-local', mirror, 'first']);
  };

  return [
    {
      name: 'pull, all into bare',
      target: { faster: 2 },
      prepare: (name) => {
        ensureServer();
        freshClient(name, 'client');
      },
      contenders: pulls('first'),
    },
    { name: 'pull, 100 changed files', target: { seconds: 2 }, prepare: clientWithFirst, contenders: pulls('update') },
    { name: 'pull, another group for all', target: { faster: 5 }, prepare: clientWithFirst, contenders: pulls('regrouped') },
    {
      name: 'pull-local, bare to bare',
      target: { faster: 1.5 },
      prepare: (name) => {
        ensureSource();
        freshClient(name, 'local');
      },
      contenders: each(['pull-local', join(work, 'mirror/source'), 'first'], 'local'),
    },
    {
      name: 'pull-local, archive to bare',
      target: { faster: 2 },
      prepare: (name) => {
        ensureMirror();
        freshClient(name, 'local');
      },
      contenders: each(['pull-local', mirror, 'first'], 'local'),
    },
  ];
}

/** Starts nginx for a directory; it ends with this process. */
function startNginx(root, place, port, run) {
  mkdirSync(place, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${place}/${kind};`)
    .join(' ');
  writeFileSync(
    join(place, 'nginx.conf'),
    `user root; worker_processes 2; pid ${place}/pid; error_log ${place}/error.log;
events { worker_connections 512; }
http { ${temporary} access_log off; sendfile on; keepalive_requests 100000; server { listen 127.0.0.1:${port}; root ${root}; } }
`,
  );
  run(['nginx', '-c', join(place, 'nginx.conf'), '-p', place]);
  const { status } = spawnSync('curl', [
    '-s',
    '--retry',
    '20',
    '--retry-connrefused',
    '-o',
    '/dev/null',
    `http://127.0.0.1:${port}/summary`,
  ]);
  if (status !== 0) throw new Error('nginx does not answer');
  const pid = Number(readFileSync(join(place, 'pid'), 'utf8'));
  process.on('exit', () => process.kill(pid)); // its directory may be gone by then
}
