/** The real nginx on the loopback, serving one directory, with a log of what was asked for. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

export interface Nginx {
  /** Without a slash at its end. */
  readonly url: string;
  /** Requests that have ended: path, status, bytes of the body, the first and last byte asked for. */
  requests(): { path: string; status: number; bodyBytes: number; range: readonly [number, number] | undefined }[];
  /** Forgets all requests that have begun: one whose client was killed may end, and be logged, later. */
  forget(): void;
  stop(): Promise<void>;
}

/** Times in nginx's log are whole milliseconds, of when it last looked at the clock. */
const CLOCK_MS = 5;

/** Finds a port that nothing listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Starts nginx for a directory; its own files go to `work`. `server` is put into the server block. */
export async function startNginx(root: string, work: string, server = ''): Promise<Nginx> {
  const port = await freePort();
  mkdirSync(work, { recursive: true });
  const log = join(work, 'access.log');
  const config = `
daemon off; master_process off; user root; pid ${work}/pid; error_log ${work}/error.log;
events { worker_connections 256; }
http {
  log_format plain '$request_uri $status $body_bytes_sent $msec $request_time $http_range';
  client_body_temp_path ${work}/b; proxy_temp_path ${work}/p; fastcgi_temp_path ${work}/f; uwsgi_temp_path ${work}/u; scgi_temp_path ${work}/s;
  server { listen 127.0.0.1:${port}; root ${root}; access_log ${log} plain; ${server} }
}`;
  writeFileSync(join(work, 'nginx.conf'), config);
  writeFileSync(log, '');
  const child = spawn('nginx', ['-c', join(work, 'nginx.conf'), '-p', work], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await untilListening(port, () => child.exitCode !== null);
  let sinceMs = 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [path = '', status, bodyBytes, endSec, durationSec, range = ''] = line.split(' ');
          const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
          const startMs = (Number(endSec) - Number(durationSec)) * 1000;
          const asked = first === undefined ? undefined : ([Number(first), Number(last)] as const);
          return { path, status: Number(status), bodyBytes: Number(bodyBytes), range: asked, startMs };
        })
        .filter(({ startMs }) => startMs > sinceMs - CLOCK_MS),
    forget: () => {
      writeFileSync(log, '');
      sinceMs = Date.now();
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

async function untilListening(port: number, hasEnded: () => boolean): Promise<void> {
  for (;;) {
    if (hasEnded()) throw new Error('nginx ended at once; see its error.log');
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
