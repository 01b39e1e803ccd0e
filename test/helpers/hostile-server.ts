/** A web server on the loopback that serves a directory and misbehaves where a test says so. */
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/** Answers a request itself and returns true, or leaves it to the file server. `times`: how often this path was asked for before. */
export type Misbehave = (
  request: { path: string; times: number; headers: IncomingMessage['headers'] },
  response: ServerResponse,
  file: Buffer | undefined,
) => boolean;

export interface HostileServer {
  readonly url: string;
  readonly requests: string[];
  misbehave: Misbehave;
  stop(): Promise<void>;
}

/** Starts the server; it behaves until `misbehave` is set. */
export async function startHostileServer(root: string): Promise<HostileServer> {
  const times = new Map<string, number>();
  const hostile = { url: '', requests: [] as string[], misbehave: (() => false) as Misbehave, stop: () => stopServer(server) };
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    const count = times.get(path) ?? 0;
    times.set(path, count + 1);
    hostile.requests.push(path);
    const file =
      statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true ? readFileSync(join(root, path)) : undefined;
    if (hostile.misbehave({ path, times: count, headers: request.headers }, response, file)) return;
    serve(file, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  hostile.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  return hostile;
}

function serve(file: Buffer | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (file === undefined) {
    response.writeHead(404).end('not here');
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200, { 'content-length': file.length }).end(file);
    return;
  }
  const start = Number(range[1]);
  const end = range[2] === '' ? file.length - 1 : Math.min(file.length - 1, Number(range[2]));
  if (start >= file.length) {
    response.writeHead(416).end();
    return;
  }
  const part = file.subarray(start, end + 1);
  response.writeHead(206, { 'content-length': part.length, 'content-range': `bytes ${start}-${end}/${file.length}` }).end(part);
}

function stopServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
